"""A directory of users, their passwords and their groups, as Active Directory is for a cluster."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from labs.findings import Refused

NAME = re.compile(r"[A-Za-z0-9._-]+")
"""What a user or a group may be called."""


class UnknownUser(LookupError):  # noqa: N818 (an answer of the directory, not a fault in it)
    """The directory has no such user."""

    def __init__(self, user: str) -> None:
        super().__init__(f"The directory has no user “{user}”.")


@dataclass(frozen=True)
class User:
    """A user, with a password and the names of groups; raises Refused where one of the names is no name."""

    name: str
    password: str
    groups: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in (self.name, *self.groups):
            if not NAME.fullmatch(name):
                raise Refused(f"“{name}” cannot name a user or group; write letters, digits, dots, hyphens or _ only.")


class Directory(Protocol):
    """What a cluster asks its directory. Names are compared as LDAP compares them: case does not matter."""

    def groups(self, user: str) -> tuple[str, ...]:
        """Return the names of a user's groups, in the order of the alphabet; raise UnknownUser."""

    def authenticate(self, user: str, password: str) -> bool:
        """Return whether this is the password of that user, who may be unknown too; an empty one never is."""


class Table:
    """A directory that is a table in memory."""

    def __init__(self, users: Iterable[User]) -> None:
        self._users = {user.name.casefold(): user for user in users}

    def groups(self, user: str) -> tuple[str, ...]:
        """Return the names of a user's groups, in the order of the alphabet; raise UnknownUser."""
        found = self._find(user)
        if found is None:
            raise UnknownUser(user)
        return tuple(sorted(found.groups))

    def authenticate(self, user: str, password: str) -> bool:
        """Return whether this is the password of that user, who may be unknown too; an empty one never is."""
        found = self._find(user)
        if found is None or not password:
            return False
        return hmac.compare_digest(found.password.encode(), password.encode())

    def _find(self, user: str) -> User | None:
        return self._users.get(user.casefold()) if NAME.fullmatch(user) else None
