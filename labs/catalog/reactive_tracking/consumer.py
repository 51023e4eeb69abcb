"""The consumer: it takes events off the stream and writes an item of each to the table."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from .polling import Reader, Records
from .programs import TrackingEvent

CHUNK = 25
"""Items that DynamoDB takes in one call."""

TABLE = """
CREATE TABLE IF NOT EXISTS ProgramTable (
    id TEXT PRIMARY KEY, message_id TEXT, program_id TEXT, checksum TEXT, customer_id INTEGER, customer_name TEXT,
    program_name TEXT, user_agent TEXT, is_valid INTEGER
) WITHOUT ROWID
"""
PUT = "INSERT OR REPLACE INTO ProgramTable VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


class WriteError(RuntimeError):
    """The table did not take a chunk."""


def open_table(path: Path) -> sqlite3.Connection:
    """Open the table, and make it where there is none."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=10)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute(TABLE)
    return connection


def consume(reader: Reader, path: Path, item_key: str, fails: Callable[[], bool]) -> None:
    """Write events to the table for as long as the process lives; where ``fails`` says so, one chunk is refused."""
    with closing(open_table(path)) as table:

        def write(records: Records) -> None:
            for start in range(0, len(records), CHUNK):
                if start and fails():
                    raise WriteError
                items = [_item(data, item_key) for _, data in records[start : start + CHUNK]]
                table.execute("BEGIN IMMEDIATE")
                table.executemany(PUT, items)
                table.execute("COMMIT")

        reader.each(write, (WriteError, sqlite3.OperationalError))


def _item(data: bytes, item_key: str) -> tuple[str | int, ...]:
    event = TrackingEvent.FromString(data)
    key = event.message_id if item_key == "the message id" else str(uuid.uuid4())
    return (
        key,
        event.message_id,
        event.programid,
        event.checksum,
        event.customer_id,
        event.customer_name,
        event.program_name,
        event.user_agent,
        event.is_valid,
    )
