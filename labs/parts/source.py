"""A relational source of wide records, extracted campaign by campaign: SQLite files, or MariaDB where there is one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from random import Random
from typing import Protocol

from labs.parts.mariadb import Client

LEAST_COLUMNS = 3
MOST_COLUMNS = 600
PATTERNS = 257
"""So many rows of measures are drawn."""
BATCH = 2000
"""Records between two signs of life, and held in memory at once."""

_ARGUMENTS = 100
"""SQLite before version 3.48 takes at most 127 arguments in one call."""

Told = Callable[[int], None]
"""Is told how many more records were written or read."""


class Source(Protocol):
    """What a source does; ``tests/labs/test_source.py`` holds every kind to it."""

    def fill(self, campaign: str, records: int, random: Random, tell: Told) -> None:
        """Make the campaign's records, numbered from 1, with measures from 0 to 9."""

    def extract(self, campaign: str, tell: Told) -> Iterator[bytes]:
        """Yield the campaign's records as lines of CSV, in pieces, by number; none where it has none."""


def columns(count: int) -> tuple[str, ...]:
    """Return the names of a record's columns: its number, its campaign, and measures."""
    return ("record", "campaign", *(f"measure_{number}" for number in range(1, count - 1)))


class SQLiteSource:
    """A SQLite file for each campaign, in a folder of its own; one for all may be larger than a run's files may be."""

    def __init__(self, folder: Path, column_count: int) -> None:
        self._folder = folder
        self._columns = columns(column_count)
        self._files: dict[str, Path] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def fill(self, campaign: str, records: int, random: Random, tell: Told) -> None:
        """Make the campaign's records, numbered from 1, with measures from 0 to 9."""
        # A number, since a campaign's name comes from a learner.
        file = self._files[campaign] = self._folder / f"{len(self._files)}.sqlite"
        measures = ", ".join(self._columns[2:])
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            # The file lives no longer than its run, so it need not survive a crash.
            connection.execute("PRAGMA journal_mode = off")
            connection.execute("PRAGMA synchronous = off")
            connection.execute("PRAGMA page_size = 16384")
            connection.execute(
                f"CREATE TABLE records ({_declared(self._columns, 'VARCHAR(20)')}, PRIMARY KEY (record))"
            )
            connection.execute(f"CREATE TEMPORARY TABLE patterns (pattern INTEGER PRIMARY KEY, {measures})")
            places = ", ".join("?" * (len(self._columns) - 1))
            patterns = ((number, *pattern) for number, pattern in enumerate(_patterns(len(self._columns), random)))
            connection.executemany(f"INSERT INTO patterns VALUES ({places})", patterns)
            connection.execute("BEGIN")
            for first in range(1, records + 1, BATCH):
                last = min(first + BATCH - 1, records)
                connection.execute(
                    "WITH RECURSIVE numbers (number) AS (VALUES (?) UNION ALL SELECT number + 1 FROM numbers WHERE"
                    f" number < ?) INSERT INTO records SELECT number, ?, {measures} FROM numbers JOIN patterns"
                    f" ON pattern = number % {PATTERNS}",
                    [first, last, campaign],
                )
                tell(last - first + 1)
            connection.execute("COMMIT")

    def extract(self, campaign: str, tell: Told) -> Iterator[bytes]:
        """Yield the campaign's records as lines of CSV, in pieces, by number; none where it has none."""
        if campaign not in self._files:
            return
        with closing(sqlite3.connect(self._files[campaign])) as connection:
            lines = connection.execute(f"SELECT {self._line()} FROM records ORDER BY record")
            while batch := lines.fetchmany(BATCH):
                tell(len(batch))
                yield "".join(line for (line,) in batch).encode()

    def _line(self) -> str:
        """Return the expression for a record's line: numbers are written alike in JSON and CSV, and SQLite is quick."""
        measures = self._columns[2:]
        groups = [measures[first : first + _ARGUMENTS] for first in range(0, len(measures), _ARGUMENTS)]
        parts = ["record", "'\"' || campaign || '\"'", *(f"trim(json_array({', '.join(one)}), '[]')" for one in groups)]
        return " || ',' || ".join(parts) + " || char(10)"


class MariaDBSource:
    """A table in the MariaDB at an address that ``labs.parts.mariadb`` reads."""

    def __init__(self, address: str, column_count: int) -> None:
        self._client = Client(address)
        self._columns = columns(column_count)

    def fill(self, campaign: str, records: int, random: Random, tell: Told) -> None:
        """Make the campaign's records, numbered from 1, with measures from 0 to 9."""
        measures = self._columns[2:]
        step = 5 * BATCH
        # By default MariaDB takes mcs2017, and MCS2017 with a space behind it, for MCS2017.
        declared = _declared(self._columns, "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin")
        patterns = (
            f"({number}, {', '.join(map(str, one))})"
            for number, one in enumerate(_patterns(len(self._columns), random))
        )
        self._client.execute(
            f"CREATE TABLE IF NOT EXISTS records ({declared}, PRIMARY KEY (campaign, record));"
            f" DELETE FROM records WHERE {_is(campaign)};"
            f" CREATE OR REPLACE TABLE patterns (pattern INTEGER PRIMARY KEY, {_declared(measures)});"
            f" INSERT INTO patterns VALUES {', '.join(patterns)};"
        )
        for first in range(1, records + 1, step):
            last = min(first + step - 1, records)
            self._client.execute(
                f"INSERT INTO records SELECT seq, {_text(campaign)}, {', '.join(measures)}"
                f" FROM seq_{first}_to_{last} JOIN patterns ON pattern = seq % {PATTERNS};"
            )
            tell(last - first + 1)

    def extract(self, campaign: str, tell: Told) -> Iterator[bytes]:
        """Yield the campaign's records as lines of CSV, in pieces, by number; none where it has none."""
        line = f"CONCAT_WS(',', record, CONCAT('\"', campaign, '\"'), {', '.join(self._columns[2:])})"
        lines = self._client.lines(f"SELECT {line} FROM records WHERE {_is(campaign)} ORDER BY record")
        while batch := list(islice(lines, BATCH)):
            tell(len(batch))
            yield b"".join(batch)


def _patterns(width: int, random: Random) -> list[tuple[int, ...]]:
    """Return rows of measures; records take them in turn."""
    return [tuple(random.choices(range(10), k=width - 2)) for _ in range(PATTERNS)]


def _declared(names: tuple[str, ...], campaign: str = "") -> str:
    kinds = {"record": "INTEGER", "campaign": campaign}
    return ", ".join(f"{name} {kinds.get(name, 'TINYINT')} NOT NULL" for name in names)


def _text(one: str) -> str:
    """Return a text as MariaDB's literal in hexadecimal, out of which nothing can break."""
    return f"X'{one.encode().hex()}'"


def _is(campaign: str) -> str:
    return f"campaign = {_text(campaign)}"
