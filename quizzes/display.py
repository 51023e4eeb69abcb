"""Items as a page shows them: rendered once a version, options in the order of the form, the key only on demand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from content import render
from quizzes.grading import LOWEST, Report
from quizzes.questions import Item
from quizzes.sittings import Sitting


@dataclass(frozen=True)
class ShownOption:
    """An option as XHTML, and whether it is chosen."""

    letter: str
    html: str
    chosen: bool


@dataclass(frozen=True)
class ShownItem:
    """A place of a running attempt; it holds nothing of the key."""

    place: int
    stem: str
    choose: int
    options: tuple[ShownOption, ...]
    revision: int
    flagged: bool

    @property
    def answered(self) -> bool:
        """Whether any option is chosen."""
        return any(option.chosen for option in self.options)


@dataclass(frozen=True)
class ReviewedOption:
    """An option after the close: chosen or not, right or not, and why."""

    html: str
    chosen: bool
    correct: bool
    rationale: str


@dataclass(frozen=True)
class ReviewedItem:
    """A place of a closed attempt, with its key and rationales."""

    place: int
    stem: str
    options: tuple[ReviewedOption, ...]
    correct: bool
    answered: bool
    flagged: bool
    late: bool
    task: str
    lesson: str
    today: str


@dataclass(frozen=True)
class Ruler:
    """Where things stand on a drawn scale of 0 to 900 units, for 100 to 1000 points."""

    score: int
    cut: int
    band_start: int
    band_end: int


def running(sitting: Sitting) -> list[ShownItem]:
    """Return the places of an attempt as the learner may see them before the close."""
    kept = sitting.kept()
    shown = []
    for place, (item, (_, order)) in enumerate(zip(sitting.items, sitting.attempt.form, strict=True), 1):
        response = kept.get(place)
        letters = response.answer if response else ""
        stem, texts = _question_html(item)
        options = tuple(ShownOption(letter, texts[letter], letter in letters) for letter in order)
        revision, flagged = (response.revision, response.flagged) if response else (0, False)
        shown.append(ShownItem(place, stem, item.question.choose, options, revision, flagged))
    return shown


def reviewed(sitting: Sitting) -> list[ReviewedItem]:
    """Return the places of a closed attempt with everything that settles them."""
    scored, late, kept = sitting.scored(), sitting.late(), sitting.kept()
    shown = []
    for place, (item, (_, order)) in enumerate(zip(sitting.items, sitting.attempt.form, strict=True), 1):
        letters = scored.get(place, "")
        shown.append(
            ReviewedItem(
                place=place,
                stem=_question_html(item)[0],
                options=review_options(item, order, letters),
                correct=frozenset(letters) == item.key.correct,
                answered=bool(letters),
                flagged=place in kept and kept[place].flagged,
                late=place in late,
                task=item.question.task,
                lesson=item.question.lesson,
                today=today(item),
            )
        )
    return shown


def review_options(item: Item, order: Sequence[str], letters: str) -> tuple[ReviewedOption, ...]:
    """Return an item's options in that order, with what was chosen, what is right and why."""
    texts = _question_html(item)[1]
    return tuple(
        ReviewedOption(
            html=texts[letter],
            chosen=letter in letters,
            correct=letter in item.key.correct,
            rationale=render.render_inline(item.key.rationale(letter)),
        )
        for letter in order
    )


def check(item: Item) -> ShownItem:
    """Return an item that stands in a lesson, its options in the order of the bank."""
    stem, texts = _question_html(item)
    options = tuple(ShownOption(option.letter, texts[option.letter], False) for option in item.question.options)
    return ShownItem(0, stem, item.question.choose, options, 0, False)


def today(item: Item) -> str:
    """Return as XHTML what has changed about an item since 2018, or nothing."""
    return render.render_inline(item.key.today)


def ruler(report: Report) -> Ruler:
    """Return where the score, the cut and the error band stand on the drawn scale."""
    start, end = report.band
    return Ruler(report.scaled - LOWEST, report.cut - LOWEST, start - LOWEST, end - LOWEST)


@lru_cache(maxsize=4096)
def _question_html(item: Item) -> tuple[str, dict[str, str]]:
    stem = render.render(item.question.stem).html
    return stem, {option.letter: render.render_inline(option.text) for option in item.question.options}
