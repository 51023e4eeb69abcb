"""Grading: (key, response) → mark; marks → the score report with its scaled score and error band."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from quizzes.blueprint import Blueprint, Domain
from quizzes.questions import Item, Key

LOWEST, HIGHEST = 100, 1000


@dataclass(frozen=True)
class Mark:
    """What one answer is worth in an exam: all or nothing, as the real exam scores it."""

    answered: bool
    correct: bool


@dataclass(frozen=True)
class DomainScore:
    """How many of a domain's items were right."""

    domain: Domain
    correct: int
    total: int


@dataclass(frozen=True)
class LessonToRead:
    """A lesson worth reading next: its address, and how many of its items went wrong."""

    lesson: str
    missed: int


@dataclass(frozen=True)
class Report:
    """The result of a closed attempt."""

    correct: int
    answered: int
    total: int
    scaled: int
    error: int
    cut: int
    domains: tuple[DomainScore, ...]
    read_next: tuple[LessonToRead, ...]

    @property
    def passed(self) -> bool:
        """Whether the scaled score reaches the cut."""
        return self.scaled >= self.cut

    @property
    def band(self) -> tuple[int, int]:
        """The scaled score less and plus one standard error, kept on the scale."""
        return max(LOWEST, self.scaled - self.error), min(HIGHEST, self.scaled + self.error)


def mark(key: Key, letters: str) -> Mark:
    """Mark one answer, given as the letters chosen; an empty answer is wrong, as in the real exam."""
    return Mark(bool(letters), bool(letters) and frozenset(letters) == key.correct)


def scale(correct: int, total: int) -> int:
    """Put a raw score on the practice scale: none right is 100, all right is 1000, linear between.

    The vendor equates its forms and does not publish how; this scale is not equated.
    """
    return LOWEST + round((HIGHEST - LOWEST) * correct / total)


def standard_error(correct: int, total: int) -> int:
    """Return the standard error of measurement on the scale.

    Lord's binomial-error model: sqrt(x(n-x)/(n-1)) raw points for x right of n (F. M. Lord, 1955,
    "Estimating test reliability"), times the points of the scale that one raw point is worth.
    """
    if total < 2:
        return HIGHEST - LOWEST
    return round(math.sqrt(correct * (total - correct) / (total - 1)) * (HIGHEST - LOWEST) / total)


def report(
    blueprint: Blueprint, form: Sequence[Item], answers: Mapping[int, str], unscored: Collection[int] = ()
) -> Report:
    """Score a closed attempt: ``form`` in order, ``answers`` by place from 1 on; places ``unscored`` are left out."""
    places = [(place, item) for place, item in enumerate(form, 1) if place not in unscored]
    items = [item for _, item in places]
    marks = [mark(item.key, answers.get(place, "")) for place, item in places]
    correct = sum(one.correct for one in marks)
    return Report(
        correct=correct,
        answered=sum(one.answered for one in marks),
        total=len(items),
        scaled=scale(correct, len(items)),
        error=standard_error(correct, len(items)),
        cut=blueprint.cut,
        domains=tuple(_domain_score(domain, items, marks) for domain in blueprint.domains),
        read_next=_read_next(items, marks),
    )


def _domain_score(domain: Domain, items: Sequence[Item], marks: Sequence[Mark]) -> DomainScore:
    own = [one for item, one in zip(items, marks, strict=True) if item.question.domain == domain.number]
    return DomainScore(domain, sum(one.correct for one in own), len(own))


def _read_next(items: Sequence[Item], marks: Sequence[Mark], most: int = 3) -> tuple[LessonToRead, ...]:
    missed: dict[str, int] = {}
    for item, one in zip(items, marks, strict=True):
        if not one.correct:
            lesson = item.question.lesson.partition("#")[0]
            missed[lesson] = missed.get(lesson, 0) + 1
    worst = sorted(missed.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(LessonToRead(lesson, count) for lesson, count in worst[:most])
