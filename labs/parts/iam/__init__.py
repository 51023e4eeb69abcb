"""IAM: policies, who asks, and whether a request is allowed."""

from labs.parts.iam.decisions import Decision, Match, Policies, Reason, Request, Source, decide
from labs.parts.iam.policies import Effect, Kind, Policy, Statement
from labs.parts.iam.principals import Caller, CallerKind
from labs.parts.iam.reading import Fault, Reading, read, read_at

__all__ = [
    "Caller",
    "CallerKind",
    "Decision",
    "Effect",
    "Fault",
    "Kind",
    "Match",
    "Policies",
    "Policy",
    "Reading",
    "Reason",
    "Request",
    "Source",
    "Statement",
    "decide",
    "read",
    "read_at",
]
