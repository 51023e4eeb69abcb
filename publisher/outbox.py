"""The outbox: one row a mail, claimed by one worker at a time for the length of a lease, and never sent by two.

A row is marked before its mail goes out. So where a worker dies in between, it stands as uncertain: nobody can know
whether the mail arrived, and no other worker sends it by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, delete, func, literal, or_, select, update

from db import Database
from publisher.models import DeliveryRow, IssueRow, PaceRow, SubscriberRow

LETTERS = ("confirm", "settings")
"""Mails that a reader has just asked for: they go first, at any hour."""
STATES = ("queued", "sending", "sent", "refused", "uncertain")
AGAIN = timedelta(minutes=15)
"""How often the same letter may be asked for: a form that anybody can fill in must not flood a mailbox."""
DIED = "The process that sent it ended before it kept the server's answer."
LEFT = "Unsubscribed before it was sent."

_SERVER = ""


@dataclass(frozen=True)
class Claim:
    """The right to send one mail, and all that its making needs."""

    id: int
    token: int
    owner: str
    occasion: str
    sha256: str
    queued_at: datetime
    attempts: int
    subscriber: str
    email: str
    kindle: str
    domain: str
    channel: str
    language: str
    person: int | None = None
    """Whose answers the reader's own appendix is made from."""


@dataclass(frozen=True)
class Result:
    """What a row is to say after a try."""

    state: str
    due_at: datetime
    attempts: int
    failure: str


@dataclass(frozen=True)
class Terms:
    """On what terms a mail is claimed.

    ``rate`` and ``domain_rate``: mails a minute in all and to one domain, each a bucket that holds what may go in a
    minute. ``closed``: the countries in which it is not the hour for issues. ``lease``: how long the claim holds.
    """

    rate: int
    domain_rate: int
    closed: tuple[str, ...]
    lease: timedelta


def _allowance(rate: int) -> timedelta:
    """Return how far ahead of now a bucket may be full again if it still holds a mail."""
    return _interval(rate) * (rate - 1)


def _interval(rate: int) -> timedelta:
    return timedelta(minutes=1) / rate


def enqueue(database: Database, connection: Connection, month: str, sha256: str, now: datetime) -> int:
    """Queue a month's issue, this very build of it, for every active subscriber who has no row for it; return how many.

    However often it is called, from any number of processes, nobody gets a second row.
    """
    active = SubscriberRow.state == "active"
    return _queue(database, connection, active, _row(month, sha256, now))


def owes(connection: Connection, month: str) -> bool:
    """Return whether some active subscriber has no row for a month's issue."""
    have = select(DeliveryRow.subscriber_id).where(DeliveryRow.occasion == month)
    owed = select(SubscriberRow.id).where(SubscriberRow.state == "active", SubscriberRow.id.not_in(have)).limit(1)
    return connection.scalar(owed) is not None


def forget_letters(connection: Connection, now: datetime, keep: timedelta, most: int) -> int:
    """Delete letters that were settled so long ago. Mails of issues stay, so that nobody gets an issue twice."""
    settled = (DeliveryRow.occasion.in_(LETTERS), DeliveryRow.state.in_(("sent", "refused")))
    old = select(DeliveryRow.id).where(*settled, DeliveryRow.changed_at < now - keep).limit(most)
    return connection.execute(delete(DeliveryRow).where(DeliveryRow.id.in_(old))).rowcount


def post_letter(database: Database, connection: Connection, subscriber: str, occasion: str, now: datetime) -> None:
    """Queue a letter; one that was queued within AGAIN is not queued a second time."""
    row = _row(occasion, "", now)
    if _queue(database, connection, SubscriberRow.id == subscriber, row):
        return
    old = (DeliveryRow.occasion == occasion, DeliveryRow.subscriber_id == subscriber)
    rested = (DeliveryRow.state.in_(("sent", "refused", "uncertain")), DeliveryRow.queued_at <= now - AGAIN)
    anew = {name: row[name] for name in row.keys() - {"token"}}
    connection.execute(update(DeliveryRow).where(*old, *rested).values(**anew))


def _row(occasion: str, sha256: str, now: datetime) -> dict[str, Any]:
    return {
        "occasion": occasion,
        "sha256": sha256,
        "channel": "",
        "state": "queued",
        "queued_at": now,
        "due_at": now,
        "changed_at": now,
        "attempts": 0,
        "repeated": False,
        "owner": "",
        "lease_until": now,
        "token": 0,
        "bounce": "",
        "failure": "",
    }


def _queue(database: Database, connection: Connection, readers: ColumnElement[bool], row: dict[str, Any]) -> int:
    columns = DeliveryRow.__table__.columns
    values = (literal(value, columns[name].type) for name, value in row.items())
    chosen = select(SubscriberRow.id, *values).where(readers)
    insert = database.upsert(DeliveryRow).from_select(["subscriber_id", *row], chosen).on_conflict_do_nothing()
    return len(connection.execute(insert.returning(DeliveryRow.id)).all())


def claim(database: Database, terms: Terms, owner: str, now: datetime) -> Claim | None:
    """Claim the next mail that is due by one conditional UPDATE, or return None where there is none to send now.

    Whoever has unsubscribed meanwhile is passed over. The bucket of the server is locked throughout, so that all
    workers together keep to its pace.
    """
    found = _candidate(terms, now)
    with database.reading() as connection:
        if connection.scalar(found) is None:
            return None
    with database.writing() as connection:
        if not _has_room(database, connection, terms.rate, now):
            return None
        mail = connection.execute(
            update(DeliveryRow)
            .where(DeliveryRow.id == found.scalar_subquery(), DeliveryRow.state == "queued")
            .values(
                state="sending",
                owner=owner,
                lease_until=now + terms.lease,
                token=DeliveryRow.token + 1,
                changed_at=now,
                channel=_channel_now(),
            )
            .returning(*_MAIL)
        ).first()
        if mail is None:
            return None
        reader = connection.execute(_READER.where(SubscriberRow.id == mail.subscriber)).one()
        _spend(database, connection, _SERVER, terms.rate, now)
        _spend(database, connection, reader.domain, terms.domain_rate, now)
    return Claim(**mail._asdict(), **reader._asdict())


_MAIL = (
    DeliveryRow.id,
    DeliveryRow.token,
    DeliveryRow.owner,
    DeliveryRow.occasion,
    DeliveryRow.sha256,
    DeliveryRow.queued_at,
    DeliveryRow.attempts,
    DeliveryRow.subscriber_id.label("subscriber"),
)
_READER = select(
    SubscriberRow.email,
    SubscriberRow.kindle,
    SubscriberRow.channel,
    SubscriberRow.language,
    SubscriberRow.domain,
    SubscriberRow.person_id.label("person"),
)


def _channel_now() -> Any:
    channel = select(SubscriberRow.channel).where(SubscriberRow.id == DeliveryRow.subscriber_id)
    return case((_is_letter(), "letter"), else_=channel.scalar_subquery())


def _is_letter() -> ColumnElement[bool]:
    return DeliveryRow.occasion.in_(LETTERS)


def _candidate(terms: Terms, now: datetime) -> Any:
    wanted = or_(
        and_(_is_letter(), SubscriberRow.state != "stopped"),
        and_(SubscriberRow.state == "active", SubscriberRow.country.not_in(terms.closed)),
    )
    room = or_(PaceRow.full_at.is_(None), PaceRow.full_at <= now + _allowance(terms.domain_rate))
    return (
        select(DeliveryRow.id)
        .join(SubscriberRow, SubscriberRow.id == DeliveryRow.subscriber_id)
        .outerjoin(PaceRow, PaceRow.name == SubscriberRow.domain)
        .where(DeliveryRow.state == "queued", DeliveryRow.due_at <= now, wanted, room)
        .order_by(case((_is_letter(), 0), else_=1), DeliveryRow.due_at, DeliveryRow.id)
        .limit(1)
    )


def _has_room(database: Database, connection: Connection, rate: int, now: datetime) -> bool:
    """Lock the server's bucket, and return whether it holds a mail."""
    connection.execute(database.upsert(PaceRow).values(name=_SERVER, full_at=now).on_conflict_do_nothing())
    full_at = connection.scalar(select(PaceRow.full_at).where(PaceRow.name == _SERVER).with_for_update())
    return full_at is not None and full_at <= now + _allowance(rate)


def _spend(database: Database, connection: Connection, name: str, rate: int, now: datetime) -> None:
    """Take one mail from a bucket; it is full again one interval later than it would have been."""
    found = connection.scalar(select(PaceRow.full_at).where(PaceRow.name == name))
    full_at = max(found or now, now) + _interval(rate)
    insert = database.upsert(PaceRow).values(name=name, full_at=full_at)
    connection.execute(insert.on_conflict_do_update(index_elements=[PaceRow.name], set_={"full_at": full_at}))


def finish(connection: Connection, claim: Claim, result: Result, now: datetime) -> bool:
    """Keep what a try led to if the claim still holds; False: its lease had ended, and nothing was changed."""
    held = (
        DeliveryRow.id == claim.id,
        DeliveryRow.state == "sending",
        DeliveryRow.owner == claim.owner,
        DeliveryRow.token == claim.token,
    )
    values = {
        "state": result.state,
        "due_at": result.due_at,
        "attempts": result.attempts,
        "failure": result.failure[:500],
        "changed_at": now,
        "owner": "",
    }
    return connection.execute(update(DeliveryRow).where(*held).values(**values)).rowcount == 1


def recover(connection: Connection, now: datetime) -> int:
    """Mark as uncertain what a worker was sending when its lease ended; return how many."""
    stale = (DeliveryRow.state == "sending", DeliveryRow.lease_until <= now)
    values = {"state": "uncertain", "owner": "", "changed_at": now, "failure": DIED}
    return connection.execute(update(DeliveryRow).where(*stale).values(**values)).rowcount


def repeat_links(connection: Connection, now: datetime, rest: timedelta) -> int:
    """Queue each uncertain mail that holds only links once more, once; return how many.

    It has the Message-ID that it had, by which many mailboxes show it once even if it arrived twice. A book is not
    sent again by itself: a Kindle would hold it twice.
    """
    light = DeliveryRow.channel.in_(("link", "letter"))
    uncertain = (DeliveryRow.state == "uncertain", DeliveryRow.repeated.is_(False))
    rested = DeliveryRow.changed_at <= now - rest
    values = {"state": "queued", "repeated": True, "due_at": now, "changed_at": now}
    return connection.execute(update(DeliveryRow).where(light, *uncertain, rested).values(**values)).rowcount


def again(connection: Connection, delivery: int, now: datetime) -> bool:
    """Queue a refused or uncertain issue once more, with the book as it is now, because a person wants it.

    False where it is neither, or its reader has left.
    """
    active = select(SubscriberRow.id).where(SubscriberRow.state == "active")
    rows = (
        DeliveryRow.id == delivery,
        DeliveryRow.state.in_(("refused", "uncertain")),
        DeliveryRow.occasion.not_in(LETTERS),
        DeliveryRow.subscriber_id.in_(active),
    )
    built = select(IssueRow.sha256).where(IssueRow.month == DeliveryRow.occasion).scalar_subquery()
    values = {"state": "queued", "due_at": now, "changed_at": now, "attempts": 0, "failure": "", "bounce": ""}
    anew = update(DeliveryRow).where(*rows).values(**values, sha256=func.coalesce(built, DeliveryRow.sha256))
    return connection.execute(anew).rowcount == 1


def withdraw(connection: Connection, subscriber: str, now: datetime) -> None:
    """Take back what is queued for somebody who has left."""
    rows = (DeliveryRow.subscriber_id == subscriber, DeliveryRow.state == "queued")
    values = {"state": "refused", "failure": LEFT, "changed_at": now}
    connection.execute(update(DeliveryRow).where(*rows).values(**values))
