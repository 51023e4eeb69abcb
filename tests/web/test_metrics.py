"""Metrics: what happened by route and never by address, what stands in the database, and all processes together."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

import config
from tests.conftest import MovableClock
from tests.quizzes.conftest import begin

__all__ = ["begin"]

TOKEN = "a token of at least thirty-two characters"


@pytest.fixture
def settings(settings: config.Settings) -> config.Settings:
    return replace(settings, metrics_token=TOKEN)


def _read(app: Flask) -> dict[tuple[str, ...], float]:
    """Return what is counted: (name, values of its labels…) → value."""
    answer = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer.mimetype == "text/plain"
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_requests_are_counted_by_route_and_class(app: Flask, client: FlaskClient) -> None:
    for path in ("/", "/attempts/12", "/attempts/13", "/no/such/page", "/no/other"):
        client.get(path)
    client.open("/", method="BREW")
    found = _read(app)
    assert found["archway_requests_total", "GET", "/", "2xx"] == 1
    assert found["archway_requests_total", "GET", "/attempts/<int:attempt_id>", "4xx"] == 2
    assert found["archway_requests_total", "GET", "none", "4xx"] == 2
    assert found["archway_requests_total", "other", "none", "4xx"] == 1
    assert found["archway_request_seconds_count", "GET", "/attempts/<int:attempt_id>"] == 2
    assert not [labels for labels in found if "12" in "".join(labels[1:-1]) or "such" in "".join(labels)]


def test_answers_are_counted_by_what_became_of_them(
    app: Flask, begin: Callable[..., object], clock: MovableClock
) -> None:
    learner, other = begin(), begin()
    learner.answer(1, "a")
    learner.answer(2, "b")
    other.attempt_id = learner.attempt_id
    assert other.answer(1, "c").status_code == 404
    clock.now += timedelta(hours=9)
    learner.answer(3, "d")
    found = _read(app)
    assert [found["archway_answers_total", one] for one in ("stored", "late", "refused")] == [2, 1, 1]
    in_line = app.extensions["database"].engine.dialect.name == "sqlite"
    assert found["archway_writer_wait_seconds_count",] >= 3 * in_line


def test_queues_are_counted_as_they_stand(app: Flask, clock: MovableClock, client: FlaskClient) -> None:
    def queue(name: str) -> tuple[float, float]:
        found = _read(app)
        return found.get(("archway_queue_jobs", name, "queued"), 0), found["archway_queue_oldest_seconds", name]

    page = client.get("/labs/lambda-concurrency").text
    token = page.partition('name="csrf-token" content="')[2].partition('"')[0]
    assert queue("labs") == (0, 0)
    client.post("/labs/lambda-concurrency/runs", data={"csrf_token": token})
    clock.now += timedelta(seconds=90)
    assert queue("labs") == (1, 90)
    assert (queue("mail"), queue("imports")) == ((0, 0), (0, 0))


@pytest.mark.sqlite
def test_errors_of_the_database_are_counted_and_an_absent_one_is_told(app: Flask) -> None:
    database = app.extensions["database"]
    assert _read(app)["archway_database_up",] == 1
    with pytest.raises(OperationalError), database.reading() as connection:
        connection.execute(text("SELECT nothing FROM nowhere"))
    assert _read(app)["archway_database_errors_total", "OperationalError"] == 1
    database.engine.dispose()
    path = app.extensions["settings"].instance / "archway.sqlite3"
    path.unlink()
    path.mkdir()
    assert _read(app)["archway_database_up",] == 0


def test_the_process_tells_its_memory(app: Flask) -> None:
    assert next(value for key, value in _read(app).items() if key[0] == "process_resident_memory_bytes") > 2**20


PROCESSES = """
import os, pathlib, sys
import config
from web import metrics
os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
if sys.argv[2] == "together":
    metrics.share(pathlib.Path(sys.argv[1]))
from flask import Flask
from db import Database
from prometheus_client import generate_latest
from web import requests
settings = config.load({"ARCHWAY_INSTANCE": sys.argv[1], "ARCHWAY_METRICS_TOKEN": "x" * 32})
app = Flask("app")
app.extensions.update(settings=settings, database=Database(settings.database_url), clock=None)
requests.init_app(app)
metrics.init_app(app)
with app.app_context():
    for count in (2, 3):
        child = os.fork()
        if not child:
            metrics.count_answers(stored=count)
            os._exit(0)
        os.waitpid(child, 0)
    metrics.count_answers(stored=5)
    print(generate_latest(app.extensions["metrics"].registry).decode())
print(config.metrics_folder())
"""


@pytest.mark.parametrize(("mode", "total"), [("together", "10.0"), ("alone", "5.0")])
def test_the_processes_of_a_server_count_together(tmp_path: object, mode: str, total: str) -> None:
    command = [sys.executable, "-c", PROCESSES, str(tmp_path), mode]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f'archway_answers_total{{outcome="stored"}} {total}' in done.stdout
    folder = done.stdout.splitlines()[-1]
    assert (mode == "alone") is (folder == "None")
    assert not config.ROOT.joinpath(folder).exists()


SHARING = """
import pathlib, sys
import config
from web import metrics
metrics.share(pathlib.Path(sys.argv[1]))
print(config.metrics_folder(), flush=True)
sys.stdin.read()
"""


@contextmanager
def _sharing(instance: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Start a process that counts in a folder of its own, and end it as it ends by itself."""
    command = [sys.executable, "-c", SHARING, str(instance)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, Path(process.stdout.readline().strip())


def test_the_folder_of_a_killed_server_goes_with_the_next_start_and_no_other(tmp_path: Path) -> None:
    with _sharing(tmp_path) as (killed, left), _sharing(tmp_path) as (_, used):
        killed.kill()
        killed.wait()
        assert (left.is_dir(), used.is_dir()) == (True, True)
        with _sharing(tmp_path):
            assert (left.is_dir(), used.is_dir()) == (False, True)
    assert list((tmp_path / "metrics").iterdir()) == []
