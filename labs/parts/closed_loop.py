"""A load tool in a closed loop against one function behind a gateway, in virtual time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heapify, heappop, heapreplace
from random import Random
from typing import NamedTuple

from labs.findings import Report
from labs.parts.distributions import Draw, Quantiles, sampler
from labs.parts.environments import Environments
from labs.parts.latencies import EXACT, Latencies
from labs.parts.limiter import RunningCounter

SAMPLES = 40
"""A run reports its metrics at least so many times, and at least once in EXACT requests."""

SUCCEEDED, REJECTED, TIMED_OUT = "succeeded", "rejected", "timed_out"
GATEWAY_ERRORS, NO_ADDRESS = "gateway_errors", "no_address"


@dataclass(frozen=True)
class Network:
    """What the model cannot derive: latencies in seconds, and how often a gateway fails by itself."""

    trip: Quantiles
    """From the client through the gateway to the limiter and back: what a rejected request takes."""
    overhead: Quantiles
    """What an accepted request takes beside the trip, the cold start and the execution."""
    cold_start: Quantiles
    connection: float = 0.035
    release_lag: float = 0.0
    """A slot is freed up to this long after its execution ended."""
    gateway_errors: float = 0.0


class Load(NamedTuple):
    """What the load tool sends: as in hey, each worker sends requests // workers of them."""

    requests: int
    workers: int

    @property
    def each(self) -> int:
        """How many requests each worker sends."""
        return self.requests // self.workers

    @property
    def total(self) -> int:
        """How many requests are sent in all."""
        return self.each * self.workers


@dataclass
class Trace:
    """What the client saw, and until when, in seconds."""

    latencies: Latencies = field(default_factory=Latencies)
    causes: Counter[str] = field(default_factory=Counter)
    end: float = 0.0


class Function:
    """A gateway, the limiter, and behind it the function, whose executions sleep as long as their environment drew.

    With ``draw`` each execution draws its sleep anew, as a handler does that has the line within it.
    """

    draw: Callable[[], int] | None = None

    def __init__(
        self, running: RunningCounter, environments: Environments, timeout: float, network: Network, random: Random
    ) -> None:
        self.environments = environments
        self.executions: Counter[float] = Counter()
        self._running = running
        self._timeout = timeout
        self._overhead = sampler(network.overhead, random)
        self._lag = network.release_lag
        self._errors = network.gateway_errors
        self._uniform = random.random

    def answer(self, now: float) -> tuple[str, float]:
        """Return (what became of the request, seconds until its answer sets out) for one that arrives ``now``."""
        if self._errors and self._uniform() < self._errors:
            return GATEWAY_ERRORS, self._uniform()
        if not self._running.admits(now):
            return REJECTED, 0.0
        taken = self.environments.take(now)
        if taken is None:
            return NO_ADDRESS, 0.0
        wait, sleep = taken if self.draw is None else (taken.wait, self.draw())
        in_time = sleep <= self._timeout
        executed = sleep if in_time else self._timeout
        self.executions[executed] += 1
        end = now + wait + executed
        self._running.hold_until(end + self._uniform() * self._lag if self._lag else end)
        if not in_time:
            self.environments.lose(end)
            return TIMED_OUT, end - now
        self.environments.give_back(end, sleep)
        return SUCCEEDED, end - now + self._overhead()


def simulate(load: Load, function: Function, network: Network, random: Random, report: Report) -> Trace:
    """Play the load test and return what the client saw.

    One heap holds, for each worker, when its request reaches the limiter.
    """
    trip = sampler(network.trip, random)
    arrivals = _first_arrivals(load, network, trip, random)
    left = [load.each] * load.workers
    trace = Trace()
    step = min(max(1, load.total // SAMPLES), EXACT)
    seconds: list[float] = []
    causes: list[str] = []
    answer = function.answer
    while arrivals:
        arrived, worker, way = arrivals[0]
        cause, spent = answer(arrived)
        seconds.append(spent + way)
        causes.append(cause)
        answered = arrived + spent + way / 2
        left[worker] -= 1
        if left[worker]:
            way = trip()
            heapreplace(arrivals, (answered + way / 2, worker, way))
        else:
            heappop(arrivals)
            trace.end = max(trace.end, answered)
        if len(seconds) == step or not arrivals:
            trace.latencies.extend(seconds)
            trace.causes.update(causes)
            seconds.clear()
            causes.clear()
            sample(trace, function, arrived, load, report)
    return trace


def sample(trace: Trace, function: Function, now: float, load: Load, report: Report) -> None:
    """Report how far the test is and how it stands."""
    report.progress(trace.causes.total() / load.total)
    report.metric(
        now,
        peak_concurrency=function.environments.peak_busy,
        succeeded=trace.causes[SUCCEEDED],
        refused=trace.causes[REJECTED] + trace.causes[NO_ADDRESS],
        cold_starts=function.environments.started,
    )


def _first_arrivals(load: Load, network: Network, trip: Draw, random: Random) -> list[tuple[float, int, float]]:
    """Return, as a heap, (when it reaches the limiter, worker, seconds of the whole way) for each first request."""
    arrivals = []
    for worker in range(load.workers):
        way = trip() + network.connection * random.uniform(0.6, 1.4)
        arrivals.append((way / 2, worker, way))
    heapify(arrivals)
    return arrivals
