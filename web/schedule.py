"""The schedule of background work: each room's sweep, each minute, in any number of processes.

APScheduler keeps no jobs here; what is due, being done and done stands in the rooms' tables, so a second process
that sweeps does no harm and what came due while nothing ran is found at the next sweep.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask
from sqlalchemy.exc import OperationalError

from config import Settings
from web.clock import system_clock
from web.lifecycle import Step, lifecycle
from web.logs import kind_of

SECONDS = 60
_SWEPT = "swept"
"""A file in the instance folder, as old as the last sweep."""

log = logging.getLogger(__name__)


def start(app: Flask) -> BackgroundScheduler:
    """Begin to sweep in the background, the first time at once; ``shutdown()`` waits for the sweeps under way."""
    return _begin(app, lifecycle(app).sweep)


def tend(app: Flask) -> BackgroundScheduler:
    """Begin to tend, as each process does, whether or not it leaves the sweeps to others."""
    return _begin(app, lifecycle(app).tend)


def note_sweep(app: Flask) -> None:
    """Note that this process sweeps."""
    settings: Settings = app.extensions["settings"]
    (settings.instance / _SWEPT).touch()


def swept_at(settings: Settings) -> float | None:
    """Return when a process with this instance folder last swept, in seconds since 1970; None if none ever did."""
    try:
        return (settings.instance / _SWEPT).stat().st_mtime
    except OSError:
        return None


def sweep(app: Flask) -> None:
    """Let every room sweep and tend once."""
    for step in [*lifecycle(app).sweep, *lifecycle(app).tend]:
        _run(app, step)


def _begin(app: Flask, steps: Sequence[Step]) -> BackgroundScheduler:
    scheduler = BackgroundScheduler(daemon=True, timezone="UTC")
    for step in steps:
        scheduler.add_job(
            _patiently,
            "interval",
            [app, step],
            seconds=SECONDS,
            next_run_time=system_clock(),
            coalesce=True,
            misfire_grace_time=None,
            max_instances=1,
        )
    scheduler.start()
    return scheduler


def _patiently(app: Flask, step: Step) -> None:
    """Run a step; where the database cannot for a while, say so and leave the step to the next minute."""
    try:
        _run(app, step)
    except OperationalError as error:
        log.warning("A sweep is put off for a minute: %s", kind_of(error))


def _run(app: Flask, step: Step) -> None:
    with app.app_context():
        step(app)
