"""What readers keep on the margin: paragraphs they bookmarked, and the notes they wrote on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, delete, select, tuple_, update

from content.models import MarkRow
from content.render import Mark
from db import Database

LONGEST_NOTE = 4000


@dataclass(frozen=True)
class OwnMark:
    """A paragraph that a person marked; ``note`` is empty for a bookmark alone."""

    page: str
    anchor: str
    quote: str
    note: str
    changed_at: datetime


def of_page(database: Database, person_id: int, page: str) -> dict[str, OwnMark]:
    """Return a person's marks on the page at this address, by anchor."""
    return {one.anchor: one for one in _read(database, _of(person_id).where(MarkRow.page == page))}


def of_person(database: Database, person_id: int) -> list[OwnMark]:
    """Return all of a person's marks, the newest first."""
    return _read(database, _of(person_id).order_by(MarkRow.changed_at.desc(), MarkRow.id.desc()))


def keep(  # noqa: PLR0913 (whose mark, on what, with what)
    database: Database, person_id: int, page: str, mark: Mark, *, note: str, now: datetime
) -> None:
    """Bookmark a paragraph, with a note or without; a later note takes an earlier one's place."""
    values = {"note": note[:LONGEST_NOTE], "quote": mark.quote, "changed_at": now}
    statement = database.upsert(MarkRow).values(person_id=person_id, page=page, anchor=mark.anchor, **values)
    with database.writing() as connection:
        connection.execute(statement.on_conflict_do_update(index_elements=["person_id", "page", "anchor"], set_=values))


def remove(database: Database, person_id: int, page: str, anchor: str) -> None:
    """Forget a mark and its note."""
    with database.writing() as connection:
        connection.execute(
            delete(MarkRow).where(MarkRow.person_id == person_id, MarkRow.page == page, MarkRow.anchor == anchor)
        )


def adopt(connection: Connection, guest_id: int, person_id: int) -> None:
    """Give a guest's marks to an account, but for paragraphs that it has marked itself."""
    own = select(MarkRow.page, MarkRow.anchor).where(MarkRow.person_id == person_id)
    moved = update(MarkRow).where(MarkRow.person_id == guest_id, tuple_(MarkRow.page, MarkRow.anchor).not_in(own))
    connection.execute(moved.values(person_id=person_id))


def _of(person_id: int) -> Select[str, str, str, str, datetime]:
    return select(MarkRow.page, MarkRow.anchor, MarkRow.quote, MarkRow.note, MarkRow.changed_at).where(
        MarkRow.person_id == person_id
    )


def _read(database: Database, statement: Select[str, str, str, str, datetime]) -> list[OwnMark]:
    with database.reading() as connection:
        return [OwnMark(*row) for row in connection.execute(statement)]
