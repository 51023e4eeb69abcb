"""An evening of exams through nginx, with one of two web processes killed in the middle: no answer is lost."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.deploy.conftest import Nginx, Visitor
from tests.e2e.conftest import free_port
from tests.faults.test_killed_server import Stored, lost

LEARNERS = 4
TOKEN = "a token of at least thirty-two characters"


@dataclass
class Web:
    """One process such as archway-web@PORT starts, with the settings of deploy/archway.env."""

    instance: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.instance.parent / f"web-{self.port}.log"

    def stored(self) -> float:
        """Return how many answers its metrics have counted since it started."""
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return float(re.search(rb'answers_total{outcome="stored"} (\S+)', answer.read())[1])

    def start(self) -> None:
        settings = {"INSTANCE": str(self.instance), "BACKGROUND": "off", "HTTPS": "on", "PROXIES": "1", "LOG": "json"}
        environment = {f"ARCHWAY_{name}": value for name, value in {**settings, "METRICS_TOKEN": TOKEN}.items()}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "app.py", "--port", str(self.port)],
                env={"PATH": os.environ["PATH"], "TMPDIR": str(self.instance.parent), **environment},
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + 120
        while time.monotonic() < end:
            address = f"http://127.0.0.1:{self.port}/healthz"
            with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=1):
                return
            time.sleep(0.05)
        raise AssertionError("the process did not answer")

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@dataclass
class Learner:
    """Answers without pause, sends again what was not acknowledged, and notes what was."""

    visitor: Visitor
    acknowledged: Stored = field(default_factory=dict)
    refused: int = 0

    def begin(self) -> None:
        token = self.visitor.token("/exams/saa-c01")
        self.attempt = self.visitor.send("/exams/saa-c01/attempts", token).headers["location"]
        self.token = self.visitor.token(self.attempt)

    def answer_until(self, stop: threading.Event) -> None:
        revision = 0
        while not stop.is_set():
            revision += 1
            while not self._send(revision) and not stop.is_set():
                self.refused += 1
                time.sleep(0.1)

    def _send(self, revision: int) -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException):
            place, letters = revision % 65 + 1, "abcd"[revision % 4]
            answer = self.visitor.answer(self.attempt, self.token, place, revision, letters)
            assert answer.status in {200, 503}, answer
            if answer.status == 200:
                for one in json.loads(answer.body)["stored"]:
                    key = int(self.attempt.rsplit("/", 1)[1]), one["place"]
                    self.acknowledged[key] = one["revision"], one["answer"]
                return True
        return False


@pytest.fixture
def webs(tmp_path: Path) -> Iterator[list[Web]]:
    made = [Web(tmp_path / "instance"), Web(tmp_path / "instance")]
    for web in made:
        web.start()
    yield made
    for web in made:
        if web.process.poll() is None:
            web.kill()


def _count(learners: list[Learner]) -> int:
    return sum(value[0] for one in learners for value in [max(one.acknowledged.values(), default=(0, ""))])


@pytest.mark.full  # tests/deploy/test_nginx.py sits an exam through nginx and takes a process away, each by itself.
def test_no_answer_is_lost_with_a_process(webs: list[Web], serve_behind: Callable[..., Nginx], tmp_path: Path) -> None:
    nginx = serve_behind(*(web.port for web in webs))
    learners = [Learner(nginx.visitor()) for _ in range(LEARNERS)]
    for learner in learners:
        learner.begin()
    stop = threading.Event()
    threads = [threading.Thread(target=learner.answer_until, args=[stop]) for learner in learners]
    for thread in threads:
        thread.start()
    for web in (*webs, webs[0]):
        before, end = _count(learners), time.monotonic() + 120
        while _count(learners) < before + 40:
            assert time.monotonic() < end, "nobody is answered any more"
            time.sleep(0.05)
        assert web.stored() > 0
        web.kill()
        if web is webs[0]:
            web.start()
    stop.set()
    for thread in threads:
        thread.join()
    for learner in learners:
        assert learner.visitor.cookies["__Host-archway"] not in "".join(web.log.read_text() for web in webs)
    routes = [json.loads(line).get("route", "") for web in webs for line in web.log.read_text().splitlines()]
    assert routes.count("/attempts/<int:attempt_id>/responses") >= 100
    with sqlite3.connect(tmp_path / "instance" / "archway.sqlite3") as connection:
        rows = connection.execute("SELECT attempt_id, place, revision, answer FROM quizzes_response WHERE late = 0")
        stored = {(attempt, place): (revision, letters) for attempt, place, revision, letters in rows}
    acknowledged = {key: value for one in learners for key, value in one.acknowledged.items()}
    assert lost(acknowledged, stored) == []
    assert _count(learners) >= 120
