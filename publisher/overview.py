"""What the operator sees: deliveries by issue and state, what failed or is uncertain, and what is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from publisher.models import DeliveryRow, SubscriberRow
from publisher.outbox import LETTERS, STATES
from publisher.store import Run

LATE = timedelta(hours=1)
"""An issue that is not built so long after it was due counts as missed."""
WIDTH = 600
"""Of the drawn bars, in their own units."""


@dataclass(frozen=True)
class Segment:
    """A part of a bar."""

    state: str
    start: float
    width: float


@dataclass(frozen=True)
class Tally:
    """How many mails of an issue, or letters, there are in each of the five states."""

    occasion: str
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())

    @property
    def open(self) -> int:
        """Those that are still to be sent."""
        return self.counts["queued"] + self.counts["sending"]

    @property
    def share(self) -> float:
        """How much of it has had its turn, from 0 to 1."""
        return round(1 - self.open / (self.total or 1), 3)

    def segments(self) -> list[Segment]:
        """Return the parts of a bar of WIDTH, in the order of the states."""
        found, start = [], 0.0
        for state in STATES:
            width = WIDTH * self.counts[state] / (self.total or 1)
            found.append(Segment(state, round(start, 1), round(width, 1)))
            start += width
        return found


@dataclass(frozen=True)
class Trouble:
    """A mail that was refused, came back or is uncertain, and whether a person may have it sent again."""

    id: int
    occasion: str
    email: str
    kindle: str
    channel: str
    state: str
    bounce: str
    failure: str
    changed_at: datetime
    reader: str

    @property
    def repeatable(self) -> bool:
        """Whether its reader still subscribes; a letter is asked for anew instead."""
        return self.reader == "active" and self.occasion not in LETTERS


def tallies(connection: Connection) -> list[Tally]:
    """Return the issues that are or were sent, the newest first, and the letters after them."""
    rows = connection.execute(
        select(DeliveryRow.occasion, DeliveryRow.state, func.count().label("number")).group_by(
            DeliveryRow.occasion, DeliveryRow.state
        )
    ).all()
    found = {(row.occasion, row.state): row.number for row in rows}
    occasions = sorted({row.occasion for row in rows}, key=lambda name: (name not in LETTERS, name), reverse=True)
    return [Tally(name, {state: found.get((name, state), 0) for state in STATES}) for name in occasions]


def troubles(connection: Connection, state: str, limit: int = 200) -> list[Trouble]:
    """Return the mails in a state, the latest first."""
    columns = (
        *(DeliveryRow.id, DeliveryRow.occasion, SubscriberRow.email, SubscriberRow.kindle, DeliveryRow.channel),
        *(DeliveryRow.state, DeliveryRow.bounce, DeliveryRow.failure, DeliveryRow.changed_at),
    )
    rows = (
        select(*columns, SubscriberRow.state.label("reader"))
        .join(SubscriberRow, SubscriberRow.id == DeliveryRow.subscriber_id)
        .where(DeliveryRow.state == state)
        .order_by(DeliveryRow.changed_at.desc(), DeliveryRow.id)
        .limit(limit)
    )
    return [Trouble(**row._asdict()) for row in connection.execute(rows)]


def waiting(connection: Connection, month: str) -> dict[str, int]:
    """Return how many active subscribers have no mail of a month yet, by channel."""
    have = select(DeliveryRow.subscriber_id).where(DeliveryRow.occasion == month)
    rows = connection.execute(
        select(SubscriberRow.channel, func.count().label("number"))
        .where(SubscriberRow.state == "active", SubscriberRow.id.not_in(have))
        .group_by(SubscriberRow.channel)
    )
    return {row.channel: row.number for row in rows}


def state_of(run: Run, now: datetime) -> str:
    """Return ``done``, ``running``, ``due`` or ``missed`` for a month's scheduled build.

    One whose lease has ended runs no longer: its process has died.
    """
    if run.state == "done":
        return "done"
    if run.state == "building" and run.lease_until > now:
        return "running"
    return "missed" if now - run.due_at > LATE else "due"
