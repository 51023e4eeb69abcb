"""What an account has: buckets, users and roles with their policies, credentials, and who somebody is who has them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from labs.parts.iam import Caller, Policies, Policy


@dataclass(frozen=True)
class Bucket:
    """A bucket, its policy if it has one, and its owner where that is not the store's account."""

    name: str
    policy: Policy | None = None
    account: str = ""


@dataclass(frozen=True)
class User:
    """A user with policies by name."""

    name: str
    policies: Mapping[str, Policy] = field(default_factory=dict)
    boundary: Policy | None = None

    def arn(self, account: str) -> str:
        """Return the user's ARN in an account."""
        return f"arn:aws:iam::{account}:user/{self.name}"


@dataclass(frozen=True)
class Role:
    """A role: its trust policy says who may assume it, its policies what a session of it may do."""

    name: str
    trust: Policy
    policies: Mapping[str, Policy] = field(default_factory=dict)
    boundary: Policy | None = None

    def arn(self, account: str) -> str:
        """Return the role's ARN in an account."""
        return f"arn:aws:iam::{account}:role/{self.name}"


@dataclass(frozen=True)
class Credentials:
    """An access key; a session's has a token too."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Identity:
    """Who has some credentials: the caller, its policies, the condition keys that tell of it, and until when."""

    caller: Caller
    policies: Policies = field(default_factory=Policies)
    keys: Mapping[str, str] = field(default_factory=dict)
    expires: float | None = None


def unique_id(kind: str, arn: str) -> str:
    """Return an ID of 21 characters, as IAM gives one to a user (AIDA) and a role (AROA); the same for the same ARN."""
    return f"{kind}{hashlib.sha256(arn.encode()).hexdigest()[:17].upper()}"
