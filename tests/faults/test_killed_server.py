"""A server that is killed again and again under sixteen learners loses no answer that it acknowledged."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests import databases
from tests.databases import Databases
from tests.e2e.conftest import Server
from tests.servers import free_port

LEARNERS, PATIENCE = 16, 60
"""PATIENCE: seconds for one answer of the server, on a machine that does much else."""
Stored = dict[tuple[int, int], tuple[int, str]]
"""(attempt, place) → (revision, letters)."""


@pytest.fixture
def serve(tmp_path: Path, prepared: Path, databases: Databases) -> Iterator[Callable[..., Server]]:
    """Return a function that starts a server; its arguments are those of Server."""
    made: list[Server] = []

    def start(**more: object) -> Server:
        made.append(Server(tmp_path / "instance", free_port(), **more))
        databases.copy(prepared, made[-1].instance)
        made[-1].start()
        return made[-1]

    yield start
    for server in made:
        server.stop()


@dataclass
class Learner:
    """A learner who answers without pause, and notes what the server acknowledged."""

    server: Server
    heard: threading.Semaphore
    """Released at each acknowledgement."""
    acknowledged: Stored = field(default_factory=dict)
    count: int = 0
    sent: int = 0

    def begin(self) -> None:
        page, cookie = self._send("GET", "/exams/saa-c01", None, {})
        form = f"csrf_token={self._token(page)}"
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)
        connection.request("POST", "/exams/saa-c01/attempts", form, headers)
        answer = connection.getresponse()
        self.address = answer.headers["Location"]
        self.cookie = answer.headers["Set-Cookie"].partition(";")[0]
        page, _ = self._send("GET", self.address, None, {"Cookie": self.cookie})
        self.token = self._token(page)
        connection.close()

    def answer_until(self, stop: threading.Event) -> None:
        headers = {"Cookie": self.cookie, "Content-Type": "application/json", "X-CSRF-Token": self.token}
        while not stop.is_set():
            self.sent += 1
            change = {
                "place": self.sent % 65 + 1,
                "revision": self.sent,
                "answer": "abcd"[self.sent % 4],
                "flagged": False,
                "stamp": None,
            }
            with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
                body = json.dumps({"responses": [change]})
                reply, _ = self._send("POST", f"{self.address}/responses", body, headers)
                for one in json.loads(reply)["stored"]:
                    key = (int(self.address.rsplit("/", 1)[1]), one["place"])
                    self.acknowledged[key] = (one["revision"], one["answer"])
                self.count += 1
                self.heard.release()

    def _send(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> tuple[bytes, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            if answer.status != 200:
                raise OSError(answer.status)
            return answer.read(), (answer.headers["Set-Cookie"] or "").partition(";")[0]
        finally:
            connection.close()

    @staticmethod
    def _token(page: bytes) -> str:
        return re.search(rb'name="csrf_token" value="(\w+)"', page)[1].decode()


def lost(acknowledged: Stored, stored: Stored) -> list[tuple[int, int]]:
    """Return the places whose acknowledged answer is neither stored nor replaced by a later one."""
    return [
        key
        for key, (revision, letters) in acknowledged.items()
        if key not in stored or stored[key][0] < revision or (stored[key][0] == revision and stored[key][1] != letters)
    ]


def _stored(server: Server) -> Stored:
    if databases.current.address(server.instance).startswith("sqlite"):
        assert server.rows("PRAGMA integrity_check") == [("ok",)]
    rows = server.rows("SELECT attempt_id, place, revision, answer FROM quizzes_response WHERE NOT late")
    return {(attempt, place): (revision, letters) for attempt, place, revision, letters in rows}


def _kill_under_load(server: Server, rounds: int) -> tuple[int, list[tuple[int, int]]]:
    """Kill the server in the middle of each round; return how many answers it acknowledged, and which are lost."""
    heard, dice = threading.Semaphore(0), random.Random(1)
    learners = [Learner(server, heard) for _ in range(LEARNERS)]
    for learner in learners:
        learner.begin()
    gone: list[tuple[int, int]] = []
    for _ in range(rounds):
        stop = threading.Event()
        threads = [threading.Thread(target=learner.answer_until, args=[stop]) for learner in learners]
        for thread in threads:
            thread.start()
        for _ in range(dice.randint(50, 90)):
            assert heard.acquire(timeout=PATIENCE)
        server.kill_group()
        stop.set()
        for thread in threads:
            thread.join()
        gone += lost({key: value for one in learners for key, value in one.acknowledged.items()}, _stored(server))
        server.start()
    return sum(one.count for one in learners), gone


def test_no_acknowledged_answer_is_lost_under_kills(serve: Callable[..., Server], sized: Callable[..., int]) -> None:
    rounds = sized(10, 200)
    acknowledged, gone = _kill_under_load(serve(), rounds)
    assert gone == []
    assert acknowledged >= 50 * rounds


def test_the_control_a_server_that_acknowledges_before_it_commits_loses_answers(serve: Callable[..., Server]) -> None:
    hasty = serve(kind="waitress", program=("-m", "tests.faults.hasty_server"))
    assert _kill_under_load(hasty, 1)[1] != []


def test_the_control_a_lost_answer_would_be_found() -> None:
    stored = {(1, 1): (3, "b"), (1, 2): (5, "a"), (1, 3): (2, "c")}
    acknowledged = {(1, 1): (4, "b"), (1, 2): (4, "c"), (1, 3): (2, "d"), (1, 4): (1, "a")}
    assert lost(acknowledged, stored) == [(1, 1), (1, 3), (1, 4)]
