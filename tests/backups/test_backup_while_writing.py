"""A backup made while eight learners answer and submit is one state of the site: nothing lost, nothing half."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, Table, func, select, text
from sqlalchemy.exc import DBAPIError

from backups import archive, rows
from content import search
from db import Base, Database
from quizzes.models import AttemptRow, ResponseRow, SheetRow
from tests.backups.conftest import KINDS
from tests.conftest import MovableClock
from tests.faults.test_killed_server import Stored, lost
from tests.quizzes.conftest import Learner
from web.server import prepare

WRITERS = 8
BUSY = 503
"""What a writer is answered who waited for too long, on a machine with much else to do; they try again."""


@dataclass
class Class:
    """Learners who sit one exam after another, and what the site acknowledged to them."""

    app: Flask
    csrf: Callable[[FlaskClient], str]
    heard: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    submitted: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    acknowledged: Stored = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    def sit(self) -> None:
        while not self.over.is_set():
            browser = self.app.test_client()
            answer = browser.post("/exams/saa-c01/attempts", data={"csrf_token": self.csrf(browser)})
            if answer.status_code == BUSY:
                continue
            attempt = int(answer.headers["Location"].rsplit("/", 1)[1])
            learner = Learner(self.app, browser, self.csrf(browser), attempt)
            for place in range(1, 6):
                answer = learner.answer(place, "abcd"[place % 4])
                for one in answer.get_json()["stored"] if answer.status_code != BUSY else ():
                    self.acknowledged[attempt, one["place"]] = (one["revision"], one["answer"])
                self.heard.release()
            while (status := learner.submit().status_code) == BUSY:
                continue
            assert status == 303
            self.submitted.release()

    @contextmanager
    def sitting(self) -> Iterator[None]:
        """Let everybody write for as long as the block runs, which begins once 40 answers were acknowledged."""
        threads = [threading.Thread(target=self.sit) for _ in range(WRITERS)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(40):
                assert self.heard.acquire(timeout=300)
            yield
        finally:
            self.over.set()
            for thread in threads:
                thread.join()

    def reading_slowly(self, connection: Connection, table: Table) -> Iterator[list[rows.Row]]:
        """Read a table as a backup does; after that of the attempts, wait until some more were closed."""
        yield from rows.read(connection, table)
        if table.name == "quizzes_attempt":
            while self.submitted.acquire(blocking=False):
                pass
            for _ in range(WRITERS):
                assert self.submitted.acquire(timeout=300)


# It makes databases of both kinds itself, of SQLite as copies of the prepared one.
pytestmark = pytest.mark.sqlite


@pytest.fixture
def crowd(
    site: Callable[[str], Flask],
    prepared: Path,
    csrf: Callable[[FlaskClient], str],
    post: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[str], Class]:
    """Return a function that gathers learners, one of whom has an account, before a new site of a kind."""

    def gather(kind: str) -> Class:
        app = site(kind)
        if kind == "sqlite":
            shutil.copy(prepared / "archway.sqlite3", app.extensions["database"].url.removeprefix("sqlite:///"))
        else:
            prepare(app)
        made = Class(app, csrf)
        monkeypatch.setattr(archive, "read", made.reading_slowly)
        post(app.test_client(), "/sign-up", name="ada", email="ada@example.org", password="a calm long sentence")
        return made

    return gather


def faults(database: Database, before: Stored) -> list[str]:
    """Return what is wrong with a database that should be one state, not older than ``before``."""
    found = []
    with database.reading() as connection:
        if connection.dialect.name == "sqlite":
            found += connection.execute(text("PRAGMA integrity_check")).scalars().all()[:9]
            found.remove("ok")
            found += [str(row) for row in connection.execute(text("PRAGMA foreign_key_check"))]
        answers = select(ResponseRow.attempt_id, ResponseRow.place, ResponseRow.revision, ResponseRow.answer)
        stored = {(row[0], row[1]): (row[2], row[3]) for row in connection.execute(answers)}
        found += [f"lost: {one}" for one in lost(before, stored)]
        closed = set(connection.scalars(select(AttemptRow.id).where(AttemptRow.closed_at.is_not(None))))
        filed = set(connection.scalars(select(SheetRow.attempt_id)))
        found += [f"half: attempt {one}" for one in closed ^ filed]
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_while_eight_write_is_one_state(
    crowd: Callable[[str], Class],
    site: Callable[[str], Flask],
    post: Callable[..., Any],
    tmp_path: Path,
    sized: Callable[[int, int], int],
    kind: str,
) -> None:
    learners = crowd(kind)
    for number in range(sized(1, 20)):
        path = tmp_path / f"{number}.zip"
        learners.over.clear()
        with learners.sitting():
            before = dict(learners.acknowledged)
            assert learners.app.test_cli_runner().invoke(args=["backup", str(path)]).exit_code == 0
        other = site(kind)
        restored = other.test_cli_runner().invoke(args=["restore", str(path)])
        assert restored.exit_code == 0, restored.output
        assert faults(other.extensions["database"], before) == []
        manifest = archive.check(path)
        with other.extensions["database"].reading() as connection:
            for name in set(Base.metadata.tables) - search.TABLES:
                count = select(func.count()).select_from(Base.metadata.tables[name])
                assert connection.execute(count).scalar_one() == manifest.sums[name].rows
        with learners.app.extensions["database"].reading() as connection:
            now_there = connection.execute(select(func.count()).select_from(AttemptRow)).scalar_one()
        assert now_there > manifest.sums["quizzes_attempt"].rows, "nobody wrote meanwhile"
        known = {"email": "ada@example.org", "password": "a calm long sentence"}
        assert post(other.test_client(), "/sign-in", **known).status_code == 303


# The control that runs at every commit is the copy of a file.
@pytest.mark.full
def test_the_control_reading_without_one_snapshot_gives_halves(
    crowd: Callable[[str], Class], site: Callable[[str], Flask], tmp_path: Path
) -> None:
    learners = crowd("postgresql")
    with learners.sitting(), learners.app.extensions["database"].engine.connect() as connection:
        archive.make(connection, tmp_path / "a.zip", search.TABLES, "x" * 64, MovableClock().now)
    result = site("sqlite").test_cli_runner().invoke(args=["restore", str(tmp_path / "a.zip")])
    assert result.exit_code == 1
    assert "FOREIGN KEY" in result.stderr


def test_the_control_a_copy_of_the_file_alone_loses_answers(crowd: Callable[[str], Class], tmp_path: Path) -> None:
    learners = crowd("sqlite")
    there, here = Path(learners.app.extensions["database"].url.removeprefix("sqlite:///")), tmp_path / "copy.sqlite3"
    with learners.sitting():
        before = dict(learners.acknowledged)
        shutil.copy(there, here)
    try:
        wrong = faults(Database(f"sqlite:///{here}"), before)
    except DBAPIError as error:
        wrong = [str(error)]
    assert wrong
