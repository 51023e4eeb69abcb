"""Who is behind this request: guests, signed-in people, and the end of their sessions."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Response, abort, g
from flask_babel import gettext as _
from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from accounts.models import PersonRow, SessionRow
from accounts.people import Person
from db import database
from web import security
from web.clock import now


@dataclass(frozen=True)
class Life:
    """How long a session lasts without being used, and how long at most."""

    idle: timedelta
    whole: timedelta

    def end(self, created_at: datetime, used_at: datetime) -> datetime:
        """Return when a session ends that was used at ``used_at`` for the last time."""
        return min(created_at + self.whole, used_at + self.idle)


LEARNERS = Life(timedelta(days=90), timedelta(days=90))
"""Long: a guest who could not come back would lose their work, and a learner's session shows nobody else's."""
STAFF = Life(timedelta(days=3), timedelta(days=30))

OWNER = (
    select(SessionRow.person_id)
    .where(SessionRow.visit_hash == bindparam("visit_hash"), SessionRow.expires_at > bindparam("now"))
    .scalar_subquery()
)
"""The person behind a visit, as part of another room's statement: hot routes ask once, for both."""

_FIND = (
    select(PersonRow.id, PersonRow.name, PersonRow.role, PersonRow.email, PersonRow.theme, PersonRow.language)
    .add_columns(SessionRow.created_at, SessionRow.expires_at)
    .join(SessionRow, SessionRow.person_id == PersonRow.id)
    .where(SessionRow.visit_hash == bindparam("visit_hash"), SessionRow.expires_at > bindparam("now"))
)


class SignInRequired(HTTPException):
    """The page is for people with an account; the handler sends visitors to the sign-in page and back."""

    code = 401


def current_person() -> Person | None:
    """Return the person of this request, or None for a visitor; asks the database at most once a request."""
    if "person" not in g:
        visit = security.sent_visit_id()
        g.person = _find(visit) if visit else None
    person: Person | None = g.person
    return person


def require_role(role: str) -> Person:
    """Return the person if their role includes ``role``; otherwise ask to sign in, or refuse."""
    person = current_person()
    if person is None or (person.is_guest and role != "learner"):
        raise SignInRequired
    if not person.may(role):
        security.note("role refused", person.id)
        abort(403, _("This page is for people with the role “%(role)s”.", role=role_name(role)))
    return person


def role_name(role: str) -> str:
    """Return what a role is called in the reader's language."""
    names: dict[str, str] = {"learner": _("learner"), "instructor": _("instructor"), "admin": _("admin")}
    return names[role]


def ensure_person() -> Person:
    """Return the person of this request; a visitor becomes a guest, whose work is kept from here on."""
    person = current_person()
    if person is None:
        with database().writing() as connection:
            person_id = connection.execute(
                insert(PersonRow)
                .values(name="Guest", role="learner", theme="auto", created_at=now())
                .returning(PersonRow.id)
            ).scalar_one()
            start_session(connection, person_id)
        g.person = person = Person(person_id, "Guest", "learner", None, "auto", "")
    return person


def visit_values() -> dict[str, object]:
    """Return the values that OWNER needs for this request."""
    return {"visit_hash": security.visit_hash(security.sent_visit_id() or ""), "now": now()}


def start_session(connection: Connection, person_id: int) -> None:
    """Bind a new visit id to the person and forget the old one."""
    old = security.sent_visit_id()
    if old:
        connection.execute(delete(SessionRow).where(SessionRow.visit_hash == security.visit_hash(old)))
    moment, role = now(), connection.execute(select(PersonRow.role).where(PersonRow.id == person_id)).scalar_one()
    connection.execute(
        insert(SessionRow).values(
            visit_hash=security.visit_hash(security.rotate_visit()),
            person_id=person_id,
            created_at=moment,
            expires_at=life_of(role).end(moment, moment),
        )
    )
    g.pop("person", None)


def renew_session(connection: Connection, person_id: int) -> None:
    """Begin a new session where less than half of this one's life is left, so that none ends within an exam."""
    visit = security.visit_hash(security.sent_visit_id() or "")
    columns = select(SessionRow.expires_at, PersonRow.role).join(PersonRow, PersonRow.id == SessionRow.person_id)
    found = connection.execute(columns.where(SessionRow.visit_hash == visit)).first()
    if found is not None and found.expires_at - now() < life_of(found.role).idle / 2:
        start_session(connection, person_id)


def keep_session(response: Response) -> Response:
    """Put off the end of a session in use, once a day at most, so that requests seldom write."""
    until = g.pop("session_end", None)
    if until is not None:
        own = SessionRow.visit_hash == security.visit_hash(security.sent_visit_id() or "")
        # Whoever asked gets the answer; the next request tries again.
        with suppress(OperationalError), database().writing() as connection:
            connection.execute(update(SessionRow).where(own).values(expires_at=until))
    return response


@dataclass(frozen=True)
class Session:
    """One browser in which somebody is signed in."""

    created_at: datetime
    expires_at: datetime
    is_this: bool


def sessions_of(connection: Connection, person_id: int) -> Sequence[Session]:
    """Return where a person is signed in, this browser first, then the latest."""
    this = security.visit_hash(security.sent_visit_id() or "")
    rows = connection.execute(
        select(SessionRow.visit_hash, SessionRow.created_at, SessionRow.expires_at)
        .where(SessionRow.person_id == person_id, SessionRow.expires_at > now())
        .order_by(SessionRow.created_at.desc())
    ).all()
    found = [Session(row.created_at, row.expires_at, row.visit_hash == this) for row in rows]
    return sorted(found, key=lambda one: not one.is_this)


def life_of(role: str) -> Life:
    """Return how long the sessions of a role last: who sees other people's work signs in more often."""
    return LEARNERS if role == "learner" else STAFF


def end_session(connection: Connection) -> None:
    """Forget this visit on the server and give the browser a new one."""
    visit = security.sent_visit_id()
    if visit:
        connection.execute(delete(SessionRow).where(SessionRow.visit_hash == security.visit_hash(visit)))
    security.rotate_visit()
    g.pop("person", None)


def end_every_session(connection: Connection, person_id: int) -> None:
    """Sign a person out everywhere, as after a change of password or role."""
    connection.execute(delete(SessionRow).where(SessionRow.person_id == person_id))


def forget_ended_sessions(connection: Connection, now: datetime, _keep: timedelta, most: int) -> int:
    """Delete sessions that have ended, at most so many; return how many went."""
    ended = select(SessionRow.visit_hash).where(SessionRow.expires_at < now).limit(most)
    return connection.execute(delete(SessionRow).where(SessionRow.visit_hash.in_(ended))).rowcount


def _find(visit: str) -> Person | None:
    with database().asking() as connection:
        row = connection.execute(_FIND, {"visit_hash": security.visit_hash(visit), "now": now()}).first()
    if row is None:
        return None
    end = life_of(row.role).end(row.created_at, now())
    if end - row.expires_at > timedelta(days=1):
        g.session_end = end
    return Person(row.id, row.name, row.role, row.email, row.theme, row.language)
