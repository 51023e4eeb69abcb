"""Rows as they are the same in every database: how they are read, written as lines, and summed.

A row is a list of JSON values in the order of its columns' names; bytes are Base64, and JSON columns are their text.
Rows come in the order of their primary keys, texts by their bytes, so that equal tables have equal sums.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import JSON, Column, Connection, LargeBinary, MetaData, String, Table, Text, cast, func, select, text
from sqlalchemy.exc import DBAPIError

Row = list[Any]

_MANY = 250
_FEW = 10
"""Rows read at once: few where they may hold files, of up to 16 MB each."""
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


class CopyError(ValueError):
    """Something that cannot be copied; the message says what, and what to do."""


@dataclass(frozen=True)
class Sum:
    """What a table holds: its columns in the order of their names, the number of its rows, the SHA-256 of its lines."""

    columns: tuple[str, ...]
    rows: int
    sha256: str


class Summing:
    """Adds up lines of a table."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        self._columns, self._rows, self._hash = columns, 0, hashlib.sha256()

    def add(self, lines: bytes) -> None:
        """Count the lines and hash them."""
        self._rows += lines.count(b"\n")
        self._hash.update(lines)

    def sum(self) -> Sum:
        """Return the sum of what was added."""
        return Sum(self._columns, self._rows, self._hash.hexdigest())


def tables(connection: Connection, rebuilt: Iterable[str]) -> list[Table]:
    """Return the tables that are copied, as they are in the database; those that others refer to come first."""
    left_out = {"alembic_version", *rebuilt}
    found = MetaData()
    found.reflect(connection, only=lambda name, _: name not in left_out)
    return found.sorted_tables


def columns_of(table: Table) -> list[Column[Any]]:
    """Return a table's columns in the order of their names."""
    return sorted(table.columns, key=lambda column: column.name)


def column_names(table: Table) -> tuple[str, ...]:
    """Return the names of a table's columns, in order."""
    return tuple(one.name for one in columns_of(table))


def read(connection: Connection, table: Table) -> Iterator[list[Row]]:
    """Yield a table's rows, some at a time."""
    columns = columns_of(table)
    files = _files(columns)
    keys = [
        key.collate("C") if isinstance(key.type, String) and connection.dialect.name == "postgresql" else key
        for key in table.primary_key.columns
    ]
    readable = [cast(one, Text) if isinstance(one.type, JSON) else one for one in columns]
    statement = select(*readable).order_by(*keys).execution_options(yield_per=_FEW if files else _MANY)
    with connection.execute(statement) as found:
        for part in found.partitions():
            rows = [list(row) for row in part]
            for row in rows if files else ():
                for place in files:
                    row[place] = None if row[place] is None else base64.b64encode(row[place]).decode("ascii")
            yield rows


def to_lines(rows: Iterable[Row]) -> bytes:
    """Return rows as lines of JSON."""
    return "".join(f"{_encode(row)}\n" for row in rows).encode()


def from_lines(lines: Iterable[bytes]) -> Iterator[Row]:
    """Yield the rows of lines."""
    return map(json.loads, lines)


def total(connection: Connection, table: Table) -> Sum:
    """Return the sum of a table."""
    summing = Summing(column_names(table))
    for rows in read(connection, table):
        summing.add(to_lines(rows))
    return summing.sum()


def write(connection: Connection, table: Table, parts: Iterable[Iterable[Row]]) -> None:
    """Store rows in a table; raise CopyError where the database does not take one."""
    columns = columns_of(table)
    files = _files(columns)

    def stored(row: Row) -> tuple[Any, ...]:
        for place in files:
            row[place] = None if row[place] is None else base64.b64decode(row[place])
        return tuple(row)

    quote = connection.dialect.identifier_preparer.quote
    target = f"{quote(table.name)} ({', '.join(quote(one.name) for one in columns)})"
    try:
        if connection.dialect.name == "postgresql":
            cursor = connection.connection.cursor()
            with cursor.copy(f"COPY {target} FROM STDIN") as copying:
                for rows in parts:
                    for row in rows:
                        copying.write_row(stored(row))
            _go_on_counting(connection, table)
            return
        marks = ", ".join("?" * len(columns))
        for rows in parts:
            batch = [stored(row) for row in rows]
            if batch:
                connection.exec_driver_sql(f"INSERT INTO {target} VALUES ({marks})", batch)  # noqa: S608 (quoted names)
    except (DBAPIError, psycopg.Error) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        where = getattr(getattr(reason, "diag", None), "context", None) or ""
        sentence = str(reason).partition("\n")[0]
        raise CopyError(f"The table {table.name} cannot be stored: {sentence}. {where}".strip()) from error


def _files(columns: Sequence[Column[Any]]) -> list[int]:
    return [place for place, column in enumerate(columns) if isinstance(column.type, LargeBinary)]


def _go_on_counting(connection: Connection, table: Table) -> None:
    """Let the next number that PostgreSQL gives be one that no row has."""
    counted = table.autoincrement_column
    if counted is None:
        return
    sequence = "SELECT pg_get_serial_sequence(:table, :column)"
    name = connection.execute(text(sequence), {"table": table.name, "column": counted.name}).scalar()
    if name:
        newest = connection.execute(select(func.coalesce(func.max(counted), 0))).scalar_one()
        connection.execute(text("SELECT setval(:name, :next, false)"), {"name": name, "next": newest + 1})
