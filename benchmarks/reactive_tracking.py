"""The reactive tracker beside a bare handler, under faults, and at three delays of Redis; and our load beside others'.

All on one machine, so that ratios and counts are what to trust. Of three runs of each, the one with the lowest p99 is
shown, and of each rate the highest: other work on the machine only makes them worse. With fewer than four processors
nothing is said about scaling.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.promises import Promise, record
from labs import registry
from labs.catalog.reactive_tracking import calm
from labs.catalog.reactive_tracking.load import Links, in_closed_loop, links_to
from labs.catalog.reactive_tracking.outcome import findings_of
from labs.catalog.reactive_tracking.programs import drawn
from labs.catalog.reactive_tracking.settings import Parameters
from labs.catalog.reactive_tracking.system import System, until
from labs.catalog.reactive_tracking.timeline import SERVICES, play

MENDED = {
    "acknowledged": "in a journal",
    "cached_message": "copied",
    "item_key": "the message id",
    "outage_answer": "503",
    "unknown_programs": "remembered",
    "updater": "writes and publishes",
    "validation": "all",
    "after_restart": "the updater replays its stream",
}
CPU_ROUNDS, RUNS = 40, 3
SEED = 1


class Silence:
    """A report that nobody reads."""

    def progress(self, share: float) -> None:
        """Say nothing."""

    def metric(self, at: float, **values: float) -> None:
        """Say nothing."""

    def log(self, text: str) -> None:
        """Say nothing."""


def main() -> None:
    """Print a table for each promise."""
    cost = _calm(lambda system, links: calm.cost(system, links, SEED, Silence(), CPU_ROUNDS))
    _table("CPU of an answer, 16 at a time", "µs, least", "of the bare handler's, least", "median")
    print(f"| bare ASGI handler | {cost['bare_cost']} | × 1.00 | × 1.00 |")
    ratios = f"× {cost['cost_ratio']:.2f} | × {cost['cost_ratio_median']:.2f}"
    print(f"| hit in memory, random keys | {cost['answer_cost']} | {ratios} |")
    kept = [
        Promise(
            "a reactive tracker's answer from memory, least of the rounds",
            cost["answer_cost"],
            "µs CPU",
            against="a bare ASGI handler",
            other=cost["bare_cost"],
            ratio_bound=1.3,
        )
    ]
    busy = _under_load(fault="none", rate="1000")
    _table("1,000 requests/s", "p50 ms", "p99 ms")
    print(f"| announced → in memory, {busy['updates_pushed']} updates | {busy['push_p50']} | {busy['push_p99']} |")
    print(f"| answer | {busy['push_p50_during_fault']} | {busy['push_p99_during_fault']} |")
    kept.append(Promise("announced until in memory, p99", busy["push_p99"], "ms", 5))
    dead = _under_load(fault="Redis killed")
    kept += [
        Promise("Redis dead for 3 s: good links answered", dead["push_served_during_fault"], "%", 100, at_least=True),
        Promise("Redis dead for 3 s: their p99", dead["push_p99_during_fault"], "ms", 20),
    ]
    _table("Redis dead for 3 s", "good links answered 200 %", "their p99 ms", "the others' p99 ms")
    for name in SERVICES:
        print(f"| {name} | {_row(dead, name, 'served_during_fault', 'p99_during_fault', 'failing_p99')} |")
    _table("stream frozen for 3 s", "accepted", "lost in all runs", "most queued", "refused", "p99 ms")
    for queue in ("20000", "500"):
        frozen = _under_load(fault="stream frozen", queue=queue)
        names = ("accepted", "lost", "most_queued", "push_unavailable", "push_p99_during_fault")
        kept.append(Promise(f"stream frozen for 3 s, queue of {queue}: answers lost", frozen["lost"], "answers", 0))
        print(f"| queue of {queue} | {' | '.join(str(frozen[name]) for name in names)} |")
    runs = [_calm(lambda system, links: calm.waiting(system, links, SEED, Silence())) for _ in range(RUNS)]
    late = {name: max(run[name] for run in runs) for name in runs[0]}
    _table("Redis late by", "push, a second", "pull", "of 32 ÷ delay", "blocking, 8 threads", "of 8 ÷ delay")
    for delay in calm.DELAYS:
        rates = " | ".join(
            f"{late[f'{name}_at_{delay}_ms']:.0f} | × {late[f'{name}_of_expected_at_{delay}_ms']:.2f}"
            for name in ("pull", "blocking")
        )
        for name in ("pull", "blocking"):
            what = f"Redis {delay} ms late: {name}, of Little's law"
            kept.append(Promise(what, late[f"{name}_of_expected_at_{delay}_ms"], "×", 0.75, at_least=True))
        print(f"| {delay} ms | {late[f'push_at_{delay}_ms']:.0f} | {rates} |")
    _table("the bare handler, asked by", "requests/s")
    for tool, rate in _tools().items():
        print(f"| {tool} | {rate:,.0f} |")
    record("reactive_tracking", kept)
    print(f"\n{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}.")


def _table(*heads: str) -> None:
    print(f"\n| {' | '.join(heads)} |\n|---{'|--:' * (len(heads) - 1)}|")


def _row(found: dict[str, Any], service: str, *names: str) -> str:
    return " | ".join(str(found[f"{service}_{name}"]) for name in names)


def _parameters(**texts: str) -> Parameters:
    values, faults = registry.read(registry.CATALOG / "reactive_tracking").read({**MENDED, **texts})
    if faults:
        raise ValueError(faults)
    return Parameters(**values)  # type: ignore[arg-type]  # lab.toml declares the kinds that the fields have


@contextmanager
def _loaded(parameters: Parameters, services: tuple[str, ...]) -> Iterator[System]:
    """Yield a system whose services run and whose Redis has the programs."""
    with tempfile.TemporaryDirectory() as folder, System(parameters, Path(folder)) as system:
        system.services |= {name: system.started(name) for name in services}
        system.publish(drawn(SEED, parameters.programs))
        until("Redis has the programs", lambda: system.store.programs() >= parameters.programs)
        yield system


def _calm(measure: Callable[[System, Links], Any]) -> dict[str, Any]:
    parameters = _parameters()
    with _loaded(parameters, ()) as system:
        found = measure(system, links_to(drawn(SEED, parameters.programs)))
    return {name: one.value for name, one in found.items()}


def _under_load(**texts: str) -> dict[str, Any]:
    runs = [_run(_parameters(**texts)) for _ in range(RUNS)]
    lost = sum(run["lost"] for run in runs)
    return {**min(runs, key=lambda run: run["push_p99_during_fault"]), "lost": lost}


def _run(parameters: Parameters) -> dict[str, Any]:
    with _loaded(parameters, SERVICES) as system:
        found = findings_of(play(system, drawn(SEED, parameters.programs), SEED, Silence()))
    return {name: one.value for name, one in found.items()}


def _tools() -> dict[str, float]:
    """Return how many requests a second each load tool sends to the bare handler, with 16 under way."""
    with _loaded(_parameters(), ()) as system:
        port = system.started("bare").port
        address = f"http://127.0.0.1:{port}/event/1"
        found = {"our load": in_closed_loop(port, 16, 2, itertools.repeat("/event/1")).rate(200)}
        for tool, command in {
            "wrk": ["wrk", "-t1", "-c16", "-d2s", address],
            "hey": ["hey", "-c", "16", "-z", "2s", address],
        }.items():
            if shutil.which(tool):
                printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
                found[tool] = float(re.findall(r"Requests/sec:\s+([\d.]+)", printed)[0])
    return found


if __name__ == "__main__":
    main()
