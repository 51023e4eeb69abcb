"""``flask worker`` and ``flask scheduler``: background work as processes of their own, any number of each."""

from __future__ import annotations

import signal
import threading

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from db import database, needed, upgrade
from web import logs, schedule
from web.lifecycle import lifecycle
from web.work import Work


@click.command()
@click.option("--jobs", metavar="NAME,…", help="Work on these queues alone; on all if not given.")
@with_appcontext
def worker(jobs: str | None) -> None:
    """Work on what is queued, such as lab runs, imports and mails, until interrupted."""
    app = _application()
    logs.begin(app, "worker")
    workers = {one.topic: one for one in (make(app) for make in lifecycle(app).workers)}
    chosen = [name.strip() for name in jobs.split(",")] if jobs is not None else list(workers)
    for name in chosen:
        if name not in workers:
            raise click.UsageError(f"There is no queue “{name}”; the queues are {', '.join(workers)}.")
    told = _told_to_stop()
    with needed(database()):
        upgrade(database())
    tending = schedule.tend(app)
    work = Work(app, [workers[name] for name in chosen])
    work.start()
    click.echo(f"The worker has begun with the queues {', '.join(chosen)}.")
    told.wait()
    work.stop()
    tending.shutdown()


@click.command()
@with_appcontext
def scheduler() -> None:
    """Build each month's issue when it is due and close overdue exams, until interrupted."""
    app = _application()
    logs.begin(app, "scheduler")
    told = _told_to_stop()
    with needed(database()):
        upgrade(database())
    running = [schedule.start(app), schedule.tend(app)]
    click.echo(f"The scheduler has begun; it looks every {schedule.SECONDS} seconds for what is due.")
    told.wait()
    for one in running:
        one.shutdown()


def _application() -> Flask:
    """Return the application itself, for the proxy would be empty in other threads."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 (Flask's documented way)
    return app


def _told_to_stop() -> threading.Event:
    """Return an event that SIGINT and SIGTERM set."""
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: told.set())
    return told
