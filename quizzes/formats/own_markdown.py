"""Our own Markdown, as the importer takes it: every item of a bank, or the errors that keep it out."""

from __future__ import annotations

import re
from bisect import bisect_right
from pathlib import Path

from quizzes.formats import markdown
from quizzes.formats.reading import Finding, Imported, Reading, Writing
from quizzes.formats.source import MAXIMUM_QUESTIONS, MAXIMUM_RAW, lines_ended, too_many
from quizzes.questions import Bank

_HEADING = re.compile(r"## (?!Case [a-z0-9]+(?:-[a-z0-9]+)*$)")


def read(text: str) -> Reading:
    """Return the items of a bank, which need not be complete; a fault of an item keeps it out."""
    lines = lines_ended(text).split("\n")
    starts = [number for number, line in enumerate(lines, 1) if _HEADING.match(line.rstrip())]
    if len(starts) > MAXIMUM_QUESTIONS:
        return too_many()
    bank, faults = markdown.read("\n".join(lines), Path("import.md"), complete=False)
    findings = []
    for fault in faults:
        number = bisect_right(starts, fault.line)
        raw = lines[fault.line - 1][:MAXIMUM_RAW] if fault.line <= len(lines) else ""
        findings.append(Finding(fault.line, fault.column, "error", fault.sentence, number, raw=raw))
    faulty = {finding.question for finding in findings}
    numbered = [(bisect_right(starts, item.line), item) for item in bank.items]
    items = tuple(
        Imported(number, item.line, 1, item.question.id, item) for number, item in numbered if number not in faulty
    )
    if not starts:
        findings.append(Finding(1, 1, "error", "The file has no item; one begins with “## its-id”."))
    return Reading(items, tuple(findings), len(starts))


def write_bank(bank: Bank) -> Writing:
    """Return a bank as its own Markdown, which carries everything."""
    return Writing(markdown.write(bank).encode(), ())
