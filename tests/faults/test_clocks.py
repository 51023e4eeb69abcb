"""A machine whose time jumps, changes to summer time or meets a leap day: exams last as long as they were to last."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from flask import Flask

from tests.quizzes.conftest import Learner
from web import schedule
from web.clock import SteadyClock, system_clock
from web.schedule import sweep

Begin = Callable[..., Learner]
MINUTES = 130
SOFIA = ZoneInfo("Europe/Sofia")


@dataclass
class Machine:
    """A machine with the time that it shows and the seconds that it has been up."""

    time: datetime = datetime(2018, 2, 12, 9, 0, tzinfo=UTC)
    up: float = 1000.0

    def advance(self, **units: float) -> None:
        self.time += timedelta(**units)
        self.up += timedelta(**units).total_seconds()

    def jump(self, **units: float) -> None:
        self.time += timedelta(**units)


@pytest.fixture
def machine(app: Flask) -> Machine:
    made = Machine()
    app.extensions["clock"] = SteadyClock(lambda: made.time, lambda: made.up)
    return made


def _left(learner: Learner) -> float:
    """Return how many seconds are left, as the page is told."""
    state = learner.client.get(f"{learner.address}/responses?version=-1").json
    return (state["deadline"] - state["now"]) / 1000


@pytest.mark.parametrize("units", [{"days": 1}, {"hours": -2}, {"seconds": 61}], ids=str)
def test_a_jump_of_the_machines_time_neither_closes_nor_lengthens_an_exam(
    app: Flask, machine: Machine, begin: Begin, caplog: pytest.LogCaptureFixture, units: dict[str, float]
) -> None:
    learner = begin()
    machine.advance(minutes=30)
    machine.jump(**units)
    sweep(app)
    assert learner.client.get(learner.address).status_code == 200
    assert abs(_left(learner) - 100 * 60) < 1
    assert learner.answer(1, learner.key(1)).json["stored"][0]["late"] is False
    assert caplog.text.count("The machine's time jumped by") == 1
    machine.advance(minutes=101, seconds=1)
    sweep(app)
    attempt = learner.sitting().attempt
    assert attempt.clock.closed_at == attempt.clock.deadline
    assert learner.sitting().report().correct == 1


def test_the_control_the_machines_own_time_closes_the_exam(app: Flask, machine: Machine, begin: Begin) -> None:
    app.extensions["clock"] = lambda: machine.time
    learner = begin()
    machine.advance(minutes=30)
    machine.jump(days=1)
    sweep(app)
    assert learner.sitting().attempt.clock.closed_at is not None


def test_a_time_set_right_again_leaves_no_trace(app: Flask, machine: Machine, begin: Begin) -> None:
    learner = begin()
    machine.jump(days=1)
    sweep(app)
    machine.advance(minutes=10)
    machine.jump(days=-1)
    sweep(app)
    assert app.extensions["clock"]() == machine.time
    assert abs(_left(learner) - 120 * 60) < 1


def test_a_jump_is_followed_when_no_exam_runs(app: Flask, machine: Machine, begin: Begin) -> None:
    clock = app.extensions["clock"]
    begin(time="none")
    learner = begin()
    machine.jump(days=1)
    sweep(app)
    assert clock.jump == timedelta(days=1)
    learner.submit()
    sweep(app)
    assert clock() == machine.time
    assert abs(_left(begin()) - MINUTES * 60) < 1


def test_a_process_without_background_work_follows_a_jump_too(app: Flask, machine: Machine, begin: Begin) -> None:
    learner = begin()
    machine.advance(hours=3)
    machine.jump(days=1)
    clock = app.extensions["clock"]
    assert clock() != machine.time
    schedule.tend(app)
    for _ in range(300):
        if clock() == machine.time:
            break
        threading.Event().wait(0.05)
    assert clock() == machine.time
    assert learner.sitting().attempt.clock.closed_at is None


def test_small_steps_are_followed_and_do_not_add_up(machine: Machine) -> None:
    clock = SteadyClock(lambda: machine.time, lambda: machine.up)
    for _ in range(100):
        machine.advance(seconds=60)
        machine.jump(seconds=50)
        assert clock() == machine.time
    assert clock.jump == timedelta(0)


def test_what_is_closed_stays_closed_though_the_time_goes_back(app: Flask, machine: Machine, begin: Begin) -> None:
    learner = begin()
    machine.advance(minutes=MINUTES + 2)
    sweep(app)
    closed = learner.sitting().attempt
    machine.jump(hours=-2)
    app.extensions["clock"].accept()
    assert learner.answer(1, learner.key(1)).json["stored"][0]["late"] is True
    assert learner.client.get(learner.address).headers["Location"].endswith("/report")
    sweep(app)
    assert learner.sitting().attempt == closed


CHANGES = {
    "to summer time": datetime(2018, 3, 25, 2, 30, tzinfo=SOFIA),
    "to winter time": datetime(2018, 10, 28, 2, 30, tzinfo=SOFIA),
    "to a leap day": datetime(2020, 2, 28, 23, 0, tzinfo=SOFIA),
    "from a leap day": datetime(2020, 2, 29, 23, 0, tzinfo=SOFIA),
}


def _errors(app: Flask, begin: Begin, start: datetime) -> list[float]:
    """Sit an exam from that moment on and return by how many seconds the time left is wrong, at several moments."""
    with time_machine.travel(start, tick=False) as traveller:
        learner = begin()
        found = []
        for minutes in (0, 45, 60, 24):
            traveller.shift(timedelta(minutes=minutes))
            found.append(_left(learner))
        traveller.shift(timedelta(minutes=1, seconds=30))
        assert learner.answer(1, "a", stamp=None).json["stored"][0]["late"] is True
        expected = [minutes * 60 for minutes in (130, 85, 25, 1)]
        return [abs(left - right) for left, right in zip(found, expected, strict=True)]


@pytest.mark.parametrize("start", CHANGES.values(), ids=CHANGES)
def test_a_change_of_the_calendar_changes_no_exam(app: Flask, begin: Begin, start: datetime) -> None:
    app.extensions["clock"] = system_clock
    assert max(_errors(app, begin, start)) < 1


def test_the_control_a_clock_in_local_time_would_be_found(app: Flask, begin: Begin) -> None:
    app.extensions["clock"] = lambda: datetime.now(SOFIA)
    assert max(_errors(app, begin, CHANGES["to summer time"])) > 3000
