"""Cases of policy evaluation drawn from a seed: who asks for what, and every policy that has a say.

Only ``Random.random`` is used, which is the same in every Python, so that a seed means the same cases for ever.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from random import Random
from typing import Any, TypeVar

SEED = 20_180_201
COUNT = 20_000
OWN, OTHER = "111122223333", "444455556666"
USER = f"arn:aws:iam::{OWN}:user/anna"
ROLE = f"arn:aws:iam::{OWN}:role/analyst"
SESSION = f"arn:aws:sts::{OWN}:assumed-role/analyst/anna"
BUCKETS = ("demo-data", "demo-data-secret", "other")
KEYS = ("a.csv", "home/anna/a.csv", "home/bert/a.csv", "2018/02/a:b.csv")
S3_ACTIONS = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket")

T = TypeVar("T")
Json = Any


class Draw:
    """Choices from one sequence of random numbers."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def one(self, options: Sequence[T]) -> T:
        return options[int(self._random.random() * len(options))]

    def some(self, options: Sequence[T], most: int) -> list[T]:
        return [self.one(options) for _ in range(1 + int(self._random.random() * most))]


def cases(count: int = COUNT, seed: int = SEED) -> list[dict[str, Json]]:
    """Return the cases; ``resource_policy``, ``boundary`` and ``session`` are None where there is none."""
    draw = Draw(seed)
    return [_case(draw) for _ in range(count)]


def fingerprint(found: Sequence[dict[str, Json]]) -> str:
    """Return the SHA-256 of the cases, by which recorded answers know theirs."""
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


def _case(draw: Draw) -> dict[str, Json]:
    caller = draw.one((USER, SESSION, SESSION))
    trust = draw.chance(0.2)
    account = OWN if draw.chance(0.7) else OTHER
    action = "sts:AssumeRole" if trust else draw.one(S3_ACTIONS)
    resource = _role(draw, account) if trust else _resource(draw, action)
    role = caller == SESSION
    return {
        "caller": caller,
        "action": action,
        "resource": resource,
        "account": account,
        "context": _context(draw, action, role=role),
        "identity": [_policy(draw, trust=trust) for _ in range(int(draw.chance(0.85)) + int(draw.chance(0.3)))],
        "boundary": _policy(draw, trust=trust) if draw.chance(0.25) else None,
        "session": _policy(draw, trust=trust) if role and draw.chance(0.25) else None,
        "resource_policy": _resource_policy(draw, trust=trust) if trust or draw.chance(0.55) else None,
    }


def _role(draw: Draw, account: str) -> str:
    return f"arn:aws:iam::{account}:role/{draw.one(('admin', 'teams/data-eng'))}"


def _resource(draw: Draw, action: str) -> str:
    bucket = f"arn:aws:s3:::{draw.one(BUCKETS)}"
    return bucket if action == "s3:ListBucket" else f"{bucket}/{draw.one(KEYS)}"


def _context(draw: Draw, action: str, *, role: bool) -> dict[str, str | list[str]]:
    found: dict[str, str | list[str]] = {
        "aws:PrincipalArn": ROLE if role else USER,
        "aws:PrincipalAccount": OWN,
        "aws:userid": "AROAEXAMPLEROLEID0001:anna" if role else "AIDAEXAMPLEUSERID0001",
    }
    if not role:
        found["aws:username"] = "anna"
    optional: dict[str, tuple[str | list[str], ...]] = {
        "aws:SourceIp": ("10.1.2.3", "203.0.113.7", "2001:db8::7"),
        "aws:SecureTransport": ("true", "false"),
        "aws:CurrentTime": ("2018-02-01T00:00:00Z", "2018-03-05T12:30:00Z"),
        "aws:MultiFactorAuthAge": ("60", "3600", "7200.5"),
        "aws:PrincipalTag/team": ("data", "Data", "web"),
        "aws:SourceArn": (f"arn:aws:sns:us-east-1:{OWN}:topic", f"arn:aws:s3:::{BUCKETS[0]}"),
        "aws:TagKeys": (["team"], ["team", "cost"], ["team", "cost", "owner"]),
    }
    if action == "s3:ListBucket":
        optional["s3:prefix"] = ("", "home/anna/", "home/bert/", "home/")
        optional["s3:max-keys"] = ("10", "1000")
    if action == "s3:PutObject":
        optional["s3:x-amz-acl"] = ("private", "public-read", "bucket-owner-full-control")
    for key, values in optional.items():
        if draw.chance(0.5):
            found[key] = draw.one(values)
    return found


def _policy(draw: Draw, *, trust: bool) -> dict[str, Json]:
    statements = [_statement(draw, trust=trust) for _ in draw.some("ab", 2)]
    return {"Version": "2012-10-17" if draw.chance(0.95) else "2008-10-17", "Statement": statements}


def _resource_policy(draw: Draw, *, trust: bool) -> dict[str, Json]:
    policy = _policy(draw, trust=trust)
    for statement in policy["Statement"]:
        statement["Principal"] = _principal(draw)
        if trust:
            for name in ("Resource", "NotResource"):
                statement.pop(name, None)
    return policy


def _principal(draw: Draw) -> Json:
    root = f"arn:aws:iam::{OWN}:root"
    named = (ROLE, USER, SESSION, root, OWN, f"arn:aws:iam::{OTHER}:root", f"arn:aws:iam::{OWN}:role/other")
    drawn = draw.one(("*", {"AWS": "*"}, {"Service": "ec2.amazonaws.com"}, None, None, None, None, None, None, None))
    if drawn:
        return drawn
    return (
        {"AWS": draw.one(named)} if draw.chance(0.6) else {"AWS": draw.some(named, 2), "Service": "ec2.amazonaws.com"}
    )


def _statement(draw: Draw, *, trust: bool) -> dict[str, Json]:
    found: dict[str, Json] = {"Effect": "Deny" if draw.chance(0.15) else "Allow"}
    found["NotAction" if draw.chance(0.12) else "Action"] = _actions(draw, trust=trust)
    found["NotResource" if draw.chance(0.12) else "Resource"] = _resources(draw, trust=trust)
    if draw.chance(0.35):
        found["Condition"] = _conditions(draw)
    return found


def _actions(draw: Draw, *, trust: bool) -> Json:
    if trust:
        return draw.one(("sts:AssumeRole", "sts:*", "STS:assumerole", "sts:AssumeRole*", "s3:*", "*"))
    names = ("s3:*", "s3:*", "s3:Get*", "s3:GetObject", "S3:putobject", "s3:?etObject", "s3:*Object", "s3:List*")
    return draw.one((*names, "*", "s3:DeleteObject")) if draw.chance(0.7) else draw.some((*names, "sts:*"), 3)


def _resources(draw: Draw, *, trust: bool) -> Json:
    roles = (
        "*",
        f"arn:aws:iam::{OWN}:role/*",
        "arn:aws:iam::*:role/teams/*",
        f"arn:aws:iam::{OTHER}:role/admin",
        f"arn:aws:iam::{OWN}:role/admin",
    )
    buckets = (
        "*",
        "arn:aws:s3:::*",
        "arn:aws:s3:::demo-data*",
        "arn:aws:s3:::demo-data/*",
        "arn:aws:s3:::demo-data",
        "arn:aws:s3:::demo?data/*.csv",
        "arn:aws:s3:::demo.data/*",
        "arn:aws:s3:::*/home/${aws:username}/*",
        "arn:aws:s3:::demo-data*/home/${aws:PrincipalTag/team, 'anna'}/*",
        "arn:aws:s3:::other",
        "arn:aws:s3:::other/*/a*b*",
        "arn:*:s3:::de*",
    )
    options = roles if trust else buckets
    return draw.one(options) if draw.chance(0.5) else draw.some(options, 3)


CONDITIONS: tuple[tuple[str, str, tuple[Json, ...]], ...] = (
    ("StringEquals", "aws:username", ("anna", ["anna", "bert"], "Anna")),
    ("StringNotEquals", "aws:username", ("anna", ["bert", "carl"])),
    ("StringEqualsIgnoreCase", "aws:PrincipalTag/team", ("DATA", ["WEB", "ops"])),
    ("StringNotEqualsIgnoreCase", "aws:PrincipalTag/team", ("DATA", ["WEB", "ops"])),
    ("StringLike", "s3:prefix", ("home/${aws:username}/*", ["", "home/*"], "home/????/")),
    ("StringNotLike", "s3:prefix", ("home/b*", ["*a*", ""])),
    ("StringLike", "aws:userid", ("AROA*:anna", "AIDA*", "*:*")),
    ("StringEquals", "s3:x-amz-acl", ("private", ["private", "bucket-owner-full-control"])),
    ("ArnEquals", "aws:PrincipalArn", (ROLE, f"arn:aws:iam::{OWN}:user/*")),
    ("ArnLike", "aws:SourceArn", (f"arn:aws:sns:*:{OWN}:*", "arn:aws:s3:::demo-*")),
    ("ArnNotLike", "aws:SourceArn", (f"arn:aws:sns:*:{OWN}:*",)),
    ("ArnNotEquals", "aws:PrincipalArn", (ROLE, USER)),
    ("NumericEquals", "s3:max-keys", ("10", ["10", "1000"], "10.0")),
    ("NumericNotEquals", "s3:max-keys", ("10",)),
    ("StringNotEquals", "aws:PrincipalTag/team", ("${aws:username}", ["web", "${aws:username}"])),
    ("NumericLessThan", "aws:MultiFactorAuthAge", ("3600", "61")),
    ("NumericLessThanEquals", "aws:MultiFactorAuthAge", ("3600",)),
    ("NumericGreaterThan", "aws:MultiFactorAuthAge", ("3600",)),
    ("NumericGreaterThanEquals", "aws:MultiFactorAuthAge", ("3600", "7200.5")),
    ("DateEquals", "aws:CurrentTime", ("2018-02-01T00:00:00Z",)),
    ("DateNotEquals", "aws:CurrentTime", ("2018-02-01T00:00:00Z",)),
    ("DateLessThan", "aws:CurrentTime", ("2018-03-01T00:00:00Z", "2018-02-01T00:00:00Z")),
    ("DateLessThanEquals", "aws:CurrentTime", ("2018-02-01T00:00:00Z",)),
    ("DateGreaterThan", "aws:CurrentTime", ("2018-02-01T00:00:00Z",)),
    ("DateGreaterThanEquals", "aws:CurrentTime", ("2018-03-05T12:30:00Z",)),
    ("Bool", "aws:SecureTransport", ("true", "false")),
    ("IpAddress", "aws:SourceIp", ("10.0.0.0/8", ["203.0.113.0/24", "10.1.2.3"], "2001:db8::/32")),
    ("NotIpAddress", "aws:SourceIp", ("10.0.0.0/8", ["203.0.113.0/24", "192.0.2.1"], "2001:db8::/32")),
)
SETS: tuple[tuple[str, tuple[Json, ...]], ...] = (
    ("StringEquals", ("team", ["team", "cost"])),
    ("StringNotEquals", ("team", ["cost", "owner"])),
    ("StringLike", ("t*", ["t*", "c*"])),
    ("StringNotLike", ("t*", ["c*", "o*"])),
    ("StringEqualsIgnoreCase", ("TEAM", ["TEAM", "COST"])),
)


def _conditions(draw: Draw) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for _ in range(1 + int(draw.chance(0.2))):
        if draw.chance(0.15):
            operator, values = draw.one(SETS)
            found[f"{draw.one(('ForAllValues', 'ForAnyValue'))}:{operator}"] = {"aws:TagKeys": draw.one(values)}
        elif draw.chance(0.15):
            key = draw.one(("aws:username", "aws:SourceIp", "aws:TagKeys", "s3:prefix"))
            found["Null"] = {key: draw.one(("true", "false"))}
        else:
            operator, key, values = draw.one(CONDITIONS)
            key = key.upper() if draw.chance(0.05) else key
            found[operator + ("IfExists" if draw.chance(0.2) else "")] = {key: draw.one(values)}
    return found
