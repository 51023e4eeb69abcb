"""The account that a learner writes: its roles with their policies, its buckets, and the people of the directory."""

from __future__ import annotations

import re
from collections.abc import Mapping

from labs.parts.iam import Kind, Policy, read_at
from labs.parts.json_document import Where
from labs.parts.object_store import Bucket, Role
from labs.parts.states.payload import Json

from .fields import Fields

NUMBER = "111122223333"
TRUST, PERMISSIONS = "AssumeRolePolicyDocument", "PolicyDocument"
MOST_ROLES, MOST_BUCKETS, MOST_PEOPLE, MOST_GROUPS = 12, 6, 8, 8

_ROLE = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_NAME = re.compile(r"[a-z][a-z0-9_-]{1,31}")


def arn(role: str) -> str:
    """Return the ARN of one of the account's roles."""
    return f"arn:aws:iam::{NUMBER}:role/{role}"


def roles(text: str) -> tuple[Role, ...]:
    """Return the roles; raise Refused with the place of each fault. A role without a trust policy is one."""
    fields = Fields("roles", text)
    _check_names(fields, _ROLE, MOST_ROLES, "A role's name has up to 64 letters, digits and +=,.@-_.")
    read = [_role(fields, name, value) for name, value in fields.top.items()]
    fields.check()
    return tuple(one for one in read if one is not None)


def buckets(text: str) -> tuple[Bucket, ...]:
    """Return the buckets, each with its policy if it has one; raise Refused with the place of each fault."""
    fields = Fields("buckets", text)
    _check_names(fields, _BUCKET, MOST_BUCKETS, "A bucket's name has 3 to 63 small letters, digits and hyphens.")
    read = [
        Bucket(name, policy=None if value is None else _policy(fields, (name,), Kind.RESOURCE))
        for name, value in fields.top.items()
    ]
    fields.check()
    return tuple(read)


def people(text: str) -> Mapping[str, tuple[str, ...]]:
    """Return the groups of everybody in the directory, by name; raise Refused with the place of each fault."""
    fields = Fields("people", text)
    _check_names(
        fields, _NAME, MOST_PEOPLE, "A person's name has 2 to 32 small letters, digits, hyphens and underscores."
    )
    for name, given in fields.top.items():
        groups = fields.is_a(list, given, (name,)) or []
        if len(groups) > MOST_GROUPS or not all(isinstance(one, str) and _NAME.fullmatch(one) for one in groups):
            fields.fault((name,), f"Give a list of at most {MOST_GROUPS} groups, each named like a person.")
    fields.check()
    return {name: tuple(map(str, given)) for name, given in fields.top.items() if isinstance(given, list)}


def _check_names(fields: Fields, form: re.Pattern[str], most: int, sentence: str) -> None:
    if not 1 <= len(fields.top) <= most:
        fields.fault((), f"There are {len(fields.top)} names here; write 1 to {most}.")
    for name in fields.top:
        if not form.fullmatch(name):
            fields.fault((name,), sentence)


def _role(fields: Fields, name: str, value: Json) -> Role | None:
    found = fields.is_a(dict, value, (name,))
    if found is None:
        return None
    fields.only(found, [TRUST, PERMISSIONS], (name,))
    fields.get(dict, found, TRUST, (name,))
    trust = _policy(fields, (name, TRUST), Kind.TRUST) if TRUST in found else None
    permissions = _policy(fields, (name, PERMISSIONS), Kind.IDENTITY) if PERMISSIONS in found else None
    return Role(name, trust=trust, policies={name: permissions} if permissions else {}) if trust else None


def _policy(fields: Fields, where: Where, kind: Kind) -> Policy | None:
    reading = read_at(fields.document, where, kind)
    fields.add((one.line, one.column, one.sentence) for one in reading.faults)
    return reading.policy
