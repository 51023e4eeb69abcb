"""A database that another process holds: a short wait is waited out, a long one is said, nothing is half written."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from config import Settings
from tests.conftest import MovableClock
from tests.quizzes.conftest import Learner

pytestmark = pytest.mark.sqlite
Begin = Callable[..., Learner]
HOLD = """
import select, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
select.select([sys.stdin], [], [], float(sys.argv[2]))
connection.rollback()
"""


def _path(settings: Settings) -> Path:
    return Path(settings.database_url.removeprefix("sqlite:///"))


@contextmanager
def _locked(settings: Settings, seconds: float) -> Iterator[None]:
    """Let another process hold the write lock for so long, counted from here, but no longer than to the end."""
    command = [sys.executable, "-c", HOLD, _path(settings), str(seconds)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with holder:
        assert holder.stdout.readline() == "held\n"
        yield


DONE = [200, 303, 303, 303, 303]


@pytest.fixture
def requests(
    app: Flask, begin: Begin, csrf: Callable[[FlaskClient], str], clock: MovableClock
) -> list[Callable[[], TestResponse]]:
    """Every kind of request of a sitting that writes, each of a learner of its own: all that DONE is the answer to."""
    newcomer, overdue = app.test_client(), begin()
    clock.advance(hours=3)
    answering, saving, submitting = begin(), begin(), begin()
    form = {"csrf_token": saving.token, "q2": "b", "then": "stay"}
    return [
        lambda: answering.answer(1, "a"),
        lambda: saving.client.post(f"{saving.address}/save", data=form),
        submitting.submit,
        lambda: newcomer.post("/exams/saa-c01/attempts", data={"csrf_token": csrf(newcomer)}),
        lambda: overdue.client.get(overdue.address),
    ]


def _at_once(requests: list[Callable[[], TestResponse]]) -> list[TestResponse]:
    with ThreadPoolExecutor(len(requests)) as threads:
        return [one.result() for one in [threads.submit(request) for request in requests]]


def _half_written(settings: Settings) -> list[int]:
    """Return the attempts that are closed without a score, or scored without a close, or whose answers have no one."""
    with sqlite3.connect(_path(settings)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = connection.execute(
            "SELECT id FROM quizzes_attempt WHERE (closed_at IS NULL) + (answers IS NULL OR answers = 'null')"
            " + (scaled IS NULL) NOT IN (0, 3) UNION SELECT attempt_id FROM quizzes_response"
            " WHERE attempt_id NOT IN (SELECT id FROM quizzes_attempt)"
        )
        return [number for (number,) in rows]


def _counts(settings: Settings) -> tuple[int, ...]:
    """Return how many people, attempts, closed attempts and answers there are."""
    with sqlite3.connect(_path(settings)) as connection:
        return connection.execute(
            "SELECT (SELECT count(*) FROM accounts_person), count(*), count(closed_at),"
            " (SELECT count(*) FROM quizzes_response) FROM quizzes_attempt"
        ).fetchone()


TURNS = [0, *[pytest.param(turn, marks=pytest.mark.full) for turn in range(1, 11)]]


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("patient", [True, False], ids=["as it is", "control: without the busy timeout"])
def test_a_lock_of_two_seconds_is_waited_out(
    app: Flask, settings: Settings, requests: list[Callable[[], TestResponse]], patient: bool, turn: int
) -> None:
    if not patient:
        app.extensions["database"].engine.dispose()
        event.listen(
            app.extensions["database"].engine, "connect", lambda one, _: one.execute("PRAGMA busy_timeout=0").close()
        )
    with _locked(settings, 2 if patient else 60):
        codes = [answer.status_code for answer in _at_once(requests)]
    assert codes == (DONE if patient else [503] * 5)
    assert _half_written(settings) == []


@pytest.mark.parametrize("turn", TURNS)
def test_a_lock_of_ten_seconds_is_said_and_everything_can_be_sent_again(
    settings: Settings, client: FlaskClient, requests: list[Callable[[], TestResponse]], turn: int
) -> None:
    before = _counts(settings)
    with _locked(settings, 10):
        refused = _at_once(requests)
        assert [(answer.status_code, answer.headers["Retry-After"]) for answer in refused] == [(503, "2")] * 5
        assert not any("Traceback" in answer.text for answer in refused)
        assert client.get("/exams/saa-c01").status_code == 200
        assert _counts(settings) == before
        assert {answer.status_code for answer in _at_once(requests)} <= {200, 303, 503}
    assert [answer.status_code for answer in _at_once(requests)] == DONE
    assert _half_written(settings) == []


def test_the_control_without_its_handler_a_locked_database_is_an_error(
    app: Flask, settings: Settings, begin: Begin
) -> None:
    learner = begin()
    del app.error_handler_spec[None][None][OperationalError]
    app.testing = False
    app.extensions["database"].engine.dispose()
    event.listen(
        app.extensions["database"].engine, "connect", lambda one, _: one.execute("PRAGMA busy_timeout=0").close()
    )
    with _locked(settings, 60):
        assert learner.answer(1, "a").status_code == 500


def test_the_control_a_half_written_attempt_would_be_found(settings: Settings, begin: Begin) -> None:
    learner = begin()
    with sqlite3.connect(_path(settings)) as connection:
        connection.execute("UPDATE quizzes_attempt SET closed_at = 1")
    assert _half_written(settings) == [learner.attempt_id]
