"""Background work: it goes on after trouble, gives back what is under way, and is seen from every process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

import config
from labs import registry
from labs.models import RunRow
from web import work
from web.work import Work

BECOME = """
from tests.e2e import workbench_server
from flask.cli import FlaskGroup
from app import create_app
workbench_server.fill_catalog()
FlaskGroup(create_app=create_app).main([{command!r}], prog_name="flask")
"""


@dataclass
class Pieces:
    """A queue of what is to be done, or to fail, in this order."""

    pieces: list[Exception | None]
    topic: str = "pieces"
    idle: float = 60.0
    done: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    given_back: bool = False

    def run_next(self, _going: Callable[[], bool]) -> bool:
        if not self.pieces:
            return False
        piece = self.pieces.pop(0)
        if piece is not None:
            raise piece
        self.done.release()
        return True


class Endless(Pieces):
    """A queue whose first piece ends only when it must be given back."""

    def run_next(self, going: Callable[[], bool]) -> bool:
        self.done.release()
        while going():
            time.sleep(0.01)
        self.given_back = True
        return True


def test_what_fails_is_said_once_and_the_queue_goes_on(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(work, "PAUSE", 0.01)
    away = OperationalError("SELECT 1", None, Exception("connection refused"))
    queue = Pieces([None, away, away, ValueError("a fault of ours"), None])
    begun = Work(app, [queue])
    begun.start()
    assert queue.done.acquire(timeout=30)
    assert queue.done.acquire(timeout=30)
    begun.stop()
    assert [record.levelname for record in caplog.records] == ["WARNING", "ERROR"]
    assert "The queue of pieces cannot be worked on; trying again" in caplog.text
    assert caplog.text.count("connection refused") == 1


def test_a_ring_brings_a_worker_back_at_once(app: Flask) -> None:
    queue = Pieces([])
    begun = Work(app, [queue])
    begun.start()
    queue.pieces.append(None)
    app.extensions["bell"].ring("pieces")
    assert queue.done.acquire(timeout=30)
    begun.stop()


def test_a_stop_waits_until_what_is_under_way_is_given_back(app: Flask) -> None:
    queue = Endless([])
    begun = Work(app, [queue])
    begun.start()
    assert queue.done.acquire(timeout=30)
    begun.stop()
    assert queue.given_back


@contextmanager
def _process(settings: config.Settings, command: str) -> Iterator[subprocess.Popen[str]]:
    """Yield a process of the site's, once it has said that it has begun."""
    environment = {
        "PATH": os.environ["PATH"],
        "ARCHWAY_INSTANCE": str(settings.instance),
        "ARCHWAY_DATABASE_URL": settings.database_url,
        **({"ARCHWAY_REDIS_URL": settings.redis_url} if settings.redis_url else {}),
    }
    with subprocess.Popen(
        [sys.executable, "-c", BECOME.format(command=command)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert "has begun" in process.stdout.readline()
            yield process
        finally:
            process.kill()


def _ends_quietly(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 0


def _until(true: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_run_is_watched_from_another_process_and_given_back_by_a_worker_that_is_told_to_stop(
    app: Flask,
    settings: config.Settings,
    client: FlaskClient,
    post: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with _process(settings, "worker") as process:
        monkeypatch.setattr(registry, "CATALOG", settings.instance / "catalog")
        app.extensions["labs"] = registry.load()[0]
        address = post(client, "/labs/messages/runs", messages=80, pause=500).headers["Location"]
        _until(lambda: len(client.get(f"{address}/events").json["events"]) > 3)
        assert client.get(f"{address}/events").json["state"] == "running"
        _ends_quietly(process)
    with app.extensions["database"].reading() as connection:
        assert connection.execute(select(RunRow.state, RunRow.starts)).all() == [("queued", 0)]


def test_the_scheduler_builds_what_is_due_and_ends_quietly(app: Flask, settings: config.Settings) -> None:
    def months() -> list[str]:
        with app.extensions["database"].reading() as connection:
            return list(connection.execute(text("SELECT month FROM publisher_issue ORDER BY month")).scalars())

    with _process(settings, "scheduler") as process:
        _until(lambda: months() == ["2018-01", "2018-02"], 120)
        _ends_quietly(process)


def test_a_queue_that_is_not_there_is_named(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["worker", "--jobs", "labs,letters"])
    assert result.exit_code == 2
    assert "There is no queue “letters”; the queues are imports, labs, mail." in result.output
