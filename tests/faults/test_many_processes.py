"""A site of many processes, one killed each second and its PostgreSQL too: what was acknowledged is there, once."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select, text
from sqlalchemy.exc import OperationalError

import config
import db
from accounts.models import PersonRow
from app import create_app
from db import Database
from labs import registry
from labs import store as runs
from quizzes.models import ResponseRow
from tests import servers
from tests.conftest import missing
from tests.faults.test_killed_server import LEARNERS, Learner, Stored, lost
from tests.servers import Own, free_port
from web.server import prepare

log = logging.getLogger(__name__)

DOWN = 2.0
"""Seconds for which PostgreSQL stays away."""
COUNT_BUILDS = (
    "CREATE TABLE kept (month text)",
    """CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN INSERT INTO kept VALUES (NEW.month); RETURN NEW; END'""",
    "CREATE TRIGGER keep AFTER INSERT OR UPDATE ON publisher_issue FOR EACH ROW EXECUTE FUNCTION keep()",
)
"""A row for each time that an issue was kept, committed with it."""
KEPT = "SELECT month, count(*) FROM kept GROUP BY month"
BUILDS = "SELECT state, count(*) FROM publisher_run GROUP BY state"
RUNS = "SELECT state, count(*) FROM labs_run GROUP BY state"
ATTEMPTS = "SELECT exam, count(*) FROM quizzes_attempt GROUP BY exam"


@dataclass
class Site:
    """The processes by name; ``port`` is that of any web process, as a proxy would choose it."""

    program: subprocess.Popen[str]
    ports: dict[str, int]
    dice: random.Random = field(default_factory=lambda: random.Random(1))
    running: dict[str, int] = field(default_factory=dict)

    @property
    def port(self) -> int:
        return self.dice.choice(list(self.ports.values()))

    def start(self, name: str) -> None:
        assert self.program.stdin is not None
        assert self.program.stdout is not None
        self.program.stdin.write(f"{name.partition('-')[0]} {self.ports.get(name, 0)}\n")
        self.program.stdin.flush()
        self.running[name] = int(self.program.stdout.readline())

    def kill(self, name: str) -> None:
        """End a process and those that it has started, at once."""
        process = self.running.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)
            # Until the last of them is gone their port is taken.
            while True:
                os.killpg(process, 0)
                time.sleep(0.01)

    def all_run(self) -> bool:
        """Start again what gave up by itself, as one does that starts while its database is away."""
        ended = [name for name, process in self.running.items() if not Path(f"/proc/{process}").exists()]
        for name in ended:
            self.start(name)
        return not ended

    def answers(self, name: str) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[name]}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@pytest.fixture(scope="module")
def cluster() -> Iterator[Own]:
    """A PostgreSQL that syncs each commit, as it is installed."""
    if lacking := servers.lacking():
        missing(lacking)
    with servers.postgresql(["max_connections=200"]) as own:
        yield own


@pytest.fixture(scope="module")
def bell() -> Iterator[Own]:
    with servers.redis() as own:
        yield own


@pytest.fixture
def database(cluster: Own) -> Iterator[Database]:
    """The site's database, empty at first, as the test looks at it."""
    made = Database(f"{cluster.url}/postgres")
    with made.writing() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    yield made
    made.engine.dispose()


@contextmanager
def site(folder: Path, cluster: Own, bell: Own, *mode: str) -> Iterator[Site]:
    """Yield a site with its three web processes up; more are to be started."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "ARCHWAY_INSTANCE": str(folder / "instance"),
        "ARCHWAY_DATABASE_URL": f"{cluster.url}/postgres",
        "ARCHWAY_REDIS_URL": bell.url,
        "ARCHWAY_BACKGROUND": "off",
        "ARCHWAY_SERVER": "waitress" if mode else "granian",
    }
    command = [sys.executable, "-m", "tests.faults.members", str(folder / "log"), *mode]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    program = subprocess.Popen(command, env=environment, text=True, **pipes)  # type: ignore[call-overload]
    made = Site(program, {f"web-{number}": free_port() for number in range(3)})
    try:
        for name in made.ports:
            made.start(name)
        until(lambda: made.all_run() and all(map(made.answers, made.ports)), 120)
        yield made
    finally:
        for name in list(made.running):
            made.kill(name)
        program.communicate()
    # What Flask and threading write of an error that nobody was ready for.
    assert not re.search("Exception (on|in thread)", (folder / "log").read_text("utf-8")) or mode


def until(true: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


@contextmanager
def answering(made: Site) -> Iterator[list[Learner]]:
    """Let learners answer without pause, each time through another web process."""
    learners = [Learner(made, threading.Semaphore(0)) for _ in range(LEARNERS)]  # type: ignore[arg-type]
    for learner in learners:
        learner.begin()
    stop = threading.Event()
    threads = [threading.Thread(target=learner.answer_until, args=[stop]) for learner in learners]
    for thread in threads:
        thread.start()
    try:
        yield learners
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def kill_each_second(made: Site, seconds: int, at_half: Callable[[], None]) -> None:
    """Kill one of all processes each second and start it again; do something else in the middle."""
    over = threading.Event()

    def kill() -> None:
        for _ in range(seconds):
            begun = time.monotonic()
            name = made.dice.choice(list(made.running))
            made.kill(name)
            made.start(name)
            made.all_run()
            time.sleep(max(0, 1 - (time.monotonic() - begun)))
        while not over.wait(0.1):
            made.all_run()

    with ThreadPoolExecutor(1) as thread:
        killing = thread.submit(kill)
        time.sleep(seconds / 2)
        try:
            at_half()
        finally:
            over.set()
    killing.result()


def recover(cluster: Own, learners: list[Learner]) -> tuple[float, float]:
    """Kill PostgreSQL; return the seconds from its start until it answers, and from there to an acknowledgement."""
    cluster.kill()
    time.sleep(DOWN)
    begun, before = time.monotonic(), sum(one.count for one in learners)
    cluster.start()
    answered = time.monotonic()
    until(lambda: sum(one.count for one in learners) > before, 120)
    return answered - begun, time.monotonic() - answered


def queue_runs(database: Database, number: int) -> None:
    """Queue runs of the shortest lab, each for a person of its own."""
    lab = registry.find(registry.load()[0], "lambda-concurrency")
    assert lab is not None
    now = datetime.now(UTC)
    with database.writing() as connection:
        for _ in range(number):
            person = {"name": "Guest", "role": "learner", "theme": "auto", "created_at": now}
            made = connection.execute(insert(PersonRow).values(**person).returning(PersonRow.id)).scalar_one()
            runs.create(connection, made, runs.Order(lab.slug, lab.defaults(), 1), now)


def stored(database: Database) -> Stored:
    row = ResponseRow
    found = select(row.attempt_id, row.place, row.revision, row.answer).where(row.late.is_(False))
    with database.reading() as connection:
        rows = [
            ((attempt, place), (revision, letters)) for attempt, place, revision, letters in connection.execute(found)
        ]
    assert len(rows) == len(dict(rows))
    return dict(rows)


def tally(database: Database, statement: str) -> dict[str, int]:
    """Return the counts of a statement that groups by a name."""
    with database.reading() as connection:
        return dict(map(tuple, connection.execute(text(statement))))


def test_nothing_is_lost_or_doubled_while_a_process_is_killed_each_second(
    tmp_path: Path,
    cluster: Own,
    bell: Own,
    database: Database,
    sized: Callable[[int, int], int],
) -> None:
    seconds, recovered = sized(12, 120), list[tuple[float, float]]()
    with site(tmp_path, cluster, bell) as made:
        with database.engine.begin() as connection:
            for statement in COUNT_BUILDS:
                connection.execute(text(statement))
        queue_runs(database, seconds // 4)
        with answering(made) as learners:
            for name in ("worker-0", "worker-1", "scheduler-0", "scheduler-1"):
                made.start(name)

            def break_the_rest() -> None:
                bell.kill()
                recovered.append(recover(cluster, learners))
                bell.start()
                queue_runs(database, seconds // 4)

            kill_each_second(made, seconds, break_the_rest)
        until(lambda: made.all_run() and tally(database, BUILDS).keys() == {"done"}, 300)
        until(lambda: made.all_run() and tally(database, RUNS).keys() == {"done"}, 300)
    acknowledged = {key: value for one in learners for key, value in one.acknowledged.items()}
    count = sum(one.count for one in learners)
    log.info("%d answers acknowledged in %d s; PostgreSQL up, and the next: %s s", count, seconds, recovered)
    assert lost(acknowledged, stored(database)) == []
    assert recovered[0][1] < sized(60, 5)
    assert tally(database, ATTEMPTS) == {"saa-c01": LEARNERS}
    assert count >= 3 * seconds
    assert tally(database, KEPT) == {"2018-01": 1, "2018-02": 1}
    assert sum(tally(database, RUNS).values()) == seconds // 4 * 2


def test_the_control_processes_that_acknowledge_before_they_commit_lose_answers(
    tmp_path: Path, cluster: Own, bell: Own, database: Database
) -> None:
    with site(tmp_path, cluster, bell, "hasty") as made, answering(made) as learners:
        until(lambda: sum(one.count for one in learners) > 300, 60)
        for name in made.ports:
            made.kill(name)
    acknowledged = {key: value for one in learners for key, value in one.acknowledged.items()}
    assert lost(acknowledged, stored(database)) != []


@pytest.fixture
def app(tmp_path: Path, cluster: Own, database: Database) -> Iterator[Flask]:
    """The application in this process, on the cluster."""
    settings = {"ARCHWAY_INSTANCE": str(tmp_path), "ARCHWAY_DATABASE_URL": f"{cluster.url}/postgres"}
    made = create_app(config.load(settings))
    prepare(made)
    yield made
    made.extensions["database"].engine.dispose()


@contextmanager
def away(cluster: Own) -> Iterator[None]:
    cluster.kill()
    try:
        yield
    finally:
        cluster.start()


def test_while_postgresql_is_away_pages_ask_to_try_again(app: Flask, client: FlaskClient, cluster: Own) -> None:
    client.get("/exams")
    client.post("/begin", data={"csrf_token": re.findall(r'name="csrf_token" value="(\w+)"', client.get("/").text)[0]})
    with away(cluster):
        for path in ("/exams", "/labs/lambda-concurrency", "/account"):
            answer = client.get(path)
            assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "2"), path
            assert "Traceback" not in answer.text
    assert client.get("/exams").status_code == 200


@pytest.mark.parametrize(
    ("trusted", "answers"),
    [(db._TRUSTED, [200] * 8), (3600.0, [503] + [200] * 7)],
    ids=["as it is", "control: trusted"],
)
def test_a_postgresql_that_is_back_refuses_nobody(
    app: Flask, client: FlaskClient, cluster: Own, monkeypatch: pytest.MonkeyPatch, trusted: float, answers: list[int]
) -> None:
    """Of four connections that it ended, none reaches a request; of those that are trusted, one does."""
    rested = db._TRUSTED + 0.1
    monkeypatch.setattr(db, "_TRUSTED", trusted)
    with contextlib.ExitStack() as held:
        for _ in range(4):
            held.enter_context(app.extensions["database"].reading())
    with away(cluster):
        time.sleep(rested)
    assert [client.get("/exams").status_code for _ in answers] == answers


def test_the_control_without_its_handler_a_postgresql_that_is_away_is_an_error(
    app: Flask, client: FlaskClient, cluster: Own
) -> None:
    del app.error_handler_spec[None][None][OperationalError]
    with away(cluster):
        assert client.get("/exams").status_code == 500
