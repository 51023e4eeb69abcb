"""The article's account: four event sources whose functions share its executions, or have some reserved."""

from __future__ import annotations

from collections import Counter
from random import Random

from labs.findings import Finding, Findings, Refused, Report
from labs.parts import billing
from labs.parts.closed_loop import SAMPLES, Network
from labs.parts.distributions import sampler
from labs.parts.environments import Environments
from labs.parts.event_sources import (
    Asynchronous,
    InvokedFunction,
    Source,
    Stream,
    StreamSettings,
    Synchronous,
    Timeline,
    TooManyStepsError,
)
from labs.parts.limiter import RunningCounter

from .costs import bill_findings
from .one_function import network_of
from .settings import HOUR, MINUTE, Parameters, account_with

SOURCES = ("s3", "kinesis", "dynamodb", "cognito")
MOST_EVENTS = {"s3": 300_000, "kinesis": 3_000_000, "dynamodb": 3_000_000, "cognito": 300_000}
"""What a source may send in a run; a record costs less to simulate than an event of its own."""

DYNAMODB_RETENTION = 24


def four_sources(parameters: Parameters, seed: int, report: Report) -> Findings:
    """Let the four sources of the article's account invoke their functions side by side for some minutes."""
    _check_sources(parameters)
    timeline = Timeline()
    sources = sources_of(parameters, timeline, seed)
    _plan_switch(parameters, timeline, sources)
    until = parameters.minutes * MINUTE

    def sample(now: float) -> None:
        report.progress(now / until)
        report.metric(now, **_standing(sources, now))

    for number in range(1, SAMPLES):
        timeline.at(until * number / SAMPLES, sample)
    try:
        timeline.play(until)
    except TooManyStepsError as error:
        raise Refused(f"{error} Lower minutes, source_rates or shards.") from None
    sample(until)
    return findings_of_sources(parameters, sources)


def _check_sources(parameters: Parameters) -> None:
    for name, wanted in (("source_rates", 4), ("source_durations", 4), ("shards", 2)):
        if len(getattr(parameters, name)) != wanted:
            raise Refused(f"{name} takes {wanted} numbers.")
    if len(parameters.source_reservations) not in {0, 4}:
        raise Refused("source_reservations takes four numbers, or none.")
    for source, rate in zip(SOURCES, parameters.source_rates, strict=True):
        if (events := rate * parameters.minutes * MINUTE) > MOST_EVENTS[source]:
            raise Refused(
                f"{source} would send {events:,} events, and the most is {MOST_EVENTS[source]:,};"
                " lower minutes or its rate in source_rates."
            )


def sources_of(parameters: Parameters, timeline: Timeline, seed: int) -> dict[str, Source]:
    """Return the sources with their functions, each with a random source of its own."""
    account = account_with(dict(zip(SOURCES, parameters.source_reservations, strict=False)))
    shared = RunningCounter(account.limit_of("", parameters.unreserved_in_use))
    rates = dict(zip(SOURCES, parameters.source_rates, strict=True))
    durations = dict(zip(SOURCES, parameters.source_durations, strict=True))
    shards = dict(zip(("kinesis", "dynamodb"), parameters.shards, strict=True))
    network = network_of(parameters)
    sources: dict[str, Source] = {}
    for name in SOURCES:
        random = Random(f"{seed} {name}")  # noqa: S311 (a repeatable experiment, no secret)
        running = RunningCounter(account.limit_of(name)) if parameters.source_reservations else shared
        function = InvokedFunction(running, _warm(parameters, network, random), durations[name] / 1000, random)
        if name == "s3":
            age_limit = parameters.age_limit * MINUTE
            sources[name] = Asynchronous(function, rates[name], timeline, random, age_limit)
        elif name == "cognito":
            sources[name] = Synchronous(function, rates[name], timeline, random)
        else:
            retention = parameters.retention if name == "kinesis" else DYNAMODB_RETENTION
            stream = StreamSettings(shards[name], rates[name], parameters.batch_size, retention * HOUR)
            sources[name] = Stream(function, stream, timeline, random)
    return sources


def _warm(parameters: Parameters, network: Network, random: Random) -> Environments:
    cold_start = sampler(network.cold_start, random)
    return Environments(lambda: (cold_start(), 0), parameters.idle_minutes * MINUTE)


def _plan_switch(parameters: Parameters, timeline: Timeline, sources: dict[str, Source]) -> None:
    """Plan the kill switch: off after the first minute, and on again."""
    if parameters.switched_off == "none":
        return
    function = sources[parameters.switched_off.lower()].function

    def turn(_now: float) -> None:
        function.off = not function.off

    timeline.at(MINUTE, turn)
    timeline.at((1 + parameters.off_minutes) * MINUTE, turn)


def _standing(sources: dict[str, Source], now: float) -> dict[str, float]:
    for source in sources.values():
        source.settle(now)
        source.function.environments.settle(now)
    tallies = [source.tally for source in sources.values()]
    return {
        "peak_concurrency": max(source.function.environments.peak_busy for source in sources.values()),
        "succeeded": sum(tally.served for tally in tallies),
        "refused": sum(tally.refused for tally in tallies),
        "cold_starts": sum(source.function.environments.started for source in sources.values()),
        **{f"{name}_waiting": source.tally.waiting for name, source in sources.items()},
    }


def findings_of_sources(parameters: Parameters, sources: dict[str, Source]) -> Findings:
    """Summarise what became of each source's events, and what all of it cost."""
    found: dict[str, Finding] = {}
    executions: Counter[float] = Counter()
    for name, source in sources.items():
        executions.update(source.function.executions)
        found |= _fate(name, source)
    for name, reserved in zip(SOURCES, parameters.source_reservations, strict=False):
        unused = reserved - sources[name].function.environments.peak_busy
        found[f"{name}_never_used"] = Finding(unused, "executions")
    off = parameters.off_minutes if parameters.switched_off != "none" else 0
    return {
        "source_reservations": Finding(sum(parameters.source_reservations), "executions"),
        "minutes": Finding(parameters.minutes, "min"),
        "off_minutes": Finding(off, "min"),
        "kinesis_was_off": Finding(parameters.switched_off == "Kinesis", "yes or no"),
        **found,
        **bill_findings(billing.bill(executions, parameters.memory)),
    }


def _fate(name: str, source: Source) -> Findings:
    tally, environments = source.tally, source.function.environments
    fate = {
        "arrived": Finding(tally.arrived, "events"),
        "served": Finding(tally.served, "events"),
        "refused": Finding(tally.refused, "attempts"),
        "lost": Finding(tally.lost, "events"),
        "waiting": Finding(tally.waiting, "events"),
        "peak": Finding(environments.peak_busy, "executions"),
        "environments_started": Finding(environments.started, "environments"),
        "environments_ended": Finding(environments.ended, "environments"),
    }
    if not isinstance(source, Synchronous):
        fate["oldest_seconds"] = Finding(round(tally.oldest, 3), "s")
    if isinstance(source, Stream):
        fate["blocked_seconds"] = Finding(round(tally.blocked, 3), "s")
    return {f"{name}_{one}": finding for one, finding in fate.items()}
