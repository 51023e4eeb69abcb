"""The database's promises: durable settings, and no update lost between threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError, OperationalError

from db import Database, from_milliseconds, milliseconds


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database(f"sqlite:///{tmp_path}/x.sqlite3")
    with made.writing() as connection:
        connection.execute(text("CREATE TABLE counter (n INTEGER NOT NULL)"))
        connection.execute(text("INSERT INTO counter VALUES (0)"))
        connection.execute(text("CREATE TABLE parent (id INTEGER PRIMARY KEY)"))
        connection.execute(text("CREATE TABLE child (parent_id INTEGER REFERENCES parent (id))"))
    return made


def test_it_is_set_to_survive_a_power_cut(database: Database) -> None:
    with database.reading() as connection:
        values = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
    assert values == ["wal", 2]


def test_it_holds_foreign_keys(database: Database) -> None:
    with pytest.raises(IntegrityError), database.writing() as connection:
        connection.execute(text("INSERT INTO child VALUES (7)"))


def _race(database: Database, opened: Callable[[], AbstractContextManager[Connection]]) -> tuple[int, int]:
    """Count up from 8 threads, 15 times each; return (how many succeeded, what the counter says)."""

    def worker(_: int) -> int:
        done = 0
        for _turn in range(15):
            try:
                with opened() as connection:
                    value = connection.execute(text("SELECT n FROM counter")).scalar_one()
                    connection.execute(text("UPDATE counter SET n = :n"), {"n": value + 1})
                    connection.commit()
                done += 1
            except OperationalError:
                continue
        return done

    with ThreadPoolExecutor(8) as threads:
        succeeded = sum(threads.map(worker, range(8)))
    with database.reading() as connection:
        return succeeded, connection.execute(text("SELECT n FROM counter")).scalar_one()


def test_it_loses_no_update_between_threads(database: Database) -> None:
    assert _race(database, database.writing) == (120, 120)


def test_the_control_a_transaction_that_locks_late_fails(database: Database) -> None:
    """Without BEGIN IMMEDIATE the same race does not end with 120 of 120: the test above can fail."""
    assert _race(database, database.reading) != (120, 120)


def test_an_instant_keeps_its_milliseconds() -> None:
    assert milliseconds(from_milliseconds(1_518_425_999_123)) == 1_518_425_999_123
