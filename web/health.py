"""Whether this process can serve: what of the database, the disk, Redis and the schedule is as it must be."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from config import Settings, name_of
from db import Database, newest_revision, revision
from web import schedule

State = Literal["ok", "degraded", "failed"]

ROOM = 64 << 20
"""Bytes that must be free: what SQLite's journal may grow to between two check points, and a run's folder."""
LATE_SWEEP = 5 * schedule.SECONDS
REDIS_SECONDS = 1.0
"""How long Redis may take to answer; the site works without it."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: how it is, and a sentence for the operator."""

    name: str
    state: State
    sentence: str


def look(app: Flask) -> list[Check]:
    """Look at everything that a process needs, without changing anything."""
    settings: Settings = app.extensions["settings"]
    return [*_database(app.extensions["database"]), _disk(settings), *_redis(settings.redis_url), _schedule(settings)]


def is_ready(checks: Iterable[Check]) -> bool:
    """Return whether requests may be sent here; what is only degraded does not stand in the way."""
    return all(check.state != "failed" for check in checks)


def _database(database: Database) -> Iterator[Check]:
    try:
        with database.reading() as connection:
            found = revision(connection)
    except SQLAlchemyError as error:
        sentence = f"{name_of('database_url')} cannot be read: {type(error).__name__}."
        yield Check("database", "failed", sentence)
    else:
        yield Check("database", "ok", "The database answers.")
        yield _schema(found)


def _schema(found: str) -> Check:
    needed = newest_revision()
    if found == needed:
        return Check("schema", "ok", f"The schema is {needed}, as this version needs it.")
    sentence = f"The schema is {found or 'not there'}, and this version needs {needed}; start the newest version."
    return Check("schema", "failed", sentence)


def _disk(settings: Settings) -> Check:
    free = shutil.disk_usage(settings.instance).free
    sentence = f"The disk of {name_of('instance')} has {free >> 20} MiB free"
    if free < ROOM:
        return Check("disk", "failed", f"{sentence}, and needs {ROOM >> 20}; make room.")
    return Check("disk", "ok", f"{sentence}.")


def _redis(url: str) -> Iterator[Check]:
    if not url:
        return
    import valkey  # noqa: PLC0415 (few sites have it, and it takes a while to import)

    try:
        patience = {"socket_timeout": REDIS_SECONDS, "socket_connect_timeout": REDIS_SECONDS}
        with valkey.Valkey.from_url(url, **patience) as client:
            client.ping()
    except valkey.ValkeyError as error:
        sentence = f"{name_of('redis_url')} does not answer ({type(error).__name__}); the site works on without it."
        yield Check("redis", "degraded", sentence)
    else:
        yield Check("redis", "ok", "Redis answers.")


def _schedule(settings: Settings) -> Check:
    swept = schedule.swept_at(settings)
    if swept is None:
        return Check("schedule", "degraded", "The schedule has not swept yet; is flask scheduler running?")
    ago = max(0, round(time.time() - swept))
    if ago > LATE_SWEEP:
        return Check("schedule", "degraded", f"The schedule last swept {ago} s ago; is flask scheduler running?")
    return Check("schedule", "ok", f"The schedule last swept {ago} s ago.")
