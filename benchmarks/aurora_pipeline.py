"""The lab's way from a shop's database to objects in a bucket, beside the same rows written without its parts."""

from __future__ import annotations

import csv
import gzip
import io
import os
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from random import Random

from benchmarks.promises import Promise, record
from labs import child, registry, runner

LAB = registry.CATALOG / "aurora_redshift"
SALES = 100_000
ROUNDS = 5
PROMISED = 20_000
"""Rows a second of CPU from the first INSERT to the last object."""

SETTINGS = {"sales": str(SALES), "days": "every day of the year", "rate": "20"}


class Silence:
    """A report that nobody reads."""

    servers: dict[str, str] = {}  # noqa: RUF012 (none, for ever)

    def progress(self, share: float) -> None:
        """Take how far the work is."""

    def metric(self, at: float, **values: float) -> None:
        """Take values."""

    def log(self, text: str) -> None:
        """Take words."""


def cpu_seconds() -> float:
    """Return the CPU of this process and of those that it waited for."""
    both = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)


def way(**texts: str) -> Callable[[], None]:
    """Return what lets the sales take their way, from the loader to the bucket, and sees that each arrived."""
    code = child.load(LAB / "lab.py")
    values, faults = registry.read(LAB).read({**SETTINGS, **texts})
    if faults:
        raise ValueError(faults)
    parameters = code.Parameters(**values)
    message = code.read_message(parameters.message)

    def run() -> None:
        watch = code.Watch(Silence())
        shop = code.shop_of(parameters, message, watch.report)
        captured = code.capture(shop, code.drawn_of(parameters, 1), parameters, watch)
        told = code.deliver(captured.messages, code.COLUMNS, parameters, watch)
        if told.lines != SALES:
            raise ValueError(told)

    return run


def whole() -> None:
    """Run the lab as a learner does: the way, the comparison of every line, and the queries."""
    lab = registry.read(LAB)
    outcome = runner.execute(lab, lab.read(SETTINGS)[0], 1, runner.Limits())
    if not outcome.ending.done or outcome.findings["missing"]["value"]:
        raise ValueError(outcome)


def bare() -> None:
    """Insert as many rows into SQLite and write them as one compressed CSV: no trigger, message, function or stream."""
    random = Random(1)
    rows = [(number, random.randrange(100), "Garden", "5.00", "2", "2016-03-01 00:00:00", "WA", "Free", "Other")
            for number in range(SALES)]  # fmt: skip
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE Sales (a INTEGER PRIMARY KEY, b, c, d, e, f, g, h, i)")
    connection.executemany("INSERT INTO Sales VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(connection.execute("SELECT * FROM Sales"))
    Path("sales.gz").write_bytes(gzip.compress(text.getvalue().encode()))


def main() -> None:
    """Print the table."""
    works = {
        "bare: inserted, and written as one gzip": bare,
        "the published way: a call and a record for each sale": way(),
        "the mended way: an outbox, batches of 500": way(capture="outbox table"),
        "a whole run, every line compared, and the queries": whole,
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            with tempfile.TemporaryDirectory() as folder, chdir(folder):
                cpu, began = cpu_seconds(), time.monotonic()
                work()
                taken[name].append((cpu_seconds() - cpu, time.monotonic() - began))
    print(f"{SALES:,} sales, {os.cpu_count()} processors")
    print("| | CPU s, least | s, least | rows a CPU second | of bare's |\n|---|--:|--:|--:|--:|")
    floor = min(taken["bare: inserted, and written as one gzip"])[0]
    for name, rounds in taken.items():
        least = min(rounds)[0]
        wall = min(seconds for _, seconds in rounds)
        print(f"| {name} | {least:.2f} | {wall:.2f} | {SALES / least:,.0f} | × {least / floor:.1f} |")
    slowest = max(min(taken[name])[0] for name in works if "way" in name)
    what = "sales from an INSERT to objects in a bucket, the slower way"
    bare_rate = SALES / floor
    record(
        "aurora_pipeline",
        [Promise(what, SALES / slowest, "rows a CPU s", PROMISED, "bare inserts", bare_rate, at_least=True)],
    )


if __name__ == "__main__":
    main()
