"""What the database keeps of issues that were built."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from db import Database
from publisher.epub import Edition
from publisher.models import IssueRow, RunRow


@dataclass(frozen=True)
class Published:
    """An issue as it was built, without its bytes."""

    month: str
    title: str
    sha256: str
    manifest_sha256: str
    size: int
    built_at: datetime


@dataclass(frozen=True)
class Run:
    """The state of a month's scheduled run."""

    month: str
    due_at: datetime
    state: str
    failure: str


_PUBLISHED = select(
    IssueRow.month, IssueRow.title, IssueRow.sha256, IssueRow.manifest_sha256, IssueRow.size, IssueRow.built_at
)


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
    }
    insert = database.upsert(IssueRow).values(month=edition.month, **values)
    connection.execute(insert.on_conflict_do_update(index_elements=[IssueRow.month], set_=values))


def find(connection: Connection, month: str) -> Published | None:
    """Return a month's issue, or None if it was not built yet."""
    row = connection.execute(_PUBLISHED.where(IssueRow.month == month)).first()
    return Published(*row) if row else None


def published(connection: Connection) -> list[Published]:
    """Return every issue that was built, the newest month first."""
    return [Published(*row) for row in connection.execute(_PUBLISHED.order_by(IssueRow.month.desc()))]


def epub(connection: Connection, month: str) -> bytes:
    """Return the bytes of an issue that was built."""
    return connection.execute(select(IssueRow.epub).where(IssueRow.month == month)).scalar_one()


def cover(connection: Connection, month: str) -> bytes:
    """Return the small cover of an issue that was built, as JPEG."""
    return connection.execute(select(IssueRow.cover).where(IssueRow.month == month)).scalar_one()


def runs(connection: Connection) -> list[Run]:
    """Return the scheduled runs in the order of their months."""
    rows = connection.execute(select(RunRow.month, RunRow.due_at, RunRow.state, RunRow.failure).order_by(RunRow.month))
    return [Run(*row) for row in rows]
