"""What every writer of other programs' files needs: texts as HTML, and what of an item such a file does not carry."""

from __future__ import annotations

import html
import re
from collections.abc import Collection
from dataclasses import replace
from decimal import Decimal

from content import render
from quizzes.answers import pairs
from quizzes.formats.html import from_elements, to_markdown
from quizzes.formats.reading import Finding
from quizzes.questions import Item, Option

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
"""Characters that no XML file may have."""


def block_html(text: str) -> str:
    """Return a stem or a stimulus as XHTML."""
    return CONTROL.sub("", render.render(text).html).strip()


def line_html(text: str) -> str:
    """Return an option, a rationale or an explanation as XHTML without a paragraph around it."""
    return CONTROL.sub("", render.render_inline(text)).strip()


def plain(text: str) -> str:
    """Return a text's words alone."""
    return CONTROL.sub("", render.plain_text(text))


def escaped(text: str) -> str:
    """Return words as XHTML shows them as they are."""
    return html.escape(CONTROL.sub("", text))


def case_html(item: Item) -> str:
    """Return the stem as XHTML, after the text of the item's case if it has one."""
    question = item.question
    return "\n".join(block_html(text) for text in (question.stimulus, question.stem) if text)


def lost(item: Item, carried: Collection[str]) -> list[str]:
    """Return the names of what an item has and a format does not carry."""
    question, key = item.question, item.key
    has = {
        "task": question.task,
        "difficulty": question.difficulty,
        "lesson": question.lesson,
        "set": question.enemies,
        "order": question.fixed,
        "case": question.case,
        "tags": question.tags,
        "unit": question.unit,
        "rationales": any(text for _, text in key.rationales),
        "explanation": key.explanation,
        "today": key.today,
        "proof": key.experiments,
    }
    return [name for name, value in has.items() if value and name not in carried]


def finding(number: int, item: Item, names: Collection[str], changes: Collection[str] = ()) -> list[Finding]:
    """Return the findings of one item: what is not carried, and what is written another way."""
    found = []
    if names:
        sentence = f"{item.question.id}: not carried are {', '.join(names)}."
        found.append(Finding(max(1, item.line), 1, "loss", sentence, number))
    if changes:
        sentence = f"{item.question.id}: written another way are {', '.join(changes)}."
        found.append(Finding(max(1, item.line), 1, "note", sentence, number))
    return found


def in_html(item: Item) -> Item:
    """Return an item with its texts as they come back from HTML: other marks for the same words."""
    question, key = item.question, item.key
    changed = replace(
        question,
        stem=to_markdown(case_html(item)).text,
        options=tuple(Option(one.letter, line_text(one.text)) for one in question.options),
    )
    reasons = tuple((letter, line_text(text)) for letter, text in key.rationales)
    return replace(item, question=changed, key=replace(key, rationales=reasons, explanation=line_text(key.explanation)))


def line_text(text: str) -> str:
    """Return a line as it comes back from HTML."""
    return to_markdown(line_html(text), one_line=True).text


def plain_text(text: str) -> str:
    """Return a line as it comes back from words without marks."""
    return from_elements([plain(text)], one_line=True).text


def changed(item: Item) -> list[str]:
    """Return the names of the texts that come back from HTML with other marks."""
    back = in_html(replace(item, question=replace(item.question, stimulus="")))
    names = {
        "stem": (back.question.stem, item.question.stem),
        "options": (back.question.options, item.question.options),
        "rationales": (back.key.rationales, item.key.rationales),
        "explanation": (back.key.explanation, item.key.explanation),
    }
    found = [name for name, (one, other) in names.items() if one != other]
    return [*found, "pictures"] if "<img" in case_html(item) else found


def partners(item: Item) -> list[tuple[Option, Option]]:
    """Return the lines of a matching with their right partners."""
    targets, right = {one.letter: one for one in item.question.targets}, pairs(item.key.answer)
    return [(one, targets[right[one.letter]]) for one in item.question.options]


def leftover(item: Item) -> list[Option]:
    """Return the partners of a matching that nothing is matched with."""
    used = {target.letter for _, target in partners(item)}
    return [one for one in item.question.targets if one.letter not in used]


def steps(item: Item) -> list[Option]:
    """Return the steps of an ordering in their right order."""
    texts = {one.letter: one for one in item.question.options}
    return [texts[letter] for letter in item.key.answer]


def tolerance(item: Item) -> Decimal:
    """Return how far a number may be off, as a number."""
    written = item.key.tolerance
    if written.endswith("%"):
        return abs(Decimal(item.key.answer)) * Decimal(written.removesuffix("%").strip()) / 100
    return Decimal(written or 0)
