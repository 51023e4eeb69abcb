"""Who asks, and whom a statement of a resource policy or a trust policy names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, IntEnum

ACCOUNT = re.compile(r"[0-9]{12}")
ROOT = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):root")


class CallerKind(Enum):
    """What the credentials of a request belong to."""

    ROOT = "the account's root user"
    USER = "a user"
    ROLE = "a session of a role"
    FEDERATED_USER = "a federated user"
    FEDERATED = "somebody whom an identity provider names"
    SERVICE = "a service"
    ANONYMOUS = "nobody: the request is not signed"


@dataclass(frozen=True)
class Caller:
    """Who asks: an ARN, or the name of a service or an identity provider; of a session also its role's ARN."""

    kind: CallerKind
    arn: str = ""
    account: str = ""
    role: str = ""


class Grant(IntEnum):
    """How an allowing statement reaches a caller of the same account, from nothing to everything.

    ``ACCOUNT`` leaves the decision to the caller's own policies; ``LIMITED`` stands in their place, within the
    permissions boundary and the session policy; ``DIRECT`` needs nothing else (IAM user guide, "Policy evaluation for
    requests within a single account").
    """

    NONE = 0
    ACCOUNT = 1
    LIMITED = 2
    DIRECT = 3


@dataclass(frozen=True)
class Principals:
    """What Principal or, ``negated``, NotPrincipal lists."""

    everyone: bool = False
    accounts: frozenset[str] = frozenset()
    arns: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    federated: frozenset[str] = frozenset()
    negated: bool = False

    def grant(self, caller: Caller) -> Grant:
        """Return how the statement, if it allows, reaches the caller."""
        if self.negated:
            return Grant.NONE if self._lists_all(caller) else Grant.DIRECT
        if self.everyone or caller.arn in self._names(caller.kind):
            return Grant.DIRECT
        if caller.role in self.arns:
            return Grant.LIMITED
        if caller.account in self.accounts:
            return Grant.DIRECT if caller.kind is CallerKind.ROOT else Grant.ACCOUNT
        return Grant.NONE

    def _names(self, kind: CallerKind) -> frozenset[str]:
        return {
            CallerKind.ANONYMOUS: frozenset[str](),
            CallerKind.SERVICE: self.services,
            CallerKind.FEDERATED: self.federated,
        }.get(kind, self.arns)

    def _lists_all(self, caller: Caller) -> bool:
        """Return whether NotPrincipal leaves the caller out: by the session, its role and the account, each of them."""
        if self.everyone:
            return True
        if caller.kind in {CallerKind.SERVICE, CallerKind.FEDERATED, CallerKind.ANONYMOUS}:
            return caller.arn in self._names(caller.kind)
        names = {caller.arn, caller.role} - {""}
        return caller.account in self.accounts and (caller.kind is CallerKind.ROOT or names <= self.arns)
