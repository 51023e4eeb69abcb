"""The queues of work that rooms keep in tables of their own: what waits, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import Flask
from sqlalchemy import Connection, func, select
from sqlalchemy.orm import InstrumentedAttribute

from db import Database


@dataclass(frozen=True)
class Queue:
    """A table with a row for each piece of work: the column of its state, the state that waits, and since when."""

    name: str
    state: InstrumentedAttribute[str]
    waiting: str
    since: InstrumentedAttribute[datetime]


@dataclass(frozen=True)
class Backlog:
    """How many rows are in each state, and for how many seconds the oldest that waits has done so."""

    states: Mapping[str, int]
    oldest: float


def queues(app: Flask) -> list[Queue]:
    """Return the register of ``app``, to which each room adds its own."""
    found: list[Queue] = app.extensions.setdefault("queues", [])
    return found


def backlogs(app: Flask) -> dict[str, Backlog]:
    """Count every queue of ``app``; raise SQLAlchemyError where its database does not answer."""
    database: Database = app.extensions["database"]
    with database.reading() as connection:
        return {one.name: _backlog(connection, one, app.extensions["clock"]()) for one in queues(app)}


def _backlog(connection: Connection, queue: Queue, now: datetime) -> Backlog:
    """Count a queue; what is to be done later has not waited yet."""
    counted = connection.execute(select(queue.state, func.count()).group_by(queue.state))
    states = {state: count for state, count in counted}  # noqa: C416 (a row is no pair to the type checker)
    since = connection.scalar(select(func.min(queue.since)).where(queue.state == queue.waiting))
    return Backlog(states, max((now - since).total_seconds(), 0.0) if since else 0.0)
