"""Starting the site: read the settings, bring the database up to date, load the shipped data, serve."""

from __future__ import annotations

import argparse
import ctypes
import fcntl
import gc
import multiprocessing
import os
import signal
import socket
import sys
import threading
from contextlib import ExitStack
from dataclasses import replace
from multiprocessing.util import Finalize

import granian
import waitress
from flask import Flask

import accounts.store
from config import ConfigError, Settings, load, name_of
from db import Database, SchemaError, needed, upgrade
from web import logs, metrics, schedule
from web.lifecycle import lifecycle
from web.work import Work

_DEATH_SIGNAL = 1
"""Linux: prctl(PR_SET_PDEATHSIG), so that a worker never outlives a server that was killed."""

_SECONDS_TO_END = 30
"""How long a process may take to give back its work, when the server is told to end, before it is killed."""


def main() -> None:
    """Serve the site until interrupted; a setting that cannot be used ends the start with its name."""
    try:
        _serve(_settings())
    except (ConfigError, SchemaError) as error:
        sys.exit(f"archway: {error}")


def _serve(settings: Settings) -> None:
    _try_to_listen(settings)
    # What a start makes is kept: looking for garbage in it would take a sixth of the time.
    gc.disable()
    from app import create_app  # noqa: PLC0415 (app.py is what starts this module)

    if settings.metrics_token:
        metrics.share(settings.instance)
    app = create_app(settings)
    database: Database = app.extensions["database"]
    logs.begin(app, "web")
    with needed(database):
        prepare(app)
        gc.freeze()
        gc.enable()
        _greet(app, settings)
    # The processes are forked from this one, and no two may use one connection.
    database.engine.dispose()
    if settings.server == "waitress":
        _serve_with_waitress(app, settings)
    else:
        _serve_with_granian(settings)


def prepare(app: Flask) -> None:
    """Bring the database up to date and let every room load what it ships."""
    upgrade(app.extensions["database"])
    with app.app_context():
        for step in lifecycle(app).prepare:
            step(app)


def start_background(app: Flask) -> ExitStack:
    """Begin what a process of the server does besides answering, and return what ends that.

    Each process tends. The rooms' queues and sweeps are one process's: whichever has the lock of the instance folder,
    which the system hands to the next when that process ends, however it ends.
    """
    ends = ExitStack()
    threading.Thread(target=_work_in_turn, args=[app, ends], name="background", daemon=True).start()
    return ends


def _work_in_turn(app: Flask, ends: ExitStack) -> None:
    settings: Settings = app.extensions["settings"]
    ends.callback(schedule.tend(app).shutdown)
    if not settings.background:
        return
    turn = ends.enter_context((settings.instance / "background.lock").open("w"))
    fcntl.flock(turn, fcntl.LOCK_EX)
    work = Work(app, [make(app) for make in lifecycle(app).workers])
    work.start()
    ends.callback(work.stop)
    ends.callback(schedule.start(app).shutdown)


def worker() -> Flask:
    """Return the application of one of the server's processes, its background work begun."""
    # A forked process has its parent's handlers, and would overhear that it is to end while it begins.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)
        # The server may have died before the line above took effect.
        parent = multiprocessing.parent_process()
        if parent is not None and parent.pid != os.getppid():
            os._exit(1)
    gc.disable()
    from app import create_app  # noqa: PLC0415 (app.py is what starts this module)

    app = create_app()
    logs.begin(app, "web")
    gc.freeze()
    gc.enable()
    # What atexit knows is not done at the end of a process that multiprocessing began.
    Finalize(None, start_background(app).close, exitpriority=0)
    return app


def _settings() -> Settings:
    settings = load()
    parser = argparse.ArgumentParser(prog="python app.py", description="Serve Archway.")
    parser.add_argument("--port", type=int, default=settings.port, help=f"instead of {name_of('port')}")
    parser.add_argument("--workers", type=int, default=settings.workers, help=f"instead of {name_of('workers')}")
    given = parser.parse_args()
    for name, most in (("port", 65535), ("workers", 64)):
        if not 1 <= getattr(given, name) <= most:
            parser.error(f"--{name} is {getattr(given, name)}; it accepts a whole number from 1 to {most}.")
    if given.workers > 1 and settings.server == "waitress":
        raise ConfigError(f"{name_of('server')} is “waitress”, which is one process; set granian, or 1 worker.")
    return replace(settings, port=given.port, workers=given.workers)


def _try_to_listen(settings: Settings) -> None:
    """Raise ConfigError where nothing can listen at the address; granian would share a taken port in silence."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as error:
        where = f"{name_of('host')} {settings.host} and {name_of('port')} {settings.port}"
        reason = error.strerror or "no such address"
        raise ConfigError(
            f"Nothing can listen at {where}: {reason}. Stop what listens there, or set another."
        ) from None


def _greet(app: Flask, settings: Settings) -> None:
    """Print the address and, as long as there is no admin, a new one-time link that makes one."""
    address = f"http://{settings.host}:{settings.port}"
    print(f"Archway is at {address}", flush=True)  # noqa: T201 (the start's own words)
    if settings.workers > 1 and not settings.redis_url:
        app.logger.warning(
            "Each of the %d processes counts its rate limits for itself; set %s to let them count together.",
            settings.workers,
            name_of("redis_url"),
        )
    database: Database = app.extensions["database"]
    with database.writing() as connection:
        if not accounts.store.has_admin(connection):
            token = accounts.store.invite_admin(connection, app.extensions["clock"]())
            print(f"Make the first admin, once: {address}/first-admin/{token}", flush=True)  # noqa: T201 (the same)


def _serve_with_waitress(app: Flask, settings: Settings) -> None:
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit())
    with start_background(app):
        waitress.serve(app, host=settings.host, port=settings.port, threads=settings.threads, ident=None)


def _serve_with_granian(settings: Settings) -> None:
    server = granian.Granian(
        "web.server:worker",
        address=settings.host,
        port=settings.port,
        interface=granian.constants.Interfaces.WSGI,
        workers=settings.workers,
        respawn_failed_workers=True,
        workers_kill_timeout=_SECONDS_TO_END,
        blocking_threads=settings.threads,
        factory=True,
        websockets=False,
        log_access=False,
        log_dictconfig={"loggers": {"_granian": {"propagate": True}}},
        log_level=granian.log.LogLevels.warning,
    )
    server.serve()
