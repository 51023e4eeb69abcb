"""The monthly schedule: a tick each minute, of which the tables alone know what is due, being built and done.

It may tick in any number of processes; the claim decides who builds, and months that came due while nothing ran
are found at the next tick.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from flask import Flask

from db import Database
from publisher import claims, issue, outbox, sources, store
from publisher.epub import Edition
from publisher.store import Published

TIMELY = timedelta(days=7)
"""How late an issue may be and still be sent by itself."""
OWNER = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
logger = logging.getLogger(__name__)


def due_months(months: Iterable[str], now: datetime) -> tuple[str, ...]:
    """Return which of the months that have content are due: those whose first day, 06:00 UTC, has come."""
    return tuple(month for month in sorted(months) if issue.due_at(month) <= now)


def tick(
    database: Database,
    now: Callable[[], datetime],
    months: Iterable[str],
    build: Callable[[str], Edition],
    owner: str,
) -> tuple[str, ...]:
    """Build every due month that nobody else is building, and return those that this call has finished.

    ``now`` is asked again when a build ends, because a build that outlived its lease must not be kept.
    """
    claims.fill(database, due_months(months, now()), now())
    with database.reading() as connection:
        waiting = claims.waiting(connection, now())
    return tuple(month for month in waiting if _build(database, now, month, build, owner))


def _build(
    database: Database, now: Callable[[], datetime], month: str, build: Callable[[str], Edition], owner: str
) -> bool:
    claim = claims.take(database, month, owner, now())
    if claim is None:
        return False
    try:
        edition = build(month)
    except Exception as error:
        logger.exception("The issue of %s could not be built.", month)
        claims.release(database, claim, str(error) or type(error).__name__, now())
        return False
    with database.writing() as connection:
        kept = claims.finish(connection, claim, now())
        if kept:
            store.save(database, connection, edition, now())
    if not kept:
        logger.warning("The issue of %s took longer than its lease; another process builds it.", month)
    return kept


def announce(database: Database, now: datetime, months: Iterable[str], is_public: Callable[[Published], bool]) -> int:
    """Queue the public issues that came due within TIMELY for all who subscribe; return how many mails that makes.

    Nobody gets a second one, however often it is called, and who subscribes meanwhile gets the newest issue. An issue
    that is later than that is sent by a person or not at all.
    """
    queued = 0
    for month in due_months(months, now):
        if now - issue.due_at(month) > TIMELY:
            continue
        # Each minute of a week there is nothing to write; so it looks before it takes the database's only turn.
        with database.reading() as connection:
            book = store.find(connection, month)
            if not (book and is_public(book) and outbox.owes(connection, month)):
                continue
        with database.writing() as connection:
            book = store.find(connection, month)
            if book and is_public(book):
                queued += outbox.enqueue(database, connection, month, book.sha256, now)
    return queued


def sweep(app: Flask) -> None:
    """Tick for the application, in the name of this process, and let what is public go out."""
    database, clock, months = app.extensions["database"], app.extensions["clock"], sources.months()
    tick(database, clock, months, sources.build, OWNER)
    announce(database, clock(), months, sources.is_public)
