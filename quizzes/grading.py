"""Grading: (item, answer) → mark; marks → the score report with its scaled score and error band."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

from quizzes.answers import normal, number, pairs
from quizzes.blueprint import Blueprint, Domain
from quizzes.questions import Item

LOWEST, HIGHEST = 100, 1000


@dataclass(frozen=True)
class Mark:
    """What one answer is worth: all or nothing in an exam, ``credit`` from 0 to 1 in practice."""

    answered: bool
    correct: bool
    credit: float


@dataclass(frozen=True)
class TaskScore:
    """How many of a task's items were right, and the sections that teach those that were not."""

    code: str
    correct: int
    total: int
    read_next: tuple[str, ...]


@dataclass(frozen=True)
class DomainScore:
    """How many of a domain's items were right, altogether and task by task."""

    domain: Domain
    correct: int
    total: int
    tasks: tuple[TaskScore, ...]


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


def mark(item: Item, answer: str) -> Mark:
    """Mark one answer; an empty answer is wrong, as in the real exam.

    The credit of practice is never below nought. A multiple response earns, of the number of right options, the right
    ones chosen less the wrong ones chosen. An order earns Kendall's tau: of all pairs, those in the right order less
    those in the wrong one (M. G. Kendall, 1938, "A new measure of rank correlation"), so that half of the pairs, which
    guessing gives, earn nothing. A matching earns the share of its pairs that are right. Any other answer earns all or
    nothing.
    """
    correct = bool(answer) and _is_right(item, answer)
    return Mark(bool(answer), correct, 1.0 if correct else max(0.0, _partial_credit(item, answer)))


def _is_right(item: Item, answer: str) -> bool:
    key, kind = item.key, item.question.kind
    if kind == "choice":
        return frozenset(answer) in (key.correct, *map(frozenset, key.also))
    if kind == "numeric":
        given = number(answer, item.question.unit)
        value, tolerance = Decimal(key.answer), Decimal(key.tolerance.removesuffix(" %") or 0)
        allowed = abs(value) * tolerance / 100 if key.tolerance.endswith("%") else tolerance
        return given is not None and abs(given - value) <= allowed
    if kind == "text":
        return normal(answer) in {normal(one) for one in key.correct}
    if kind == "matching":
        return _matched(item, answer) == 1
    return answer in key.correct


def _partial_credit(item: Item, answer: str) -> float:
    key, question = item.key, item.question
    if question.type == "multiple-response":
        chosen = frozenset(answer)
        return (len(chosen & key.correct) - len(chosen - key.correct)) / len(key.correct)
    if question.kind == "ordering":
        # A step that stands twice has no place.
        place = {letter: number for number, letter in enumerate(answer) if answer.count(letter) == 1}
        couples = list(combinations(key.answer, 2))
        both = [(place[one], place[other]) for one, other in couples if one in place and other in place]
        return sum(1 if one < other else -1 for one, other in both) / len(couples)
    return _matched(item, answer) if question.kind == "matching" else 0.0


def _matched(item: Item, answer: str) -> float:
    given, right = pairs(answer), pairs(item.key.answer)
    return sum(given.get(letter) == numeral for letter, numeral in right.items()) / len(right)


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
    marks = [mark(item, answers.get(place, "")) for place, item in places]
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
    own = [pair for pair in zip(items, marks, strict=True) if pair[0].question.domain == domain.number]
    codes = sorted({item.question.task for item, _ in own})
    tasks = tuple(_task_score(code, [pair for pair in own if pair[0].question.task == code]) for code in codes)
    return DomainScore(domain, sum(one.correct for _, one in own), len(own), tasks)


def _task_score(code: str, own: Sequence[tuple[Item, Mark]]) -> TaskScore:
    missed = dict.fromkeys(item.question.lesson for item, one in own if item.question.lesson and not one.correct)
    return TaskScore(code, sum(one.correct for _, one in own), len(own), tuple(missed))


def _read_next(items: Sequence[Item], marks: Sequence[Mark], most: int = 3) -> tuple[LessonToRead, ...]:
    missed: dict[str, int] = {}
    for item, one in zip(items, marks, strict=True):
        lesson = item.question.lesson.partition("#")[0]
        if lesson and not one.correct:
            missed[lesson] = missed.get(lesson, 0) + 1
    worst = sorted(missed.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(LessonToRead(lesson, count) for lesson, count in worst[:most])
