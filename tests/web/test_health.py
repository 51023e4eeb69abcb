"""Health: alive while the process answers, ready while it can serve, and details for the operator alone."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

import config
from app import create_app
from db import newest_revision
from labs import jobs
from tests.conftest import MovableClock
from tests.databases import Databases
from web import schedule

TOKEN = "a token of at least thirty-two characters"
OPERATOR = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def start(tmp_path: Path, prepared: Path, databases: Databases, clock: MovableClock) -> Callable[..., Flask]:
    """Return a function that makes the application on a prepared database, with more settings."""
    made: list[Flask] = []

    def build(**environment: str) -> Flask:
        given = {**databases.copy(prepared, tmp_path), "ARCHWAY_METRICS_TOKEN": TOKEN, **environment}
        app = create_app(config.load(given))
        app.extensions["clock"] = clock
        made.append(app)
        return app

    yield build
    for app in made:
        app.extensions["database"].engine.dispose()


def _checks(app: Flask) -> tuple[int, dict[str, str], dict[str, str]]:
    """Return the status, and of each check its state and its sentence."""
    answer = app.test_client().get("/readyz", headers=OPERATOR)
    assert answer.headers["Cache-Control"] == "no-store"
    checks = answer.json["checks"]
    assert (answer.status_code == 200) is (answer.json["status"] == "ready")
    return (
        answer.status_code,
        {one["name"]: one["state"] for one in checks},
        {one["name"]: one["sentence"] for one in checks},
    )


def _lose_the_database(app: Flask) -> None:
    app.extensions["database"].engine.dispose()
    path = app.extensions["settings"].instance / "archway.sqlite3"
    path.unlink()
    path.mkdir()


def test_a_site_that_was_started_is_ready(start: Callable[..., Flask]) -> None:
    app = start()
    schedule.note_sweep(app)
    status, states, sentences = _checks(app)
    assert (status, set(states.values())) == (200, {"ok"})
    assert sentences["schedule"].startswith("The schedule last swept")


@pytest.mark.sqlite
def test_without_its_database_it_lives_and_is_not_ready(start: Callable[..., Flask]) -> None:
    app = start()
    _lose_the_database(app)
    answer = app.test_client().get("/healthz")
    assert (answer.json, answer.headers["Cache-Control"]) == ({"status": "ok"}, "no-store")
    status, states, sentences = _checks(app)
    assert (status, states["database"]) == (503, "failed")
    assert "ARCHWAY_DATABASE_URL" in sentences["database"]


@pytest.mark.parametrize(
    ("change", "found"),
    [("UPDATE alembic_version SET version_num = '0001'", "0001"), ("DROP TABLE alembic_version", "not there")],
)
def test_an_older_schema_or_none_is_not_ready(start: Callable[..., Flask], change: str, found: str) -> None:
    app = start()
    with app.extensions["database"].writing() as connection:
        connection.execute(text(change))
    status, states, sentences = _checks(app)
    assert (status, states["schema"]) == (503, "failed")
    assert f"is {found}, and this version needs {newest_revision()}" in sentences["schema"]


def test_the_newest_revision_is_what_alembic_takes_for_it() -> None:
    settings = Config()
    settings.set_main_option("script_location", "migrations")
    assert newest_revision() == ScriptDirectory.from_config(settings).get_current_head()


def test_a_full_disk_is_not_ready(start: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=2**20))
    status, states, sentences = _checks(start())
    assert (status, states["disk"]) == (503, "failed")
    assert "has 1 MiB free" in sentences["disk"]


def test_a_redis_that_is_away_stands_in_nobodys_way(start: Callable[..., Flask]) -> None:
    app = start()
    object.__setattr__(app.extensions["settings"], "redis_url", "redis://127.0.0.1:1/0")
    status, states, _ = _checks(app)
    assert (status, states["redis"]) == (200, "degraded")


@pytest.mark.parametrize(("ago", "state"), [(None, "degraded"), (200, "ok"), (400, "degraded")])
def test_a_schedule_that_rests_is_told(start: Callable[..., Flask], ago: int | None, state: str) -> None:
    app = start()
    if ago is not None:
        schedule.note_sweep(app)
        then = time.time() - ago
        os.utime(app.extensions["settings"].instance / "swept", (then, then))
    status, states, _ = _checks(app)
    assert (status, states["schedule"]) == (200, state)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer "}, {"Authorization": f"Bearer {TOKEN}!"}])
def test_strangers_learn_no_details(start: Callable[..., Flask], headers: dict[str, str]) -> None:
    visitor = start().test_client()
    assert visitor.get("/readyz", headers=headers).json == {"status": "ready"}
    assert visitor.get("/metrics", headers=headers).status_code == 404


def test_without_a_token_nobody_learns_details(app: Flask, client: FlaskClient) -> None:
    for headers in ({}, OPERATOR, {"Authorization": "Bearer "}):
        assert client.get("/readyz", headers=headers).json == {"status": "ready"}
        assert client.get("/metrics", headers=headers).status_code == 404


def test_it_answers_while_a_lab_runs(start: Callable[..., Flask], clock: MovableClock) -> None:
    app = start(ARCHWAY_BACKGROUND="off")
    app.config["RATELIMIT_ENABLED"] = False
    visitor = app.test_client()
    page = visitor.get("/labs/lambda-concurrency").text
    token = page.partition('name="csrf-token" content="')[2].partition('"')[0]
    assert visitor.post("/labs/lambda-concurrency/runs", data={"csrf_token": token}).status_code == 303
    clock.now += timedelta(seconds=7)
    assert app.test_client().get("/readyz", headers=OPERATOR).json["queues"]["labs"] == {
        "oldest": 7.0,
        "states": {"queued": 1},
    }
    run = threading.Thread(target=jobs.worker_of(app).run_next)
    run.start()
    answered = []
    while run.is_alive():
        answers = [app.test_client().get(path, headers=OPERATOR) for path in ("/healthz", "/readyz")]
        assert [one.status_code for one in answers] == [200, 200]
        answered.append(answers[1].json["queues"]["labs"]["states"])
    assert {"running": 1} in answered
