"""Policies as values: statements that allow or deny, to whom, what, on which resources, and when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from labs.parts.iam.conditions import Condition
from labs.parts.iam.patterns import Arn, Pattern
from labs.parts.iam.principals import Principals


class Kind(Enum):
    """What a policy is attached to, which decides on its elements and its quota in characters without white space.

    The quotas are IAM's for the policies inside a role and for trust policies, and S3's for a bucket policy.
    """

    IDENTITY = "identity policy", 10_240
    RESOURCE = "resource policy", 20_480
    TRUST = "trust policy", 2_048

    def __init__(self, title: str, quota: int) -> None:
        self.title, self.quota = title, quota


class Effect(Enum):
    """What a statement that applies does."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True)
class Statement:
    """One statement, and where it stands: its number and its line, both from 1.

    Each resource is the segments of an ARN; ``*`` is none, which match everything.
    """

    effect: Effect
    actions: tuple[Pattern, ...]
    sid: str = ""
    not_actions: bool = False
    resources: tuple[Arn, ...] = ()
    not_resources: bool = False
    principals: Principals | None = None
    conditions: tuple[Condition, ...] = ()
    number: int = 1
    line: int = 1

    @property
    def name(self) -> str:
        """The statement's Sid, or its number where it has none."""
        return self.sid or f"statement {self.number}"


@dataclass(frozen=True)
class Policy:
    """The statements of one document."""

    kind: Kind
    statements: tuple[Statement, ...]
