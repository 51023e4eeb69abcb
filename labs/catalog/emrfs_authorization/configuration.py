"""The security configuration of the cluster: whom its KDC trusts, and which role EMRFS takes for whom."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

from labs.parts.json_document import Where
from labs.parts.states.payload import Json

from .account import NUMBER
from .fields import Fields

NAME = "configuration"
MOST_MAPPINGS = 20
_PATH = ("AuthorizationConfiguration", "EmrFsConfiguration", "RoleMappings")
_KERBEROS = ("AuthenticationConfiguration", "KerberosConfiguration")
_KDC = "ClusterDedicatedKdcConfiguration"
_TRUST = "CrossRealmTrustConfiguration"
_ARN = re.compile(r"arn:aws:iam::(\d{12}):role/([\w+=,.@-]{1,64})", re.ASCII)
_BUCKET_IN_PREFIX = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,62}(/.*)?", re.ASCII | re.DOTALL)


class IdentifierType(Enum):
    """What a mapping goes by."""

    USER = "User"
    GROUP = "Group"
    PREFIX = "Prefix"


@dataclass(frozen=True)
class Access:
    """Somebody who is known by name, with the groups of the directory, and the path in S3 that is asked for."""

    user: str
    groups: frozenset[str]
    path: str


@dataclass(frozen=True)
class RoleMapping:
    """An entry of the list: the role for whoever has one of the identifiers; its number from 1 and its line."""

    number: int
    line: int
    role: str
    kind: IdentifierType
    identifiers: tuple[str, ...]

    def fits(self, access: Access) -> str:
        """Return the identifier that fits, or nothing. A prefix fits every path that begins with its text."""
        for one in self.identifiers:
            fits = {
                IdentifierType.USER: one == access.user,
                IdentifierType.GROUP: one in access.groups,
                IdentifierType.PREFIX: access.path.startswith(one),
            }
            if fits[self.kind]:
                return one
        return ""


@dataclass(frozen=True)
class SecurityConfiguration:
    """The realm that the cluster trusts, and the mappings in the order in which EMRFS asks them."""

    realm: str
    mappings: tuple[RoleMapping, ...]

    def mapping(self, access: Access) -> RoleMapping | None:
        """Return the first mapping that fits, as EMRFS does; None where the role of the instances remains."""
        return next((one for one in self.mappings if one.fits(access)), None)


def read(text: str, roles: Collection[str], realm: str) -> SecurityConfiguration:
    """Return the configuration in the text; raise Refused with the place of each fault.

    A mapping names one of the account's ``roles``; the only realm that there is to trust is ``realm``.
    """
    fields = Fields(NAME, text)
    fields.only(dict(fields.top), [_KERBEROS[0], _PATH[0]], ())
    _check_trust(fields, realm)
    mappings = _mappings(fields, roles)
    fields.check()
    return SecurityConfiguration(realm, tuple(mappings))


def _check_trust(fields: Fields, realm: str) -> None:
    found, where = _inside(fields, (*_KERBEROS, _KDC, _TRUST))
    if found is None:
        return
    for name, wanted in (("Realm", realm), ("Domain", realm.lower())):
        given = fields.get(str, found, name, where)
        if given is not None and given != wanted:
            fields.fault((*where, name), f"There is no directory of “{given[:60]}” to trust; here it is {wanted}.")
    for name in ("AdminServer", "KdcServer"):
        fields.get(str, found, name, where)


def _inside(fields: Fields, way: Where) -> tuple[dict[str, Json] | None, Where]:
    """Return the object at the end of the way and the way itself; None, and a fault kept, where there is none."""
    found: dict[str, Json] | None = dict(fields.top)
    for depth, name in enumerate(way):
        if found is None:
            break
        found = fields.get(dict, found, str(name), way[:depth])
    return found, way


def _mappings(fields: Fields, roles: Collection[str]) -> list[RoleMapping]:
    found, where = _inside(fields, _PATH[:-1])
    entries = fields.get(list, found, _PATH[-1], where) if found is not None else None
    if entries is None:
        return []
    if len(entries) > MOST_MAPPINGS:
        fields.fault(_PATH, f"There are {len(entries)} mappings; at most {MOST_MAPPINGS} are read here.")
        return []
    read = (_mapping(fields, number, entry, roles) for number, entry in enumerate(entries))
    return [one for one in read if one is not None]


def _mapping(fields: Fields, number: int, entry: Json, roles: Collection[str]) -> RoleMapping | None:
    where = (*_PATH, number)
    found = fields.is_a(dict, entry, where)
    if found is None:
        return None
    fields.only(found, ["Role", "IdentifierType", "Identifiers"], where)
    role = _role(fields, fields.get(str, found, "Role", where), (*where, "Role"), roles)
    kind = _kind(fields, fields.get(str, found, "IdentifierType", where), (*where, "IdentifierType"))
    identifiers = _identifiers(fields, fields.get(list, found, "Identifiers", where), (*where, "Identifiers"), kind)
    if role is None or kind is None:
        return None
    return RoleMapping(number + 1, fields.line(where), role, kind, identifiers)


def _role(fields: Fields, arn: str | None, where: Where, roles: Collection[str]) -> str | None:
    if arn is None:
        return None
    found = _ARN.fullmatch(arn)
    if not found or found[1] != NUMBER:
        fields.fault(where, f"This is no role of the account; write arn:aws:iam::{NUMBER}:role/ and its name.")
        return None
    if found[2] not in roles:
        fields.fault(where, f"The account has no role “{found[2]}”; write it, and whom it trusts, under Roles.")
        return None
    return found[2]


def _kind(fields: Fields, text: str | None, where: Where) -> IdentifierType | None:
    known = {one.value: one for one in IdentifierType}
    if text is not None and text not in known:
        fields.fault(where, f"EMRFS knows no type “{text[:60]}”; use {', '.join(known)}.")
    return known.get(text or "")


def _identifiers(
    fields: Fields, given: list[Json] | None, where: Where, kind: IdentifierType | None
) -> tuple[str, ...]:
    if given is None:
        return ()
    if not given:
        fields.fault(where, "The list is empty, so the mapping fits nobody; name at least one.")
    for number, one in enumerate(given):
        if not isinstance(one, str) or not one.strip():
            fields.fault((*where, number), "An identifier is the name of a user or of a group, or a prefix.")
        elif kind is IdentifierType.PREFIX and not _BUCKET_IN_PREFIX.fullmatch(one):
            fields.fault((*where, number), "A prefix begins with s3:// and the name of a bucket.")
    return tuple(one for one in given if isinstance(one, str))
