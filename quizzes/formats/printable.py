"""An exam on paper: the questions, an answer sheet with bubbles, and, in a file of its own, the key.

The questions' file holds nothing of the key. Both carry the form's number, so that a sheet finds its key again.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import jinja2
from flask_babel import get_locale, gettext, ngettext

from quizzes.answers import pairs
from quizzes.formats import writing
from quizzes.formats.reading import Finding, Writing
from quizzes.questions import Bank, Item, Option, Question

PageSize = Literal["A4", "Letter"]
_LETTERS = "ABCDEFGH"


@dataclass(frozen=True)
class PrintedOption:
    """An option under the letter that it has on paper."""

    letter: str
    html: str


@dataclass(frozen=True)
class PrintedQuestion:
    """A question on paper: nothing in it tells the key."""

    place: int
    kind: str
    stimulus: str
    """The text that questions share, where this is the first of them; else empty."""
    stem: str
    options: tuple[PrintedOption, ...]
    partners: tuple[PrintedOption, ...]
    unit: str


@dataclass(frozen=True)
class PrintedKey:
    """What is right at one place of a form, and why."""

    place: int
    answer: str
    reasons: tuple[PrintedOption, ...]
    explanation: str


@dataclass(frozen=True)
class Form:
    """Items in an order, their options in an order, and the number that names both."""

    title: str
    number: str
    items: tuple[Item, ...]
    orders: tuple[str, ...]
    """The letters of each item's options in the order that they stand in on paper."""


def form_of(items: Sequence[Item], title: str, *, seed: int | None = None) -> Form:
    """Return a form of a bank's items: as they stand, or with items and options shuffled by ``seed``.

    Items of one case stay together, at the place of the first of them.
    """
    if seed is None:
        kept = tuple(items)
        return drawn(title, kept, ["".join(one.letter for one in item.question.options) for item in kept])
    chance = random.Random(seed)  # noqa: S311 - a form can be made again from its seed; nothing is secret here
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(item.question.case or item.question.id, []).append(item)
    together = list(groups.values())
    chance.shuffle(together)
    mixed = tuple(item for group in together for item in group)
    return drawn(title, mixed, [_shuffled(item.question, chance) for item in mixed])


def drawn(title: str, items: Sequence[Item], orders: Sequence[str]) -> Form:
    """Return the form of items that were drawn, with the letters of each one's options in order."""
    # The number is printed with the questions, so that nothing of the key may be in it.
    shown = (json.dumps(item.content()["question"], sort_keys=True) for item in items)
    said = "\n".join(f"{question} {order}" for question, order in zip(shown, orders, strict=True))
    number = hashlib.sha256(f"{title}\n{said}".encode()).hexdigest()[:8].upper()
    return Form(title, f"{number[:4]}-{number[4:]}", tuple(items), tuple(orders))


def write_bank(bank: Bank, page: PageSize = "A4") -> Writing:
    """Return the questions of a bank, in its order, as a page to print."""
    return Writing(paper(form_of(bank.items, bank.title), page).encode(), tuple(_findings(bank.items)))


def paper(form: Form, page: PageSize = "A4") -> str:
    """Return the questions and the answer sheet as an HTML page to print."""
    return _render("paper.html", form=form, page=page, questions=questions(form))


def key_sheet(form: Form, page: PageSize = "A4") -> str:
    """Return the key with its reasons as an HTML page to print."""
    return _render("key.html", form=form, page=page, keys=keys(form))


def questions(form: Form) -> list[PrintedQuestion]:
    """Return what stands on paper, place by place."""
    printed, cases = [], set[str]()
    for place, (item, order) in enumerate(zip(form.items, form.orders, strict=True), 1):
        question, shown = item.question, ""
        if question.stimulus and question.stimulus not in cases:
            cases.add(question.stimulus)
            shown = writing.block_html(question.stimulus)
        texts = {one.letter: one for one in question.options}
        options = _lettered([texts[letter] for letter in order])
        partners = tuple(PrintedOption(one.letter, writing.line_html(one.text)) for one in question.targets)
        stem = writing.block_html(question.stem)
        printed.append(PrintedQuestion(place, question.kind, shown, stem, options, partners, question.unit))
    return printed


def keys(form: Form) -> list[PrintedKey]:
    """Return what is right, place by place, by the letters on paper."""
    printed = []
    for place, (item, order) in enumerate(zip(form.items, form.orders, strict=True), 1):
        letters = dict(zip(order, _LETTERS, strict=False))
        reasons = [(letters.get(letter, ""), text) for letter, text in item.key.rationales if text]
        shown = tuple(PrintedOption(letter, writing.line_html(text)) for letter, text in sorted(reasons))
        printed.append(PrintedKey(place, _answer(item, letters), shown, writing.line_html(item.key.explanation)))
    return printed


def _lettered(options: Sequence[Option]) -> tuple[PrintedOption, ...]:
    return tuple(
        PrintedOption(letter, writing.line_html(one.text)) for letter, one in zip(_LETTERS, options, strict=False)
    )


def _answer(item: Item, letters: Mapping[str, str]) -> str:
    key, kind = item.key, item.question.kind
    if kind == "choice":
        return " ".join(sorted(letters[one] for one in key.correct))
    if kind == "ordering":
        return " ".join(letters[one] for one in key.answer)
    if kind == "matching":
        return " ".join(f"{letter}{numeral}" for letter, numeral in sorted(_on_paper(key.answer, letters).items()))
    if kind == "numeric":
        tolerance = f" ± {key.tolerance}" if key.tolerance else ""
        return f"{key.answer}{tolerance} {item.question.unit}".strip()
    return " / ".join(sorted(key.correct))


def _on_paper(answer: str, letters: Mapping[str, str]) -> dict[str, str]:
    return {letters[letter]: numeral for letter, numeral in pairs(answer).items()}


def _shuffled(question: Question, chance: random.Random) -> str:
    letters = [one.letter for one in question.options]
    if question.shuffles:
        chance.shuffle(letters)
    return "".join(letters)


def _findings(items: Sequence[Item]) -> list[Finding]:
    carried = frozenset({"case", "unit", "order"})
    found: list[Finding] = []
    for number, item in enumerate(items, 1):
        found += writing.finding(number, item, writing.lost(item, carried), [])
    return found


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parents[1] / "templates" / "quizzes" / "printed"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(gettext, ngettext, newstyle=False)  # type: ignore[attr-defined]
    return environment


def _render(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(language=str(get_locale() or "en"), **values)
