"""The database's promises: durable settings, no update lost between threads, waiting writers committed at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import IntegrityError, OperationalError

from config import ConfigError
from db import Database, from_milliseconds, milliseconds, needed

Work = Callable[[Connection], int]


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


def test_a_database_that_cannot_be_used_is_named_without_its_password() -> None:
    database = Database("postgresql+psycopg://archway:hunter2@127.0.0.1:1/archway?sslpassword=hunter2")
    with (
        pytest.raises(ConfigError, match=r"ARCHWAY_DATABASE_URL is “.*@127\.0\.0\.1:1/archway”") as caught,
        needed(database),
    ):
        database.engine.connect()
    assert "hunter2" not in str(caught.value)


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
                    # Long enough that others read the same where nothing stops them.
                    time.sleep(0.001)
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


def _adding(number: int) -> Work:
    """Return work that stores a parent and returns its number."""

    def work(connection: Connection) -> int:
        connection.execute(text("INSERT INTO parent VALUES (:id)"), {"id": number})
        return number

    return work


def _orphan(connection: Connection) -> int:
    connection.execute(text("INSERT INTO child VALUES (7)"))
    return 7


def _together(database: Database, works: Sequence[Work], told: list[Future[int]] | None = None) -> list[Future[int]]:
    """Let each work come from a thread of its own while another thread writes; return what each was told."""
    told = [] if told is None else told
    with ThreadPoolExecutor(len(works)) as threads, database.writing():
        end = time.monotonic() + 10
        for count, work in enumerate(works, 1):
            told.append(threads.submit(database.together, work))
            while len(database._waiting) < count:
                assert time.monotonic() < end
    wait(told)
    return told


def _commits(database: Database) -> list[Connection]:
    """Return a list that grows with every commit from here on."""
    commits: list[Connection] = []
    event.listen(database.engine, "commit", commits.append)
    return commits


def _parents(database: Database) -> list[int]:
    with database.reading() as connection:
        return list(connection.execute(text("SELECT id FROM parent ORDER BY id")).scalars())


def test_writers_who_wait_are_committed_at_once(database: Database) -> None:
    commits = _commits(database)
    told = _together(database, [_adding(number) for number in (1, 2, 3, 4)])
    assert [one.result() for one in told] == _parents(database) == [1, 2, 3, 4]
    assert len(commits) == 2, "one of the writer they waited for, one of theirs"


def test_the_control_writers_each_for_themselves_commit_each(database: Database) -> None:
    commits = _commits(database)
    for number in (1, 2, 3, 4):
        database.together(_adding(number))
    assert len(commits) == 4


def test_nobody_is_told_before_the_commit(database: Database) -> None:
    told: list[Future[int]] = []
    done_within: list[bool] = []

    def look(connection: Connection) -> int:
        done_within.extend(one.done() for one in told)
        return _adding(2)(connection)

    _together(database, [_adding(1), look], told)
    assert done_within == [False, False]
    assert [one.result() for one in told] == [1, 2]


def test_the_control_what_is_told_before_the_commit_is_not_there(database: Database) -> None:
    with database.writing() as connection:
        assert _adding(1)(connection) == 1
        assert _parents(database) == []


WITH_A_FAULT = (_adding(1), _orphan, _adding(2))


def test_the_error_of_one_is_not_anothers(database: Database) -> None:
    told = _together(database, WITH_A_FAULT)
    assert isinstance(told[1].exception(), IntegrityError)
    assert [told[0].result(), told[2].result()] == _parents(database) == [1, 2]


def test_the_control_one_transaction_alone_would_lose_the_others(database: Database) -> None:
    with pytest.raises(IntegrityError), database.writing() as connection:
        _ = [work(connection) for work in WITH_A_FAULT]
    assert _parents(database) == []


def test_trouble_of_the_database_is_told_to_all_and_waited_for_once(database: Database) -> None:
    tries: list[str] = []

    def full(_connection: Connection) -> int:
        tries.append("try")
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    told = _together(database, [_adding(1), full, _adding(2)])
    assert all(isinstance(one.exception(), OperationalError) for one in told)
    assert (tries, _parents(database)) == (["try"], [])
    assert database.together(_adding(3)) == 3


def test_an_instant_keeps_its_milliseconds() -> None:
    assert milliseconds(from_milliseconds(1_518_425_999_123)) == 1_518_425_999_123
