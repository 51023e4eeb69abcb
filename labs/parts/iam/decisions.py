"""Whether a request is allowed, and why: the rules by which IAM puts the policies together.

The rules are those of the IAM user guide, "Policy evaluation logic", without the policies of an organization.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from labs.parts.iam.patterns import Context, matches, matches_arn
from labs.parts.iam.policies import Effect, Policy, Statement
from labs.parts.iam.principals import Caller, CallerKind, Grant


@dataclass(frozen=True)
class Request:
    """What a caller wants: an action such as ``s3:GetObject`` on the resource with an ARN that belongs to an account.

    The keys of the context are in lower case.
    """

    caller: Caller
    action: str
    resource: str
    account: str
    context: Context = field(default_factory=dict)


class Source(Enum):
    """What a policy is to the request."""

    IDENTITY = "identity policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    RESOURCE = "resource policy"
    TRUST = "trust policy"


@dataclass(frozen=True)
class Policies:
    """The policies that have a say: the caller's own by name, and the others where there are any.

    ``trust`` says that the resource policy is a role's trust policy, without which nobody gets the role.
    """

    identity: Mapping[str, Policy] = field(default_factory=dict)
    boundary: Policy | None = None
    session: Policy | None = None
    resource: Policy | None = None
    trust: bool = False

    def named(self) -> Iterator[tuple[Source, str, Policy]]:
        """Yield every policy with what it is and the name by which an explanation calls it."""
        for name, policy in self.identity.items():
            yield Source.IDENTITY, name, policy
        last = Source.TRUST if self.trust else Source.RESOURCE
        for source, one in ((Source.BOUNDARY, self.boundary), (Source.SESSION, self.session), (last, self.resource)):
            if one:
                yield source, source.value, one


class Reason(Enum):
    """Why a request is allowed or denied; what is missing, where an allow is."""

    ROOT = "The account's root user may do whatever no statement denies."
    IDENTITY = "A policy of the caller allows it."
    RESOURCE_POLICY = "The policy of the resource allows it to this caller."
    EXPLICIT_DENY = "A statement denies it, and that outweighs whatever allows it."
    NO_ALLOW = "No statement allows it."
    NO_IDENTITY_ALLOW = (
        "The policy of the resource leaves it to the caller's account, and no policy of the caller allows it."
    )
    NO_RESOURCE_ALLOW = "The resource belongs to another account, and its policy does not allow it to this caller."
    NO_TRUST = "The role's trust policy does not name the caller."
    BOUNDARY = "The permissions boundary does not allow it, whatever the other policies say."
    SESSION = "The session policy does not allow it, whatever the role's policies say."


@dataclass(frozen=True)
class Match:
    """A statement that applies to the request, and whose: what the policy is to the request, and its name."""

    source: Source
    policy: str
    statement: Statement
    grant: Grant = Grant.NONE

    @property
    def sentence(self) -> str:
        """The match in words."""
        does = "allows" if self.statement.effect is Effect.ALLOW else "denies"
        return f"“{self.policy}”, {self.statement.name} at line {self.statement.line}, {does} it."


@dataclass(frozen=True)
class Decision:
    """Whether a request is allowed, why, and every statement that applies to it."""

    request: Request
    reason: Reason
    trail: tuple[Match, ...]

    @property
    def allowed(self) -> bool:
        """Whether the request is allowed."""
        return self.reason in {Reason.ROOT, Reason.IDENTITY, Reason.RESOURCE_POLICY}

    @property
    def sentence(self) -> str:
        """The decision in words, with the statement that decides where one does."""
        verdict = "allowed" if self.allowed else "denied"
        found = next(filter(self._decides, self.trail), None)
        told = f" {found.sentence}" if found else ""
        return f"{self.request.action} on {self.request.resource} is {verdict}. {self.reason.value}{told}"

    def _decides(self, match: Match) -> bool:
        if self.reason is Reason.EXPLICIT_DENY:
            return match.statement.effect is Effect.DENY
        if self.reason is Reason.IDENTITY:
            return match.source is Source.IDENTITY
        return self.reason is Reason.RESOURCE_POLICY and match.grant >= Grant.LIMITED


def decide(request: Request, policies: Policies) -> Decision:
    """Return whether the policies allow the request. Nothing is allowed that no statement allows."""
    trail = tuple(
        Match(source, name, statement, _grant(statement, request.caller))
        for source, name, policy in policies.named()
        for statement in policy.statements
        if applies(statement, request)
    )
    return Decision(request, _reason(request, policies, trail), trail)


def _reason(request: Request, policies: Policies, trail: tuple[Match, ...]) -> Reason:
    if any(match.statement.effect is Effect.DENY for match in trail):
        return Reason.EXPLICIT_DENY
    grant = max((match.grant for match in trail), default=Grant.NONE)
    own = request.caller.kind in _WITHOUT_ACCOUNT or request.caller.account == request.account
    if own and grant is Grant.DIRECT:
        return Reason.RESOURCE_POLICY
    if grant is Grant.NONE and (policies.trust or not own):
        return Reason.NO_TRUST if policies.trust else Reason.NO_RESOURCE_ALLOW
    return _within_the_callers_policies(request, policies, trail, grant if own else min(grant, Grant.ACCOUNT))


def _within_the_callers_policies(
    request: Request, policies: Policies, trail: tuple[Match, ...], grant: Grant
) -> Reason:
    """Return the reason where the caller's own policies have a say; a limited grant stands in for an allow."""
    allowing = {match.source for match in trail}
    if request.caller.kind is CallerKind.ROOT:
        return Reason.ROOT
    identity = Source.IDENTITY in allowing
    if not identity and grant is not Grant.LIMITED:
        return Reason.NO_IDENTITY_ALLOW if grant else Reason.NO_ALLOW
    if policies.boundary and Source.BOUNDARY not in allowing:
        return Reason.BOUNDARY
    if policies.session and Source.SESSION not in allowing:
        return Reason.SESSION
    return Reason.IDENTITY if identity else Reason.RESOURCE_POLICY


_WITHOUT_ACCOUNT = {CallerKind.SERVICE, CallerKind.FEDERATED, CallerKind.ANONYMOUS}


def _grant(statement: Statement, caller: Caller) -> Grant:
    return statement.principals.grant(caller) if statement.principals else Grant.NONE


def applies(statement: Statement, request: Request) -> bool:
    """Return whether the statement is about this request.

    The cheap questions come first.
    """
    context = request.context
    return (
        any(matches(action, request.action.lower()) for action in statement.actions) != statement.not_actions
        and (statement.principals is None or statement.principals.grant(request.caller) is not Grant.NONE)
        and _covers(statement, request.resource, context)
        and all(condition.holds(context) for condition in statement.conditions)
    )


def _covers(statement: Statement, resource: str, context: Context) -> bool:
    """Return whether the statement is about the resource.

    A NotResource of which a variable has no value is about nothing, because nobody can say what it leaves out.
    """
    if not statement.resources:
        return True
    matching = [not arn or matches_arn(arn, resource, context) for arn in statement.resources]
    return all(one is False for one in matching) if statement.not_resources else True in matching
