"""The glossary: each term's definition, and the terms of a page told where they stand."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from content import render
from content.errors import Fault
from content.pages import Page

_TERM = re.compile(r'<a href="/glossary#([^"]+)" class="term">(.*?)</a>', re.DOTALL)


@dataclass(frozen=True)
class Term:
    """A word of the courses, with its definition in plain words."""

    anchor: str
    name: str
    definition: str


@dataclass(frozen=True)
class Glossary:
    """Every term, in the order of the page."""

    page: Page
    terms: tuple[Term, ...]

    def find(self, anchor: str) -> Term | None:
        """Return the term with that anchor, or None."""
        return next((term for term in self.terms if term.anchor == anchor), None)


def make(page: Page, _head: Mapping[str, Any]) -> tuple[Glossary, list[Fault]]:
    """Return the glossary that a page is, and the terms without a definition or out of order as faults."""
    found: list[Fault] = []
    texts = {section.anchor: section.text for section in page.sections}
    lines = page.body.split("\n")
    terms: list[Term] = []
    for number, line in enumerate(lines, page.first_line):
        if not line.startswith("## "):
            continue
        name = line[3:].strip()
        term = Term(render.slug(name), name, texts.get(render.slug(name), ""))
        if not term.definition:
            found.append(Fault(number, 4, f"The term “{name}” has no definition; write it under the heading."))
        elif terms and name.casefold() < terms[-1].name.casefold():
            found.append(Fault(number, 4, f"“{name}” stands after “{terms[-1].name}”; keep the terms in order."))
        terms.append(term)
    return Glossary(page, tuple(terms)), found


def explain(text: str, glossary: Glossary | None, numbers: count[int]) -> str:
    """Return rendered XHTML with each term's definition beside it, told on focus and hover.

    ``numbers`` makes the ids unique on the page that shows the text.
    """

    def tell(match: re.Match[str]) -> str:
        term = glossary.find(html.unescape(match[1])) if glossary else None
        if term is None:
            return match[0]
        tip = f"term-{next(numbers)}"
        link = f'<a href="/glossary#{match[1]}" class="term" aria-describedby="{tip}">{match[2]}</a>'
        definition = html.escape(term.definition, quote=False)
        return f'<span class="explained">{link}<span class="tip" role="tooltip" id="{tip}">{definition}</span></span>'

    return _TERM.sub(tell, text)
