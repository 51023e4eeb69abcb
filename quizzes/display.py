"""Items as a page shows them: rendered once a version, options in the order of the form, the key only on demand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from content import render
from labs.experiments import Citation, Evidence
from quizzes import proofs
from quizzes.answers import pairs
from quizzes.grading import LOWEST, Report, mark
from quizzes.questions import Item
from quizzes.sittings import Sitting


@dataclass(frozen=True)
class ShownOption:
    """An option as XHTML, whether it is chosen, and the place or the partner that it was given."""

    letter: str
    html: str
    chosen: bool
    given: str = ""


@dataclass(frozen=True)
class ShownItem:
    """An item to be answered; it holds nothing of the key."""

    place: int
    kind: str
    stimulus: str
    stem: str
    choose: int
    options: tuple[ShownOption, ...]
    targets: tuple[tuple[str, str], ...]
    """The partners of a matching as (numeral, plain text)."""
    unit: str
    answer: str
    revision: int
    flagged: bool

    @property
    def answered(self) -> bool:
        """Whether anything is answered."""
        return bool(self.answer)


@dataclass(frozen=True)
class Reviewed:
    """A line of an item with its key: an option, a step, a pair, or the answer of a number or a text.

    ``expected`` and ``given`` tell what was right and what was answered where that is not the option itself: a place
    in the order, a partner, a number. ``given`` is None where the line has nothing of its own to be answered.
    """

    letter: str
    html: str
    chosen: bool
    correct: bool
    rationale: str
    expected: str = ""
    given: str | None = None


@dataclass(frozen=True)
class ReviewedItem:
    """A place of a closed attempt, with its key and rationales."""

    place: int
    stimulus: str
    stem: str
    lines: tuple[Reviewed, ...]
    correct: bool
    answered: bool
    flagged: bool
    late: bool
    task: str
    lesson: str
    explanation: str
    today: str
    proof: tuple[tuple[str, Citation], ...]
    """The runs that prove the item, by name."""


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
        one = replace(_shown(item, order, response.answer if response else ""), place=place)
        shown.append(replace(one, revision=response.revision, flagged=response.flagged) if response else one)
    return shown


def reviewed(sitting: Sitting, evidence: Evidence) -> list[ReviewedItem]:
    """Return the places of a closed attempt with everything that settles them."""
    scored, late, kept = sitting.scored(), sitting.late(), sitting.kept()
    shown = []
    for place, (item, (_, order)) in enumerate(zip(sitting.items, sitting.attempt.form, strict=True), 1):
        answer = scored.get(place, "")
        stimulus, stem, _ = _question_html(item)
        shown.append(
            ReviewedItem(
                place=place,
                stimulus=stimulus,
                stem=stem,
                lines=review(item, answer, order),
                correct=mark(item, answer).correct,
                answered=bool(answer),
                flagged=place in kept and kept[place].flagged,
                late=place in late,
                task=item.question.task,
                lesson=item.question.lesson,
                explanation=explanation(item),
                today=today(item),
                proof=proofs.proven(item, evidence),
            )
        )
    return shown


def review(item: Item, answer: str, order: Sequence[str] = "") -> tuple[Reviewed, ...]:
    """Return an item's lines with what was answered, what is right and why.

    They stand in the order given, else in that of the bank; the steps of an order in their right one.
    """
    question, key = item.question, item.key
    order = order or _letters(item)
    texts = _question_html(item)[2]
    reasons = defaultdict(str, {letter: render.render_inline(text) for letter, text in key.rationales})
    if question.kind == "choice":
        return tuple(Reviewed(one, texts[one], one in answer, one in key.correct, reasons[one]) for one in order)
    if question.kind == "ordering":
        given = {letter: str(place) for place, letter in enumerate(answer, 1)}
        right = {letter: str(place) for place, letter in enumerate(key.answer, 1)}
        order = key.answer
    elif question.kind == "matching":
        names = {target.letter: target.text for target in question.targets}
        given = {letter: names.get(numeral, "") for letter, numeral in pairs(answer).items()}
        right = {letter: names[numeral] for letter, numeral in pairs(key.answer).items()}
    else:
        return (Reviewed("", "", bool(answer), mark(item, answer).correct, reasons[""], _accepted(item), answer),)
    return tuple(
        Reviewed(
            letter=one,
            html=texts[one],
            chosen=one in given,
            correct=given.get(one) == right[one],
            rationale=reasons[one],
            expected=right[one],
            given=given.get(one, ""),
        )
        for one in order
    )


def check(item: Item) -> ShownItem:
    """Return an item that stands by itself, its options in the order of the bank."""
    return _shown(item, _letters(item), "")


def today(item: Item) -> str:
    """Return as XHTML what has changed about an item since 2018, or nothing."""
    return render.render_inline(item.key.today)


def explanation(item: Item) -> str:
    """Return as XHTML what there is to say of an item as a whole, or nothing."""
    return render.render_inline(item.key.explanation)


def ruler(report: Report) -> Ruler:
    """Return where the score, the cut and the error band stand on the drawn scale."""
    start, end = report.band
    return Ruler(report.scaled - LOWEST, report.cut - LOWEST, start - LOWEST, end - LOWEST)


def _shown(item: Item, order: Sequence[str], answer: str) -> ShownItem:
    question = item.question
    stimulus, stem, texts = _question_html(item)
    if question.kind == "ordering":
        given = {letter: str(place) for place, letter in enumerate(answer, 1)}
        order = [*(letter for letter in answer if letter in texts), *(one for one in order if one not in answer)]
    else:
        given = pairs(answer) if question.kind == "matching" else {}
    return ShownItem(
        place=0,
        kind=question.kind,
        stimulus=stimulus,
        stem=stem,
        choose=question.choose,
        options=tuple(ShownOption(one, texts[one], one in answer, given.get(one, "")) for one in order),
        targets=tuple((target.letter, render.plain_text(target.text)) for target in question.targets),
        unit=question.unit,
        answer=answer,
        revision=0,
        flagged=False,
    )


def _letters(item: Item) -> list[str]:
    return [option.letter for option in item.question.options]


def _accepted(item: Item) -> str:
    """Return in plain words which numbers or texts are right."""
    key = item.key
    if item.question.kind == "text":
        return " / ".join(sorted(key.correct))
    words = [key.answer, *([f"± {key.tolerance}"] if key.tolerance else []), item.question.unit]
    return " ".join(filter(None, words))


@lru_cache(maxsize=4096)
def _question_html(item: Item) -> tuple[str, str, dict[str, str]]:
    question = item.question
    stimulus = render.render(question.stimulus).html if question.stimulus else ""
    texts = {option.letter: render.render_inline(option.text) for option in question.options}
    return stimulus, render.render(question.stem).html, texts
