"""The worker: claims queued runs one after the other, executes them, and keeps what they report."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Flask

from config import Settings
from db import Database
from labs import registry, runner, servers, store, wall
from labs.registry import Lab
from labs.runner import Ending, Limits, Outcome, Run, gather

TOPIC = "labs"
"""What the queue of runs is called."""

log = logging.getLogger(__name__)


@dataclass
class Worker:
    """One worker: where the queue is, and what it may run."""

    database: Database
    labs: Sequence[Lab]
    limits: Limits
    clock: Callable[[], datetime]
    name: str = field(default_factory=lambda: uuid.uuid4().hex)
    topic: str = TOPIC
    idle: float = 1.0

    def run_next(self, going: Callable[[], bool] = lambda: True) -> bool:
        """Claim one run and execute it to its end; return whether there was one.

        Once ``going`` says no, the run is ended and queued again.
        """
        store.recover(self.database, self.clock())
        run = store.claim(self.database, self.name, self.clock())
        if run is None:
            return False
        lab = registry.find(tuple(self.labs), run.lab)
        if lab is None:
            outcome = Outcome(Ending("error", f"There is no lab “{run.lab}” any more."), {}, {})
            store.finish(self.database, run.id, self.name, outcome, self.clock())
            return True
        self._execute(lab, run, going)
        return True

    def _execute(self, lab: Lab, run: store.StoredRun, going: Callable[[], bool]) -> None:
        findings: dict[str, Any] = {}
        checks: dict[str, bool] = {}
        with Run(lab, run.parameters, run.seed, self.limits) as child:
            for batch in child.batches():
                for event in batch:
                    gather(event, findings, checks)
                wanted = store.keep(self.database, run.id, self.name, batch, self.clock())
                if not (wanted and going()):
                    child.cancel()
        if not going() and child.ending.reason == "cancelled":
            store.release(self.database, run.id, self.name)
        else:
            outcome = Outcome(child.ending, findings, checks)
            store.finish(self.database, run.id, self.name, outcome, self.clock())


def worker_of(app: Flask) -> Worker:
    """Return a worker for the application's queue, labs and limits; log what its runs cannot be kept from."""
    _report_open_doors()
    limits = limits_of(app.extensions["settings"])
    return Worker(app.extensions["database"], registry.load()[0], limits, app.extensions["clock"])


def _report_open_doors() -> None:
    if not runner.namespace("none"):
        log.warning("Lab runs share the network and the processes of this machine; see docs/operators.md.")
    if not wall.stands():
        log.warning("Lab runs can read the files that this server's user can; see docs/operators.md.")


def limits_of(settings: Settings) -> Limits:
    """Return what the operator lets one run take."""
    return Limits(seconds=settings.lab_seconds, memory_mib=settings.lab_memory, servers=servers_of(settings))


def servers_of(settings: Settings) -> tuple[str, ...]:
    """Return the names of the servers that a run may start on this machine."""
    return servers.ready({"mariadb": settings.labs_mariadb})
