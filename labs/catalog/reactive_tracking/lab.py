"""Reactive tracking: an ad tracker that answers from memory, run as real processes, measured, and broken on purpose."""

from __future__ import annotations

from pathlib import Path

from labs.findings import Findings, Report

from . import calm, faults
from .load import links_to
from .outcome import findings_of
from .programs import drawn
from .settings import Parameters
from .system import System, until
from .timeline import SERVICES, play

__all__ = ["Parameters", "run"]


def run(parameters: Parameters, seed: int, report: Report) -> Findings:
    """Start all parts, load the programs, and measure; times are real, so no two runs give quite the same.

    Raises Refused where the store that is wanted is not on this machine.
    """
    programs = drawn(seed, parameters.programs)
    links = links_to(programs)
    with System(parameters, Path.cwd()) as system:
        late = parameters.fault == faults.LATE
        system.services |= {} if late else {name: system.started(name) for name in SERVICES}
        report.log("All parts run; the programs are on their way to Redis.")
        system.publish(programs)
        until("Redis has the programs", lambda: system.store.programs() >= len(programs))
        if late:
            return calm.waiting(system, links, seed, report)
        measured = calm.cost(system, links, seed, report) if parameters.fault == faults.NONE else {}
        return {**measured, **findings_of(play(system, programs, seed, report))}
