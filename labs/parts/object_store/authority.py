"""Asks the policies about each call, and keeps what came out for whoever wants to know why."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace

from labs.parts.iam import Decision, Policy, Request, decide
from labs.parts.object_store.entities import Identity

MOST_KEPT = 10_000
"""Decisions; a client in a loop must not fill the memory."""


@dataclass(frozen=True)
class Decided:
    """One decision: of which operation it was a part, and the decision with its trail."""

    operation: str
    decision: Decision

    @property
    def caller(self) -> str:
        """The ARN of who asked, empty where the request was not signed."""
        return self.decision.request.caller.arn

    @property
    def action(self) -> str:
        """The action, such as ``s3:GetObject``."""
        return self.decision.request.action

    @property
    def resource(self) -> str:
        """The resource's ARN."""
        return self.decision.request.resource


@dataclass(frozen=True)
class Target:
    """What a call is about: an ARN, the account that owns it, and the policy on it."""

    arn: str
    account: str
    policy: Policy | None = None
    trust: bool = False


class Authority:
    """Decides and remembers; threads may ask at the same time."""

    def __init__(self) -> None:
        self._decided: list[Decided] = []
        self._lock = threading.Lock()

    @property
    def decided(self) -> tuple[Decided, ...]:
        """The decisions so far, at most the first 10,000, the oldest first."""
        with self._lock:
            return tuple(self._decided)

    def allows(
        self, identity: Identity, operation: str, action: str, target: Target, context: Mapping[str, str]
    ) -> bool:
        """Return whether the identity may do this, and keep the decision."""
        keys = {name.lower(): (value,) for name, value in {**context, **identity.keys}.items()}
        request = Request(identity.caller, action, target.arn, target.account, keys)
        policies = replace(identity.policies, resource=target.policy, trust=target.trust)
        decided = Decided(operation, decide(request, policies))
        with self._lock:
            if len(self._decided) < MOST_KEPT:
                self._decided.append(decided)
        return decided.decision.allowed
