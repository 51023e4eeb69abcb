"""Archway's own Markdown as one of the formats that banks come in and go out in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from quizzes.formats import markdown
from quizzes.formats.reading import Finding, Imported, Reading, Writing
from quizzes.questions import Bank

_PATH = Path("bank.md")


def read(text: str) -> Reading:
    """Return the items of a bank's text; every heading that begins an item is a question of the file."""
    bank, faults = markdown.read(text, _PATH, complete=False)
    starts = [
        (number, line[3:].strip())
        for number, line in enumerate(text.split("\n"), 1)
        if line.startswith("## ") and not markdown.is_case(line[3:].strip())
    ]
    numbers = {line: number for number, (line, _) in enumerate(starts, 1)}
    items = tuple(
        Imported(numbers[item.line], item.line, 1, item.question.id, replace(item, path=None)) for item in bank.items
    )
    findings = tuple(
        Finding(one.line, one.column, "error", one.sentence, sum(line <= one.line for line, _ in starts))
        for one in faults
    )
    return Reading(items, _told_once(items, findings), len(starts))


def write_bank(bank: Bank) -> Writing:
    """Return a bank as its own Markdown, which carries everything."""
    return Writing(markdown.write(bank).encode(), ())


def _told_once(items: tuple[Imported, ...], findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return the findings, those of items that were read none the less (a word astray) as losses."""
    read_well = {one.number for one in items}
    return tuple(
        replace(one, severity="loss") if one.question in read_well or one.question == 0 else one for one in findings
    )
