"""Who builds which month: rows that one process at a time may claim, for the length of a lease."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, select, update

from db import Database
from publisher.issue import due_at
from publisher.models import IssueRow, RunRow
from publisher.progress import Stage

LEASE = timedelta(minutes=5)
"""How long a claim holds. A build takes about a second; who is away for longer has died or been stopped."""
PAUSE = timedelta(minutes=10)
"""How long a month rests after a build that failed."""

_AT_NOTHING = {"stage": "", "stage_done": 0, "stage_total": 0}


@dataclass(frozen=True)
class Claim:
    """The right to build a month, until ``token`` is no longer the newest or the lease has ended."""

    month: str
    owner: str
    token: int


def fill(database: Database, due: Iterable[str], now: datetime) -> None:
    """Add a row for every due month that has neither a row nor an issue; what another process added stays as it is."""
    with database.reading() as connection:
        known = {*connection.scalars(select(RunRow.month)), *connection.scalars(select(IssueRow.month))}
    missing = [month for month in due if month not in known]
    if not missing:
        return
    same = {"lease_until": now, "state": "waiting", "owner": "", "token": 0, "failure": "", "told_late": False}
    rows = [{"month": month, "due_at": due_at(month), **same, **_AT_NOTHING} for month in missing]
    with database.writing() as connection:
        connection.execute(database.upsert(RunRow).on_conflict_do_nothing(), rows)


def waiting(connection: Connection, now: datetime) -> list[str]:
    """Return the months that could be claimed now, oldest first."""
    open_rows = select(RunRow.month).where(RunRow.state != "done", RunRow.lease_until <= now)
    return list(connection.scalars(open_rows.order_by(RunRow.month)))


def take(database: Database, month: str, owner: str, now: datetime) -> Claim | None:
    """Claim a month by one conditional UPDATE, or return None where another process was faster."""
    claimed = (
        update(RunRow)
        .where(RunRow.month == month, RunRow.state != "done", RunRow.lease_until <= now)
        .values(state="building", owner=owner, lease_until=now + LEASE, token=RunRow.token + 1, **_AT_NOTHING)
        .returning(RunRow.token)
    )
    with database.writing() as connection:
        token = connection.scalar(claimed)
    return None if token is None else Claim(month, owner, token)


def note(database: Database, claim: Claim, stage: Stage, now: datetime) -> None:
    """Keep what a build is at, and renew its lease: who reports is alive. A lease that has ended stays so."""
    values = {"stage": stage.name, "stage_done": stage.done, "stage_total": stage.total, "lease_until": now + LEASE}
    with database.writing() as connection:
        connection.execute(update(RunRow).where(*_held(claim), RunRow.lease_until > now).values(**values))


def finish(connection: Connection, claim: Claim, now: datetime) -> bool:
    """Mark the month as done if the claim still holds; False: its lease has ended, and nothing was changed."""
    held = update(RunRow).where(*_held(claim), RunRow.lease_until > now)
    return connection.execute(held.values(state="done", owner="", failure="", **_AT_NOTHING)).rowcount == 1


def release(database: Database, claim: Claim, reason: str, now: datetime) -> None:
    """Give the month back after a failure; it may be claimed again after a pause."""
    with database.writing() as connection:
        connection.execute(
            update(RunRow)
            .where(*_held(claim))
            .values(state="waiting", owner="", lease_until=now + PAUSE, failure=reason[:500], **_AT_NOTHING)
        )


def _held(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    return (
        RunRow.month == claim.month,
        RunRow.state == "building",
        RunRow.owner == claim.owner,
        RunRow.token == claim.token,
    )
