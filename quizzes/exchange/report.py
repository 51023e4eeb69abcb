"""An import's report for programs: JSON and CSV. ``docs/instructors/importing.md`` tells its fields."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from typing import Any

from quizzes.exchange import plan
from quizzes.exchange.plan import Row
from quizzes.exchange.wire import Compared
from quizzes.formats.reading import Finding

VERSION = 1


def as_json(name: str, compared: Compared) -> dict[str, Any]:
    """Return the report of the file ``name`` as plain values."""
    rows = plan.rows(compared)
    return {
        "version": VERSION,
        "file": name,
        "format": compared.format,
        "sum": asdict(plan.total(rows)),
        "findings": [_finding(one) for one in plan.of_the_file(compared)],
        "questions": [_row(row) for row in rows],
    }


def as_csv(name: str, compared: Compared) -> str:
    """Return one line a finding or a likeness: file, line, column, severity, question, id, sentence.

    A cell that a spreadsheet would take for a formula begins with an apostrophe.
    """
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(("file", "member", "line", "column", "severity", "question", "id", "sentence"))
    for one in plan.of_the_file(compared):
        table.writerow(map(_cell, (name, one.member, one.line, one.column, one.severity, 0, "", one.sentence)))
    for row in plan.rows(compared):
        place = (row.imported.line, row.imported.column) if row.imported else (0, 0)
        own = row.imported.item.question.id if row.imported else ""
        for one in row.findings:
            cells = (name, one.member, one.line, one.column, one.severity, row.number, own, one.sentence)
            table.writerow(map(_cell, cells))
        for other in row.likenesses:
            sentence = f"{other.kind}: {other.place} ({other.question_id})"
            table.writerow(map(_cell, (name, "", *place, other.kind, row.number, own, sentence)))
    return text.getvalue()


def _row(row: Row) -> dict[str, Any]:
    one = row.imported
    item = one.item if one else None
    return {
        "number": row.number,
        "line": one.line if one else min((found.line for found in row.findings), default=0),
        "name": one.name if one else "",
        "category": one.category if one else "",
        "id": item.question.id if item else None,
        "type": item.question.type if item else None,
        "stem": item.question.stem if item else None,
        "proposed": row.proposed,
        "findings": [_finding(found) for found in row.findings],
        "alike": [asdict(other) for other in row.likenesses],
    }


def _finding(one: Finding) -> dict[str, Any]:
    values = asdict(one)
    del values["question"]
    return values


def _cell(value: object) -> str:
    text = str(value)
    formula = text.startswith(("=", "+", "-", "@", "\t", "\r")) and not text.lstrip("-").isdigit()
    return f"'{text}" if formula else text
