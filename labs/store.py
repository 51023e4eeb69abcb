"""What the database keeps of the labs: runs as a queue that is fair between learners, and their events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from db import Database, in_turns
from labs.models import EventRow, RunRow
from labs.parameters import Value
from labs.runner import Event, Outcome

LEASE = timedelta(seconds=20)
"""A worker that has not been heard of for so long is taken to be dead."""

MOST_STARTS = 2
MOST_OPEN = 10
OPEN = ("queued", "running")


class TooManyRunsError(ValueError):
    """A learner who has as many runs waiting as the queue takes of one person."""


@dataclass(frozen=True)
class Order:
    """What a learner asks for: a lab by its slug, the values of its parameters, and a seed."""

    lab: str
    parameters: Mapping[str, Value]
    seed: int


@dataclass(frozen=True)
class StoredRun:
    """A run as it stands."""

    id: int
    person_id: int
    lab: str
    parameters: Mapping[str, Any]
    seed: int
    state: str
    reason: str
    findings: Mapping[str, Mapping[str, Any]]
    checks: Mapping[str, bool]
    created_at: datetime
    cancel_requested: bool

    @property
    def open(self) -> bool:
        """Whether the run has not ended yet."""
        return self.state in OPEN


_RUN = select(
    RunRow.id,
    RunRow.person_id,
    RunRow.lab,
    RunRow.parameters,
    RunRow.seed,
    RunRow.state,
    RunRow.reason,
    RunRow.findings,
    RunRow.checks,
    RunRow.created_at,
    RunRow.cancel_requested,
)


def create(connection: Connection, person_id: int, order: Order, now: datetime) -> int:
    """Queue a run and return its id; raise TooManyRunsError where the person has ten open ones."""
    in_turns(connection, f"runs of {person_id}")
    waiting = select(func.count()).where(RunRow.person_id == person_id, RunRow.state.in_(OPEN))
    if connection.execute(waiting).scalar_one() >= MOST_OPEN:
        raise TooManyRunsError(f"{MOST_OPEN} of your runs are waiting; let one end, or cancel one.")
    statement = insert(RunRow).values(
        person_id=person_id,
        lab=order.lab,
        parameters=dict(order.parameters),
        seed=order.seed,
        state="queued",
        created_at=now,
    )
    return connection.execute(statement.returning(RunRow.id)).scalar_one()


def find(connection: Connection, run_id: int, person_id: int, lab: str) -> StoredRun | None:
    """Return the run if it is this person's and this lab's; somebody else's is as absent as one that never was."""
    statement = _RUN.where(RunRow.id == run_id, RunRow.person_id == person_id, RunRow.lab == lab)
    row = connection.execute(statement).first()
    return None if row is None else _run(row)


def runs_of(connection: Connection, person_id: int, lab: str) -> list[StoredRun]:
    """Return a person's runs of a lab, the newest first."""
    statement = _RUN.where(RunRow.person_id == person_id, RunRow.lab == lab).order_by(RunRow.id.desc())
    return [_run(row) for row in connection.execute(statement)]


def passed_checks(connection: Connection, person_id: int) -> dict[str, set[str]]:
    """Return the checks that a person's runs have met, by the lab's slug."""
    runs = select(RunRow.lab, RunRow.checks).where(RunRow.person_id == person_id, RunRow.checks.is_not(None))
    passed: dict[str, set[str]] = {}
    for row in connection.execute(runs):
        passed.setdefault(row.lab, set()).update(name for name, met in (row.checks or {}).items() if met)
    return passed


def runs_by(connection: Connection, labs: Sequence[str], people: Sequence[int]) -> list[Any]:
    """Return (person_id, lab, checks, created_at, ended_at) of these people's runs of these labs, the oldest first."""
    statement = select(RunRow.person_id, RunRow.lab, RunRow.checks, RunRow.created_at, RunRow.ended_at)
    own = (RunRow.lab.in_(labs), RunRow.person_id.in_(people))
    return list(connection.execute(statement.where(*own).order_by(RunRow.id)))


def last_runs(connection: Connection, people: Sequence[int]) -> dict[int, datetime]:
    """Return when each of these people last asked for a run."""
    newest = func.max(RunRow.created_at, type_=RunRow.created_at.type).label("at")
    statement = select(RunRow.person_id, newest).where(RunRow.person_id.in_(people)).group_by(RunRow.person_id)
    return {row.person_id: row.at for row in connection.execute(statement)}


def events_after(connection: Connection, run_id: int, number: int) -> list[tuple[int, Event]]:
    """Return (number, event) of a run's events after that number, in order."""
    statement = select(EventRow.number, EventRow.event).where(EventRow.run_id == run_id, EventRow.number > number)
    return [(row.number, row.event) for row in connection.execute(statement.order_by(EventRow.number))]


def request_cancel(connection: Connection, run_id: int, now: datetime) -> None:
    """Cancel a run that waits; ask the worker to cancel one that runs; leave one that has ended."""
    # A worker may claim it or give it back at this moment.
    connection.execute(select(RunRow.id).where(RunRow.id == run_id).with_for_update())
    waiting = update(RunRow).where(RunRow.id == run_id, RunRow.state == "queued")
    connection.execute(waiting.values(state="cancelled", reason="Cancelled before it began.", ended_at=now))
    running = update(RunRow).where(RunRow.id == run_id, RunRow.state == "running")
    connection.execute(running.values(cancel_requested=True))


def claim(database: Database, worker: str, now: datetime) -> StoredRun | None:
    """Claim one queued run for ``worker`` and return it, or None where none waits.

    Whoever has the fewest running comes first, then whoever was served the longest ago, then the oldest run. A
    conditional update claims it, so of two workers that saw the same run one gets it and the other looks again.
    """
    while True:
        with database.reading() as connection:
            run_id = connection.execute(_next_run()).scalar_one_or_none()
        if run_id is None:
            return None
        with database.writing() as connection:
            claimed = connection.execute(
                update(RunRow)
                .where(RunRow.id == run_id, RunRow.state == "queued")
                .values(
                    state="running", claim=worker, lease_until=now + LEASE, started_at=now, starts=RunRow.starts + 1
                )
            )
            if claimed.rowcount == 1:
                return _run(connection.execute(_RUN.where(RunRow.id == run_id)).one())


def keep(database: Database, run_id: int, worker: str, events: Sequence[Event], now: datetime) -> bool:
    """Store new events, renew the lease, and return whether to go on: not after a cancel, or once the claim is lost."""
    with database.writing() as connection:
        statement = update(RunRow).where(RunRow.id == run_id, RunRow.claim == worker, RunRow.state == "running")
        row = connection.execute(
            statement.values(lease_until=now + LEASE).returning(RunRow.cancel_requested)
        ).scalar_one_or_none()
        if row is not None and events:
            last = select(func.coalesce(func.max(EventRow.number), 0)).where(EventRow.run_id == run_id)
            first = connection.execute(last).scalar_one() + 1
            rows = [{"run_id": run_id, "number": number, "event": one} for number, one in enumerate(events, first)]
            connection.execute(insert(EventRow), rows)
        return row is False


def finish(database: Database, run_id: int, worker: str, outcome: Outcome, now: datetime) -> None:
    """Store how a run ended, unless another worker has it by now."""
    states = {"done": "done", "cancelled": "cancelled"}
    with database.writing() as connection:
        connection.execute(
            update(RunRow)
            .where(RunRow.id == run_id, RunRow.claim == worker, RunRow.state == "running")
            .values(
                state=states.get(outcome.ending.reason, "failed"),
                reason=outcome.ending.sentence[:500],
                findings=dict(outcome.findings) if outcome.ending.done else None,
                checks=dict(outcome.checks) if outcome.ending.done else None,
                ended_at=now,
                claim=None,
                lease_until=None,
            )
        )


def release(database: Database, run_id: int, worker: str) -> None:
    """Give a run back to the queue, as a worker does that is told to stop; it does not count as a start."""
    with database.writing() as connection:
        connection.execute(
            update(RunRow)
            .where(RunRow.id == run_id, RunRow.claim == worker, RunRow.state == "running")
            .values(state="queued", claim=None, lease_until=None, started_at=None, starts=RunRow.starts - 1)
        )


def adopt(connection: Connection, guest_id: int, person_id: int) -> None:
    """Give a guest's runs to an account."""
    connection.execute(update(RunRow).where(RunRow.person_id == guest_id).values(person_id=person_id))


def forget_events(connection: Connection, now: datetime, keep: timedelta, most: int) -> int:
    """Delete the events of a tenth of ``most`` runs that ended so long ago; what they found stays. Return how many."""
    told = select(EventRow.run_id).where(EventRow.run_id == RunRow.id).exists()
    old = select(RunRow.id).where(RunRow.ended_at < now - keep, told).limit(max(1, most // 10))
    runs = connection.execute(old).scalars().all()
    connection.execute(delete(EventRow).where(EventRow.run_id.in_(runs)))
    return len(runs)


def recover(database: Database, now: datetime) -> None:
    """Queue again the runs whose worker died; fail those that have had two workers, or were to be cancelled."""
    lost = (RunRow.state == "running", RunRow.lease_until < now)
    freed = {"claim": None, "lease_until": None}
    with database.reading() as connection:
        if connection.execute(select(func.count()).where(*lost)).scalar_one() == 0:
            return
    with database.writing() as connection:
        statement = update(RunRow).where(*lost)
        gone = "The run was cancelled."
        connection.execute(
            statement.where(RunRow.cancel_requested).values(state="cancelled", reason=gone, ended_at=now, **freed)
        )
        sentence = "The server stopped twice during this run; run it again with the same seed."
        connection.execute(
            statement.where(RunRow.starts >= MOST_STARTS).values(state="failed", reason=sentence, ended_at=now, **freed)
        )
        connection.execute(statement.values(state="queued", started_at=None, **freed))


def _next_run() -> Any:
    others = RunRow.__table__.alias()
    mine = others.c.person_id == RunRow.person_id
    running = select(func.count()).where(mine, others.c.state == "running").scalar_subquery()
    served = select(func.max(others.c.started_at)).where(mine).scalar_subquery()
    return select(RunRow.id).where(RunRow.state == "queued").order_by(running, served.nulls_first(), RunRow.id).limit(1)


def _run(row: Any) -> StoredRun:
    return StoredRun(
        row.id,
        row.person_id,
        row.lab,
        row.parameters,
        row.seed,
        row.state,
        row.reason,
        row.findings or {},
        row.checks or {},
        row.created_at,
        row.cancel_requested,
    )
