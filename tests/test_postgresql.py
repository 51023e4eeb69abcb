"""The same code on PostgreSQL: the history upgrades, a sitting keeps its promises, work is claimed once."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

import config
from app import create_app
from publisher import postroom
from tests.conftest import MovableClock, missing
from web.server import prepare

SERVER = "postgresql+psycopg://postgres@127.0.0.1:5432"


@pytest.fixture
def app(tmp_path: Path, clock: MovableClock) -> Iterator[Flask]:
    """An application on a database of its own, dropped at the end."""
    name = f"archway_{uuid.uuid4().hex}"
    admin = create_engine(f"{SERVER}/postgres", isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
    except OperationalError:
        missing("PostgreSQL on 127.0.0.1:5432")
    made = create_app(config.load({"ARCHWAY_INSTANCE": str(tmp_path), "ARCHWAY_DATABASE_URL": f"{SERVER}/{name}"}))
    made.extensions["clock"] = clock
    made.config["RATELIMIT_ENABLED"] = False
    prepare(made)
    yield made
    made.extensions["database"].engine.dispose()
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


def test_a_whole_sitting(app: Flask, csrf: Callable[[FlaskClient], str]) -> None:
    browser = app.test_client()
    browser.post("/exams/saa-c01/attempts", data={"csrf_token": csrf(browser)})
    headers = {"X-CSRF-Token": csrf(browser)}
    for revision, letters in ((2, "b"), (1, "a"), (2, "c")):
        change = {"place": 1, "revision": revision, "answer": letters, "flagged": False, "stamp": None}
        reply = browser.post("/attempts/1/responses", json={"responses": [change]}, headers=headers).get_json()
    assert reply["stored"] == [{"place": 1, "revision": 2, "answer": "b", "flagged": False, "late": False}]
    assert browser.post("/attempts/1/submit", headers=headers).status_code == 303
    assert "Score report" in browser.get("/attempts/1/report").text


def test_a_cohort_from_its_link_to_its_gradebook(
    app: Flask, promote: Callable[[str], FlaskClient], post: Callable[..., Any]
) -> None:
    ina, ada = promote("ina"), app.test_client()
    post(ina, "/studio/cohorts", title="Winter", zone="UTC")
    page = post(ina, "/studio/cohorts/1/links", days="14", uses="1").text
    post(
        ada, re.findall(r"/join/[\w-]+", page)[0], name="ada", email="ada@example.org", password="a calm long sentence"
    )
    for what in ("exam:saa-c01", "lab:lambda-concurrency"):
        post(ina, "/studio/cohorts/1/assignments", what=what, counts="best", due="2018-02-14T17:00")
    post(ina, "/studio/cohorts/1/people/2/extensions/1", due="2018-02-20T17:00")
    attempt = post(ada, "/exams/saa-c01/attempts").headers["Location"]
    post(ada, f"{attempt}/submit")
    assert "in time" in ina.get("/studio/cohorts/1/gradebook").text
    assert "Everybody" in ina.get("/studio/cohorts/1/standing").text
    assert "20 Feb 2018" in ada.get("/assignments").text


def test_starting_again_changes_nothing(app: Flask) -> None:
    prepare(app)
    with app.extensions["database"].reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM quizzes_version")).scalar_one() > 65


def test_subscribing_and_sending(app: Flask, clock: MovableClock, csrf: Callable[[FlaskClient], str]) -> None:
    browser = app.test_client()
    wish = {"email": "ada@example.org", "channel": "link", "language": "en", "country": "DE"}
    for _ in range(2):
        assert browser.post("/subscribe", data={"csrf_token": csrf(browser), **wish}).status_code == 303
        postroom.sweep(app)
        clock.advance(hours=1)
    with app.extensions["database"].reading() as connection:
        assert connection.execute(text("SELECT state FROM publisher_delivery")).scalars().all() == ["sent"]
    assert len(list((app.extensions["settings"].instance / "outbox").glob("*.eml"))) == 2
