"""What only PostgreSQL has: round trips of an answer, and connections that the server ended."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import OperationalError

pytestmark = pytest.mark.postgresql


def test_an_answer_takes_four_round_trips(app: Flask, csrf: Callable[[FlaskClient], str], tmp_path: Path) -> None:
    """BEGIN, whose attempt it is, the answer, COMMIT: each ends with one message that asks for the server's turn."""
    browser = app.test_client()
    browser.post("/exams/saa-c01/attempts", data={"csrf_token": csrf(browser)})
    headers = {"X-CSRF-Token": csrf(browser)}

    def save(place: int) -> None:
        change = {"place": place, "revision": 1, "answer": "b", "flagged": False, "stamp": None}
        assert browser.post("/attempts/1/responses", json={"responses": [change]}, headers=headers).status_code == 200

    engine = app.extensions["database"].engine
    engine.dispose()
    with (tmp_path / "messages").open("w+") as messages:
        event.listen(engine, "connect", lambda connection, _record: connection.pgconn.trace(messages.fileno()))
        for place in range(1, 9):  # The driver prepares a statement once it was asked five times.
            save(place)
        engine.dispose()
        messages.seek(0)
        asked = [line for line in messages if re.search(r"\tF\t\d+\t(Query|Sync)\b", line)]
    commits = [number for number, line in enumerate(asked) if "COMMIT" in line]
    assert commits[-1] - commits[-2] == 4


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
