"""What the database keeps of issues: books that were built, what editors chose for them, and what they approved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from db import Database, upsert
from publisher import news
from publisher.epub import Edition
from publisher.issue import Choice
from publisher.models import ApprovalRow, DraftRow, IssueRow, RunRow
from publisher.news import Printed
from publisher.progress import Stage


@dataclass(frozen=True)
class Published:
    """An issue as it was built, without its bytes."""

    month: str
    title: str
    sha256: str
    manifest_sha256: str
    size: int
    built_at: datetime
    choice: Choice | None
    approved: bool


@dataclass(frozen=True)
class Draft:
    """What an editor chose for a month; revision 0 is what its file says, before anything was kept."""

    choice: Choice
    revision: int


@dataclass(frozen=True)
class Run:
    """The state of a month's scheduled run."""

    month: str
    due_at: datetime
    state: str
    failure: str
    lease_until: datetime
    stage: Stage | None = None
    told_late: bool = False


_PUBLISHED = select(
    IssueRow.month,
    IssueRow.title,
    IssueRow.sha256,
    IssueRow.manifest_sha256,
    IssueRow.size,
    IssueRow.built_at,
    IssueRow.choice,
    ApprovalRow.month.is_not(None).label("approved"),
).outerjoin(ApprovalRow, (ApprovalRow.month == IssueRow.month) & (ApprovalRow.sha256 == IssueRow.sha256))


def save(database: Database, connection: Connection, edition: Edition, now: datetime) -> None:
    """Keep an issue, in place of an earlier build of the same month."""
    values: dict[str, Any] = {
        "title": edition.title,
        "sha256": edition.sha256,
        "manifest_sha256": edition.manifest_sha256,
        "size": len(edition.epub),
        "built_at": now,
        "epub": edition.epub,
        "cover": edition.cover,
        "kindle": edition.kindle,
        "choice": edition.choice and asdict(edition.choice),
        "printed": edition.printed.values(),
    }
    insert = database.upsert(IssueRow).values(month=edition.month, **values)
    connection.execute(insert.on_conflict_do_update(index_elements=[IssueRow.month], set_=values))


def find(connection: Connection, month: str) -> Published | None:
    """Return a month's issue, or None if it was not built yet."""
    row = connection.execute(_PUBLISHED.where(IssueRow.month == month)).first()
    return _read(row) if row else None


def published(connection: Connection) -> list[Published]:
    """Return every issue that was built, the newest month first."""
    return [_read(row) for row in connection.execute(_PUBLISHED.order_by(IssueRow.month.desc()))]


def printed(connection: Connection) -> dict[str, Printed]:
    """Return what issues that were built printed, by their months."""
    rows = connection.execute(select(IssueRow.month, IssueRow.printed).where(IssueRow.printed.is_not(None)))
    return {month: news.printed_from(values) for month, values in rows}


def draft(connection: Connection, month: str) -> Draft | None:
    """Return what was last kept in the editor for a month, or None if nothing was."""
    row = connection.execute(select(DraftRow.choice, DraftRow.revision).where(DraftRow.month == month)).first()
    return Draft(_choice(row.choice), row.revision) if row else None


def revisions(connection: Connection) -> dict[str, int]:
    """Return the number of the newest draft of every month that has one."""
    return {row.month: row.revision for row in connection.execute(select(DraftRow.month, DraftRow.revision))}


def save_draft(connection: Connection, month: str, draft: Draft, person: int, now: datetime) -> bool:
    """Keep a choice in place of the draft's revision; False, and nothing changes, where another was kept meanwhile."""
    values = {"choice": asdict(draft.choice), "revision": draft.revision + 1, "saved_by": person, "saved_at": now}
    if draft.revision:
        over = update(DraftRow).where(DraftRow.month == month, DraftRow.revision == draft.revision).values(**values)
        return connection.execute(over).rowcount == 1
    first = upsert(connection, DraftRow).values(month=month, **values).on_conflict_do_nothing()
    return connection.execute(first.returning(DraftRow.month)).first() is not None


def approve(database: Database, connection: Connection, edition: Edition, person: int, now: datetime) -> None:
    """Approve a month's book, by its hash."""
    values = {"sha256": edition.sha256, "approved_by": person, "approved_at": now}
    row = database.upsert(ApprovalRow).values(month=edition.month, **values)
    connection.execute(row.on_conflict_do_update(index_elements=[ApprovalRow.month], set_=values))


def epub(connection: Connection, month: str) -> bytes:
    """Return the bytes of an issue that was built."""
    return connection.execute(select(IssueRow.epub).where(IssueRow.month == month)).scalar_one()


def kindle(connection: Connection, month: str) -> bytes:
    """Return an issue that was built in its form for Kindle; one of an earlier release is the same for all."""
    row = connection.execute(select(IssueRow.kindle, IssueRow.epub).where(IssueRow.month == month)).one()
    found: bytes = row.kindle or row.epub
    return found


def cover(connection: Connection, month: str) -> bytes:
    """Return the small cover of an issue that was built, as JPEG."""
    return connection.execute(select(IssueRow.cover).where(IssueRow.month == month)).scalar_one()


def runs(connection: Connection) -> list[Run]:
    """Return the scheduled runs in the order of their months."""
    columns = (RunRow.month, RunRow.due_at, RunRow.state, RunRow.failure, RunRow.lease_until)
    at = (RunRow.stage, RunRow.stage_done, RunRow.stage_total, RunRow.told_late)
    return [
        Run(*row[:5], Stage(*row[5:8]) if row.stage else None, row.told_late)
        for row in connection.execute(select(*columns, *at).order_by(RunRow.month))
    ]


def _read(row: Any) -> Published:
    values = row._asdict()
    return Published(**{**values, "choice": values["choice"] and _choice(values["choice"])})


def _choice(values: Mapping[str, Any]) -> Choice:
    """Return a choice out of JSON, which knows no tuples."""
    read: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in values.items()}
    return Choice(**read)
