"""What rooms offer to cohorts: things that can be assigned, and what people have done of them.

A room's ``views.py`` registers a ``Work`` under its kind in ``web.offers``; so this room imports none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection


@dataclass(frozen=True)
class Assignable:
    """Something that can be assigned; ``group`` is what it is part of, ``language`` that of both titles."""

    key: str
    title: str
    address: str
    group: str = ""
    language: str = "en"


@dataclass(frozen=True)
class Effort:
    """One go of a person at something: done where ``done_at`` is set.

    ``percent`` is what was reached, from 0 to 100, or None where the room does not measure it; ``scaled`` is the
    score on the room's own scale, where it has one.
    """

    person_id: int
    key: str
    started_at: datetime
    done_at: datetime | None
    percent: int | None = None
    scaled: int | None = None


@dataclass(frozen=True)
class Work:
    """One kind of things that a room lets be assigned.

    ``efforts(connection, keys, people)`` returns what these people did of these keys, in a fixed number of statements.
    ``repeatable`` says that a go before an assignment opened does not count for it, since there can be another.
    """

    every: Callable[[], Sequence[Assignable]]
    efforts: Callable[[Connection, Sequence[str], Sequence[int]], Iterable[Effort]]
    repeatable: bool = True
    timed: bool = False


@dataclass(frozen=True)
class TaskMastery:
    """How far people have come in one task of a course, which is named by its title.

    ``right`` and ``answered`` say of each person how many of the task's questions they last had right, and answered.
    """

    course: str
    code: str
    title: str
    questions: int
    right: Mapping[int, int]
    answered: Mapping[int, int]

    def percent(self, person_id: int) -> int | None:
        """Return the share of the answered questions that one person had right, or None where they answered none."""
        answered = self.answered.get(person_id, 0)
        return 100 * self.right.get(person_id, 0) // answered if answered else None

    @property
    def cohort_percent(self) -> int | None:
        """The share of all answered questions that were right, over all people together."""
        answered = sum(self.answered.values())
        return 100 * sum(self.right.values()) // answered if answered else None
