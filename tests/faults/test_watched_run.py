"""Forty viewers of one run slow no exam down, and each of them is told every event once."""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import pytest

from labs.views import PAUSE
from tests.databases import Databases
from tests.e2e.conftest import Server
from tests.faults.test_killed_server import PATIENCE, Learner
from tests.servers import free_port

VIEWERS, LEARNERS = 40, 16
THINKS = 0.2
"""Seconds between two answers of a learner, who is far quicker than any real one."""


@pytest.fixture
def server(tmp_path: Path, request: pytest.FixtureRequest, prepared: Path, databases: Databases) -> Iterator[Server]:
    made = Server(
        tmp_path / "instance", free_port(), program=("-m", getattr(request, "param", "tests.e2e.workbench_server"))
    )
    databases.copy(prepared, made.instance)
    made.start()
    yield made
    made.stop()


@dataclass
class Viewer:
    """A page that follows a run on a connection of its own."""

    server: Server
    address: str
    cookie: str
    events: list[object] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    asked: int = 0
    error: str = ""

    def follow(self) -> None:
        """Ask for what is new until the run has ended."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)
        after, going = 0, True
        while going:
            connection.request("GET", f"{self.address}/events?after={after}", headers={"Cookie": self.cookie})
            answer = json.loads(connection.getresponse().read())
            self.asked += 1
            self.events += answer["events"]
            after, going = answer["last"], answer["open"]
            if going:
                time.sleep(PAUSE / 1000)
        connection.close()

    def stream(self, *, resumes: bool) -> None:
        """Read streams until the run has ended, leaving every third in its middle; resume where it was, or not."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)
        going = True
        while going:
            self.asked += 1
            headers = {"Cookie": self.cookie, "Accept": "text/event-stream"}
            if self.numbers and resumes:
                headers["Last-Event-ID"] = str(self.numbers[-1])
            connection.request("GET", f"{self.address}/events", headers=headers)
            text = connection.getresponse().read().decode()
            ids = [int(number) for number in re.findall(r"^id: (\d+)$", text, re.MULTILINE)]
            self.numbers += ids[: len(ids) // 2] if self.asked % 3 == 0 else ids
            going = '"open": true' in text or self.asked % 3 == 0
            time.sleep(PAUSE / 1000 if going else 0)
        connection.close()


def _run(server: Server, **fields: object) -> tuple[str, str]:
    """Start a run as a guest and return (its address, the guest's cookie)."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    connection.request("GET", "/labs/messages")
    answer = connection.getresponse()
    page, cookie = answer.read().decode(), answer.headers["Set-Cookie"].partition(";")[0]
    token = re.search(r'name="csrf_token" value="(\w+)"', page)[1]
    form = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/labs/messages/runs", urlencode({"csrf_token": token, **fields}), form)
    answer = connection.getresponse()
    assert answer.status == 303
    cookie = (answer.headers["Set-Cookie"] or cookie).partition(";")[0]
    connection.close()
    return answer.headers["Location"], cookie


def _learner(server: Server) -> Learner:
    learner = Learner(server, threading.Semaphore(0))
    learner.begin()
    return learner


def _save(learner: Learner, stop: threading.Event, times: list[float]) -> None:
    """Save an answer after another, each once, and note how long each took."""
    headers = {"Cookie": learner.cookie, "Content-Type": "application/json", "X-CSRF-Token": learner.token}
    for number in range(1, 100_000):
        change = {"place": number % 65 + 1, "revision": number, "answer": "a", "flagged": False, "stamp": None}
        begun = time.monotonic()
        learner._send("POST", f"{learner.address}/responses", json.dumps({"responses": [change]}), headers)
        times.append(time.monotonic() - begun)
        if stop.wait(THINKS):
            return


def _watch(server: Server) -> list[Viewer]:
    """Let VIEWERS follow a run of twelve seconds to its end; each must be told all of it, once and in order."""
    address, cookie = _run(server, messages=80, pause=150)
    viewers = [Viewer(server, address, cookie) for _ in range(VIEWERS)]
    watching = [threading.Thread(target=viewer.follow) for viewer in viewers]
    for thread in watching:
        thread.start()
    for thread in watching:
        thread.join(120)
    whole = Viewer(server, address, cookie)
    whole.follow()
    assert len(whole.events) > 160
    assert all(viewer.events == whole.events for viewer in viewers)
    return viewers


def test_an_exam_is_saved_at_once_while_forty_watch_a_run(
    server: Server, sized: Callable[[float, float], float]
) -> None:
    """Full, they watch runs for an hour; quick, one of them on a machine that may do much else besides."""
    learners = [_learner(server) for _ in range(LEARNERS)]
    stop, times = threading.Event(), [[] for _ in learners]
    saving = [threading.Thread(target=_save, args=[one, stop, some]) for one, some in zip(learners, times, strict=True)]
    for thread in saving:
        thread.start()
    end = time.monotonic() + sized(0, 3600)
    viewers = _watch(server)
    while time.monotonic() < end:
        viewers += _watch(server)
    stop.set()
    for thread in saving:
        thread.join(PATIENCE)
    taken = sorted(one for some in times for one in some)
    assert len(taken) > 100
    assert taken[len(taken) * 99 // 100] < sized(10, 1)
    assert sum(viewer.asked for viewer in viewers) > 3 * len(viewers)


@pytest.mark.parametrize("server", ["tests.faults.held_server"], indirect=True)
def test_the_control_streams_that_stay_open_stop_the_exams(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    learner = _learner(server)
    address, cookie = _run(server, messages=100, pause=150)
    streams = []
    for _ in range(6):
        streams.append(http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE))
        streams[-1].request("GET", f"{address}/events", headers={"Cookie": cookie})
    streams[0].getresponse().read(4)
    monkeypatch.setattr("tests.faults.test_killed_server.PATIENCE", 5)
    with pytest.raises(TimeoutError):
        _save(learner, threading.Event(), [])
    for one in streams:
        one.close()


def test_a_stream_resumes_with_no_gap_and_no_repeat(server: Server) -> None:
    address, cookie = _run(server, messages=30, pause=100)
    viewers = [Viewer(server, address, cookie) for _ in range(2)]
    threads = [
        threading.Thread(target=viewer.stream, kwargs={"resumes": place == 0}) for place, viewer in enumerate(viewers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    resumed, forgetful = viewers
    assert resumed.asked > 3
    assert resumed.numbers == list(range(1, len(resumed.numbers) + 1))
    # The control: who does not say where it was is told everything again.
    assert len(forgetful.numbers) > len(set(forgetful.numbers)) == len(resumed.numbers)
