"""Items as Moodle's GIFT, and what that format has no place for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal

from quizzes.formats import writing
from quizzes.formats.reading import Finding, Writing
from quizzes.questions import Item

_SPECIAL = re.compile(r"[\\~=#{}:\n]")
_CARRIED = frozenset({"tags", "rationales", "explanation"})


def write(items: Sequence[Item]) -> Writing:
    """Return the file in UTF-8, and for each item what it does not carry; orderings are left out."""
    parts: list[str] = []
    findings: list[Finding] = []
    for number, item in enumerate(items, 1):
        reason = _unwritable(item)
        if reason:
            sentence = f"{item.question.id}: left out, because {reason}."
            findings.append(Finding(max(1, item.line), 1, "error", sentence, number))
        else:
            parts.append(_question(item))
            findings += writing.finding(number, item, _lost(item), _changed(item))
    return Writing("\n".join(parts).encode(), tuple(findings))


def _unwritable(item: Item) -> str:
    if item.question.kind == "ordering":
        return "GIFT has no orderings"
    texts = [one.text for one in (*item.question.options, *item.question.targets)]
    if item.question.kind == "matching" and any("->" in text for text in texts):
        return "“->” in a pair of GIFT parts it"
    if item.question.kind == "text" and any("->" in text for text in (*item.key.correct, item.key.rationale(""))):
        return "“->” among the answers of GIFT makes a matching of them"
    return ""


def _lost(item: Item) -> list[str]:
    return writing.lost(item, _CARRIED - ({"rationales"} if item.question.kind == "matching" else set()))


def _changed(item: Item) -> list[str]:
    changed = ["stem"] if item.question.stimulus else []
    return [*changed, "tolerance"] if item.key.tolerance.endswith("%") else changed


def _question(item: Item) -> str:
    question = item.question
    comment = " ".join([f"[id:{question.id}]", *(f"[tag:{tag}]" for tag in question.tags)])
    stem = "\n\n".join(text for text in (question.stimulus, question.stem) if text)
    general = f"\n####{_guarded(item.key.explanation)}" if item.key.explanation else ""
    answers = _ANSWERS[question.type](item)
    return f"// {comment}\n::{question.id}::[markdown]{escaped(stem)}{{{answers}{general}\n}}\n"


def escaped(text: str) -> str:
    """Return a text in which no character means anything to GIFT."""
    return _SPECIAL.sub(lambda found: "\\n" if found[0] == "\n" else f"\\{found[0]}", text)


def _feedback(reason: str) -> str:
    return f"#{_guarded(reason)}" if reason else ""


def _options(item: Item) -> str:
    right = item.key.correct
    share = f"{Decimal(100) / len(right):.5f}".rstrip("0").rstrip(".")
    marks = ("=", "~") if len(right) == 1 else (f"~%{share}%", f"~%-{share}%")
    lines = (
        f"\n{marks[option.letter not in right]}{_guarded(option.text)}{_feedback(item.key.rationale(option.letter))}"
        for option in item.question.options
    )
    return "".join(lines)


def _guarded(text: str) -> str:
    """Return a text; one that begins as a weight or a format does gets its format named before it."""
    return f"[markdown]{escaped(text)}" if text.startswith(("%", "[")) else escaped(text)


def _truth(item: Item) -> str:
    key = item.key
    right = "a" in key.correct
    reasons = [key.rationale("b" if right else "a"), key.rationale("a" if right else "b")]
    given = "".join(f"#{_guarded(reason)}" for reason in reasons) if any(reasons) else ""
    return ("TRUE" if right else "FALSE") + given


def _number(item: Item) -> str:
    tolerance = writing.tolerance(item)
    allowed = f":{tolerance:f}" if tolerance else ""
    return f"#\n={item.key.answer}{allowed}{_feedback(item.key.rationale(''))}"


def _spellings(item: Item) -> str:
    reason = _feedback(item.key.rationale(""))
    lines = [f"\n={_guarded(one).replace('*', _STAR)}" for one in sorted(item.key.correct)]
    return lines[0] + reason + "".join(lines[1:])


def _pairs(item: Item) -> str:
    lines = [(one.text, target.text) for one, target in writing.partners(item)]
    lines += [("", one.text) for one in writing.leftover(item)]
    return "".join(f"\n={_guarded(left)} -> {_guarded(partner)}" for left, partner in lines)


_STAR = "\\*"
_ANSWERS: dict[str, Callable[[Item], str]] = {
    "multiple-choice": _options,
    "multiple-response": _options,
    "true-false": _truth,
    "numeric": _number,
    "short-text": _spellings,
    "matching": _pairs,
}
