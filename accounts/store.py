"""What the database keeps of people: accounts, and the one-time link that makes the first admin."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from accounts.models import InvitationRow, PersonRow, SessionRow
from accounts.people import ROLES


class TakenError(ValueError):
    """Another account has this address."""


def find_by_email(connection: Connection, email: str) -> Any:
    """Return (id, password_hash) of the account with this normalised address, or None."""
    return connection.execute(select(PersonRow.id, PersonRow.password_hash).where(PersonRow.email == email)).first()


@dataclass(frozen=True)
class Account:
    """An account as its own pages and the operator need it; without a hash nobody can sign in to it."""

    id: int
    name: str
    email: str
    password_hash: str | None


def find(connection: Connection, person_id: int) -> Account | None:
    """Return the account of this person, or None if there is none; a guest has none."""
    columns = (PersonRow.id, PersonRow.name, PersonRow.email, PersonRow.password_hash)
    row = connection.execute(select(*columns).where(PersonRow.id == person_id, PersonRow.email.is_not(None))).first()
    return None if row is None else Account(row.id, row.name, str(row.email), row.password_hash)


@dataclass(frozen=True)
class Credentials:
    """What an account is made of: a name to show, the normalised address and the password's hash."""

    name: str
    email: str
    password_hash: str


def create(connection: Connection, new: Credentials, role: str, now: datetime) -> int:
    """Make an account and return its id; raise TakenError if the address has one."""
    statement = insert(PersonRow).values(**asdict(new), role=role, theme="auto", created_at=now)
    with _refusing_taken():
        return connection.execute(statement.returning(PersonRow.id)).scalar_one()


def keep_guest(connection: Connection, person_id: int, new: Credentials) -> None:
    """Turn a guest into an account: the same person, so all their work stays theirs.

    Raises TakenError as above, and where the guest has become an account meanwhile.
    """
    guest = update(PersonRow).where(PersonRow.id == person_id, PersonRow.email.is_(None))
    with _refusing_taken():
        kept = connection.execute(guest.values(**asdict(new))).rowcount
    if not kept:
        raise _taken()


def set_role(connection: Connection, person_id: int, role: str) -> None:
    """Give a person a role."""
    if role not in ROLES:
        raise ValueError(f"A role is one of {', '.join(ROLES)}, not “{role}”.")
    connection.execute(update(PersonRow).where(PersonRow.id == person_id).values(role=role))


def hold(connection: Connection, person_id: int) -> None:
    """Let nothing new become a person's until the transaction ends, and wait for what is becoming theirs."""
    connection.execute(select(PersonRow.id).where(PersonRow.id == person_id).with_for_update())


def set_password(connection: Connection, person_id: int, password_hash: str | None) -> None:
    """Give an account a password, or take the one it has, so that nobody can sign in to it."""
    connection.execute(update(PersonRow).where(PersonRow.id == person_id).values(password_hash=password_hash))


def forget(connection: Connection, person_id: int) -> None:
    """Delete a person and everything that is still theirs."""
    connection.execute(delete(PersonRow).where(PersonRow.id == person_id))


def forget_guests(connection: Connection, now: datetime, keep: timedelta, most: int) -> int:
    """Delete guests who began so long ago and have no session, so that nobody can come back to them."""
    gone = (
        select(PersonRow.id)
        .outerjoin(SessionRow, SessionRow.person_id == PersonRow.id)
        .where(PersonRow.email.is_(None), PersonRow.created_at < now - keep, SessionRow.person_id.is_(None))
        .limit(most)
    )
    return connection.execute(delete(PersonRow).where(PersonRow.id.in_(gone))).rowcount


def has_admin(connection: Connection) -> bool:
    """Return whether anyone is an admin yet."""
    return connection.execute(select(func.count()).where(PersonRow.role == "admin")).scalar_one() > 0


def invite_admin(connection: Connection, now: datetime) -> str:
    """Store a new invitation and return its token; the tokens given before stop working."""
    token = secrets.token_urlsafe(24)
    connection.execute(update(InvitationRow).where(InvitationRow.used_at.is_(None)).values(used_at=now))
    connection.execute(insert(InvitationRow).values(token_hash=_hash(token), created_at=now))
    return token


def is_invitation(connection: Connection, token: str) -> bool:
    """Return whether this token can still be used."""
    statement = select(InvitationRow.token_hash).where(
        InvitationRow.token_hash == _hash(token), InvitationRow.used_at.is_(None)
    )
    return connection.execute(statement).first() is not None


def use_invitation(connection: Connection, token: str, now: datetime) -> bool:
    """Use up a token; return False if it was unknown or used before."""
    result = connection.execute(
        update(InvitationRow)
        .where(InvitationRow.token_hash == _hash(token), InvitationRow.used_at.is_(None))
        .values(used_at=now)
    )
    return result.rowcount == 1


def names(connection: Connection, ids: Iterable[int | None]) -> dict[int | None, str]:
    """Return the names of the people with these ids, as far as they are there."""
    wanted = {one for one in ids if one is not None}
    found = connection.execute(select(PersonRow.id, PersonRow.name).where(PersonRow.id.in_(wanted)))
    return {row.id: row.name for row in found}


@contextmanager
def _refusing_taken() -> Iterator[None]:
    """Let the database refuse a second account with an address, for somebody else may be making one as well."""
    try:
        yield
    except IntegrityError:
        raise _taken() from None


def _taken() -> TakenError:
    return TakenError("There is an account with this address; sign in instead.")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
