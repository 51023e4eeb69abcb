"""Item statistics of one and of ten million responses, from the stored sheets to what a page shows.

The peer is SQL: the same answers as a row each, with the facility, the item–rest correlation and the count and mean
score of each choice out of SQLite, in the same run.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, insert, text

from accounts.models import PersonRow
from benchmarks.promises import Promise, record
from db import Database, upgrade
from quizzes import statistics_store
from quizzes.models import AttemptRow, SheetRow, VersionNumberRow, VersionRow
from quizzes.statistics import FULL, RESPONSE

EXAM, ITEMS, PLACES = "saa-c01", 600, 65
SIZES = {1_000_000: 0.3, 10_000_000: 3.0}
"""Responses → the seconds that are promised."""
NOW = datetime(2018, 2, 12, tzinfo=UTC)
_ANSWERS = 'CREATE TABLE answers (attempt INTEGER, item INTEGER, chosen INTEGER, "right" INTEGER)'
_TOTALS = 'CREATE TEMP TABLE totals AS SELECT attempt, sum("right") AS total FROM answers GROUP BY attempt'
_BY_CHOICE = (
    'SELECT item, chosen, count(*), sum("right"), sum(total - "right"), sum((total - "right") * (total - "right")), '
    'sum("right" * (total - "right")) FROM answers JOIN totals USING (attempt) GROUP BY item, chosen'
)


def main() -> None:
    """Store synthetic attempts in the real tables, compute both ways, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", help="An empty PostgreSQL database to use instead of a new SQLite file.")
    parser.add_argument("--without-peer", action="store_true", help="Measure our own way only.")
    options = parser.parse_args()
    print("| responses | wall s, least of 3 | CPU s | promised s | reading the result ms | SQL wall s | ratio |")
    print("|--:|--:|--:|--:|--:|--:|--:|")
    kept = []
    for responses, promised in SIZES.items():
        with tempfile.TemporaryDirectory() as folder:
            url = options.database or f"sqlite:///{Path(folder, 'statistics.sqlite3')}"
            (wall, cpu), reading = _measure(Database(url), sheets := _answers(responses // PLACES))
            peer = 0.0 if options.without_peer else _peer(Path(folder), sheets)
        peers = f"{peer:.2f} | 1 / {peer / wall:.0f}" if peer else "– | –"
        print(f"| {responses:,} | {wall:.2f} | {cpu:.2f} | {promised} | {1000 * reading:.0f} | {peers} |", flush=True)
        kept.append(
            Promise(
                f"statistics of {responses:,} answers", wall, "s", promised, "two GROUP BYs of SQLite", peer or None
            )
        )
    record("item_statistics", kept)
    print(f"\nPeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB, synthesis included.")


def _measure(database: Database, sheets: NDArray[Any]) -> tuple[tuple[float, float], float]:
    """Return the wall and CPU seconds of computing and keeping the statistics, and the wall seconds of reading them."""
    upgrade(database)
    with database.writing() as connection:
        _store(connection, sheets)
    runs = [_timed(lambda: statistics_store.refresh(database, EXAM, NOW)) for _ in range(3)]
    reading = min(_timed(lambda: _load(database))[0] for _ in range(3))
    with database.writing() as connection:
        _empty(connection)
    database.engine.dispose()
    return min(runs), reading


def _answers(attempts: int) -> NDArray[Any]:
    """Return attempts × places of answers by a one-parameter logistic model with four options."""
    random = np.random.default_rng(2018)
    sheets = np.zeros((attempts, PLACES), RESPONSE)
    # Every sheet takes its items from a shuffled bank, beginning at a place of its own: none comes twice.
    order, first = random.permutation(ITEMS), random.integers(0, ITEMS, (attempts, 1))
    items = order[(first + np.arange(PLACES) * 7) % ITEMS]
    ability, difficulty = random.normal(size=(attempts, 1)), random.normal(size=ITEMS)
    right = random.random((attempts, PLACES)) < 1 / (1 + np.exp(difficulty[items] - ability))
    sheets["version"], sheets["credit"], sheets["scored"] = items + 1, right * FULL, 1
    sheets["chosen"] = np.where(right, 1, 1 << random.integers(1, 4, right.shape))
    sheets["seconds"] = random.integers(5, 400, right.shape)
    return sheets


def _store(connection: Connection, sheets: NDArray[Any]) -> None:
    names = [f"{number:064x}" for number in range(1, ITEMS + 1)]
    options = [{"letter": letter, "text": letter} for letter in "abcd"]
    told = dict.fromkeys(("course", "task", "difficulty", "lesson", "stem"), "")
    question, key = {**told, "options": options, "choose": 1}, {"correct": ["a"], "rationales": []}
    rows = [
        {"fingerprint": name, "question_id": name[-6:], "question": {**question, "id": name[-6:]}, "key": key}
        for name in names
    ]
    connection.execute(insert(VersionRow), rows)
    numbered = [{"number": number, "fingerprint": name} for number, name in enumerate(names, 1)]
    connection.execute(insert(VersionNumberRow), numbered)
    person = {"id": 1, "role": "learner", "name": "A", "created_at": NOW, "theme": "auto"}
    connection.execute(insert(PersonRow), person)
    attempt = {"person_id": 1, "exam": EXAM, "seed": 1, "form": [], "places": PLACES}
    clock = {"started_at": NOW, "deadline": NOW, "closed_at": NOW}
    connection.execute(insert(AttemptRow), [{"id": one + 1, **attempt, **clock} for one in range(len(sheets))])
    right = (sheets["credit"] == FULL).sum(axis=1).tolist()
    connection.execute(
        insert(SheetRow),
        [
            {
                "attempt_id": one + 1,
                "exam": EXAM,
                "form": f"{one:016x}",
                "right": right[one],
                "scored": PLACES,
                "data": sheet.tobytes(),
            }
            for one, sheet in enumerate(sheets)
        ],
    )


def _empty(connection: Connection) -> None:
    for table in ("sheet", "statistics", "attempt", "version_number", "version"):
        connection.execute(text(f"DELETE FROM quizzes_{table}"))
    connection.execute(text("DELETE FROM accounts_person"))


def _load(database: Database) -> None:
    with database.reading() as connection:
        statistics_store.load(connection, EXAM)


def _peer(folder: Path, sheets: NDArray[Any]) -> float:
    """Return the seconds that two GROUP BYs take in SQLite over a row an answer."""
    database = Database(f"sqlite:///{folder / 'answers.sqlite3'}")
    attempts = np.repeat(np.arange(len(sheets)), PLACES)
    right = (sheets["credit"] == FULL).ravel().astype(int)
    columns = (attempts.tolist(), sheets["version"].ravel().tolist(), sheets["chosen"].ravel().tolist(), right.tolist())
    with database.writing() as connection:
        connection.exec_driver_sql(_ANSWERS)
        connection.exec_driver_sql("INSERT INTO answers VALUES (?, ?, ?, ?)", list(zip(*columns, strict=True)))

    def ask() -> None:
        with database.reading() as connection:
            connection.exec_driver_sql(_TOTALS)
            connection.exec_driver_sql(_BY_CHOICE).all()

    seconds = _timed(ask)[0]
    database.engine.dispose()
    return seconds


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    main()
