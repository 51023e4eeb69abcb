"""The attempt's clock rule and state: what counts, what comes too late, and when an attempt closes itself.

The rule, shown to the learner before the start: the server's deadline rules. An answer given before it and received
within 60 seconds after it counts; a later one is kept and shown, unscored. An attempt that nobody submits closes
itself with what was saved.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

GRACE = timedelta(seconds=60)
UNLIMITED = "none"
MULTIPLIERS = ("1", "1.25", "1.5", "2", "3", "5", "10", UNLIMITED)
"""By how much a learner may lengthen a practice exam (WCAG 2.2, success criterion 2.2.1, asks for up to ten times)."""
WITHOUT_LIMIT = timedelta(days=365)
"""After so long an attempt without a time limit closes itself, so that it does not run for ever."""


@dataclass(frozen=True)
class Clock:
    """When an attempt started, ends, and was closed (None while it runs)."""

    started_at: datetime
    deadline: datetime
    closed_at: datetime | None

    @property
    def unlimited(self) -> bool:
        """Whether the learner took no time limit."""
        return self.deadline - self.started_at >= WITHOUT_LIMIT

    def in_time(self, now: datetime) -> bool:
        """Whether every answer counts that is received now, so that none was ever too late."""
        return self.closed_at is None and now <= self.deadline

    def is_due(self, now: datetime) -> bool:
        """Whether nobody closed the attempt and no answer can count any more."""
        return self.closed_at is None and now > self.deadline + GRACE

    def is_open(self, now: datetime) -> bool:
        """Whether an answer could still count."""
        return self.closed_at is None and not self.is_due(now)


@dataclass(frozen=True)
class Receipt:
    """How an answer is taken: when it was given, as far as the server believes it, and whether it is too late."""

    answered_at: datetime
    late: bool


def receive(clock: Clock, stamp: datetime | None, received_at: datetime) -> Receipt:
    """Judge an answer by the clock rule.

    ``stamp`` is the page's own reckoning of when the answer was given; it is believed only between the start and the
    moment of receipt, so a page can neither answer in the future nor before it had the questions.
    """
    answered_at = received_at if stamp is None else max(clock.started_at, min(stamp, received_at))
    late = clock.closed_at is not None or answered_at > clock.deadline or received_at > clock.deadline + GRACE
    return Receipt(answered_at, late)


def deadline(started_at: datetime, minutes: int, multiplier: str) -> datetime:
    """Return when an attempt of so many minutes ends; raise ValueError for a multiplier that is not offered."""
    if multiplier not in MULTIPLIERS:
        raise ValueError(f"The time can be multiplied by {', '.join(MULTIPLIERS)}, not by {multiplier}.")
    if multiplier == UNLIMITED:
        return started_at + WITHOUT_LIMIT
    return started_at + timedelta(minutes=minutes) * float(multiplier)


def offered(own: str, *, fixed: bool) -> tuple[str, ...]:
    """Return by what a learner may multiply the time who is given ``own``: that, or also more where it is not fixed."""
    return (own,) if fixed else MULTIPLIERS[MULTIPLIERS.index(own) :]
