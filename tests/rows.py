"""Rows for every table of a schema, made from its columns alone, so that no table is forgotten by a test."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Connection, Float, Integer, LargeBinary, MetaData, Table, insert

from db import Instant

TRICKY = "“ö” 'x' \"y\" \\ \t\n\r\u2028 \N{MUSICAL SYMBOL G CLEF} е́"
"""What encoders get wrong: quotes, a backslash, ends of lines, a character outside the first plane, an accent."""


def fill(connection: Connection, schema: MetaData, count: int = 3, only: Table | None = None) -> None:
    """Store ``count`` rows in each table of ``schema``, or in one; the last row leaves empty what may be."""
    for table in schema.sorted_tables if only is None else [only]:
        rows = [_row(table, number, bare=number == count) for number in range(1, count + 1)]
        connection.execute(insert(table), rows)


def _row(table: Table, number: int, *, bare: bool) -> dict[str, Any]:
    return {
        column.name: None if bare and column.nullable and not column.unique else _value(column, number)
        for column in table.columns
    }


def _value(column: Column[Any], number: int) -> Any:
    for key in column.foreign_keys:
        return _value(key.column, number)
    for kind, value in (
        (Instant, datetime(2018, 2, number, tzinfo=UTC)),
        (JSON, {"number": number, "text": TRICKY}),
        (Boolean, number % 2 == 0),
        (Float, number / 3),
        (Integer, number),
        (LargeBinary, bytes(range(256)) * number),
    ):
        if isinstance(column.type, kind):
            return value
    words = f"{column.name} {TRICKY} {number}"
    return words[-(getattr(column.type, "length", None) or 1000) :]
