"""What the database keeps of cohorts: members, co-instructors and the links that lead in."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, or_, select, update

from accounts.cohort_models import AssignmentRow, CohortRow, ExtensionRow, LinkRow, MemberRow
from accounts.cohorts import Cohort, Link, Member, longest_extra
from accounts.models import PersonRow
from accounts.people import Person
from accounts.roster import Invited
from db import Database, in_turns, upsert

_COHORT = select(CohortRow.id, CohortRow.title, CohortRow.zone, CohortRow.archived_at)
_MEMBER = select(
    MemberRow.person_id,
    PersonRow.name,
    func.coalesce(PersonRow.email, "").label("email"),
    MemberRow.teaches,
    MemberRow.extra_time,
    MemberRow.joined_at,
).join(PersonRow, PersonRow.id == MemberRow.person_id)
_LINK = select(
    LinkRow.id,
    LinkRow.cohort_id,
    LinkRow.name,
    LinkRow.email,
    LinkRow.uses_left,
    LinkRow.created_at,
    LinkRow.expires_at,
    func.coalesce(PersonRow.name, "").label("came"),
).outerjoin(PersonRow, PersonRow.id == LinkRow.person_id)


@dataclass(frozen=True)
class Listed:
    """A cohort in a list, with how many learners it has."""

    cohort: Cohort
    learners: int


def create(connection: Connection, title: str, zone: str, person_id: int, now: datetime) -> int:
    """Make a cohort whose instructor is this person, and return its id."""
    made = insert(CohortRow).values(title=title, zone=zone, created_at=now).returning(CohortRow.id)
    cohort_id = connection.execute(made).scalar_one()
    connection.execute(insert(MemberRow).values(_membership(cohort_id, person_id, now, teaches=True)))
    return cohort_id


def change(connection: Connection, cohort_id: int, title: str, zone: str) -> None:
    """Give a cohort another title and time zone; the moments of its dates stay."""
    connection.execute(update(CohortRow).where(CohortRow.id == cohort_id).values(title=title, zone=zone))


def archive(connection: Connection, cohort_id: int, now: datetime | None) -> None:
    """Put a cohort away, or with None take it out again."""
    connection.execute(update(CohortRow).where(CohortRow.id == cohort_id).values(archived_at=now))


def taught_by(connection: Connection, person: Person) -> list[Listed]:
    """Return the cohorts that a person may see as an instructor, the newest first: an admin all of them."""
    learners = (
        select(func.count())
        .where(MemberRow.cohort_id == CohortRow.id, MemberRow.teaches.is_(False))
        .correlate(CohortRow)
        .scalar_subquery()
    )
    statement = _seen_by(person, _COHORT.add_columns(learners.label("learners"))).order_by(CohortRow.id.desc())
    return [Listed(_cohort(row), row.learners) for row in connection.execute(statement)]


def find_taught(connection: Connection, cohort_id: int, person: Person) -> Cohort | None:
    """Return the cohort if this person may see it as an instructor; else it is as absent as one that never was."""
    row = connection.execute(_seen_by(person, _COHORT).where(CohortRow.id == cohort_id)).first()
    return None if row is None else _cohort(row)


def members(connection: Connection, cohort_id: int) -> list[Member]:
    """Return everybody of a cohort by name, instructors too."""
    statement = _MEMBER.where(MemberRow.cohort_id == cohort_id).order_by(PersonRow.name, PersonRow.id)
    return [Member(*row) for row in connection.execute(statement)]


def learners(connection: Connection, cohort_id: int) -> list[Member]:
    """Return a cohort's learners by name."""
    return [one for one in members(connection, cohort_id) if not one.teaches]


def add_instructor(connection: Connection, cohort_id: int, email: str, now: datetime) -> bool:
    """Let somebody with an instructor's account teach a cohort; return False where no such account has the address."""
    found = select(PersonRow.id).where(PersonRow.email == email, PersonRow.role != "learner")
    person_id = connection.execute(found).scalar()
    if person_id is None:
        return False
    joined = upsert(connection, MemberRow).values(_membership(cohort_id, person_id, now, teaches=True))
    connection.execute(joined.on_conflict_do_update(index_elements=["cohort_id", "person_id"], set_={"teaches": True}))
    return True


def remove(connection: Connection, cohort_id: int, person_id: int) -> bool:
    """Take somebody out of a cohort; what they did stays theirs. Return False for the last of its instructors."""
    # Of two instructors who remove each other one stays.
    in_turns(connection, f"people of cohort {cohort_id}")
    teachers = select(MemberRow.person_id).where(MemberRow.cohort_id == cohort_id, MemberRow.teaches)
    if connection.execute(teachers).scalars().all() == [person_id]:
        return False
    assignments = select(AssignmentRow.id).where(AssignmentRow.cohort_id == cohort_id)
    connection.execute(
        delete(ExtensionRow).where(ExtensionRow.person_id == person_id, ExtensionRow.assignment_id.in_(assignments))
    )
    connection.execute(delete(MemberRow).where(MemberRow.cohort_id == cohort_id, MemberRow.person_id == person_id))
    return True


def set_extra_time(connection: Connection, cohort_id: int, person_id: int, multiplier: str) -> None:
    """Multiply the time of a learner's exams from now on."""
    own = update(MemberRow).where(MemberRow.cohort_id == cohort_id, MemberRow.person_id == person_id)
    connection.execute(own.values(extra_time=multiplier))


def extra_time(connection: Connection, person_id: int) -> str:
    """Return by how much the time of a person's exams is multiplied: the most that any of their cohorts gives."""
    statement = (
        select(MemberRow.extra_time)
        .join(CohortRow, CohortRow.id == MemberRow.cohort_id)
        .where(MemberRow.person_id == person_id, MemberRow.teaches.is_(False), CohortRow.archived_at.is_(None))
    )
    return longest_extra(list(connection.execute(statement).scalars()))


def make_link(connection: Connection, cohort_id: int, uses: int | None, now: datetime, ends: datetime) -> str:
    """Store a link for anybody and return its token, which is kept nowhere."""
    return _make_link(connection, _link(cohort_id, uses, now, ends))


def invite(
    connection: Connection, cohort_id: int, people: Sequence[Invited], now: datetime, ends: datetime
) -> list[tuple[Invited, str]]:
    """Store a link for each person of a list and return it with its token; each can be used once."""
    row = _link(cohort_id, 1, now, ends)
    return [(one, _make_link(connection, {**row, "name": one.name, "email": one.email})) for one in people]


def links(connection: Connection, cohort_id: int) -> list[Link]:
    """Return a cohort's links, the newest first."""
    statement = _LINK.where(LinkRow.cohort_id == cohort_id).order_by(LinkRow.id.desc())
    return [Link(*row) for row in connection.execute(statement)]


def revoke(connection: Connection, cohort_id: int, link_id: int, now: datetime) -> None:
    """End a link that still works."""
    own = update(LinkRow).where(LinkRow.id == link_id, LinkRow.cohort_id == cohort_id, LinkRow.expires_at > now)
    connection.execute(own.values(expires_at=now))


def find_link(connection: Connection, token: str, now: datetime) -> tuple[Link, Cohort] | None:
    """Return the open link of this token with its cohort; an archived cohort takes nobody in."""
    row = connection.execute(_LINK.where(LinkRow.token_hash == _hash(token))).first()
    if row is None or not (link := Link(*row)).is_open(now):
        return None
    cohort = connection.execute(_COHORT.where(CohortRow.id == link.cohort_id, CohortRow.archived_at.is_(None))).first()
    return None if cohort is None else (link, _cohort(cohort))


def join(database: Database, connection: Connection, token: str, person_id: int, now: datetime) -> bool:
    """Let a person in by a link and use it up by one; return False where the link does not work any more.

    Somebody who is in already uses nothing up.
    """
    found = find_link(connection, token, now)
    if found is None:
        return False
    link, cohort = found
    joined = database.upsert(MemberRow).values(_membership(cohort.id, person_id, now, teaches=False))
    statement = joined.on_conflict_do_nothing().returning(MemberRow.person_id)
    if connection.execute(statement).first() is None:
        return True
    # Of two who come by the last use at once, the row's lock lets one through.
    used = update(LinkRow).where(LinkRow.id == link.id, or_(LinkRow.uses_left.is_(None), LinkRow.uses_left > 0))
    values = {"uses_left": LinkRow.uses_left - 1, "person_id": person_id if link.email else None}
    if connection.execute(used.values(values)).rowcount == 1:
        return True
    remove(connection, cohort.id, person_id)
    return False


def _seen_by(person: Person, statement: Any) -> Any:
    if person.may("admin"):
        return statement
    own = select(MemberRow.cohort_id).where(MemberRow.person_id == person.id, MemberRow.teaches)
    return statement.where(CohortRow.id.in_(own))


def _membership(cohort_id: int, person_id: int, now: datetime, *, teaches: bool) -> dict[str, Any]:
    who = {"cohort_id": cohort_id, "person_id": person_id}
    return {**who, "teaches": teaches, "extra_time": "1", "joined_at": now}


def _link(cohort_id: int, uses: int | None, now: datetime, ends: datetime) -> dict[str, Any]:
    times = {"created_at": now, "expires_at": ends}
    return {"cohort_id": cohort_id, "name": "", "email": "", "uses_left": uses, **times}


def _make_link(connection: Connection, row: dict[str, Any]) -> str:
    token = secrets.token_urlsafe(24)
    connection.execute(insert(LinkRow).values(**row, token_hash=_hash(token)))
    return token


def _cohort(row: Any) -> Cohort:
    return Cohort(row.id, row.title, row.zone, row.archived_at)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def theirs(person_id: int, email: str | None) -> tuple[type[LinkRow], ColumnElement[bool]]:
    """Say which links are a person's: those that name them, and those that they came by alone."""
    return LinkRow, or_(LinkRow.person_id == person_id, LinkRow.email == email)


def forget_links(connection: Connection, now: datetime, keep: timedelta, most: int) -> int:
    """Delete links that expired so long ago, with the names and addresses of whom they were for."""
    old = select(LinkRow.id).where(LinkRow.expires_at < now - keep).limit(most)
    return connection.execute(delete(LinkRow).where(LinkRow.id.in_(old))).rowcount
