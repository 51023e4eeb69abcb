"""One evening of exams for 10,000, 100,000 and 1,000,000 learners: what it asks of a site, from measured costs.

The arithmetic is a pure function of the assumptions and of what ``benchmarks.evening`` measured; each assumption is a
field with its reason. A moment of the evening is told by how often each kind of request comes a second.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

from benchmarks.evening import CHANGES
from benchmarks.learners import QUESTIONS
from benchmarks.promises import find_result

LEARNERS = (10_000, 100_000, 1_000_000)


@dataclass(frozen=True)
class Assumptions:
    """How an evening goes; none of it is measured, so each may be given another value on the command line."""

    sitting_share: float = 0.1
    """Of all learners, who sit on one evening: a cohort has about ten evenings before its date to choose from."""
    minutes: float = 130
    """The length of the exam, and people use it."""
    arrival_minutes: float = 30
    """Within how many minutes they begin, where the evening has a time."""
    arrival_peak: float = 3
    """How much denser the busiest minute of arrivals is than the mean: most come at the hour."""
    answers: float = QUESTIONS + CHANGES
    """The items of the form, and a second thought on about a quarter of them."""
    answer_peak: float = 1.5
    """How much denser answers come when many are at easy items at once."""
    seconds_between_looks: float = 4
    """How often an open exam looks whether something changed elsewhere; docs/decisions/0048 says why so often."""
    looking_share: float = 1.0
    """Of those who sit, whose page is in sight; a hidden page does not look."""
    spike_share: float = 0.3
    """Of those who sit, who submit within the last minute before a deadline that all share."""
    spike_seconds: float = 60
    review_share: float = 0.5
    """Of those who see the report, who go on to the review at once."""
    utilisation: float = 0.65
    """How busy a core may be at the peak: beyond 60 to 70 % waits grow faster than load."""
    commits_together: float = 1.0
    """How many answers one sync of the disk serves; 1 is the worst, and PostgreSQL reaches more as it gets busier."""
    evenings_a_year: float = 20
    """How many such evenings the disk must hold a year of."""


@dataclass(frozen=True)
class Cost:
    """What a request takes: milliseconds of CPU of the web process and of the database server, and bytes sent."""

    web_ms: float
    database_ms: float
    bytes: float


@dataclass(frozen=True)
class Measured:
    """What was measured: costs by kind of request, bytes an attempt leaves, a process's memory, the disk's syncs."""

    costs: Mapping[str, Cost]
    stored_bytes: float
    web_megabytes: float
    syncs_a_second: float


@dataclass(frozen=True)
class Demand:
    """What a moment asks for: requests a second by kind, cores at work, syncs and megabits a second."""

    moment: str
    rates: Mapping[str, float]
    web_cores: float
    database_cores: float
    syncs: float
    megabits: float

    @property
    def requests(self) -> float:
        """Requests a second."""
        return sum(self.rates.values())


@dataclass(frozen=True)
class Plan:
    """What an evening needs: its busiest moment, processes and cores, and how long one request in a hundred waits."""

    learners: int
    sitting: float
    peak: Demand
    processes: int
    database_cores: int
    wait_p99_ms: float
    memory_megabytes: float
    evening_megabytes: float
    year_gigabytes: float


WRITES = ("start", "answer", "submission")


def moments(learners: float, assumed: Assumptions, measured: Measured) -> tuple[Demand, ...]:
    """Return what the three busy moments of an evening ask for: the arrival, the middle, and the deadline."""
    sitting = learners * assumed.sitting_share
    arriving = sitting / (assumed.arrival_minutes * 60) * assumed.arrival_peak
    answering = sitting * assumed.answers / (assumed.minutes * 60) * assumed.answer_peak
    looking = sitting * assumed.looking_share / assumed.seconds_between_looks
    submitting = sitting * assumed.spike_share / assumed.spike_seconds
    entered = dict.fromkeys(("start page", "exam's page", "start", "page of the exam"), arriving)
    left = {"submission": submitting, "report": submitting, "review": submitting * assumed.review_share}
    during = {"answer": answering, "look": looking}
    return (
        # When the arrivals are densest, half of those who will sit are there.
        demand("arrival", {**entered, **{kind: rate / 2 for kind, rate in during.items()}}, assumed, measured),
        demand("middle", during, assumed, measured),
        demand("deadline", {**during, **left}, assumed, measured),
    )


def demand(moment: str, rates: Mapping[str, float], assumed: Assumptions, measured: Measured) -> Demand:
    """Return what requests at these rates a second ask for."""
    costs = measured.costs
    return Demand(
        moment,
        rates,
        web_cores=sum(rate * costs[kind].web_ms for kind, rate in rates.items()) / 1000,
        database_cores=sum(rate * costs[kind].database_ms for kind, rate in rates.items()) / 1000,
        syncs=sum(rates.get(kind, 0) for kind in WRITES) / assumed.commits_together,
        megabits=sum(rate * costs[kind].bytes for kind, rate in rates.items()) * 8 / 1e6,
    )


def plan(learners: int, assumed: Assumptions, measured: Measured) -> Plan:
    """Return what an evening of so many learners needs; a web process uses one core, as Python's lock lets it."""
    peak = max(moments(learners, assumed, measured), key=lambda one: one.web_cores)
    processes = max(1, math.ceil(peak.web_cores / assumed.utilisation))
    sitting = learners * assumed.sitting_share
    return Plan(
        learners,
        sitting,
        peak,
        processes,
        database_cores=math.ceil(peak.database_cores / assumed.utilisation),
        wait_p99_ms=wait_p99(peak.requests, peak.web_cores / peak.requests, processes) * 1000,
        memory_megabytes=processes * measured.web_megabytes,
        evening_megabytes=sitting * measured.stored_bytes / 1e6,
        year_gigabytes=sitting * measured.stored_bytes * assumed.evenings_a_year / 1e9,
    )


def waiting(load: float, servers: int) -> float:
    """Return the share of requests that wait, by Erlang's C: ``load`` is the mean number of busy servers."""
    if load >= servers:
        return 1.0
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = load * blocked / (number + load * blocked)
    return blocked / (1 - load / servers * (1 - blocked))


def wait_p99(rate: float, seconds: float, servers: int) -> float:
    """Return the wait, in seconds, that 99 % of requests do not exceed in a queue M/M/c; infinite where it only grows.

    ``rate`` comes a second, each keeps a server for ``seconds`` in the mean.
    """
    spare = servers / seconds - rate
    if spare <= 0:
        return math.inf
    return max(0.0, math.log(waiting(rate * seconds, servers) / 0.01) / spare)


def limits(assumed: Assumptions, measured: Measured, megabits: float = 1000) -> list[tuple[str, int]]:
    """Return for each thing that one machine has one of, how many learners it carries; the first to give in first."""
    busiest: dict[str, float] = {}
    for one in moments(1, assumed, measured):
        shares = {
            "one web process (one core)": one.web_cores / assumed.utilisation,
            "one core of the database": one.database_cores / assumed.utilisation,
            "the disk's syncs": one.syncs / (assumed.utilisation * measured.syncs_a_second),
            f"a line of {megabits:,.0f} Mbit/s": one.megabits / (assumed.utilisation * megabits),
        }
        for name, share in shares.items():
            busiest[name] = max(busiest.get(name, 0.0), share)
    return sorted(((name, round(1 / share)) for name, share in busiest.items() if share), key=lambda one: one[1])


def measured_on(database: str) -> Measured:
    """Return what ``benchmarks.evening`` found last; raise FileNotFoundError where it never ran."""
    result = find_result("evening")
    if result is None:
        raise FileNotFoundError("run python -m benchmarks.evening first")
    found = result.figures[database]
    costs = {kind: Cost(**cost) for kind, cost in found["requests"].items()}
    return Measured(costs, found["stored_bytes"], found["web_megabytes"], result.figures["syncs_a_second"])


def table(plans: Sequence[Plan]) -> str:
    """Return a Markdown table with a column for each evening."""
    kinds = list(dict.fromkeys(kind for one in plans for kind in one.peak.rates))
    rows: list[tuple[str, ...]] = [
        ("learners", *(f"{one.learners:,}" for one in plans)),
        ("sit on the evening", *(f"{one.sitting:,.0f}" for one in plans)),
        ("busiest moment", *(one.peak.moment for one in plans)),
        *((f"{kind}, a second", *(f"{one.peak.rates.get(kind, 0):,.1f}" for one in plans)) for kind in kinds),
        ("cores at work: web", *(f"{one.peak.web_cores:,.1f}" for one in plans)),
        ("cores at work: database", *(f"{one.peak.database_cores:,.1f}" for one in plans)),
        ("web processes", *(f"{one.processes:,}" for one in plans)),
        ("their memory, GB", *(f"{one.memory_megabytes / 1000:,.1f}" for one in plans)),
        ("cores for the database", *(f"{one.database_cores:,}" for one in plans)),
        ("wait for a process, p99 ms", *(f"{one.wait_p99_ms:,.0f}" for one in plans)),
        ("syncs a second", *(f"{one.peak.syncs:,.0f}" for one in plans)),
        ("Mbit/s", *(f"{one.peak.megabits:,.0f}" for one in plans)),
        ("stored: an evening, MB", *(f"{one.evening_megabytes:,.0f}" for one in plans)),
        ("stored: a year, GB", *(f"{one.year_gigabytes:,.1f}" for one in plans)),
    ]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], f"|---{'|--:' * len(plans)}|", *lines[1:]])


def main() -> None:
    """Print the plans and what gives in first, for SQLite and for PostgreSQL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--learners", type=int, nargs="+", default=LEARNERS)
    for one in fields(Assumptions):
        parser.add_argument(f"--{one.name.replace('_', '-')}", type=float, default=one.default)
    options = vars(parser.parse_args())
    learners = options.pop("learners")
    assumed = replace(Assumptions(), **options)
    for database in ("SQLite", "PostgreSQL"):
        measured = measured_on(database)
        print(f"{database}\n")
        if database == "PostgreSQL":
            print(f"{table([plan(number, assumed, measured) for number in learners])}\n")
        for name, most in limits(assumed, measured):
            print(f"- {name}: up to {most:,} learners")
        print()


if __name__ == "__main__":
    main()
