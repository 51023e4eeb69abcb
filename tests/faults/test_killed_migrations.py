"""An upgrade that is killed anywhere leaves the old schema or the new one with every row, and the next one succeeds."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, create_engine, func, insert, select, text

import config
import db
from accounts.models import PersonRow
from backups import rows
from content import search
from db import Database, SchemaError
from quizzes import store
from quizzes.models import AttemptRow
from tests.e2e.conftest import free_port
from tests.faults.test_killed_server import lost
from tests.rows import fill
from web import server

KINDS = ("sqlite", "postgresql")
WITH_ANSWERS = "0012"
Counts = dict[str, int]
quick_on_sqlite = pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
"""For controls, one of which at every commit is enough."""


@dataclass
class Databases:
    """Copies of a database with rows in it, at an old revision, on one kind of server."""

    original: str
    made: list[str]

    def copy(self) -> str:
        name = f"{self.original}_{len(self.made)}"
        if self.original.startswith("sqlite"):
            shutil.copy(self._path(self.original), self._path(name))
        else:
            self._run(f"CREATE DATABASE {self._name(name)} TEMPLATE {self._name(self.original)}")
        self.made.append(name)
        return name

    def drop(self, name: str) -> None:
        self.made.remove(name)
        if not name.startswith("sqlite"):
            self._run(f"DROP DATABASE {self._name(name)} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        admin = create_engine(f"{self.original.rpartition('/')[0]}/postgres", isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(statement))
        admin.dispose()

    @staticmethod
    def _path(address: str) -> str:
        return address.removeprefix("sqlite:///")

    @staticmethod
    def _name(address: str) -> str:
        return address.rpartition("/")[2]


def _fill_old_schema(database: Database, revision: str) -> None:
    with database.writing() as connection:
        db.migrate(connection, revision)
        _fill_new_tables(connection)


def _fill_new_tables(connection: Connection) -> None:
    """Store rows in every table that has none."""
    schema = MetaData()
    schema.reflect(connection, only=lambda name, _: name not in {"alembic_version", *search.TABLES})
    for table in schema.sorted_tables:
        if connection.execute(select(func.count()).select_from(table)).scalar_one() == 0:
            fill(connection, schema, only=table)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def old(kind: str, address: Callable[[str], str], sized: Callable[[str, str], str]) -> Iterator[Databases]:
    """Databases at an old revision, with rows in every table that it has."""
    original = Database(address(kind))
    _fill_old_schema(original, sized("0003", "0001"))
    original.engine.dispose()
    made = Databases(original.url, [])
    yield made
    for name in made.made[:]:
        made.drop(name)


@dataclass
class Program:
    """The process that upgrades in children of its own."""

    process: subprocess.Popen[str]
    log: Path

    def begin(self, address: str, fault: str = "none", at: int = 0, without: str = "") -> int:
        self._send([address, fault, at, without])
        return int(self.process.stdout.readline())

    def end_of(self, child: int) -> int:
        self._send(["wait", child])
        return int(self.process.stdout.readline())

    def upgrade(self, address: str, fault: str = "none", at: int = 0, without: str = "") -> int:
        return self.end_of(self.begin(address, fault, at, without))

    def points(self, address: str) -> int:
        """Return how many points an upgrade has: before and after each statement, at the commit and after it."""
        assert self.upgrade(address) == 0, self.log.read_text()
        return int(re.findall(r"points (\d+)", self.log.read_text())[-1])

    def _send(self, order: list[object]) -> None:
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    log = tmp_path / "upgrades.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.migrations"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )
        yield Program(process, log)
        process.stdin.close()
        process.stdout.close()
        process.wait(30)


def _state(address: str) -> tuple[str, Counts]:
    """Return a database's revision, and how many rows each of the first tables has."""
    database = Database(address)
    with database.reading() as connection:
        found = {table.name: table for table in rows.tables(connection, search.TABLES)}
        counts = {
            name: connection.execute(select(func.count()).select_from(one)).scalar_one() for name, one in found.items()
        }
        revision = db.revision(connection)
    database.engine.dispose()
    return revision, {name: count for name, count in counts.items() if count}


def test_an_upgrade_that_is_killed_anywhere_leaves_one_schema_and_every_row(
    old: Databases, kind: str, program: Program, sized: Callable[[int, int], int]
) -> None:
    before = _state(old.original)
    after = (db.newest_revision(), before[1])
    count = program.points(old.copy())
    seen = set()
    steps = sized({"sqlite": 10, "postgresql": 4}[kind], count)
    for number in range(steps):
        point = count if number == steps - 1 else 1 + number * count // steps
        copy = old.copy()
        assert program.upgrade(copy, "kill", point) == -signal.SIGKILL
        found = _state(copy)
        assert found in {0: before, 1: after}.values(), f"killed at point {point} of {count}"
        seen.add(found[0])
        assert program.upgrade(copy) == 0, program.log.read_text()
        assert _state(copy) == after
        old.drop(copy)
    assert seen == {before[0], after[0]}, "before the commit the old one, after it the new one"


@quick_on_sqlite
def test_the_control_an_upgrade_without_a_transaction_leaves_half_a_schema(old: Databases, program: Program) -> None:
    """Of points one after another, one at least is in the middle of a migration."""
    for point in (60, 62, 64, 66):
        copy = old.copy()
        assert program.upgrade(copy, "kill", point, "transaction") == -signal.SIGKILL
        if program.upgrade(copy) == 1:
            break
    assert re.search("already exists|duplicate|no such column", program.log.read_text())


# On PostgreSQL no step makes a table anew, which is where rows are lost.
@quick_on_sqlite
def test_every_step_keeps_every_row(kind: str, address: Callable[[str], str]) -> None:
    database = Database(address(kind))
    script = ScriptDirectory(str(Path(db.__file__).with_name("migrations")))
    counts: Counts = {}
    for revision in [one.revision for one in reversed(list(script.walk_revisions()))]:
        with database.writing() as connection:
            db.migrate(connection, revision)
            found = {table.name: table for table in rows.tables(connection, search.TABLES)}
            for name, before in counts.items():
                count = connection.execute(select(func.count()).select_from(found[name])).scalar_one()
                assert count == before, f"{name} in {revision}"
            _fill_new_tables(connection)
            counts = {
                name: connection.execute(select(func.count()).select_from(one)).scalar_one()
                for name, one in found.items()
            }
    database.engine.dispose()


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def _is_stopped(process: int) -> bool:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def _waits_for_a_lock(address: str) -> bool:
    database = Database(address)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with database.reading() as connection:
        found = connection.execute(text(waiting)).scalar_one()
    database.engine.dispose()
    return found > 0


def _two_at_once(program: Program, address: str, without: str) -> tuple[int, int]:
    """Stop one upgrade in its middle, let another begin, and let the first go on; return how they ended."""
    first = program.begin(address, "stop", 40, without)
    _until(lambda: _is_stopped(first))
    second = program.begin(address, "none", 0, without)
    if address.startswith("postgresql"):
        _until(lambda: _waits_for_a_lock(address))
        os.kill(first, signal.SIGCONT)
    elif without:
        status = program.end_of(second)
        os.kill(first, signal.SIGCONT)
        return program.end_of(first), status
    else:
        # It has nothing to tell by that it waits: more than one of its turns of 0.1 s goes by.
        time.sleep(0.5)
        os.kill(first, signal.SIGCONT)
    return program.end_of(first), program.end_of(second)


def test_two_processes_may_upgrade_at_once(kind: str, address: Callable[[str], str], program: Program) -> None:
    empty = address(kind)
    assert _two_at_once(program, empty, "") == (0, 0), program.log.read_text()
    assert _state(empty)[0] == db.newest_revision()


@quick_on_sqlite
def test_the_control_without_waiting_the_second_fails(
    kind: str, address: Callable[[str], str], program: Program
) -> None:
    assert _two_at_once(program, address(kind), {"sqlite": "turns", "postgresql": "lock"}[kind]) == (0, 1)


def test_a_process_that_serves_goes_on_while_another_upgrades(kind: str, address: Callable[[str], str]) -> None:
    """No answer is lost that the old process acknowledged before, during or after the upgrade."""
    serving, upgrading = Database(address(kind)), None
    now = datetime(2018, 2, 12, tzinfo=UTC)
    with serving.writing() as connection:
        db.migrate(connection, WITH_ANSWERS)
        connection.execute(insert(PersonRow).values(id=1, name="a", role="learner", theme="auto", created_at=now))
        attempt = {"id": 1, "person_id": 1, "exam": "e", "seed": 1, "form": [], "places": 65, "started_at": now}
        connection.execute(insert(AttemptRow).values(**attempt, deadline=now + timedelta(hours=2)))
    acknowledged: dict[tuple[int, int], tuple[int, str]] = {}
    heard, over = threading.Semaphore(0), threading.Event()
    owner = store.Owner(select(PersonRow.id).where(PersonRow.id == 1).scalar_subquery(), {})

    def answer() -> None:
        number = 0
        while not over.is_set():
            number += 1
            change = store.Change(number % 65 + 1, number, "abcd"[number % 4], flagged=False, stamp=None)
            _, stored = store.save(serving, owner, 1, [change], now)
            for one in stored:
                acknowledged[1, one.place] = (one.revision, one.answer)
            heard.release()

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        for step in range(2):
            for _ in range(10):
                assert heard.acquire(timeout=60)
            if step == 0:
                upgrading = Database(serving.url)
                db.upgrade(upgrading)
    finally:
        over.set()
        thread.join()
    with upgrading.reading() as connection:
        stored = {(1, one.place): (one.revision, one.answer) for one in store.responses(connection, 1)}
        assert db.revision(connection) == db.newest_revision()
    assert lost(acknowledged, stored) == []
    for database in (serving, upgrading):
        database.engine.dispose()


def test_a_newer_schema_is_refused_with_one_sentence(
    kind: str, address: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(address(kind))
    db.upgrade(database)
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9000'"))
    with pytest.raises(SchemaError, match=r"has schema 9000.*install the release that it was last used with"):
        db.upgrade(database)
    database.engine.dispose()
    monkeypatch.setattr(server, "gc", MagicMock())
    monkeypatch.setattr(sys, "argv", ["app.py", "--port", str(free_port())])
    settings = config.load({"ARCHWAY_INSTANCE": str(tmp_path), "ARCHWAY_DATABASE_URL": database.url})
    monkeypatch.setattr(server, "load", lambda: settings)
    with pytest.raises(SystemExit, match=r"^archway: The database has schema 9000"):
        server.main()


def test_the_files_of_migrations_are_named_by_their_revisions() -> None:
    config = Config()
    config.set_main_option("script_location", "migrations")
    script = ScriptDirectory.from_config(config)
    assert script.get_current_head() == db.newest_revision()
    for one in script.walk_revisions():
        assert Path(one.path).name.startswith(f"{one.revision}_")
