"""Items as GIFT, with what that format cannot carry."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from quizzes.formats.reading import Finding, Writing
from quizzes.formats.writing import finding, leftover, lost, partners, tolerance
from quizzes.questions import Item

_SPECIAL = re.compile(r"[\\~=#{}:]")
_EMPTY = re.compile(r"\n[ \t]*(?=\n)")


def write(items: Sequence[Item]) -> Writing:
    """Return items as GIFT in UTF-8; texts are written as the Markdown that they are."""
    parts, findings = [], list[Finding]()
    for number, item in enumerate(items, 1):
        if item.question.kind == "ordering":
            sentence = f"{item.question.id}: GIFT has no questions of order; it is left out."
            findings.append(Finding(max(1, item.line), 1, "error", sentence, number))
            continue
        parts.append(_question(item))
        findings += finding(number, item, lost(item, ("rationales", "explanation", "tags")))
    return Writing("\n".join(parts).encode(), tuple(findings))


def _question(item: Item) -> str:
    question = item.question
    tags = "".join(f" [tag:{one}]" for one in question.tags)
    comment = f"// [id:{question.id}]{tags}\n" if tags else ""
    general = f"\n####{_escape(item.key.explanation)}" if item.key.explanation else ""
    stem = _EMPTY.sub("\n\\\\n", _escape(question.stem))
    return f"{comment}::{question.id}::[markdown]{stem} {{{_answers(item)}{general}\n}}\n"


def _answers(item: Item) -> str:
    question, key = item.question, item.key
    if question.type == "true-false":
        true, false = question.options
        right, wrong = (true, false) if true.letter in key.correct else (false, true)
        reasons = [key.rationale(one.letter) for one in (wrong, right)]
        feedback = "".join(f"#{_escape(one)}" for one in reasons) if any(reasons) else ""
        return f"{'TRUE' if right is true else 'FALSE'}{feedback}"
    if question.kind == "numeric":
        allowed = tolerance(item)
        words = f"{Decimal(key.answer):f}{f':{allowed:f}' if allowed else ''}"
        return f"#{words}{_reason(item, '')}"
    if question.kind == "text":
        first, *others = sorted(key.correct)
        return "".join(f"\n={_escape(one)}{_reason(item, '') if one == first else ''}" for one in (first, *others))
    if question.kind == "matching":
        pairs = [f"\n={_escape(one.text)} -> {_escape(other.text)}" for one, other in partners(item)]
        return "".join([*pairs, *(f"\n= -> {_escape(one.text)}" for one in leftover(item))])
    return "".join(_option(item, one.letter, one.text) for one in question.options)


def _option(item: Item, letter: str, text: str) -> str:
    keys = item.key.correct
    if len(keys) == 1:
        sign = "=" if letter in keys else "~"
    else:
        # Moodle knows shares with five digits only; wrong options take away what a right one gives.
        share = f"{100 / len(keys):.5f}".rstrip("0").rstrip(".")
        sign = f"~%{share if letter in keys else f'-{share}'}%"
    return f"\n{sign}{_escape(text)}{_reason(item, letter)}"


def _reason(item: Item, letter: str) -> str:
    text = item.key.rationale(letter)
    return f"#{_escape(text)}" if text else ""


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)
