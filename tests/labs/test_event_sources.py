"""Event sources under throttling, by laws: nothing vanishes, no limit is exceeded, a blocked shard keeps its order."""

from __future__ import annotations

import itertools
from collections import deque
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.parts.environments import Environments
from labs.parts.event_sources import (
    Asynchronous,
    InvokedFunction,
    Shard,
    Stream,
    StreamSettings,
    Synchronous,
    Timeline,
    TooManyStepsError,
)
from labs.parts.limiter import RunningCounter

DAY = 86_400.0


class Unlimited(RunningCounter):
    """A limiter that admits everybody."""

    def admits(self, now: float) -> bool:  # noqa: ARG002 (the limiter's own signature)
        return True


class Watched(InvokedFunction):
    """A function that remembers its executions as (begin, end)."""

    spans: list[tuple[float, float]]

    def invoke(self, now: float) -> float | None:
        end = super().invoke(now)
        if end is not None:
            self.spans.append((now, end))
        return end


def _function(running: RunningCounter, duration: float = 1.0, seed: int = 1) -> Watched:
    function = Watched(running, Environments(lambda: (0.2, 0), 600), duration, Random(seed))
    function.spans = []
    return function


def _most_at_once(functions: list[Watched]) -> int:
    """Count by sweeping over all begins and ends; an execution that ends makes room at that moment."""
    changes = sorted(
        (moment, change)
        for one in functions
        for span in one.spans
        for moment, change in zip(span, (1, -1), strict=True)
    )
    running = most = 0
    for _, change in changes:
        running += change
        most = max(most, running)
    return most


@settings(max_examples=40)
@given(limit=st.integers(0, 40), rate=st.floats(0.1, 60), duration=st.floats(0.05, 5), age=st.floats(1, 400))
def test_an_event_is_served_lost_or_waiting_for_its_next_attempt(
    limit: int, rate: float, duration: float, age: float
) -> None:
    timeline = Timeline()
    source = Asynchronous(_function(RunningCounter(limit), duration), rate, timeline, Random(2), age)
    timeline.play(120)
    planned_attempts = len(timeline._planned) - 1
    assert source.tally.waiting == planned_attempts
    assert source.tally.oldest < age


@settings(max_examples=40)
@given(limit=st.integers(0, 8), rate=st.floats(0.1, 300), shards=st.integers(1, 6), retention=st.floats(5, 200))
def test_a_record_is_served_lost_or_still_in_its_shard(limit: int, rate: float, shards: int, retention: float) -> None:
    timeline = Timeline()
    stream = Stream(_function(RunningCounter(limit)), StreamSettings(shards, rate, 20, retention), timeline, Random(3))
    timeline.play(120)
    stream.settle(120)
    assert stream.tally.waiting == sum(len(shard._records) for shard in stream.shards)
    assert stream.tally.oldest < retention
    assert stream.function.environments.peak_busy <= min(shards, limit)


def test_a_synchronous_caller_is_served_or_refused_at_once() -> None:
    timeline = Timeline()
    source = Synchronous(_function(RunningCounter(5)), 20, timeline, Random(4))
    timeline.play(60)
    tally = source.tally
    assert tally.waiting == 0
    assert tally.lost == tally.refused > 0
    assert tally.arrived == tally.served + tally.refused


@pytest.mark.parametrize("limiter", [RunningCounter, Unlimited])
def test_nobody_exceeds_the_limit_at_any_moment(limiter: type[RunningCounter]) -> None:
    timeline, shared = Timeline(), limiter(40)
    functions = [_function(shared, 2, seed) for seed in range(3)]
    Synchronous(functions[0], 30, timeline, Random(1))
    Asynchronous(functions[1], 30, timeline, Random(2), DAY)
    Stream(functions[2], StreamSettings(8, 200, 10, DAY), timeline, Random(3))
    timeline.play(300)
    most = _most_at_once(functions)
    assert (most <= 40) == (limiter is RunningCounter)
    assert most >= 40


class Hasty(Shard):
    """A shard that puts a refused batch behind the others instead of standing still."""

    def _poll(self, now: float) -> None:
        refused = self._stream.tally.refused
        super()._poll(now)
        if self._stream.tally.refused > refused:
            self._records.rotate(-self._batch)
            self._batch = 0


@pytest.mark.parametrize("kind", [Shard, Hasty])
def test_a_blocked_shard_keeps_the_order_of_its_records(kind: type[Shard], monkeypatch: pytest.MonkeyPatch) -> None:
    handled: list[float] = []
    hand_over = Shard._hand_over

    def watched(shard: Shard, now: float) -> None:
        handled.extend(list(shard._records)[: shard._batch])
        hand_over(shard, now)

    monkeypatch.setattr(Shard, "_hand_over", watched)
    monkeypatch.setattr("labs.parts.event_sources.Shard", kind)
    timeline, function = Timeline(), _function(RunningCounter(1))
    stream = Stream(function, StreamSettings(1, 30, 20, DAY), timeline, Random(6))
    for moment in range(10, 600, 10):
        timeline.at(moment, lambda now: setattr(function, "off", now % 20 == 0))
    timeline.play(600)
    assert stream.tally.blocked > 100
    assert stream.tally.served > 500
    assert (handled == sorted(handled)) == (kind is Shard)


@pytest.mark.parametrize("age_limit", [300.0, DAY])
def test_an_asynchronous_event_is_given_up_at_its_age_limit(age_limit: float) -> None:
    timeline = Timeline()
    function = _function(RunningCounter(100))
    function.off = True
    source = Asynchronous(function, 2, timeline, Random(7), age_limit)
    timeline.play(600)
    given_up = source.tally.lost
    assert (given_up > 500) == (age_limit == 300)
    assert source.tally.served == 0
    if age_limit == 300:
        # What arrived in the first 300 s is gone, and nothing younger.
        assert source.tally.waiting == pytest.approx(600, rel=0.15)
    else:
        assert given_up == 0


def test_retries_come_later_each_time_and_never_more_than_five_minutes_apart() -> None:
    timeline, attempts = Timeline(), list[float]()
    function = _function(RunningCounter(0))
    source = Asynchronous(function, 0, timeline, Random(8), DAY)
    invoke = function.invoke

    def watched(now: float) -> float | None:
        attempts.append(now)
        return invoke(now)

    function.invoke = watched  # type: ignore[method-assign]
    timeline.at(0, source._arrive)
    timeline.play(DAY / 4)
    gaps = [after - before for before, after in itertools.pairwise(attempts)]
    assert gaps[0] <= 1 < gaps[2] < 4 < gaps[4]
    assert max(gaps) <= 300
    assert 72 <= len(attempts) <= 160


@pytest.mark.parametrize(("retention", "lost"), [(600.0, True), (DAY, False)])
def test_a_stream_that_is_off_longer_than_it_keeps_records_loses_the_oldest(retention: float, lost: bool) -> None:
    timeline, function = Timeline(), _function(RunningCounter(10), 0.5)
    stream = Stream(function, StreamSettings(2, 5, 100, retention), timeline, Random(9))
    timeline.at(60, lambda _now: setattr(function, "off", True))
    timeline.at(60 + 900, lambda _now: setattr(function, "off", False))
    timeline.play(1200)
    stream.settle(1200)
    assert (stream.tally.lost > 0) is lost
    assert stream.tally.blocked == pytest.approx(2 * 900, abs=10)
    # Switched on again, it catches up.
    assert stream.tally.waiting < 20
    assert stream.tally.oldest == pytest.approx(min(retention, 900), abs=5)


@pytest.mark.parametrize("seed", [1, 2])
def test_watching_changes_nothing_and_a_seed_repeats(seed: int) -> None:
    tallies = []
    for looks in (0, 7, 300):
        timeline, shared = Timeline(), RunningCounter(12)
        stream = Stream(_function(shared), StreamSettings(3, 40, 10, DAY), timeline, Random(seed))
        source = Asynchronous(_function(shared), 8, timeline, Random(seed + 9), DAY)
        for look in range(looks):
            timeline.at(look * 300 / looks, stream.settle)
        timeline.play(300)
        stream.settle(300)
        tallies.append((stream.tally, source.tally))
    assert tallies[0] == tallies[1] == tallies[2]


def test_one_moments_actions_come_in_the_order_they_were_planned() -> None:
    timeline, seen = Timeline(), deque[int]()
    for number in range(50):
        timeline.at(1, lambda _now, number=number: seen.append(number))
    timeline.play(1)
    assert not seen
    timeline.play(1.1)
    assert list(seen) == list(range(50))


def test_a_timeline_without_end_is_stopped() -> None:
    timeline = Timeline(most_steps=1000)

    def again(now: float) -> None:
        timeline.at(now, again)

    timeline.at(0, again)
    with pytest.raises(TooManyStepsError, match="More than 1,000 steps"):
        timeline.play(1)
