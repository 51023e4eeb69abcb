"""Event sources of Lambda functions, and what each does when its function is throttled, in virtual time.

As the developer guide of May 2018 tells it (concurrent-executions.md, scaling.md). Synchronous: the caller gets the
error, and nobody else tries again. Asynchronous: Lambda keeps the event and retries for up to six hours. Streams: the
shard blocks until its batch succeeds or expires. Queues of SQS became event sources in June 2018 and are left out.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from math import ceil
from random import Random

from labs.parts.billing import billed_seconds
from labs.parts.environments import Environments
from labs.parts.limiter import RunningCounter

FIRST_BACKOFF, LONGEST_BACKOFF = 1.0, 300.0
"""Seconds between retries of an asynchronous event, doubled each time; AWS named these bounds after 2018."""
POLL = 1.0
"""Seconds between two looks at a shard without records, and between two attempts at a batch."""

Action = Callable[[float], None]


class TooManyStepsError(ValueError):
    """A timeline with more steps than it was allowed."""


class Timeline:
    """What happens next: actions at moments in seconds, played in order, those of one moment as they were planned."""

    def __init__(self, most_steps: int = 10_000_000) -> None:
        self._planned: list[tuple[float, int, Action]] = []
        self._numbers = count()
        self._most = most_steps

    def at(self, moment: float, action: Action) -> None:
        """Plan an action, which is called with the moment."""
        heappush(self._planned, (moment, next(self._numbers), action))

    def play(self, until: float) -> None:
        """Play all that is planned before ``until``; raise TooManyStepsError where that does not end."""
        planned = self._planned
        steps = 0
        while planned and planned[0][0] < until:
            moment, _, action = heappop(planned)
            action(moment)
            steps += 1
            if steps > self._most:
                raise TooManyStepsError(f"More than {self._most:,} steps came before {until:,.0f} s.")


@dataclass
class Tally:
    """What became of a source's events; each that arrived is served, lost or waiting."""

    arrived: int = 0
    served: int = 0
    lost: int = 0
    refused: int = 0
    """Attempts that were throttled; one event may be refused many times."""
    oldest: float = 0.0
    """The greatest age at which an event was served, in seconds."""
    blocked: float = 0.0
    """Seconds in which shards stood behind a throttled batch, all shards together."""

    @property
    def waiting(self) -> int:
        """Events that are neither served nor lost."""
        return self.arrived - self.served - self.lost


@dataclass
class InvokedFunction:
    """A function as its source sees it: it begins an execution or is throttled; executions take ``duration`` ± half."""

    running: RunningCounter
    environments: Environments
    duration: float
    random: Random
    off: bool = False
    """Whether its reservation is set to 0, the kill switch."""
    executions: Counter[float] = field(default_factory=Counter)
    """How many executions were billed for so many seconds."""

    def invoke(self, now: float) -> float | None:
        """Return when the execution ends, or None where it is throttled."""
        if self.off or not self.running.admits(now):
            return None
        taken = self.environments.take(now)
        if taken is None:
            return None
        seconds = self.duration * self.random.uniform(0.5, 1.5)
        end = now + taken.wait + seconds
        self.running.hold_until(end)
        self.environments.give_back(end, taken.drawn)
        self.executions[billed_seconds(seconds)] += 1
        return end


class Synchronous:
    """Requests, ``rate`` a second at random; a throttled one is an error for its caller, and lost."""

    def __init__(self, function: InvokedFunction, rate: float, timeline: Timeline, random: Random) -> None:
        self.function = function
        self.tally = Tally()
        _plan_arrivals(timeline, _arrivals(rate, random), self._arrive)

    def settle(self, now: float) -> None:
        """Bring the tally to the state it has ``now``, which it always has here."""

    def _arrive(self, now: float) -> None:
        self.tally.arrived += 1
        if self.function.invoke(now) is None:
            self.tally.refused += 1
            self.tally.lost += 1
        else:
            self.tally.served += 1


class Asynchronous:
    """Events, ``rate`` a second at random; a throttled one is tried again, later each time, until ``age_limit``.

    Then it is lost to the function: discarded, or put into the dead-letter queue if the function has one.
    """

    def __init__(
        self, function: InvokedFunction, rate: float, timeline: Timeline, random: Random, age_limit: float
    ) -> None:
        self.function = function
        self.tally = Tally()
        self._timeline = timeline
        self._random = random
        self._age_limit = age_limit
        _plan_arrivals(timeline, _arrivals(rate, random), self._arrive)

    def settle(self, now: float) -> None:
        """Bring the tally to the state it has ``now``, which it always has here."""

    def _arrive(self, now: float) -> None:
        self.tally.arrived += 1
        self._attempt(now, now, FIRST_BACKOFF)

    def _attempt(self, now: float, born: float, backoff: float) -> None:
        expiry = born + self._age_limit
        if now >= expiry:
            self.tally.lost += 1
        elif self.function.invoke(now) is not None:
            self.tally.served += 1
            self.tally.oldest = max(self.tally.oldest, now - born)
        else:
            self.tally.refused += 1
            moment = min(now + backoff * self._random.uniform(0.5, 1), expiry)
            longer = min(2 * backoff, LONGEST_BACKOFF)
            self._timeline.at(moment, lambda then: self._attempt(then, born, longer))


@dataclass(frozen=True)
class StreamSettings:
    """A stream: its shards, the records a second of all, the most of a batch, and how long it keeps a record (s)."""

    shards: int
    rate: float
    batch: int
    retention: float


class Stream:
    """A stream whose records spread evenly over its shards; each shard has at most one execution at a time."""

    def __init__(self, function: InvokedFunction, settings: StreamSettings, timeline: Timeline, random: Random) -> None:
        self.function = function
        self.tally = Tally()
        rate = settings.rate / settings.shards
        self.shards = [Shard(self, settings, timeline, _arrivals(rate, random)) for _ in range(settings.shards)]

    def settle(self, now: float) -> None:
        """Bring the tally to the state it has ``now``: records that came since the last look are waiting."""
        for shard in self.shards:
            shard.settle(now)


class Shard:
    """Records in order, read in batches; a throttled batch is tried again before anything behind it."""

    def __init__(
        self, stream: Stream, settings: StreamSettings, timeline: Timeline, arrivals: Callable[[], float]
    ) -> None:
        self._stream = stream
        self._settings = settings
        self._timeline = timeline
        self._arrivals = arrivals
        self._next = arrivals()
        self._records: deque[float] = deque()
        self._batch = 0
        self._refused_at: float | None = None
        self._plan_poll()

    def settle(self, now: float) -> None:
        """Count what arrived, expired, or stood blocked until ``now``."""
        self._receive(now)
        if self._refused_at is not None:
            self._unblock(now)
            self._refused_at = now

    def _receive(self, now: float) -> None:
        tally, records = self._stream.tally, self._records
        while self._next <= now:
            records.append(self._next)
            tally.arrived += 1
            self._next = self._arrivals()
        oldest_kept = now - self._settings.retention
        while records and records[0] <= oldest_kept:
            records.popleft()
            tally.lost += 1
            self._batch = max(0, self._batch - 1)

    def _plan_poll(self) -> None:
        """Look again at the first whole second after the next record; none comes to a stream without records."""
        if self._next < float("inf"):
            self._timeline.at(ceil(self._next / POLL) * POLL, self._poll)

    def _poll(self, now: float) -> None:
        self._receive(now)
        if not self._records:
            self._unblock(now)
            self._plan_poll()
            return
        # A batch that was throttled stays as it was read, less what expired of it.
        self._batch = self._batch or min(len(self._records), self._settings.batch)
        end = self._stream.function.invoke(now)
        if end is None:
            self._stream.tally.refused += 1
            self._refused_at = now if self._refused_at is None else self._refused_at
            self._timeline.at(now + POLL, self._poll)
            return
        self._unblock(now)
        self._hand_over(now)
        self._timeline.at(end, self._poll)

    def _unblock(self, now: float) -> None:
        if self._refused_at is not None:
            self._stream.tally.blocked += now - self._refused_at
            self._refused_at = None

    def _hand_over(self, now: float) -> None:
        tally = self._stream.tally
        tally.oldest = max(tally.oldest, now - self._records[0])
        tally.served += self._batch
        for _ in range(self._batch):
            self._records.popleft()
        self._batch = 0


Source = Synchronous | Asynchronous | Stream


def _plan_arrivals(timeline: Timeline, arrivals: Callable[[], float], arrive: Action) -> None:
    def follow(now: float) -> None:
        timeline.at(arrivals(), follow)
        arrive(now)

    timeline.at(arrivals(), follow)


def _arrivals(rate: float, random: Random) -> Callable[[], float]:
    """Return a function that gives the moments of random arrivals, one after the other; at rate 0 there is none.

    They are drawn from a source of their own, so that nothing which looks at them early changes anything else.
    """
    own = Random(random.getrandbits(64))  # noqa: S311 (a repeatable experiment, no secret)
    now = 0.0

    def following() -> float:
        nonlocal now
        now = now + own.expovariate(rate) if rate else float("inf")
        return now

    return following
