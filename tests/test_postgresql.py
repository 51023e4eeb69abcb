"""What only PostgreSQL has: round trips of an answer, and connections that the server ended."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import OperationalError

pytestmark = pytest.mark.postgresql


@pytest.fixture
def asked(app: Flask, tmp_path: Path) -> Callable[[Callable[[], object]], list[str]]:
    """Return a function that does something eight times and returns the messages that asked for the server's turn."""

    def ask(do: Callable[[], object]) -> list[str]:
        engine = app.extensions["database"].engine
        engine.dispose()
        with (tmp_path / "messages").open("w+") as messages:
            event.listen(engine, "connect", lambda connection, _record: connection.pgconn.trace(messages.fileno()))
            for _ in range(8):  # The driver prepares a statement once it was asked five times.
                do()
            engine.dispose()
            messages.seek(0)
            return [line for line in messages if re.search(r"\tF\t\d+\t(Query|Sync)\b", line)]

    return ask


@pytest.fixture
def browser(app: Flask, csrf: Callable[[FlaskClient], str]) -> FlaskClient:
    """A browser whose attempt has the number 1."""
    made = app.test_client()
    made.post("/exams/saa-c01/attempts", data={"csrf_token": csrf(made)})
    return made


def test_an_answer_takes_four_round_trips(
    browser: FlaskClient, csrf: Callable[[FlaskClient], str], asked: Callable[[Callable[[], object]], list[str]]
) -> None:
    """BEGIN, whose attempt it is, the answer, COMMIT."""
    headers, revisions = {"X-CSRF-Token": csrf(browser)}, itertools.count(1)

    def save() -> None:
        change = {"place": 1, "revision": next(revisions), "answer": "b", "flagged": False, "stamp": None}
        assert browser.post("/attempts/1/responses", json={"responses": [change]}, headers=headers).status_code == 200

    commits = [number for number, line in enumerate(asked(save)) if "COMMIT" in line]
    assert commits[-1] - commits[-2] == 4


def test_a_look_at_an_attempt_takes_one_round_trip(
    browser: FlaskClient, asked: Callable[[Callable[[], object]], list[str]]
) -> None:
    def look() -> None:
        assert browser.get("/attempts/1/responses?version=0").json["stored"] == []

    # Once beside the eight looks: does the new connection live, and the statement's preparation.
    assert len(asked(look)) == 8 + 2


def test_a_connection_that_rested_is_asked_whether_it_lives(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    database = app.extensions["database"]

    def look() -> int:
        with database.reading() as connection:
            return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())

    def killed() -> int:
        with create_engine(database.url).connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": (pid := look())})
            other.connection.invalidate()
        return pid

    monkeypatch.setattr("db._TRUSTED", -1.0)
    assert killed() != look()
    # The control: one that is trusted fails, once, and the next takes another.
    monkeypatch.setattr("db._TRUSTED", 3600.0)
    killed()
    with pytest.raises(OperationalError):
        look()
    look()
