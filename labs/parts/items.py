"""A table of items as DynamoDB keeps them: the keys of each date, and locks that are put on a condition."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path


class ItemTable:
    """The table in a SQLite file."""

    def __init__(self, file: Path, items: Mapping[str, Sequence[str]]) -> None:
        self._connection = sqlite3.connect(file, isolation_level=None)
        self._connection.execute("CREATE TABLE keys (date TEXT PRIMARY KEY, keys TEXT NOT NULL)")
        self._connection.execute(
            "CREATE TABLE locks (name TEXT PRIMARY KEY, holder TEXT NOT NULL, until REAL NOT NULL)"
        )
        rows = ((name, json.dumps(keys)) for name, keys in items.items())
        self._connection.executemany("INSERT INTO keys VALUES (?, ?)", rows)

    def keys(self, day: str) -> list[str]:
        """Return the keys of a date, none where it has no item."""
        row = self._connection.execute("SELECT keys FROM keys WHERE date = ?", [day]).fetchone()
        return list(json.loads(row[0])) if row else []

    def lock(self, name: str, holder: str, now: float, seconds: float) -> bool:
        """Put the lock's item for so many seconds, unless another holder's is valid; return whether it was put."""
        put = self._connection.execute(
            "INSERT INTO locks VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE"
            " SET holder = excluded.holder, until = excluded.until WHERE until <= ? OR holder = excluded.holder",
            [name, holder, now + seconds, now],
        )
        return put.rowcount == 1

    def unlock(self, name: str, holder: str) -> None:
        """Remove the lock's item, if this holder has put it."""
        self._connection.execute("DELETE FROM locks WHERE name = ? AND holder = ?", [name, holder])

    def locks(self) -> int:
        """Return how many locks' items there are."""
        (count,) = self._connection.execute("SELECT count(*) FROM locks").fetchone()
        return int(count)

    def close(self) -> None:
        """Close the table."""
        self._connection.close()
