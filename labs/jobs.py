"""The worker: claims queued runs one after the other, executes them, and keeps what they report."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from db import Database
from labs import registry, servers, store
from labs.registry import Lab
from labs.runner import Ending, Limits, Outcome, Run, gather

IDLE = 0.25
"""Seconds between two looks at an empty queue."""

log = logging.getLogger(__name__)


@dataclass
class Worker:
    """One worker: where the queue is, what it may run, and the event that tells it to stop."""

    database: Database
    labs: Sequence[Lab]
    limits: Limits
    clock: Callable[[], datetime]
    stop: threading.Event = field(default_factory=threading.Event)
    name: str = field(default_factory=lambda: uuid.uuid4().hex)

    def work(self) -> None:
        """Run what is queued until told to stop; a database or a machine that cannot for a while is waited for."""
        while not self.stop.is_set():
            try:
                store.recover(self.database, self.clock())
                found = self.run_next()
            except (SQLAlchemyError, OSError):
                # The run that was under way, if any, is queued again when its lease is over.
                log.exception("A lab run could not be worked on; trying again.")
                found = False
            if not found:
                self.stop.wait(IDLE)

    def run_next(self) -> bool:
        """Claim one run and execute it to its end; return whether there was one."""
        run = store.claim(self.database, self.name, self.clock())
        if run is None:
            return False
        lab = registry.find(tuple(self.labs), run.lab)
        if lab is None:
            outcome = Outcome(Ending("error", f"There is no lab “{run.lab}” any more."), {}, {})
            store.finish(self.database, run.id, self.name, outcome, self.clock())
            return True
        self._execute(lab, run)
        return True

    def _execute(self, lab: Lab, run: store.StoredRun) -> None:
        findings: dict[str, Any] = {}
        checks: dict[str, bool] = {}
        with Run(lab, run.parameters, run.seed, self.limits) as child:
            for batch in child.batches():
                for event in batch:
                    gather(event, findings, checks)
                going = store.keep(self.database, run.id, self.name, batch, self.clock())
                if not going or self.stop.is_set():
                    child.cancel()
        if self.stop.is_set() and child.ending.reason == "cancelled":
            store.release(self.database, run.id, self.name)
        else:
            outcome = Outcome(child.ending, findings, checks)
            store.finish(self.database, run.id, self.name, outcome, self.clock())


def worker_of(app: Flask) -> Worker:
    """Return a worker for the application's queue, labs and limits."""
    limits = limits_of(app.extensions["settings"])
    return Worker(app.extensions["database"], registry.load()[0], limits, app.extensions["clock"])


def limits_of(settings: Settings) -> Limits:
    """Return what the operator lets one run take."""
    return Limits(seconds=settings.lab_seconds, memory_mib=settings.lab_memory, servers=servers_of(settings))


def servers_of(settings: Settings) -> tuple[str, ...]:
    """Return the names of the servers that a run may start on this machine."""
    return servers.ready({"mariadb": settings.labs_mariadb})


def start_worker(app: Flask) -> None:
    """Let a thread of this process work on the queue; it ends with the process."""
    threading.Thread(target=worker_of(app).work, name="labs-worker", daemon=True).start()
