"""Key-change replay: (closed attempts, a version of an item, a ruling) → who gains, who loses, who passes now; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from quizzes import grading
from quizzes.grading import HIGHEST, LOWEST
from quizzes.questions import Item

Kind = Literal["key", "accept", "drop"]
"""Another key instead of the old one; another answer beside it; or the item counts in nobody's score."""


@dataclass(frozen=True)
class Ruling:
    """What was decided about one version of an item; ``correct`` is the new key, or the answers that count too."""

    kind: Kind
    correct: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Case:
    """A closed attempt in which the version stands at a scored place: its score so far, and what was answered there.

    ``scored`` counts the places that its score is made of.
    """

    attempt_id: int
    person_id: int
    exam: str
    scaled: int
    scored: int
    answer: str


@dataclass(frozen=True)
class Effect:
    """What a ruling does to one attempt."""

    attempt_id: int
    person_id: int
    exam: str
    before: int
    after: int
    passed_before: bool
    passed_after: bool


@dataclass(frozen=True)
class Balance:
    """How many attempts a ruling touches and changes."""

    attempts: int
    gain: int
    lose: int
    pass_now: int
    fail_now: int


def ruled(item: Item, ruling: Ruling | None) -> Item:
    """Return the item with the key by which it is marked since a ruling."""
    if ruling is None or ruling.kind == "drop":
        return item
    if ruling.kind == "key":
        return replace(item, key=replace(item.key, correct=ruling.correct, also=()))
    if item.question.kind == "choice":
        return replace(item, key=replace(item.key, also=tuple(sorted({*item.key.also, _letters(ruling)}))))
    return replace(item, key=replace(item.key, correct=item.key.correct | ruling.correct))


def effects(cases: Iterable[Case], item: Item, rulings: tuple[Ruling | None, Ruling], cut: int) -> Iterator[Effect]:
    """Yield what it does to each attempt that the second of two rulings takes the place of the first.

    A score on the practice scale is a whole number of right answers, so the one place that changes tells the new one;
    ``cut`` is the scaled score that passes.
    """
    old, new = rulings
    for case in cases:
        before, total = _raw(case), case.scored
        raw, places = before, total
        if not _dropped(old):
            raw -= _right(item, old, case.answer)
            places -= 1
        if not _dropped(new):
            raw += _right(item, new, case.answer)
            places += 1
        after = grading.scale(raw, places) if places else case.scaled
        passed = (case.scaled >= cut, after >= cut)
        yield Effect(case.attempt_id, case.person_id, case.exam, case.scaled, after, *passed)


def balance(found: Iterable[Effect]) -> Balance:
    """Return how many attempts gain, lose, pass and fail by these effects."""
    known = list(found)
    return Balance(
        attempts=len(known),
        gain=sum(one.after > one.before for one in known),
        lose=sum(one.after < one.before for one in known),
        pass_now=sum(one.passed_after and not one.passed_before for one in known),
        fail_now=sum(one.passed_before and not one.passed_after for one in known),
    )


def _raw(case: Case) -> int:
    """Return how many answers were right, from the scaled score (the inverse of grading.scale)."""
    return round((case.scaled - LOWEST) * case.scored / (HIGHEST - LOWEST))


def _right(item: Item, ruling: Ruling | None, answer: str) -> bool:
    return grading.mark(ruled(item, ruling), answer).correct


def _dropped(ruling: Ruling | None) -> bool:
    return ruling is not None and ruling.kind == "drop"


def _letters(ruling: Ruling) -> str:
    return "".join(sorted(ruling.correct))
