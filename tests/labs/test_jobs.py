"""The queue: one claim a run, fair between learners, and no run lost with its worker."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from accounts.models import PersonRow
from db import Base, Database
from labs import store
from labs.jobs import Worker
from labs.models import RunRow
from labs.registry import Lab
from labs.runner import Ending, Limits, Outcome
from tests.databases import Databases

NOON = datetime(2018, 2, 12, 12, 0, tzinfo=UTC)
DONE = Outcome(Ending("done"), {"number": {"value": 7, "unit": ""}}, {"is_seven": True})


@pytest.fixture
def database(tmp_path: Path, databases: Databases) -> Iterator[Database]:
    made = Database(databases.address(tmp_path))
    Base.metadata.create_all(made.engine)
    with made.writing() as connection:
        people = [
            {"id": one, "name": f"Person {one}", "role": "learner", "theme": "auto", "created_at": NOON}
            for one in (1, 2, 3)
        ]
        connection.execute(insert(PersonRow), people)
    yield made
    made.engine.dispose()


@pytest.fixture
def queue(database: Database) -> Callable[[int], int]:
    """Return a function that queues a run for a person."""

    def add(person: int) -> int:
        with database.writing() as connection:
            return store.create(connection, person, store.Order("small-lab", {"number": 7}, 1), NOON)

    return add


def _run(database: Database, run_id: int) -> store.StoredRun:
    with database.reading() as connection:
        person = connection.execute(select(RunRow.person_id).where(RunRow.id == run_id)).scalar_one()
        found = store.find(connection, run_id, person, "small-lab")
        assert found is not None
        return found


def _claim(database: Database, worker: str = "worker", now: datetime = NOON) -> int | None:
    found = store.claim(database, worker, now)
    return None if found is None else found.id


def test_whoever_has_the_fewest_running_comes_first(database: Database, queue: Callable[[int], int]) -> None:
    first, second, third = queue(1), queue(1), queue(1)
    other, another = queue(2), queue(3)
    assert [_claim(database) for _ in range(6)] == [first, other, another, second, third, None]


def test_a_single_worker_goes_from_learner_to_learner(database: Database, queue: Callable[[int], int]) -> None:
    mine = [queue(1), queue(1), queue(1)]
    theirs = [queue(2), queue(2)]
    order = []
    for minute in range(5):
        run_id = _claim(database, now=NOON + timedelta(minutes=minute))
        assert run_id is not None
        order.append(run_id)
        store.finish(database, run_id, "worker", DONE, NOON + timedelta(minutes=minute))
    assert order == [mine[0], theirs[0], mine[1], theirs[1], mine[2]]


def test_who_queues_five_does_not_keep_another_waiting(database: Database, queue: Callable[[int], int]) -> None:
    mine = [queue(1) for _ in range(5)]
    assert _claim(database) == mine[0]
    theirs = queue(2)
    # Though four of mine came first: the other has nothing running. The order of arrival alone would give mine[1].
    assert _claim(database, "second worker") == theirs
    for minute, run_id in enumerate((mine[0], theirs), 1):
        store.finish(database, run_id, "worker", DONE, NOON + timedelta(minutes=minute))
        store.finish(database, run_id, "second worker", DONE, NOON + timedelta(minutes=minute))
    assert [_claim(database, now=NOON + timedelta(minutes=9)) for _ in range(5)] == [*mine[1:], None]


def test_a_run_is_claimed_once_however_many_workers_look(database: Database, queue: Callable[[int], int]) -> None:
    runs = {queue(person) for person in (1, 2, 3) for _ in range(8)}
    claimed: list[int] = []

    def look(name: str) -> None:
        while (run_id := _claim(database, name)) is not None:
            claimed.append(run_id)

    threads = [threading.Thread(target=look, args=[f"worker {number}"]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(runs)


def test_a_run_whose_worker_died_is_queued_again_and_then_failed(
    database: Database, queue: Callable[[int], int]
) -> None:
    run_id = queue(1)
    later = NOON + store.LEASE + timedelta(seconds=1)
    assert _claim(database) == run_id
    store.recover(database, NOON + timedelta(seconds=1))
    assert _run(database, run_id).state == "running"
    store.recover(database, later)
    assert _run(database, run_id).state == "queued"
    assert _claim(database, "another", later) == run_id
    store.recover(database, later + store.LEASE + timedelta(seconds=1))
    lost = _run(database, run_id)
    assert (lost.state, lost.reason.split(";")[0]) == ("failed", "The server stopped twice during this run")


def test_a_worker_that_lost_its_claim_changes_nothing(database: Database, queue: Callable[[int], int]) -> None:
    run_id = queue(1)
    _claim(database, "slow")
    later = NOON + store.LEASE + timedelta(seconds=1)
    store.recover(database, later)
    _claim(database, "quick", later)
    assert not store.keep(database, run_id, "slow", [{"kind": "log", "text": "late"}], later)
    store.finish(database, run_id, "slow", DONE, later)
    assert _run(database, run_id).state == "running"
    with database.reading() as connection:
        assert store.events_after(connection, run_id, 0) == []


def test_events_are_numbered_on_through_batches(database: Database, queue: Callable[[int], int]) -> None:
    run_id = queue(1)
    _claim(database)
    for batch in (["a", "b"], [], ["c"]):
        assert store.keep(database, run_id, "worker", [{"kind": "log", "text": word} for word in batch], NOON)
    with database.reading() as connection:
        found = store.events_after(connection, run_id, 1)
    assert [(number, event["text"]) for number, event in found] == [(2, "b"), (3, "c")]


def test_a_cancel_reaches_the_worker_and_survives_its_death(database: Database, queue: Callable[[int], int]) -> None:
    run_id = queue(1)
    _claim(database)
    with database.writing() as connection:
        store.request_cancel(connection, run_id, NOON)
    assert not store.keep(database, run_id, "worker", [], NOON)
    store.recover(database, NOON + 2 * store.LEASE)
    assert _run(database, run_id).state == "cancelled"


def test_a_person_may_have_ten_open_runs(database: Database, queue: Callable[[int], int]) -> None:
    for _ in range(10):
        queue(1)
    with pytest.raises(store.TooManyRunsError, match="let one end"):
        queue(1)
    queue(2)


def _worker(database: Database, lab: Lab, seconds: int = 30) -> Worker:
    return Worker(database, (lab,), Limits(seconds=seconds), lambda: NOON)


def test_the_worker_stores_events_findings_and_checks(
    database: Database, queue: Callable[[int], int], make_lab: Callable[..., Lab]
) -> None:
    run_id = queue(1)
    worker = _worker(database, make_lab())
    assert worker.run_next()
    assert not worker.run_next()
    run = _run(database, run_id)
    assert (run.state, run.reason, dict(run.checks)) == ("done", "", {"is_seven": True})
    assert run.findings["number"] == {"value": 7, "unit": ""}
    with database.reading() as connection:
        kinds = [event["kind"] for _, event in store.events_after(connection, run_id, 0)]
    assert kinds == ["progress", "findings", "check", "progress"]


def test_the_worker_cancels_a_run_while_it_runs(
    database: Database, queue: Callable[[int], int], make_lab: Callable[..., Lab]
) -> None:
    run_id = queue(1)
    with database.writing() as connection:
        connection.execute(update(RunRow).values(cancel_requested=True))
    _worker(database, make_lab("def run(parameters, seed, report): time.sleep(60)")).run_next()
    assert _run(database, run_id).state == "cancelled"


def test_a_worker_that_is_told_to_stop_gives_its_run_back(
    database: Database, queue: Callable[[int], int], make_lab: Callable[..., Lab]
) -> None:
    run_id = queue(1)
    worker = _worker(database, make_lab("def run(parameters, seed, report): time.sleep(60)"))
    worker.run_next(lambda: False)
    assert _run(database, run_id).state == "queued"
    with database.reading() as connection:
        assert connection.execute(select(RunRow.starts)).scalar_one() == 0


def test_a_lab_that_is_gone_fails_its_runs_with_a_sentence(
    database: Database, queue: Callable[[int], int], make_lab: Callable[..., Lab]
) -> None:
    run_id = queue(1)
    _worker(database, make_lab(name="another_lab")).run_next()
    assert _run(database, run_id).reason == "There is no lab “small-lab” any more."


def test_a_run_that_needs_too_long_fails_with_the_reason(
    database: Database, queue: Callable[[int], int], make_lab: Callable[..., Lab]
) -> None:
    run_id = queue(1)
    _worker(database, make_lab("def run(parameters, seed, report): time.sleep(60)"), seconds=1).run_next()
    run = _run(database, run_id)
    assert (run.state, run.findings) == ("failed", {})
    assert "stopped after 1 s" in run.reason
