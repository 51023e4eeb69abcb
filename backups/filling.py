"""Filling a database with the tables of an archive or of another database: all of them, as they were, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from sqlalchemy import Connection, MetaData, Table, select, text

import db
from backups.rows import CopyError, Row, Sum, Summing, column_names, read, tables, to_lines, total, write
from db import Base, SchemaError

Rows = Callable[[str], Iterator[list[Row]]]


def refuse_newer(schema: str) -> None:
    """Raise SchemaError where what is to be copied comes from a later release."""
    newest = db.newest_revision()
    if schema > newest:
        raise SchemaError(
            f"What is to be copied has schema {schema}, and this release knows schemas up to {newest}: "
            "install the release that it was made with."
        )


def is_empty(connection: Connection, rebuilt: Iterable[str]) -> bool:
    """Return whether no table holds a row, but for those that are made anew."""
    found = tables(connection, rebuilt)
    return all(connection.execute(select(table).limit(1)).first() is None for table in found)


def lock(connection: Connection, rebuilt: Iterable[str]) -> None:
    """Keep others from writing until the transaction ends; on SQLite it does so from its beginning."""
    if connection.dialect.name == "postgresql":
        for table in tables(connection, rebuilt):
            connection.execute(text(f"LOCK TABLE {table.name} IN ACCESS EXCLUSIVE MODE"))


def fill(
    connection: Connection, rebuilt: Iterable[str], schema: str, names: Collection[str], rows_of: Rows
) -> list[Table]:
    """Replace the database's tables by those of ``schema``, store the rows in them, and return them.

    Raises CopyError where they cannot be stored.
    """
    _drop_everything(connection, rebuilt)
    db.migrate(connection, schema)
    found = {table.name: table for table in tables(connection, rebuilt)}
    if found.keys() != set(names):
        differing = ", ".join(sorted(found.keys() ^ set(names)))
        raise CopyError(f"What is to be copied has not the tables of its schema {schema}: {differing}.")
    for name, table in found.items():
        write(connection, table, rows_of(name))
    return list(found.values())


def compare(connection: Connection, stored: Iterable[Table], expected: Mapping[str, Sum]) -> None:
    """Read every table back; raise CopyError where one does not hold what it should."""
    wrong = [table.name for table in stored if total(connection, table) != expected[table.name]]
    if wrong:
        raise CopyError(f"Not stored as they were: {', '.join(wrong)}. Nothing was changed.")


def move(source: Connection, target: Connection, rebuilt: Iterable[str]) -> dict[str, Sum]:
    """Fill ``target`` with all that ``source`` sees, compare the two and bring the schema up to date.

    Returns each table's sum; raises CopyError and SchemaError, whereupon the target's transaction must be undone.
    """
    schema = db.revision(source)
    if not schema:
        raise CopyError("There is no database of Archway at that address.")
    refuse_newer(schema)
    there = {table.name: table for table in tables(source, rebuilt)}
    sums: dict[str, Sum] = {}

    def rows_of(name: str) -> Iterator[list[Row]]:
        summing = Summing(column_names(there[name]))
        for rows in read(source, there[name]):
            summing.add(to_lines(rows))
            yield rows
        sums[name] = summing.sum()

    stored = fill(target, rebuilt, schema, there, rows_of)
    compare(target, stored, sums)
    db.migrate(target)
    return sums


def _drop_everything(connection: Connection, rebuilt: Iterable[str]) -> None:
    """Drop Archway's tables, and leave alone what else there may be."""
    ours = {*Base.metadata.tables, *rebuilt, "alembic_version"}
    if connection.dialect.name == "sqlite":
        virtual = "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%'"
        for name in ours & set(connection.execute(text(virtual)).scalars()):
            connection.execute(text(f"DROP TABLE {name}"))
    found = MetaData()
    found.reflect(connection, only=lambda name, _: name in ours)
    found.drop_all(connection, checkfirst=False)
