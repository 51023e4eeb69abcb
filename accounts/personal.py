"""All that is kept of a person: found by the tables' own foreign keys, counted, given to them, and forgotten.

Rows that hold a person by a key that cascades are theirs and go with them. Rows whose key is then emptied are what
they did for others, as an item that they wrote: these stay, without their name. A room adds the rows that know
somebody in another way, as by their address.
"""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, func, or_, select

from accounts.models import PersonRow
from db import Base


class LastAdminError(ValueError):
    """The only admin cannot be forgotten; the message says what to do."""


@dataclass(frozen=True)
class Subject:
    """Whom it is about, with the address if it is known to be theirs: rows of other rooms may go by it."""

    id: int
    email: str | None


Claim = Callable[[int, str | None], tuple[type[Base], ColumnElement[bool]]]
"""Returns, of a person's id and address, a table and the condition that its rows are theirs."""
Conditions = dict[Table, list[ColumnElement[bool]]]

_PERSON: Table = Base.metadata.tables[PersonRow.__tablename__]
_SECRET = ("_hash", "claim")
"""How the names of columns end that are of no use to the person, or of use to others."""


def counts(connection: Connection, subject: Subject, claims: Iterable[Claim]) -> tuple[dict[str, int], dict[str, int]]:
    """Return how many rows of each table go with a person, and how many stay without their name."""
    theirs, authored = _conditions(subject, claims)
    return _count(connection, theirs), _count(connection, authored)


def export(connection: Connection, subject: Subject, claims: Iterable[Claim]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of each table that are a person's or that they wrote, as JSON values."""
    theirs, authored = _conditions(subject, claims)
    found = {
        table.name: [_plain(row) for row in connection.execute(select(table).where(or_(*conditions))).mappings()]
        for table, conditions in _joined(theirs, authored).items()
    }
    return {name: rows for name, rows in found.items() if rows}


def forget(connection: Connection, subject: Subject, claims: Iterable[Claim]) -> None:
    """Delete a person and all that is theirs; raise LastAdminError for the only admin."""
    admins = connection.execute(select(PersonRow.id).where(PersonRow.role == "admin")).scalars().all()
    if admins == [subject.id]:
        raise LastAdminError("This is the only admin; make another one first.")
    for table, condition in (claim(subject.id, subject.email) for claim in claims):
        connection.execute(delete(table).where(condition))
    connection.execute(delete(PersonRow).where(PersonRow.id == subject.id))


def _conditions(subject: Subject, claims: Iterable[Claim]) -> tuple[Conditions, Conditions]:
    """Return of each table which rows are the person's, and which ones they wrote for others."""
    theirs: Conditions = defaultdict(list)
    authored: Conditions = defaultdict(list)
    theirs[_PERSON].append(_PERSON.c.id == subject.id)
    for row, condition in (claim(subject.id, subject.email) for claim in claims):
        theirs[Base.metadata.tables[row.__tablename__]].append(condition)
    for table in Base.metadata.sorted_tables:
        for key in (one for one in table.foreign_keys if one.column.table in theirs):
            parent = key.column.table
            rows = key.parent.in_(select(key.column).where(or_(*theirs[parent])))
            (theirs if key.ondelete == "CASCADE" else authored)[table].append(rows)
    return theirs, authored


def _joined(first: Conditions, second: Conditions) -> Conditions:
    return {table: [*first.get(table, ()), *second.get(table, ())] for table in {**first, **second}}


def _count(connection: Connection, conditions: Conditions) -> dict[str, int]:
    statements = {
        table.name: select(func.count()).select_from(table).where(or_(*one)) for table, one in conditions.items()
    }
    found = {name: connection.execute(statement).scalar_one() for name, statement in statements.items()}
    return {name: count for name, count in found.items() if count}


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): _value(value) for name, value in row.items() if not str(name).endswith(_SECRET)}


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value
