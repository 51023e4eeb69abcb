"""The report in a warehouse: records with the day on which they were loaded, emptied and loaded in transactions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from labs.parts.warehouse_process import WarehouseProcess, csv_of


class Summary(NamedTuple):
    """The report's rows as a reader sees them: loaded before the day, on the day, and how many of those differ."""

    old: int
    new: int
    different: int


class ReportTable:
    """The table, whose first columns are a record's number and its campaign, and whose last is the day of loading."""

    def __init__(self, process: WarehouseProcess, names: Sequence[str], day: str) -> None:
        kinds = {"record": "INTEGER", "campaign": "VARCHAR"}
        self._process = process
        self._kinds = [(name, kinds.get(name, "SMALLINT")) for name in names]
        self._day = day
        declared = ", ".join(f"{name} {kind}" for name, kind in self._kinds)
        process.run(f"CREATE TABLE report ({declared}, loaded DATE)")

    def fill(self, campaign: str, records: int, day: str) -> None:
        """Append records of another day, whose measures are 0, as if they had been loaded then."""
        measures = "0, " * (len(self._kinds) - 2)
        rows = f"SELECT range + 1, ?, {measures} ?::DATE FROM range(?)"
        self._process.run(f"INSERT INTO report {rows}", [campaign, day, records])

    def begin(self) -> None:
        """Begin a transaction."""
        self._process.run("BEGIN")

    def commit(self) -> None:
        """Make the transaction's changes everybody's."""
        self._process.run("COMMIT")

    def empty(self) -> None:
        """Delete all rows."""
        self._process.run("DELETE FROM report")

    def copy(self, key: str) -> int:
        """Append the rows of the bucket's object; return how many."""
        rows = self._process.run(f"INSERT INTO report SELECT *, ?::DATE FROM {csv_of(key, self._kinds)}", [self._day])
        return int(rows[0][0])

    def kill(self) -> int:
        """Kill the warehouse's process where it stands and start another; return the signal that ended it."""
        signal = self._process.kill()
        self._process.restart()
        return signal

    def rows(self) -> int:
        """Return how many rows a reader sees."""
        return int(self._process.look("SELECT count(*) FROM report")[0][0])

    def summary(self) -> Summary:
        """Return what a reader sees, by the day of loading."""
        query = (
            "SELECT count(*) FILTER (loaded < ?::DATE), count(*) FILTER (loaded = ?::DATE),"
            " count(DISTINCT (campaign, record)) FILTER (loaded = ?::DATE) FROM report"
        )
        return Summary(*map(int, self._process.look(query, [self._day] * 3)[0]))
