"""What the database keeps of people: accounts, and the one-time link that makes the first admin."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from accounts.models import InvitationRow, PersonRow
from accounts.people import ROLES


class TakenError(ValueError):
    """Another account has this address."""


def find_by_email(connection: Connection, email: str) -> Any:
    """Return (id, password_hash) of the account with this normalised address, or None."""
    return connection.execute(select(PersonRow.id, PersonRow.password_hash).where(PersonRow.email == email)).first()


@dataclass(frozen=True)
class Credentials:
    """What an account is made of: a name to show, the normalised address and the password's hash."""

    name: str
    email: str
    password_hash: str


def create(connection: Connection, new: Credentials, role: str, now: datetime) -> int:
    """Make an account and return its id; raise TakenError if the address has one."""
    _refuse_taken(connection, new.email)
    statement = insert(PersonRow).values(**asdict(new), role=role, theme="auto", created_at=now)
    return connection.execute(statement.returning(PersonRow.id)).scalar_one()


def keep_guest(connection: Connection, person_id: int, new: Credentials) -> None:
    """Turn a guest into an account: the same person, so all their work stays theirs; raise TakenError as above."""
    _refuse_taken(connection, new.email)
    guest = update(PersonRow).where(PersonRow.id == person_id, PersonRow.email.is_(None))
    connection.execute(guest.values(**asdict(new)))


def set_role(connection: Connection, person_id: int, role: str) -> None:
    """Give a person a role."""
    if role not in ROLES:
        raise ValueError(f"A role is one of {', '.join(ROLES)}, not “{role}”.")
    connection.execute(update(PersonRow).where(PersonRow.id == person_id).values(role=role))


def forget(connection: Connection, person_id: int) -> None:
    """Delete a person and everything that is still theirs."""
    connection.execute(delete(PersonRow).where(PersonRow.id == person_id))


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


def _refuse_taken(connection: Connection, email: str) -> None:
    if find_by_email(connection, email) is not None:
        raise TakenError("There is an account with this address; sign in instead.")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
