"""Starting the site: read the settings, bring the database up to date, load the shipped data, serve."""

from __future__ import annotations

import argparse
import ctypes
import gc
import multiprocessing
import os
import signal
import socket
import sys
import threading
from dataclasses import replace

import granian
import waitress
from flask import Flask
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

import accounts.store
from config import ConfigError, Settings, load, name_of
from db import Database, upgrade
from web import schedule
from web.lifecycle import lifecycle

_DEATH_SIGNAL = 1
"""Linux: prctl(PR_SET_PDEATHSIG), so that a worker never outlives a server that was killed."""


def main() -> None:
    """Serve the site until interrupted; a setting that cannot be used ends the start with its name."""
    try:
        settings = _settings()
        _try_to_listen(settings)
    except ConfigError as error:
        sys.exit(f"archway: {error}")
    # What a start makes is kept: looking for garbage in it would take a sixth of the time.
    gc.disable()
    from app import create_app  # noqa: PLC0415 (app.py is what starts this module)

    app = create_app(settings)
    try:
        prepare(app)
        gc.freeze()
        gc.enable()
        _greet(app, settings)
    except DBAPIError as error:
        where = make_url(settings.database_url).render_as_string(hide_password=True)
        reason = str(error.orig).strip().partition("\n")[0]
        sys.exit(f"archway: {name_of('database_url')} is “{where}”, which cannot be used: {reason}.")
    if settings.server == "waitress":
        start_background(app)
        waitress.serve(app, host=settings.host, port=settings.port, threads=settings.threads, ident=None)
    else:
        _serve_with_granian(settings)


def prepare(app: Flask) -> None:
    """Bring the database up to date and let every room load what it ships."""
    upgrade(app.extensions["database"])
    with app.app_context():
        for step in lifecycle(app).prepare:
            step(app)


def start_background(app: Flask) -> None:
    """Begin the rooms' background work and their sweeps, unless the settings switch them off."""
    if not app.extensions["settings"].background:
        schedule.tend(app)
        return
    for step in lifecycle(app).start:
        step(app)
    schedule.start(app)


def worker() -> Flask:
    """Return the application of a server's worker process, its background work begun."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)
        # The server may have died before the line above took effect.
        parent = multiprocessing.parent_process()
        if parent is not None and parent.pid != os.getppid():
            os._exit(1)
    gc.disable()
    from app import create_app  # noqa: PLC0415 (app.py is what starts this module)

    app = create_app()
    gc.freeze()
    gc.enable()
    threading.Thread(target=start_background, args=[app], daemon=True).start()
    return app


def _settings() -> Settings:
    settings = load()
    parser = argparse.ArgumentParser(prog="python app.py", description="Serve Archway.")
    parser.add_argument("--port", type=int, default=settings.port, help=f"instead of {name_of('port')}")
    port = parser.parse_args().port
    if not 1 <= port <= 65535:
        parser.error(f"--port is {port}; it accepts a whole number from 1 to 65535.")
    return replace(settings, port=port)


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
    database: Database = app.extensions["database"]
    with database.writing() as connection:
        if not accounts.store.has_admin(connection):
            token = accounts.store.invite_admin(connection, app.extensions["clock"]())
            print(f"Make the first admin, once: {address}/first-admin/{token}", flush=True)  # noqa: T201 (the same)


def _serve_with_granian(settings: Settings) -> None:
    server = granian.Granian(
        "web.server:worker",
        address=settings.host,
        port=settings.port,
        interface=granian.constants.Interfaces.WSGI,
        workers=1,
        blocking_threads=settings.threads,
        factory=True,
        websockets=False,
        log_access=False,
        log_level=granian.log.LogLevels.warning,
    )
    server.serve()
