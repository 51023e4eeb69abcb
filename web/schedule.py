"""The schedule of background work: each room's sweep, each minute, in any number of processes.

APScheduler keeps no jobs here; what is due, being done and done stands in the rooms' tables, so a second process
that sweeps does no harm and what came due while nothing ran is found at the next sweep.
"""

from __future__ import annotations

import contextlib

import click
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.schedulers.blocking import BlockingScheduler
from flask import Flask, current_app
from flask.cli import with_appcontext

from db import database, upgrade
from web.clock import system_clock
from web.lifecycle import Step, lifecycle

SECONDS = 60


def start(app: Flask) -> None:
    """Begin to sweep and to tend in the background, the first time at once."""
    _begin(app, [*lifecycle(app).sweep, *lifecycle(app).tend])


def tend(app: Flask) -> None:
    """Begin only to tend, in a process that leaves the sweeps to others."""
    _begin(app, lifecycle(app).tend)


@click.command()
@with_appcontext
def scheduler() -> None:
    """Build each month's issue when it is due and close overdue exams, until interrupted."""
    upgrade(database())
    runner = BlockingScheduler(timezone="UTC")
    # The proxy would be empty in the scheduler's threads.
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 (Flask's documented way)
    _add_steps(runner, app, [*lifecycle(app).sweep, *lifecycle(app).tend])
    with contextlib.suppress(KeyboardInterrupt):
        runner.start()


def sweep(app: Flask) -> None:
    """Let every room sweep and tend once."""
    for step in [*lifecycle(app).sweep, *lifecycle(app).tend]:
        _run(app, step)


def _begin(app: Flask, steps: list[Step]) -> None:
    scheduler = BackgroundScheduler(daemon=True, timezone="UTC")
    _add_steps(scheduler, app, steps)
    scheduler.start()


def _add_steps(scheduler: BaseScheduler, app: Flask, steps: list[Step]) -> None:
    for step in steps:
        scheduler.add_job(
            _run,
            "interval",
            [app, step],
            seconds=SECONDS,
            next_run_time=system_clock(),
            coalesce=True,
            misfire_grace_time=None,
            max_instances=1,
        )


def _run(app: Flask, step: Step) -> None:
    with app.app_context():
        step(app)
