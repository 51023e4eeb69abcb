"""What is measured while nothing goes wrong: the cost of an answer from memory, and what waiting for Redis costs."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from random import Random

from labs.findings import Finding, Findings, Report

from .load import Links, in_closed_loop
from .system import SCRATCH, System
from .timeline import SERVICES

ROUNDS = 6
ROUND = 0.25
"""Seconds of a round; services take turns."""
IN_FLIGHT = 16
DELAYS = (50, 100, 200)
"""Milliseconds by which answers of Redis are late."""
WAITING = 32
"""Requests under way while Redis is late."""
LATE = 0.6
"""Seconds for which each service is asked at each delay."""
TURNS = 3
"""How often one that came short of the law is asked: a busy machine can only lower a rate, so the highest counts."""
SHORT = 0.9
"""The share of the law's rate below which it came short."""


def cost(system: System, links: Links, seed: int, report: Report, rounds: int = ROUNDS) -> Findings:
    """Ask the service, its cache warm, and a bare handler in turns; return the processor's time for an answer."""
    served = {kind: system.started(kind, SCRATCH) for kind in ("push", "bare")}
    paths = _drawn(links, seed)
    spent: dict[str, list[float]] = {kind: [] for kind in served}
    in_closed_loop(served["push"].port, IN_FLIGHT, ROUND, iter(links.good))
    for number in range(rounds):
        for kind, one in served.items():
            before = one.measurements()["cpu_seconds"]
            answers = in_closed_loop(one.port, IN_FLIGHT, ROUND, paths)
            spent[kind].append((one.measurements()["cpu_seconds"] - before) * 1e6 / answers.statuses.total())
        report.progress(0.3 * (number + 1) / rounds)
    for one in served.values():
        one.process.kill()
    least = {kind: min(values) for kind, values in spent.items()}
    return {
        "answer_cost": Finding(round(least["push"], 1), "µs of CPU"),
        "bare_cost": Finding(round(least["bare"], 1), "µs of CPU"),
        "cost_ratio": Finding(round(least["push"] / least["bare"], 3), "× the bare handler"),
        "cost_ratio_median": Finding(
            round(statistics.median(spent["push"]) / statistics.median(spent["bare"]), 3), "× the bare handler"
        ),
    }


def waiting(system: System, links: Links, seed: int, report: Report) -> Findings:
    """Let Redis answer late, ask each service as fast as it answers, and compare with Little's law.

    What can wait at once, divided by how long it waits, is the most that can be served a second.
    """
    served = {kind: system.started(kind, SCRATCH) for kind in SERVICES}
    for one in served.values():
        in_closed_loop(one.port, WAITING, LATE, iter(links.good))
    paths = _drawn(links, seed)
    waits = {"push": 0, "pull": WAITING, "blocking": min(WAITING, system.parameters.threads)}
    found: dict[str, Finding] = {}
    for number, delay in enumerate(DELAYS, 1):
        system.delay.set(delay / 1000)
        for kind, one in served.items():
            most = waits[kind] * 1000 / delay
            rate = _highest_rate(one.port, paths, enough=SHORT * most)
            found[f"{kind}_at_{delay}_ms"] = Finding(round(rate), "answers/s")
            if most:
                found[f"{kind}_of_expected_at_{delay}_ms"] = Finding(round(rate / most, 3), "× Little's law")
            report.metric(delay, **{f"{kind}_rate": round(rate)})
            report.log(f"Redis {delay} ms late: {kind} answers {rate:,.0f} a second.")
        report.progress(0.1 + 0.9 * number / len(DELAYS))
    return found


def _highest_rate(port: int, paths: Iterator[str], enough: float) -> float:
    rate = 0.0
    for _ in range(TURNS):
        rate = max(rate, in_closed_loop(port, WAITING, LATE, paths).rate(200))
        if rate >= enough:
            break
    return rate


def _drawn(links: Links, seed: int) -> Iterator[str]:
    random = Random(seed)  # noqa: S311 (a repeatable experiment, no secret)
    while True:
        yield random.choice(links.good)
