"""Answers a second with 1, 2 and 4 web processes on PostgreSQL, and who used the CPU meanwhile.

Each process is a server of its own on a port of its own; learners are spread over them. The ceiling, Flask and
SQLAlchemy Core with the same number of processes on the same database server, answers in the same rounds. Learners
are threads of this process and share the machine's cores with what they measure, so their CPU is counted too.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from benchmarks.learners import ArchwayLearner, BareLearner, Learner
from benchmarks.measure import Client, Contestant, machine_seconds, serving
from benchmarks.postgresql import Cluster, cluster
from benchmarks.promises import Promise, record
from benchmarks.teams import answer_all, percentile

ROUNDS = 3
PROCESSES = (1, 2, 4)
LEARNERS = (1, 8, 20, 64)
CEILING = 1.5
"""How much CPU an answer may cost, as a multiple of the ceiling's."""
WARMING = 8
"""How many learners sit an exam before anything counts."""
SINGLE = 4
"""How many exams one learner sits in a round, where there is only one: enough for the clock's ticks of 10 ms."""


@dataclass(frozen=True)
class Load:
    """What it took to save some answers: their waits, and CPU and wall seconds; ``busy`` is the whole machine's."""

    waits: tuple[float, ...]
    seconds: float
    web: float
    database: float
    learners: float
    busy: float

    def each_ms(self, seconds: float) -> float:
        """Return seconds shared among the answers, in milliseconds."""
        return seconds * 1000 / len(self.waits)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.waits) / self.seconds


@dataclass
class Site:
    """A site served by several processes, its database server where it has one, and what was measured of it."""

    name: str
    database: str
    processes: Sequence[Contestant]
    learner: Callable[[Client], Learner]
    server: Cluster | None
    loads: dict[tuple[int, int], list[Load]] = field(default_factory=dict)

    def cpu_seconds(self) -> float:
        """Return the user and system time of its web processes."""
        return sum(one.cpu_seconds() for one in self.processes)

    def measure(self, processes: int, learners: int) -> Load:
        """Let so many learners, spread over so many processes, answer all questions at once."""
        spread = [self.learner(Client(self.processes[number % processes].port)) for number in range(learners)]
        exams = SINGLE if learners == 1 else 1
        begun = [[one.begin() for _ in range(exams)] for one in spread]
        with ThreadPoolExecutor(learners) as threads:
            before, start = self._counts(), time.perf_counter()
            waits = tuple(wait for waits in threads.map(answer_all, begun) for wait in waits)
            seconds, after = time.perf_counter() - start, self._counts()
        for one in spread:
            one.client.close()
        return Load(waits, seconds, *(last - first for first, last in zip(before, after, strict=True)))

    def _counts(self) -> tuple[float, ...]:
        database = self.server.cpu_seconds() if self.server else 0.0
        return self.cpu_seconds(), database, time.process_time(), machine_seconds()


def main() -> None:
    """Measure each database, and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--processes", type=int, nargs="+", default=PROCESSES)
    parser.add_argument("--learners", type=int, nargs="+", default=LEARNERS)
    parser.add_argument("--databases", nargs="+", choices=("PostgreSQL", "SQLite"), default=("PostgreSQL",))
    options = parser.parse_args()
    kept: list[Promise] = []
    figures: dict[str, object] = {}
    for database in options.databases:
        with sites(database, max(options.processes)) as pair:
            for site in pair:
                site.measure(max(options.processes), WARMING)
            for _ in range(options.rounds):
                for processes, learners in product(options.processes, options.learners):
                    for site in pair:
                        site.loads.setdefault((processes, learners), []).append(site.measure(processes, learners))
            print(f"{table(pair)}\n", flush=True)
            kept += promises(pair)
            figures[database] = {
                f"{processes} processes, {learners} learners": {
                    one.name: summary(one.loads[processes, learners]) for one in pair
                }
                for processes, learners in pair[0].loads
            }
            record("answers_by_processes", kept, **figures)


@contextmanager
def sites(database: str, processes: int) -> Iterator[tuple[Site, Site]]:
    """Start Archway and its ceiling on a database server of their own, or each on a file."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(cluster()) if database == "PostgreSQL" else None
        bare = server.create("bare") if server else str(folder / "bare.sqlite3")
        settings = {"ARCHWAY_INSTANCE": str(folder), "ARCHWAY_BACKGROUND": "off"}
        if server:
            settings["ARCHWAY_DATABASE_URL"] = server.create("archway")
        ours = [stack.enter_context(serving("Archway", ["app.py"], settings)) for _ in range(processes)]
        theirs = [
            stack.enter_context(serving("ceiling", ["-m", "benchmarks.bare"], {"BARE_DATABASE": bare}))
            for _ in range(processes)
        ]
        yield (
            Site("Archway", database, ours, ArchwayLearner, server),
            Site("Flask + Core", database, theirs, BareLearner, server),
        )


def table(pair: Sequence[Site]) -> str:
    """Return a Markdown table: a row for each number of processes and learners, and each site."""
    heads = (
        *(f"{pair[0].database}: processes", "learners", "", "answers/s", "p50 ms", "p99 ms"),
        *("CPU ms an answer: web", "database", "learners", "cores used by these", "by all"),
    )
    rows = [f"| {' | '.join(heads)} |", f"|--:|--:|---{'|--:' * (len(heads) - 3)}|"]
    for processes, learners in pair[0].loads:
        for site in pair:
            one = summary(site.loads[processes, learners])
            cells = f"{one['rate']:,.0f} | {one['p50_ms']:.1f} | {one['p99_ms']:.1f}"
            split = " | ".join(f"{one[f'{part}_ms']:.2f}" for part in ("web", "database", "learners"))
            rows.append(
                f"| {processes} | {learners} | {site.name} | {cells} | {split} | {one['own']:.2f} | {one['busy']:.2f} |"
            )
    return "\n".join(rows)


def summary(loads: Sequence[Load]) -> dict[str, float]:
    """Return what the rounds of one load found: waits of all, the median rate, the least CPU an answer."""
    waits = sorted(wait for load in loads for wait in load.waits)
    return {
        "rate": statistics.median(load.rate for load in loads),
        "p50_ms": percentile(waits, 50),
        "p99_ms": percentile(waits, 99),
        "web_ms": min(load.each_ms(load.web) for load in loads),
        "database_ms": min(load.each_ms(load.database) for load in loads),
        "learners_ms": min(load.each_ms(load.learners) for load in loads),
        "own": statistics.median((load.web + load.database + load.learners) / load.seconds for load in loads),
        "busy": statistics.median(load.busy / load.seconds for load in loads),
    }


def promises(pair: Sequence[Site]) -> list[Promise]:
    """Return what is promised of many processes: each answer costs little more than the ceiling's does."""
    kept = []
    for processes in sorted({number for number, _ in pair[0].loads}):
        ours, theirs = (least_ms(site, processes) for site in pair)
        what = f"saving an answer on {pair[0].database}, web processes: {processes}"
        kept.append(Promise(what, ours, "ms CPU", None, pair[1].name, theirs, CEILING))
    return kept


def least_ms(site: Site, processes: int) -> float:
    """Return the least CPU an answer took web processes and database, of all loads on so many processes."""
    loads = [load for (number, _), found in site.loads.items() if number == processes for load in found]
    return min(load.each_ms(load.web + load.database) for load in loads)


if __name__ == "__main__":
    main()
