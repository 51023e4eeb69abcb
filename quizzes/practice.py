"""Drills: which item to ask next, from what a learner has answered so far; and the question of a day."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from quizzes.questions import Item


@dataclass(frozen=True)
class Result:
    """How an item was answered at some time, in an exam or a drill."""

    question_id: str
    correct: bool
    answered_at: datetime


@dataclass(frozen=True)
class Scope:
    """What a drill draws from: a course, one of its domains, tasks or tags, or only what went wrong the last time."""

    course: str
    domain: int = 0
    task: str = ""
    tag: str = ""
    mistakes: bool = False

    def covers(self, item: Item) -> bool:
        """Return whether an item belongs to the course and the domain or task."""
        question = item.question
        return (
            question.course == self.course
            and self.domain in {0, question.domain}
            and self.task in {"", question.task}
            and self.tag in {"", *question.tags}
        )


def latest(results: Iterable[Result]) -> dict[str, Result]:
    """Return the last result of each question, by its id."""
    last: dict[str, Result] = {}
    for one in results:
        if one.question_id not in last or last[one.question_id].answered_at <= one.answered_at:
            last[one.question_id] = one
    return last


def candidates(
    items: Iterable[Item], scope: Scope, last: Mapping[str, Result], withheld: Collection[str]
) -> list[Item]:
    """Return the items that a drill may ask; those of a running exam (``withheld``) are never among them."""
    return [
        item
        for item in items
        if scope.covers(item) and item.question.id not in withheld and (not scope.mistakes or _went_wrong(item, last))
    ]


def choose(items: Sequence[Item], last: Mapping[str, Result]) -> Item | None:
    """Return the item to ask next: one never answered, else one that went wrong, else the one seen longest ago.

    Those never answered come in an order that mixes the tasks and is the same each time.
    """

    def rank(item: Item) -> tuple[int, float, str]:
        result = last.get(item.question.id)
        if result is None:
            return 0, 0.0, _mixed(item.question.id)
        return (2 if result.correct else 1), result.answered_at.timestamp(), item.question.id

    return min(items, key=rank, default=None)


def question_of_the_day(items: Iterable[Item], day: date) -> Item | None:
    """Return the item of a day: the same for everybody, another one the next day."""
    order = sorted(items, key=lambda item: _mixed(item.question.id))
    return order[day.toordinal() % len(order)] if order else None


def tags(items: Iterable[Item], course: str, least: int = 3) -> list[tuple[str, int]]:
    """Return the tags of a course's items that are worth a drill, by name, each with its number of items."""
    counts = Counter(tag for item in items if item.question.course == course for tag in item.question.tags)
    return sorted((tag, count) for tag, count in counts.items() if count >= least)


def _went_wrong(item: Item, last: Mapping[str, Result]) -> bool:
    result = last.get(item.question.id)
    return result is not None and not result.correct


def _mixed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
