"""The monthly schedule: a tick each minute, of which the tables alone know what is due, being built and done.

It may tick in any number of processes; the claim decides who builds, and months that came due while nothing ran
are found at the next tick.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from accounts.models import PersonRow
from db import Database
from publisher import claims, issue, lateness, mails, outbox, postroom, sources, store
from publisher.claims import Claim
from publisher.epub import Edition
from publisher.lateness import TIMELY
from publisher.progress import Report, Stage
from publisher.store import Published

OWNER = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
Build = Callable[[str, Report], Edition]
logger = logging.getLogger(__name__)


@dataclass
class Progress:
    """Keeps what a build is at in its run's row, at most once a second."""

    database: Database
    claim: Claim
    now: Callable[[], datetime]
    _next: datetime | None = None

    def __call__(self, stage: Stage) -> None:
        """Keep a stage, unless the last one was kept within a second."""
        moment = self.now()
        if self._next is not None and moment < self._next:
            return
        self._next = moment + timedelta(seconds=1)
        # Nobody's build fails because it cannot be watched.
        with contextlib.suppress(SQLAlchemyError):
            claims.note(self.database, self.claim, stage, moment)


def due_months(months: Iterable[str], now: datetime) -> tuple[str, ...]:
    """Return which of the months that have content are due: those whose first day, 06:00 UTC, has come."""
    return tuple(month for month in sorted(months) if issue.due_at(month) <= now)


def tick(
    database: Database,
    now: Callable[[], datetime],
    months: Iterable[str],
    build: Build,
    owner: str,
) -> tuple[str, ...]:
    """Build every due month that nobody else is building, and return those that this call has finished.

    ``now`` is asked again when a build ends, because a build that outlived its lease must not be kept.
    """
    claims.fill(database, due_months(months, now()), now())
    with database.reading() as connection:
        waiting = claims.waiting(connection, now())
    return tuple(month for month in waiting if _build(database, now, month, build, owner))


def _build(database: Database, now: Callable[[], datetime], month: str, build: Build, owner: str) -> bool:
    claim = claims.take(database, month, owner, now())
    if claim is None:
        return False
    progress = Progress(database, claim, now)
    try:
        edition = build(month, progress)
        progress(Stage("keeping"))
        kept = _keep(database, claim, edition, now)
    except Exception as error:
        logger.exception("The issue of %s could not be built.", month)
        _give_back(database, claim, _reason(error), now())
        return False
    if not kept:
        logger.warning("The issue of %s took longer than its lease; another process builds it.", month)
    return kept


def _keep(database: Database, claim: Claim, edition: Edition, now: Callable[[], datetime]) -> bool:
    with database.writing() as connection:
        kept = claims.finish(connection, claim, now())
        if kept:
            store.save(database, connection, edition, now())
    return kept


def _give_back(database: Database, claim: Claim, reason: str, now: datetime) -> None:
    try:
        claims.release(database, claim, reason, now)
    except SQLAlchemyError:
        logger.exception("Nor can the database keep why; the issue of %s is tried again after its lease.", claim.month)


def _reason(error: Exception) -> str:
    """Return an error as a sentence for the operator, without the statement and the bytes that it is about."""
    if isinstance(error, DBAPIError):
        return f"The database cannot keep the issue: {error.orig}. Nothing is published."
    return str(error) or type(error).__name__


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
    if announce(database, clock(), months, sources.is_public):
        app.extensions["bell"].ring(postroom.TOPIC)
    tell_editors(app, due_months(months, clock()))


def tell_editors(app: Flask, due: Iterable[str]) -> None:
    """Write once to all who may edit of each issue that is too late to go out by itself."""
    database: Database = app.extensions["database"]
    moment = app.extensions["clock"]()
    with database.reading() as connection:
        untold = [one for one in lateness.find(connection, due, moment, sources.is_public) if not one.told]
    if not untold:
        return
    with database.writing() as connection:
        late = [one for one in untold if lateness.mark_told(database, connection, one.month)]
        may_edit = PersonRow.role.in_(("instructor", "admin"))
        editors = connection.execute(select(PersonRow.email, PersonRow.language).where(may_edit)).all()
    for email, language in editors if late else ():
        mail = mails.late(postroom.post_of(app), str(email), language or "en", late, moment)
        outcome = postroom.send_now(app, mail)
        if outcome.kind != "sent":
            logger.warning("An editor could not be told that an issue is late: %s", outcome.reply.partition(" ")[0])
