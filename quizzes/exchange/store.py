"""What the database keeps of imports: a queue of files to be read, their reports, and what was taken over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, insert, or_, select, update

from content.workflow import Signature
from db import Database, upsert
from quizzes.authoring import store as authoring
from quizzes.authoring.models import DraftRow
from quizzes.exchange import pictures, plan, wire
from quizzes.exchange.models import ImportRow, PictureRow
from quizzes.exchange.parsing import Parsed, Upload
from quizzes.exchange.pictures import Picture
from quizzes.exchange.plan import Chosen
from quizzes.exchange.wire import Compared

LEASE = timedelta(seconds=60)
"""A worker that has not been heard of for so long is taken to be dead; the file is read again."""
KEPT = timedelta(days=7)
"""How long a file waits for its author to settle the import."""
OPEN = ("queued", "reading")
UNSETTLED = (*OPEN, "ready", "failed", "cancelled")


@dataclass(frozen=True)
class Import:
    """An import as it stands, without its file and its report."""

    id: int
    person_id: int | None
    name: str
    format: str
    state: str
    step: str
    count: int
    reason: str
    total: Mapping[str, int] | None
    choices: Mapping[str, bool]
    outcome: Mapping[str, Any] | None
    created_at: datetime


@dataclass(frozen=True)
class Outcome:
    """What an import brought: to which bank, how many items, and by their new ids those whose id was taken."""

    bank: str
    items: int
    renamed: Mapping[str, str]


class SettledError(Exception):
    """Somebody has applied, cancelled or undone the import meanwhile."""


_IMPORT = select(
    *(ImportRow.id, ImportRow.person_id, ImportRow.name, ImportRow.format, ImportRow.state, ImportRow.step),
    *(ImportRow.count, ImportRow.reason, ImportRow.total, ImportRow.choices, ImportRow.outcome, ImportRow.created_at),
)


def create(connection: Connection, upload: Upload, by: Signature) -> int:
    """Queue a file to be read and return the import's id."""
    statement = insert(ImportRow).values(
        person_id=by.person_id,
        name=upload.name[:200],
        format=upload.format,
        data=upload.data,
        state="queued",
        step="",
        count=0,
        choices={},
        reason="",
        created_at=by.at,
        changed_at=by.at,
    )
    return connection.execute(statement.returning(ImportRow.id)).scalar_one()


def record(connection: Connection, name: str, parsed: Parsed, by: Signature) -> int:
    """Keep an import whose file is read already, ready to be applied, and return its id."""
    statement = insert(ImportRow).values(
        person_id=by.person_id,
        name=name[:200],
        format=parsed.compared.format,
        data=None,
        report=parsed.packed,
        state="ready",
        step="",
        count=0,
        choices={},
        total=asdict(plan.total(plan.rows(parsed.compared))),
        reason="",
        created_at=by.at,
        changed_at=by.at,
    )
    return connection.execute(statement.returning(ImportRow.id)).scalar_one()


def find(connection: Connection, import_id: int) -> Import | None:
    """Return an import, or None."""
    row = connection.execute(_IMPORT.where(ImportRow.id == import_id)).mappings().first()
    return None if row is None else Import(**row)


def newest(connection: Connection, most: int = 50) -> list[Import]:
    """Return the last imports, the newest first."""
    rows = connection.execute(_IMPORT.order_by(ImportRow.id.desc()).limit(most)).mappings()
    return [Import(**row) for row in rows]


def compared(connection: Connection, import_id: int) -> Compared | None:
    """Return the file of an import as it was read and compared, or None where it is not (or no longer) there."""
    report = connection.execute(select(ImportRow.report).where(ImportRow.id == import_id)).scalar()
    return None if report is None else wire.load(report)


def claim(database: Database, worker: str, now: datetime) -> tuple[int, Upload] | None:
    """Claim the oldest file that waits, or whose worker has died, and return it; None where there is none."""
    waits = or_(ImportRow.state == "queued", and_(ImportRow.state == "reading", ImportRow.lease_until < now))
    with database.reading() as connection:
        if connection.execute(select(ImportRow.id).where(waits).limit(1)).first() is None:
            return None
    oldest = select(ImportRow.id).where(waits).order_by(ImportRow.id).limit(1).with_for_update(skip_locked=True)
    statement = (
        update(ImportRow)
        .where(ImportRow.id == oldest.scalar_subquery(), waits)
        .values(state="reading", claim=worker, lease_until=now + LEASE, changed_at=now)
        .returning(ImportRow.id, ImportRow.name, ImportRow.data, ImportRow.format)
    )
    with database.writing() as connection:
        row = connection.execute(statement).first()
    return None if row is None else (row.id, Upload(row.name, row.data, row.format))


def advance(connection: Connection, import_id: int, worker: str, step: tuple[str, int], lease_until: datetime) -> bool:
    """Keep how far the reading is; return whether it is still this worker's to read."""
    values = {"step": step[0], "count": step[1], "lease_until": lease_until}
    return connection.execute(_owned(import_id, worker).values(**values)).rowcount == 1


def finish(connection: Connection, import_id: int, worker: str, parsed: Parsed, now: datetime) -> bool:
    """Keep the report of a file; return whether it was still this worker's to read."""
    values = {
        "state": "ready",
        "report": parsed.packed,
        "total": asdict(plan.total(plan.rows(parsed.compared))),
        "format": parsed.compared.format,
        "changed_at": now,
        "claim": None,
    }
    return connection.execute(_owned(import_id, worker).values(**values)).rowcount == 1


def fail(connection: Connection, import_id: int, worker: str, reason: str, now: datetime) -> None:
    """Keep why a file could not be read."""
    values = {"state": "failed", "reason": reason[:500], "changed_at": now, "claim": None}
    connection.execute(_owned(import_id, worker).values(**values))


def release(database: Database, import_id: int, worker: str) -> None:
    """Give a file back to the queue, as a worker does that is told to stop."""
    with database.writing() as connection:
        connection.execute(_owned(import_id, worker).values(state="queued", step="", count=0, claim=None))


def cancel(connection: Connection, import_id: int, now: datetime) -> bool:
    """Cancel an import that is not settled yet, and forget its file; return whether it could be."""
    values = {"state": "cancelled", "data": None, "report": None, "claim": None, "changed_at": now}
    open_ = update(ImportRow).where(ImportRow.id == import_id, ImportRow.state.in_(UNSETTLED))
    return connection.execute(open_.values(**values)).rowcount == 1


def choose(connection: Connection, import_id: int, choices: Mapping[str, bool]) -> None:
    """Keep what the author decided otherwise than was proposed, by the question's number."""
    ready = update(ImportRow).where(ImportRow.id == import_id, ImportRow.state == "ready")
    connection.execute(ready.values(choices=dict(choices)))


def apply(connection: Connection, import_id: int, bank: authoring.StudioBank, chosen: Chosen, by: Signature) -> Outcome:
    """Store the chosen items as drafts of the bank, with their pictures; raise SettledError where it is settled.

    Everything happens in the caller's transaction, or nothing.
    """
    outcome = Outcome(bank.slug, len(chosen.items), chosen.renamed)
    settle = update(ImportRow).where(ImportRow.id == import_id, ImportRow.state == "ready")
    values = {"state": "applied", "outcome": asdict(outcome), "data": None, "changed_at": by.at}
    if connection.execute(settle.values(**values)).rowcount != 1:
        raise SettledError
    # The report is large, and only a file with pictures is needed again.
    found = compared(connection, import_id) if pictures.names(chosen.items) else None
    shown = pictures.shown(chosen.items, found.reading.files if found else {})
    _keep_pictures(connection, shown, by.at)
    authoring.add_items(connection, bank.id, pictures.placed(chosen.items, shown), by, import_id)
    return outcome


def undo(connection: Connection, import_id: int, now: datetime) -> tuple[int, list[str]]:
    """Take back what an import brought, but for what was worked on since; raise SettledError where it was not applied.

    Returns how many items went, and the ids of those that stay.
    """
    settle = update(ImportRow).where(ImportRow.id == import_id, ImportRow.state == "applied")
    if connection.execute(settle.values(state="undone", changed_at=now)).rowcount != 1:
        raise SettledError
    return authoring.remove_import(connection, import_id)


def expire(database: Database, now: datetime) -> None:
    """Forget the files of imports that nobody settled within a week."""
    old = (ImportRow.state.in_(UNSETTLED), ImportRow.changed_at < now - KEPT, ImportRow.data.is_not(None))
    with database.reading() as connection:
        if connection.execute(select(ImportRow.id).where(*old).limit(1)).first() is None:
            return
    with database.writing() as connection:
        gone = {"state": "cancelled", "data": None, "report": None, "changed_at": now}
        connection.execute(update(ImportRow).where(*old).values(**gone))


def forget_reports(connection: Connection, now: datetime, keep: timedelta, most: int) -> int:
    """Forget what stood in files whose imports were settled so long ago; what they brought stays, and can be undone."""
    settled = (
        ImportRow.state.in_(("applied", "undone")),
        ImportRow.changed_at < now - keep,
        ImportRow.report.is_not(None),
    )
    old = select(ImportRow.id).where(*settled).limit(most)
    gone = update(ImportRow).where(ImportRow.id.in_(old)).values(report=None, data=None)
    return connection.execute(gone).rowcount


def theirs(person_id: int, _email: str | None) -> tuple[type[ImportRow], ColumnElement[bool]]:
    """Say which imports are a person's: those of their files."""
    return ImportRow, ImportRow.person_id == person_id


def taken_ids(connection: Connection) -> list[str]:
    """Return the ids of the studio's items."""
    return list(connection.execute(select(DraftRow.question_id)).scalars())


def find_picture(connection: Connection, sha256: str) -> Picture | None:
    """Return the picture of that hash, or None."""
    row = connection.execute(select(PictureRow.media_type, PictureRow.data).where(PictureRow.sha256 == sha256)).first()
    return None if row is None else Picture(sha256, row.media_type, row.data)


def _keep_pictures(connection: Connection, shown: Mapping[str, Picture], now: datetime) -> None:
    new = {one.sha256: one for one in shown.values()}
    known = select(PictureRow.sha256).where(PictureRow.sha256.in_(list(new)))
    for sha256 in connection.execute(known).scalars():
        del new[sha256]
    rows: Sequence[dict[str, Any]] = [
        {"sha256": one.sha256, "media_type": one.media_type, "data": one.data, "created_at": now}
        for _sha256, one in sorted(new.items())
    ]
    if rows:
        connection.execute(upsert(connection, PictureRow).on_conflict_do_nothing(), rows)


def _owned(import_id: int, worker: str) -> Any:
    owned = (ImportRow.id == import_id, ImportRow.claim == worker, ImportRow.state == "reading")
    return update(ImportRow).where(*owned)
