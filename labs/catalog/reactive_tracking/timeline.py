"""Some seconds of load on three services at once, with a fault in the middle of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, cycle
from random import Random
from typing import Any

from labs.findings import Report
from labs.parts.forked import Telling
from labs.parts.http_load import Answer, Arrival

from . import faults
from .figures import percent, percentile
from .load import Links, arrivals, links_to, scheduled, taps
from .system import System

SERVICES = ("push", "pull", "blocking")
COMPARED_RATE = 100
"""Requests a second to each of the two services that the first is compared with."""
BEFORE, AFTER = 0.7, 1.2
"""Seconds of load before the fault begins, and after it is over."""
LEAD = 0.3
"""Seconds in which the load gets ready."""
TIMES = 4
"""By how much the load grows in a burst."""
UPDATES_A_SECOND = 20
STEP, LATE = 0.5, 0.2
"""Seconds between two points of the charts, and how much later one is made, so that all its answers are told."""
QUIET = 0.6
"""Seconds without a new item after which nothing more is on its way."""


@dataclass
class Timeline:
    """What happened so far; the plan has the requests of each service, and the fault lasts for ``during``."""

    system: System
    links: Links
    plans: Mapping[str, Sequence[Arrival]]
    during: tuple[float, float]
    begun: float
    answers: dict[str, list[Answer]] = field(default_factory=lambda: {name: [] for name in SERVICES})
    queued: int = 0
    pushed: int = 0
    most_queued: int = 0
    updates_sent: int = 0

    def now(self) -> float:
        """Return the seconds since the load began."""
        return time.monotonic() - self.begun

    def take(self, told: Sequence[Mapping[str, Sequence[Answer]]]) -> None:
        """Take answers in, as the load tells them."""
        for one in told:
            for name, found in one.items():
                self.answers[name] += found

    def look(self) -> None:
        """Ask the service for its queue, and for what was pushed to it."""
        measured = self.system.services["push"].measurements()
        self.queued = measured.get("queued", 0)
        self.pushed = len(measured.get("pushed", []))
        self.most_queued = max(self.most_queued, measured.get("most_queued", 0))


def play(system: System, programs: Sequence[Mapping[str, str]], seed: int, report: Report) -> Timeline:
    """Send the load, let the fault happen, and wait until nothing is on its way any more."""
    fault, seconds = system.parameters.fault, system.parameters.fault_seconds
    timeline = _planned(system, links_to(programs), seed)
    acts = [(BEFORE, faults.begin), (BEFORE + seconds, faults.end)]
    shown = STEP
    with _sent(timeline) as load, _edited(system, programs) as updates:
        while load.working:
            timeline.take(load.told(0.05))
            timeline.updates_sent = max([timeline.updates_sent, *updates.told(0)])
            while acts and timeline.now() >= acts[0][0]:
                acts.pop(0)[1](fault, system)
            if timeline.now() >= shown + LATE:
                _show(timeline, shown, report)
                report.progress(min(0.95, 0.3 + 0.6 * shown / (BEFORE + seconds + AFTER)))
                shown += STEP
        timeline.take(load.told(0))
    _drain(timeline, report)
    return timeline


def _planned(system: System, links: Links, seed: int) -> Timeline:
    parameters = system.parameters
    random = Random(seed)  # noqa: S311 (a repeatable experiment, no secret)
    end = BEFORE + parameters.fault_seconds

    def plan(rate: float) -> list[Arrival]:
        paths = taps(links, parameters.unknown_share / 100, random)
        found = arrivals(paths, rate, end + AFTER, random)
        if parameters.fault == faults.BURST:
            more = arrivals(paths, rate * (TIMES - 1), parameters.fault_seconds, random)
            found += [Arrival(one.due + BEFORE, one.path) for one in more]
        return sorted(found)

    plans = {name: plan(parameters.rate if name == "push" else COMPARED_RATE) for name in SERVICES}
    return Timeline(system, links, plans, (BEFORE, end), time.monotonic() + LEAD)


def _sent(timeline: Timeline) -> Telling:
    services = timeline.system.services
    return scheduled({name: (services[name].port, plan) for name, plan in timeline.plans.items()}, timeline.begun)


def _edited(system: System, programs: Sequence[Mapping[str, str]]) -> Telling:
    """Return a process that puts new versions of programs on the update stream, and tells how many so far."""

    def edit(tell: Callable[[Any], None]) -> None:
        for number, program in zip(count(1), cycle(programs), strict=False):
            version = int(program["version"]) + 1 + number // len(programs)
            system.publish([{**program, "program_name": f"Campaign, edited {number}", "version": str(version)}])
            tell(number)
            time.sleep(1 / UPDATES_A_SECOND)

    return Telling(edit)


def _drain(timeline: Timeline, report: Report) -> None:
    """Wait until the service has nothing queued and the table gets nothing new."""
    rows, since = -1, time.monotonic()
    while time.monotonic() - since < QUIET:
        timeline.look()
        before, rows = rows, timeline.system.rows()
        if rows != before or timeline.queued:
            since = time.monotonic()
        time.sleep(0.1)
    report.metric(timeline.now(), rows=rows, queued=timeline.queued)


def _show(timeline: Timeline, at: float, report: Report) -> None:
    """Report the last step for the drawing and the charts."""
    timeline.look()
    values: dict[str, float] = {}
    for name, answers in timeline.answers.items():
        ended = [one for one in answers if at - STEP <= one.due + one.seconds < at]
        served = sum(one.status == 200 for one in ended)
        asked = sum(at - STEP <= one.due < at for one in timeline.plans[name])
        values |= {
            f"{name}_p99_ms": round(1000 * percentile([one.seconds for one in ended], 99)),
            f"{name}_asked": round(asked / STEP),
            f"{name}_answers": round(len(ended) / STEP),
            f"{name}_served": round(served / STEP),
            f"{name}_share": round(percent(served, len(ended))),
        }
    accepted = sum(one.status == 200 for answers in timeline.answers.values() for one in answers)
    values |= {"accepted_by_all": accepted, "rows": timeline.system.rows(), "queued": timeline.queued}
    report.metric(at, **values, pushed=timeline.pushed, updates=timeline.updates_sent)
