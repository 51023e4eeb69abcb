"""Who is behind this request: guests, signed-in people, and the end of their sessions."""

from __future__ import annotations

from datetime import timedelta

from flask import abort, g
from flask_babel import gettext as _
from sqlalchemy import Connection, bindparam, delete, insert, select
from werkzeug.exceptions import HTTPException

from accounts.models import PersonRow, SessionRow
from accounts.people import Person
from db import database
from web import security
from web.clock import now

LIFETIME = timedelta(days=90)

OWNER = (
    select(SessionRow.person_id)
    .where(SessionRow.visit_hash == bindparam("visit_hash"), SessionRow.expires_at > bindparam("now"))
    .scalar_subquery()
)
"""The person behind a visit, as part of another room's statement: hot routes ask once, for both."""

_FIND = (
    select(PersonRow.id, PersonRow.name, PersonRow.role, PersonRow.email, PersonRow.theme, PersonRow.language)
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
    moment = now()
    connection.execute(
        insert(SessionRow).values(
            visit_hash=security.visit_hash(security.rotate_visit()),
            person_id=person_id,
            created_at=moment,
            expires_at=moment + LIFETIME,
        )
    )
    g.pop("person", None)


def renew_session(connection: Connection, person_id: int) -> None:
    """Begin a new session where less than half of this one's lifetime is left, so that none ends within an exam."""
    visit = security.visit_hash(security.sent_visit_id() or "")
    left = connection.execute(select(SessionRow.expires_at).where(SessionRow.visit_hash == visit)).scalar()
    if left is not None and left - now() < LIFETIME / 2:
        start_session(connection, person_id)


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


def _find(visit: str) -> Person | None:
    with database().reading() as connection:
        row = connection.execute(_FIND, {"visit_hash": security.visit_hash(visit), "now": now()}).first()
    return None if row is None else Person(row.id, row.name, row.role, row.email, row.theme, row.language)
