"""A closed-loop load test against a Lambda function, simulated in virtual time."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from heapq import heapify, heappop, heappush, heapreplace
from random import Random

from labs.findings import Finding, Findings, Refused, Report
from labs.parts.limiter import Account, ReservationError, RunningCounter

FUNCTION = "the function"
BYTES_OF_SUCCESS = len("Hello world, slept 2 seconds")
BYTES_OF_FAILURE = len('{"message": "Internal server error"}')
PERCENTILES = (10, 25, 50, 75, 90, 95, 99)
SAMPLES = 40

Quantiles = tuple[tuple[float, float], ...]
"""A distribution as (share of the draws, value in seconds) pairs, straight lines between them."""


@dataclass(frozen=True)
class Parameters:
    """What a learner sets; ``lab.toml`` says the bounds, the units and what each is for."""

    requests: int
    concurrency: int
    reserved_concurrency: int | None
    other_reservations: tuple[int, ...]
    unreserved_in_use: int
    sleep_minimum: int
    sleep_maximum: int
    timeout: int
    throttle_status: str
    preset: str
    rejection_latency: float | None
    release_lag: float | None
    cold_start: float | None


@dataclass(frozen=True)
class Network:
    """What the model cannot derive: latencies in seconds, and how often a gateway fails by itself."""

    trip: Quantiles
    """From the client through the gateway to the limiter and back: what a rejected request takes."""
    overhead: Quantiles
    """What an accepted request takes beside the trip, the cold start and the sleep."""
    cold_start: Quantiles
    connection: float = 0.035
    release_lag: float = 0.0
    """A slot is freed up to this long after its execution ended."""
    gateway_errors: float = 0.0


@dataclass
class Trace:
    """What the client saw, and what the function did for it."""

    latencies: list[float] = field(default_factory=list)
    causes: Counter[str] = field(default_factory=Counter)
    end: float = 0.0
    cold_starts: int = 0
    peak: int = 0


# Fitted by hand until the medians of 100 seeds stood near the two published tables; see brief.md for how near.
TRIP: Quantiles = ((0, 0.01015), (0.16, 0.0130), (0.41, 0.0147), (0.81, 0.0205), (1, 0.0260))
OVERHEAD: Quantiles = (
    *((0, 0.004), (0.4, 0.0085), (0.7, 0.0110), (0.8, 0.0200)),
    *((0.95, 0.0360), (0.99, 0.1100), (1, 0.2500)),
)
SHORT_COLD_STARTS: Quantiles = ((0, 0.15), (0.3, 0.3), (0.65, 0.6), (0.85, 1.2), (1, 2.2))
LONG_COLD_STARTS: Quantiles = ((0, 0.2), (0.2, 0.8), (0.2, 3.95), (1, 4.48))

EXACT = Network(TRIP, OVERHEAD, cold_start=((0, 0.2), (1, 0.4)))
FITTED_RESERVED = replace(EXACT, cold_start=SHORT_COLD_STARTS, release_lag=0.046)
FITTED_UNRESERVED = replace(EXACT, cold_start=LONG_COLD_STARTS, release_lag=0.046, gateway_errors=0.0006)


def run(parameters: Parameters, seed: int, report: Report) -> Findings:
    """Send the load and return what the client saw; the same parameters and seed give the same findings.

    Raises Refused where the account cannot give the reservations, or the parameters contradict each other.
    """
    account = account_of(parameters)
    limit = account.limit_of(FUNCTION, parameters.unreserved_in_use)
    report.log(f"At most {limit} executions of the function may run at once.")
    trace = simulate(parameters, network_of(parameters), limit, seed, report)
    return findings_of(parameters, account, limit, trace)


def account_of(parameters: Parameters) -> Account:
    """Return the account with its reservations; raise Refused where it cannot give them."""
    if parameters.sleep_minimum > parameters.sleep_maximum:
        raise Refused("sleep_minimum is greater than sleep_maximum; make it at most as great.")
    if parameters.requests < parameters.concurrency:
        raise Refused("requests is smaller than concurrency, so some workers would have none; raise requests.")
    account = Account()
    try:
        for number, count in enumerate(parameters.other_reservations, 1):
            account = account.reserve(f"other function {number}", count)
        if parameters.reserved_concurrency is not None:
            account = account.reserve(FUNCTION, parameters.reserved_concurrency)
    except ReservationError as error:
        raise Refused(str(error)) from None
    return account


def network_of(parameters: Parameters) -> Network:
    """Return the preset's network, with what the learner put in place of it."""
    network = EXACT
    if parameters.preset == "fitted":
        network = FITTED_UNRESERVED if parameters.reserved_concurrency is None else FITTED_RESERVED
    if parameters.rejection_latency is not None:
        network = replace(network, trip=_around(parameters.rejection_latency))
    if parameters.cold_start is not None:
        network = replace(network, cold_start=_around(parameters.cold_start))
    if parameters.release_lag is not None:
        network = replace(network, release_lag=parameters.release_lag / 1000)
    return network


def _around(milliseconds: float) -> Quantiles:
    """Return a narrow distribution, a tenth to each side."""
    return ((0, 0.0009 * milliseconds), (1, 0.0011 * milliseconds))


class Environments:
    """Execution environments: reused most recently used first, each with the sleep it drew when it started."""

    def __init__(self, parameters: Parameters, cold_start: Callable[[], float], random: Random) -> None:
        self._sleeps = (parameters.sleep_minimum, parameters.sleep_maximum)
        self._cold_start = cold_start
        self._random = random
        self._idle: list[int] = []
        self._busy: list[tuple[float, int]] = []
        self.started = 0

    def take(self, now: float) -> tuple[float, int]:
        """Return (seconds until the handler begins, the seconds it will sleep)."""
        while self._busy and self._busy[0][0] <= now:
            self._idle.append(heappop(self._busy)[1])
        if self._idle:
            return 0.0, self._idle.pop()
        self.started += 1
        return self._cold_start(), self._random.randint(*self._sleeps)

    def give_back(self, moment: float, sleep: int) -> None:
        """Make the environment idle again at ``moment``."""
        heappush(self._busy, (moment, sleep))

    @property
    def busy(self) -> int:
        """How many environments executed at the moment of the last ``take``, that one not counted."""
        return len(self._busy)


def simulate(parameters: Parameters, network: Network, limit: int, seed: int, report: Report) -> Trace:
    """Play the load test: ``concurrency`` workers, each sending its next request when the last was answered.

    One heap holds, for each worker, when its request reaches the limiter. As in hey, each worker sends
    requests // concurrency of them.
    """
    random = Random(seed)  # noqa: S311 (a repeatable experiment, no secret)
    each = parameters.requests // parameters.concurrency
    total = each * parameters.concurrency
    environments = Environments(parameters, lambda: _draw(network.cold_start, random), random)
    function = Function(parameters.timeout, network, RunningCounter(limit), environments, random)
    trace = Trace()
    left = [each] * parameters.concurrency
    arrivals = []
    for worker in range(parameters.concurrency):
        trip = _draw(network.trip, random) + network.connection * random.uniform(0.6, 1.4)
        arrivals.append((trip / 2, worker, trip))
    heapify(arrivals)
    step = max(1, total // SAMPLES)
    while arrivals:
        arrived, worker, trip = arrivals[0]
        cause, spent = function.answer(arrived)
        answered = arrived + spent + trip / 2
        trace.latencies.append(spent + trip)
        trace.causes[cause] += 1
        left[worker] -= 1
        if left[worker]:
            trip = _draw(network.trip, random)
            heapreplace(arrivals, (answered + trip / 2, worker, trip))
        else:
            heappop(arrivals)
        trace.end = max(trace.end, answered)
        if len(trace.latencies) % step == 0:
            _sample(trace, function, arrived, total, report)
    trace.peak, trace.cold_starts = function.peak, environments.started
    return trace


@dataclass
class Function:
    """The gateway, the limiter and the function behind it."""

    timeout: int
    network: Network
    running: RunningCounter
    environments: Environments
    random: Random
    peak: int = 0

    def answer(self, now: float) -> tuple[str, float]:
        """Return (what became of the request, seconds until its answer sets out) for one that arrives ``now``."""
        if self.network.gateway_errors and self.random.random() < self.network.gateway_errors:
            return "gateway_errors", self.random.random()
        if not self.running.admits(now):
            return "rejected", 0.0
        wait, sleep = self.environments.take(now)
        end = now + wait + min(sleep, self.timeout)
        self.peak = max(self.peak, self.environments.busy + 1)
        self.running.hold_until(end + self.random.random() * self.network.release_lag)
        if sleep > self.timeout:
            return "timed_out", end - now
        self.environments.give_back(end, sleep)
        return "succeeded", end - now + _draw(self.network.overhead, self.random)


def _draw(quantiles: Quantiles, random: Random) -> float:
    share = random.random()
    index = bisect_right(quantiles, (share, 1e9))
    (before, low), (after, high) = quantiles[index - 1], quantiles[index]
    return low + (high - low) * (share - before) / (after - before)


def _sample(trace: Trace, function: Function, now: float, total: int, report: Report) -> None:
    causes = trace.causes
    report.progress(len(trace.latencies) / total)
    report.metric(
        now,
        peak_concurrency=function.peak,
        succeeded=causes["succeeded"],
        rejected=causes["rejected"],
        cold_starts=function.environments.started,
    )


def findings_of(parameters: Parameters, account: Account, limit: int, trace: Trace) -> Findings:
    """Summarise a run in the terms of hey's report, and in the limiter's."""
    ordered = sorted(trace.latencies)
    count = len(ordered)
    statuses = Counter({"200": trace.causes["succeeded"], "502": trace.causes["timed_out"]})
    statuses["502"] += trace.causes["gateway_errors"]
    statuses[parameters.throttle_status] += trace.causes["rejected"]
    size = statuses["200"] * BYTES_OF_SUCCESS + (count - statuses["200"]) * BYTES_OF_FAILURE
    return {
        "requests": Finding(count, "requests"),
        "succeeded": Finding(trace.causes["succeeded"], "requests"),
        "rejected": Finding(trace.causes["rejected"], "requests"),
        "timed_out": Finding(trace.causes["timed_out"], "requests"),
        "gateway_errors": Finding(trace.causes["gateway_errors"], "requests"),
        **{f"status_{status}": Finding(statuses[status], "responses") for status in sorted(statuses)},
        "total_seconds": Finding(round(trace.end, 4), "s"),
        "requests_per_second": Finding(round(count / trace.end, 4), "1/s"),
        "average_seconds": Finding(round(sum(ordered) / count, 4), "s"),
        "fastest_seconds": Finding(round(ordered[0], 4), "s"),
        "slowest_seconds": Finding(round(ordered[-1], 4), "s"),
        **{f"p{one}_seconds": Finding(round(percentile(ordered, one), 4), "s") for one in PERCENTILES},
        "total_data_bytes": Finding(size, "bytes"),
        "bytes_per_request": Finding(size // count, "bytes"),
        "concurrency_limit": Finding(limit, "executions"),
        "reserved": Finding(parameters.reserved_concurrency is not None, "yes or no"),
        "unreserved_left": Finding(account.unreserved, "executions"),
        "peak_concurrency": Finding(trace.peak, "executions"),
        "cold_starts": Finding(trace.cold_starts, "environments"),
        "histogram": Finding(histogram(ordered), "responses up to each edge in s"),
    }


def percentile(ordered: list[float], share: int) -> float:
    """Return the percentile as hey reports it: the value at place ceil(share * n / 100), counted from 0."""
    return ordered[min(-(-share * len(ordered) // 100), len(ordered) - 1)]


def histogram(ordered: list[float], bars: int = 10) -> list[list[float]]:
    """Return [upper edge, count] pairs as hey draws them: equal steps from the fastest to the slowest, both edges."""
    fastest, slowest = ordered[0], ordered[-1]
    edges = [fastest + (slowest - fastest) / bars * bar for bar in range(bars)] + [slowest]
    counts = [bisect_right(ordered, edge) for edge in edges]
    return [[round(edge, 3), count - before] for edge, count, before in zip(edges, counts, [0, *counts], strict=False)]
