"""A corrected key in print: sentences in XHTML on what counts now and what no longer does."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterator

from content import render
from publisher.news import KeyChange
from quizzes.answers import pairs
from quizzes.questions import Item

_ON_THE_SITE = re.compile(r'<img src="/pictures/[^"]*" alt="([^"]*)"[^>]*/>')


def sentences(change: KeyChange) -> Iterator[str]:
    """Yield what counts since a key was corrected, and what no longer does."""
    item, ruling, now = change.item, change.ruling, change.now.key.correct
    if ruling.kind == "drop":
        yield "It counts in nobody's score."
    elif ruling.kind == "accept":
        yield f"This counts as right too: {_in_words(item, ruling.correct)}"
    else:
        yield f"This is right: {_in_words(item, now)}"
        wrong = item.key.correct - now
        if wrong:
            yield f"This is wrong; we had called it right: {_in_words(item, wrong)}"


def without_pictures(text: str) -> str:
    """Let words stand for the pictures of the site, which a book does not hold."""
    return _ON_THE_SITE.sub(r"<em>A picture on the site: \1</em>", text)


def _in_words(item: Item, answers: Collection[str]) -> str:
    question = item.question
    texts = {one.letter: without_pictures(render.render_inline(one.text)) for one in question.options}
    if question.kind == "choice":
        return "; ".join(texts[letter] for letter in sorted(answers))
    if question.kind == "ordering":
        return " or ".join(" → ".join(texts.get(letter, "") for letter in answer) for answer in sorted(answers))
    if question.kind == "matching":
        targets = {one.letter: render.render_inline(one.text) for one in question.targets}
        matched = [
            "; ".join(f"{texts[letter]} → {targets[numeral]}" for letter, numeral in pairs(one).items())
            for one in sorted(answers)
        ]
        return " or ".join(matched)
    return " or ".join(html.escape(f"{one} {question.unit}".strip()) for one in sorted(answers))
