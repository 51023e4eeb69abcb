"""The attempt as a state machine: whatever two devices, clocks, kills and submissions do, the clock rule decides."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import config
from app import create_app
from db import milliseconds
from quizzes.attempts import GRACE
from tests import databases
from tests.conftest import MovableClock

PLACES = st.integers(1, 4)
LETTERS = st.sampled_from(["", "a", "b", "ab", "d"])
DEVICES = st.sampled_from([0, 1])
MINUTES = 130


@dataclass(frozen=True)
class Sent:
    """A change as a device sent it."""

    place: int
    revision: int
    answer: str
    flagged: bool
    stamp: int | None

    def body(self) -> dict[str, object]:
        return {"place": self.place, "revision": self.revision, "answer": self.answer} | {
            "flagged": self.flagged,
            "stamp": self.stamp,
        }


class AttemptMachine(RuleBasedStateMachine):
    """Two devices of one learner on one attempt, beside a model that knows the rule and nothing of the code."""

    prepared: Path
    folder: Path
    number = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).number += 1
        self.instance = self.folder / str(self.number)
        self.environment = databases.current.copy(self.prepared, self.instance)
        self.clock = MovableClock()
        self.stored: dict[tuple[int, bool], Sent] = {}
        self.closed = False
        self.sent: list[Sent] = []
        self.known = [dict[int, int](), dict[int, int]()]

    @initialize()
    def begin(self) -> None:
        self._start_server()
        first = self.app.test_client()
        answer = first.post("/exams/saa-c01/attempts", data={"csrf_token": self._token(first), "form": "7"})
        self.address = answer.headers["Location"]
        cookie = first.get_cookie("archway")
        self.cookie = cookie.value
        self.deadline = self.clock.now + timedelta(minutes=MINUTES)
        self._open_devices()

    def teardown(self) -> None:
        if hasattr(self, "app"):
            self.app.extensions["database"].engine.dispose()

    def _start_server(self) -> None:
        self.app = create_app(config.load(self.environment))
        self.app.extensions["clock"] = self.clock
        self.app.config["RATELIMIT_ENABLED"] = False

    def _open_devices(self) -> None:
        self.devices = [self.app.test_client(), self.app.test_client()]
        for device in self.devices:
            device.set_cookie("archway", self.cookie)
        self.token = self._token(self.devices[0])

    @staticmethod
    def _token(browser: FlaskClient) -> str:
        return re.search(r'name="csrf_token" value="(\w+)"', browser.get("/sign-in").text)[1]

    def _send(self, device: int, *changes: Sent) -> None:
        answer = self.devices[device].post(
            f"{self.address}/responses",
            json={"responses": [one.body() for one in changes]},
            headers={"X-CSRF-Token": self.token},
        )
        assert answer.status_code == 200
        for one in changes:
            self._take(one)
        for stored in answer.json["stored"]:
            ours = self.stored[stored["place"], stored["late"]]
            assert (stored["revision"], stored["answer"], stored["flagged"]) == (
                ours.revision,
                ours.answer,
                ours.flagged,
            )
            newest = self.known[device].get(stored["place"], 0)
            self.known[device][stored["place"]] = max(newest, stored["revision"])

    def _take(self, change: Sent) -> None:
        """Apply the clock rule as the learner is told it."""
        given = self.clock.now if change.stamp is None else min(self._moment(change.stamp), self.clock.now)
        late = self.closed or given > self.deadline or self.clock.now > self.deadline + GRACE
        before = self.stored.get((change.place, late))
        if before is None or before.revision < change.revision:
            self.stored[change.place, late] = change

    def _moment(self, stamp: int) -> object:
        return self.clock.now + timedelta(milliseconds=stamp - milliseconds(self.clock.now))

    @rule(device=DEVICES, place=PLACES, letters=LETTERS, flagged=st.booleans(), ago=st.integers(0, 90))
    def answer(self, device: int, place: int, letters: str, flagged: bool, ago: int) -> None:
        revision = self.known[device].get(place, 0) + 1
        start = self.deadline - timedelta(minutes=MINUTES)
        stamp = milliseconds(max(start, self.clock.now - timedelta(seconds=ago)))
        change = Sent(place, revision, letters, flagged, stamp)
        self.sent.append(change)
        self._send(device, change)

    @precondition(lambda self: self.sent)
    @rule(device=DEVICES, data=st.data())
    def send_again(self, device: int, data: st.DataObject) -> None:
        """The answer to an earlier message was lost, so it is sent once more, perhaps after newer ones."""
        self._send(device, data.draw(st.sampled_from(self.sent)))

    @rule(device=DEVICES, place=PLACES, letters=LETTERS)
    def answer_with_a_wrong_clock(self, device: int, place: int, letters: str) -> None:
        """A page that claims to answer in the future is believed only up to now."""
        change = Sent(place, self.known[device].get(place, 0) + 1, letters, False, milliseconds(self.clock.now) + 10**9)
        self.sent.append(change)
        self._send(device, change)

    @rule(seconds=st.sampled_from([1, 20, 59, 61, 600, 3600, 7000]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)

    @rule()
    def the_end_is_near(self) -> None:
        self.clock.now = max(self.clock.now, self.deadline - timedelta(seconds=5))

    @rule()
    def kill(self) -> None:
        """The server dies and starts again; nothing but the database is left."""
        self.app.extensions["database"].engine.dispose()
        self._start_server()
        self._open_devices()

    @rule(device=DEVICES)
    def reload(self, device: int) -> None:
        answer = self.devices[device].get(self.address)
        if self.clock.now > self.deadline + GRACE:
            self.closed = True
        assert answer.status_code == (303 if self.closed else 200)

    @rule(device=DEVICES)
    def submit(self, device: int) -> None:
        answer = self.devices[device].post(f"{self.address}/submit", data={"csrf_token": self.token})
        assert answer.status_code == 303
        self.closed = True

    @invariant()
    def what_is_stored_is_what_the_rule_says(self) -> None:
        if not hasattr(self, "devices"):
            return
        state = self.devices[1].get(f"{self.address}/responses?version=-1").json
        found = {
            (one["place"], one["late"]): (one["revision"], one["answer"], one["flagged"]) for one in state["stored"]
        }
        assert found == {place: (one.revision, one.answer, one.flagged) for place, one in self.stored.items()}
        assert state["closed"] == self.closed

    @invariant()
    def the_score_counts_what_came_in_time(self) -> None:
        if not self.closed:
            return
        page = self.devices[0].get(f"{self.address}/report").text
        answered = sum(bool(one.answer) for (_, late), one in self.stored.items() if not late)
        assert f"left {65 - answered} open" in page


@pytest.mark.parametrize("sabotage", [False, True], ids=["as it is", "control: the newest arrival wins"])
def test_any_interleaving_leaves_what_the_clock_rule_says(
    prepared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sized: Callable[..., dict[str, int]],
    sabotage: bool,
) -> None:
    AttemptMachine.prepared, AttemptMachine.folder = prepared, tmp_path
    many = sized({"max_examples": 5, "stateful_step_count": 20}, {"max_examples": 200, "stateful_step_count": 60})
    few = settings(**many, suppress_health_check=list(HealthCheck), database=None)
    if not sabotage:
        run_state_machine_as_test(AttemptMachine, settings=few)
        return
    monkeypatch.setattr(AttemptMachine, "_take", _newest_arrival_wins)
    once = settings(few, max_examples=60, phases=[Phase.generate], report_multiple_bugs=False)
    with pytest.raises((AssertionError, KeyError)):
        run_state_machine_as_test(AttemptMachine, settings=once)


def _newest_arrival_wins(self: AttemptMachine, change: Sent) -> None:
    """The rule without its clock and its revisions: the test above can fail."""
    self.stored[change.place, False] = change
