"""Who subscribes, as the database knows it: nobody gets an issue before they have confirmed their address."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from db import Database
from publisher import outbox
from publisher.models import DeliveryRow, SubscriberRow
from publisher.subscriptions import Wish

PATIENCE = timedelta(days=7)
"""How long an address that nobody confirms is kept."""


@dataclass(frozen=True)
class Subscriber:
    """A subscriber. ``reason`` says why one has stopped: ``left``, ``bounce`` or ``complaint``."""

    id: str
    email: str
    channel: str
    kindle: str
    language: str
    country: str
    state: str
    reason: str
    person_id: int | None
    created_at: datetime
    changed_at: datetime


_SUBSCRIBER = select(
    SubscriberRow.id,
    SubscriberRow.email,
    SubscriberRow.channel,
    SubscriberRow.kindle,
    SubscriberRow.language,
    SubscriberRow.country,
    SubscriberRow.state,
    SubscriberRow.reason,
    SubscriberRow.person_id,
    SubscriberRow.created_at,
    SubscriberRow.changed_at,
)


def sign_up(database: Database, wish: Wish, now: datetime) -> None:
    """Keep a wish until it is confirmed, and queue the letter that asks for it.

    Who subscribes already gets a letter with the link to the settings instead, and nothing is changed. Who complained
    about a mail gets none again. The caller learns nothing of all this, and so neither does a stranger.
    """
    try:
        _sign_up(database, wish, now)
    except IntegrityError:
        # Somebody sent the same form a moment earlier.
        _sign_up(database, wish, now)


def _sign_up(database: Database, wish: Wish, now: datetime) -> None:
    with database.writing() as connection:
        # They may be confirming, or complaining, at this moment.
        row = connection.execute(_SUBSCRIBER.where(SubscriberRow.email == wish.email).with_for_update()).first()
        if row is None:
            subscriber = secrets.token_hex(12)
            values = {**_values(wish), "id": subscriber, "email": wish.email, "created_at": now}
            connection.execute(insert(SubscriberRow).values(**values, state="pending", reason="", changed_at=now))
        elif row.reason == "complaint":
            return
        else:
            subscriber = row.id
            if row.state != "active":
                _update(connection, subscriber, {**_values(wish), "state": "pending", "reason": ""}, now)
        occasion = "settings" if row is not None and row.state == "active" else "confirm"
        outbox.post_letter(database, connection, subscriber, occasion, now)


def find(connection: Connection, subscriber: str) -> Subscriber | None:
    """Return a subscriber, or None."""
    row = connection.execute(_SUBSCRIBER.where(SubscriberRow.id == subscriber)).first()
    return Subscriber(**row._asdict()) if row else None


def confirm(connection: Connection, subscriber: str, now: datetime) -> bool:
    """Begin a subscription; False where there is none that waits for it or is confirmed already."""
    pending = update(SubscriberRow).where(SubscriberRow.id == subscriber, SubscriberRow.state == "pending")
    if connection.execute(pending.values(state="active", changed_at=now)).rowcount:
        return True
    found = find(connection, subscriber)
    return found is not None and found.state == "active"


def change(connection: Connection, subscriber: str, wish: Wish, now: datetime) -> None:
    """Change what a subscriber gets; the address that was confirmed stays. Who has left comes back by it."""
    _update(connection, subscriber, {**_values(wish), "state": "active", "reason": ""}, now)


def wish_appendix(connection: Connection, subscriber: str, person: int | None, now: datetime) -> None:
    """Keep whose answers the subscriber's own appendix is made from; None: they want none."""
    rows = update(SubscriberRow).where(SubscriberRow.id == subscriber)
    connection.execute(rows.values(person_id=person, changed_at=now))


def stop(connection: Connection, subscriber: str, reason: str, now: datetime) -> None:
    """End a subscription, and take back what is queued for it. That somebody complained is remembered for good."""
    rows = update(SubscriberRow).where(SubscriberRow.id == subscriber, SubscriberRow.reason != "complaint")
    connection.execute(rows.values(state="stopped", reason=reason, changed_at=now))
    outbox.withdraw(connection, subscriber, now)


def forget(connection: Connection, subscriber: str) -> None:
    """Delete a subscriber and every row about the mails to them."""
    # While an issue is queued for everybody, its mails to them are not to be seen yet.
    connection.execute(select(SubscriberRow.id).where(SubscriberRow.id == subscriber).with_for_update())
    connection.execute(delete(DeliveryRow).where(DeliveryRow.subscriber_id == subscriber))
    connection.execute(delete(SubscriberRow).where(SubscriberRow.id == subscriber))


def theirs(person_id: int, email: str | None) -> tuple[type[SubscriberRow], ColumnElement[bool]]:
    """Say which subscriptions are a person's: those with their address, and the one that knows them."""
    return SubscriberRow, or_(SubscriberRow.person_id == person_id, SubscriberRow.email == email)


def forget_unconfirmed(connection: Connection, now: datetime) -> None:
    """Delete every address that nobody confirmed within PATIENCE."""
    old = (SubscriberRow.state == "pending", SubscriberRow.changed_at <= now - PATIENCE)
    for subscriber in list(connection.scalars(select(SubscriberRow.id).where(*old).with_for_update())):
        forget(connection, subscriber)


def export(connection: Connection, subscriber: Subscriber) -> dict[str, Any]:
    """Return all that is kept about a subscriber, for JSON."""
    columns = (DeliveryRow.occasion, DeliveryRow.state, DeliveryRow.changed_at, DeliveryRow.bounce, DeliveryRow.failure)
    rows = connection.execute(
        select(*columns).where(DeliveryRow.subscriber_id == subscriber.id).order_by(DeliveryRow.id)
    )
    mails = [{**row._asdict(), "changed_at": row.changed_at.isoformat()} for row in rows]
    times = {name: getattr(subscriber, name).isoformat() for name in ("created_at", "changed_at")}
    return {**asdict(subscriber), **times, "mails": mails}


def counts(connection: Connection) -> dict[str, int]:
    """Return how many subscribers there are in each state."""
    rows = connection.execute(select(SubscriberRow.state, func.count().label("number")).group_by(SubscriberRow.state))
    return {row.state: row.number for row in rows}


def _values(wish: Wish) -> dict[str, str]:
    return {
        "channel": wish.channel,
        "kindle": wish.kindle,
        "domain": wish.domain,
        "language": wish.language,
        "country": wish.country,
    }


def _update(connection: Connection, subscriber: str, values: dict[str, str], now: datetime) -> None:
    rows = update(SubscriberRow).where(SubscriberRow.id == subscriber)
    connection.execute(rows.values(**values, changed_at=now))
