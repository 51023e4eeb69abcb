"""Who is editing what now: a mark for each person and text, left by the editor's pages and gone after two minutes."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.engine import Connection

from content.models import EditorRow
from content.workflow import Signature
from db import Database

PERIOD = timedelta(minutes=2)
"""How long somebody counts as editing after the last that was heard of them."""
REFRESH = timedelta(seconds=30)
"""How old a mark must be before it is written again; previews come with every pause in typing."""


def note(database: Database, place: str, by: Signature) -> list[int]:
    """Note that somebody edits a text, and return who else does."""
    with database.reading() as connection:
        found = _editors(connection, by.at, place).get(place, {})
    if by.person_id is not None and found.get(by.person_id, by.at - REFRESH) <= by.at - REFRESH:
        statement = database.upsert(EditorRow).values(place=place, person_id=by.person_id, seen_at=by.at)
        with database.writing() as connection:
            connection.execute(delete(EditorRow).where(EditorRow.seen_at < by.at - PERIOD))
            connection.execute(
                statement.on_conflict_do_update(index_elements=["place", "person_id"], set_={"seen_at": by.at})
            )
    return [one for one in found if one != by.person_id]


def others(connection: Connection, me: int, now: datetime) -> dict[str, list[int]]:
    """Return who else edits a text now, by the text's place."""
    found = {place: [one for one in people if one != me] for place, people in _editors(connection, now).items()}
    return {place: people for place, people in found.items() if people}


def _editors(connection: Connection, now: datetime, place: str | None = None) -> dict[str, dict[int, datetime]]:
    """Return when each person was last heard of at each place, or at one."""
    present = select(EditorRow.place, EditorRow.person_id, EditorRow.seen_at).where(EditorRow.seen_at > now - PERIOD)
    if place is not None:
        present = present.where(EditorRow.place == place)
    found: dict[str, dict[int, datetime]] = {}
    for row in connection.execute(present.order_by(EditorRow.person_id)):
        found.setdefault(row.place, {})[row.person_id] = row.seen_at
    return found
