"""Principals, the names of Kerberos; realms with their principals; and the one-way trust between two realms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from labs.findings import Refused

_REALM = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")


@dataclass(frozen=True)
class Principal:
    """A user or a service of a realm, such as ``alice@EXAMPLE.ORG`` or ``host/node@EXAMPLE.ORG``."""

    components: tuple[str, ...]
    realm: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``name@REALM`` or ``service/host@REALM``; raise ValueError where a part of it is missing."""
        name, _, realm = text.rpartition("@")
        components = tuple(name.split("/"))
        if not (all(components) and realm):
            raise ValueError(f"“{text}” is not a principal; write name@REALM or service/host@REALM.")
        return cls(components, realm)

    @property
    def name(self) -> str:
        """The principal without its realm."""
        return "/".join(self.components)

    @property
    def salt(self) -> str:
        """What goes into the key beside the password (RFC 4120, 4: the realm and the components, joined)."""
        return self.realm + "".join(self.components)

    def __str__(self) -> str:
        return f"{self.name}@{self.realm}"


def ticket_granter(realm: str, issuer: str) -> Principal:
    """Return the principal of ``realm``'s ticket-granting service, as known to the realm ``issuer``."""
    return Principal(("krbtgt", realm), issuer)


@dataclass(frozen=True)
class Realm:
    """A realm and the passwords of its principals, by their names without the realm.

    Raises Refused where its own name has other characters than the name of a domain.
    """

    name: str
    passwords: Mapping[str, str]

    def __post_init__(self) -> None:
        if not _REALM.fullmatch(self.name):
            raise Refused(f"“{self.name}” cannot name a realm; write letters, digits, dots and hyphens only.")


@dataclass(frozen=True)
class Trust:
    """The services of the realm ``trusting`` let the users of the realm ``trusted`` in, and not the reverse.

    Both realms keep one key for it, that of ``krbtgt/trusting@trusted``; here it is made from a password, as the
    administrators of both sides type it.
    """

    trusting: str
    trusted: str
    password: str

    @property
    def principal(self) -> Principal:
        """The principal whose key both realms share."""
        return ticket_granter(self.trusting, self.trusted)


def passwords(realm: Realm, trusts: Iterable[Trust]) -> dict[Principal, str]:
    """Return all passwords that a realm's KDC keeps: those of its principals and of its trusts."""
    kept = {Principal.parse(f"{name}@{realm.name}"): password for name, password in realm.passwords.items()}
    return kept | {one.principal: one.password for one in trusts if realm.name in {one.trusting, one.trusted}}
