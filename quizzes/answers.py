"""Answers as texts: ``ac`` of a choice, ``bca`` of an order, ``a2b1`` of a matching, and what a learner typed."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Protocol

from quizzes.questions import MAXIMUM_ANSWER, Question

_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]{1,2})?")
_PAIR = re.compile(r"([a-z])([0-9])")


class Fields(Protocol):
    """What a form sends: Werkzeug's MultiDict, and whatever else finds values by name."""

    def getlist(self, name: str) -> list[str]:
        """Return every value of a field."""


def from_form(question: Question, fields: Fields, name: str) -> str:
    """Return the answer that a plain form sends under ``name``; what cannot be an answer is left out.

    A choice sends its letters; an order sends a place for each letter as ``<name>-<letter>``, and letters without a
    place are left out; a matching sends a numeral for each letter in the same way.
    """
    sent = fields.getlist(name)
    if question.kind in ("numeric", "text"):
        return clean(sent[0])[:MAXIMUM_ANSWER].strip() if sent else ""
    letters = [option.letter for option in question.options]
    if question.kind == "choice":
        return "".join(letter for letter in letters if letter in sent)[: question.choose]
    partners = {letter: (fields.getlist(f"{name}-{letter}") or [""])[0] for letter in letters}
    if question.kind == "matching":
        numerals = {target.letter for target in question.targets}
        return "".join(f"{letter}{partner}" for letter, partner in partners.items() if partner in numerals)
    placed = [(int(place), letter) for letter, place in partners.items() if place.isdecimal() and len(place) < 3]
    return "".join(letter for _, letter in sorted(placed))


def clean(text: str) -> str:
    """Return a text without its control characters."""
    return text if text.isprintable() else "".join(filter(str.isprintable, text))


def pairs(answer: str) -> dict[str, str]:
    """Return what an answer to a matching item matches: a numeral for each letter."""
    return dict(_PAIR.findall(answer))


def number(text: str, unit: str = "") -> Decimal | None:
    """Return the number that a learner typed, with or without its unit, or None where it is none.

    Spaces group thousands; so does a comma before three digits (5,000), while any other comma is a decimal one (2,5).
    """
    typed = unicodedata.normalize("NFKC", text).casefold().strip()
    digits = "".join(typed.removesuffix(unit.casefold()).split())
    digits = digits.replace(",", "") if _GROUPED.fullmatch(digits) else digits.replace(",", ".")
    digits = digits.replace("−", "-")
    return Decimal(digits) if _NUMBER.fullmatch(digits) else None


def normal(text: str) -> str:
    """Return a short text as it is compared: without regard to case, quotes, hyphens, final stop and spacing."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    words = re.sub(r"[\"'“”„‘’«»`]", "", folded)
    return " ".join(re.sub(r"[\s\-_‐‑–]+", " ", words).split()).rstrip(".")
