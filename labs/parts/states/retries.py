"""Retry and Catch: which rule answers a failure, and how long to wait before the next attempt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from labs.parts.states.paths import Path
from labs.parts.states.payload import StateFailedError

ALL = "States.ALL"
TIMEOUT = "States.Timeout"
HEARTBEAT = "States.HeartbeatTimeout"
TASK_FAILED = "States.TaskFailed"
BRANCH_FAILED = "States.BranchFailed"
RUNTIME = "States.Runtime"
DATA_LIMIT = "States.DataLimitExceeded"

ERRORS = (
    *(ALL, TIMEOUT, HEARTBEAT, TASK_FAILED, BRANCH_FAILED, RUNTIME, DATA_LIMIT),
    *("States.NoChoiceMatched", "States.Permissions", "States.ParameterPathFailure", "States.IntrinsicFailure"),
    *("States.ResultPathMatchFailure", "States.ExceedToleratedFailureThreshold", "States.ItemReaderFailed"),
    *("States.ResultWriterFailed", "States.Http.Socket", "States.QueryEvaluationError"),
)
"""The names that the specification and the service reserve."""


@dataclass(frozen=True)
class Retrier:
    """When and how often a failure is tried again; seconds of virtual time.

    Jitter and the longest delay came in September 2023.
    """

    errors: tuple[str, ...]
    interval: float = 1.0
    attempts: int = 3
    rate: float = 2.0
    longest: float = math.inf
    full_jitter: bool = False

    def backoff(self, attempt: int) -> float:
        """Return the seconds before retry number ``attempt`` (from 0): interval × rate^attempt, capped."""
        try:
            return min(self.interval * self.rate**attempt, self.longest)
        except OverflowError:
            return self.longest


@dataclass(frozen=True)
class Catcher:
    """Where a failure that no retrier takes leads, and where in the state's input its description goes."""

    errors: tuple[str, ...]
    next: str
    result_path: Path | None


def answers(errors: Sequence[str], failure: StateFailedError) -> bool:
    """Return whether a rule with these error names is meant for the failure.

    States.ALL takes everything but States.DataLimitExceeded, States.TaskFailed everything but timeouts, and
    States.Runtime is never answered, as the service's documentation has it.
    """
    name = failure.error
    if name == RUNTIME:
        return False
    if name in errors:
        return True
    if ALL in errors:
        return name != DATA_LIMIT
    if name == HEARTBEAT and TIMEOUT in errors:
        return True
    if TASK_FAILED in errors and name not in {TIMEOUT, HEARTBEAT, DATA_LIMIT}:
        return True
    return failure.from_branch and BRANCH_FAILED in errors


def next_attempt(
    retriers: Sequence[Retrier], made: Sequence[int], failure: StateFailedError, random: Random
) -> tuple[int, float] | None:
    """Return the number of the retrier that answers and the seconds to wait, None where none tries again.

    ``made`` are the retries that each retrier already had in this visit of the state. The first retrier with the
    error's name decides, also when its attempts are used up.
    """
    for number, retrier in enumerate(retriers):
        if answers(retrier.errors, failure):
            if made[number] >= retrier.attempts:
                return None
            delay = retrier.backoff(made[number])
            return number, random.uniform(0.0, delay) if retrier.full_jitter else delay
    return None


def catcher_for(catchers: Sequence[Catcher], failure: StateFailedError) -> Catcher | None:
    """Return the first catcher for the failure."""
    return next((catcher for catcher in catchers if answers(catcher.errors, failure)), None)
