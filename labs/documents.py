"""A lab, and a run of it, as documents for other programs: values that JSON can hold, and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from labs import matrices
from labs.registry import Lab
from labs.servers import SERVERS

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


@dataclass(frozen=True)
class Result:
    """A run and what came out of it, wherever it ran."""

    lab: Lab
    parameters: Mapping[str, Any]
    seed: int
    findings: Mapping[str, Mapping[str, Any]]
    checks: Mapping[str, bool]


def describe(lab: Lab, ready: Collection[str]) -> dict[str, Any]:
    """Return what a program needs to know to choose a lab and to set its parameters; no hint and no solution.

    ``ready`` names the real servers that a run can start on this machine.
    """
    return {
        "slug": lab.slug,
        "title": lab.title,
        "summary": lab.summary,
        "minutes": lab.minutes,
        "level": lab.level,
        "domains": lab.domains,
        "source": lab.source,
        "servers": [
            {
                "part": one.name,
                "configured": one.configured,
                "setting": one.setting,
                "package": SERVERS[one.server].package,
                "ready": one.server in ready,
            }
            for one in lab.parts
            if one.server
        ],
        "tasks": [{"check": one.check, "title": one.title} for one in lab.tasks],
        "parameters": [
            {
                "name": one.name,
                "kind": one.kind,
                "label": one.label,
                "help": one.help,
                "unit": one.unit,
                "default": one.default,
                "optional": one.optional,
                **({"minimum": one.minimum, "maximum": one.maximum} if one.is_number else {}),
                **({"choices": one.choices} if one.choices else {}),
            }
            for one in lab.parameters
        ],
    }


def document(result: Result) -> dict[str, Any]:
    """Return a run with everything that repeats it and everything that came out."""
    return {
        "lab": result.lab.slug,
        "parameters": result.parameters,
        "seed": result.seed,
        "findings": result.findings,
        "checks": result.checks,
    }


def table(result: Result) -> str:
    """Return a run as CSV: a row for each parameter, the seed, each finding, each check.

    A histogram has a row for each bar, a matrix for each answer, a table for each row of its own.
    """
    units = {one.name: one.unit for one in result.lab.parameters}
    rows: list[tuple[object, ...]] = [("kind", "name", "value", "unit")]
    rows += [("parameter", name, _cell(value), units.get(name, "")) for name, value in result.parameters.items()]
    rows.append(("parameter", "seed", result.seed, ""))
    for name, found in result.findings.items():
        value, unit = found["value"], found["unit"]
        matrix = matrices.read(value)
        if name == "histogram":
            rows += [("finding", f"{name} up to {edge}", count, unit) for edge, count in value]
        elif matrix:
            rows += [("finding", f"{name}: {place}", _cell(matrix.word(one)), unit) for place, one in matrix.named()]
        elif isinstance(value, dict):
            lines = (" ".join(map(str, row)) for row in value["rows"])
            rows += [("finding", f"{name} row {number}", _cell(line), "") for number, line in enumerate(lines, 1)]
        else:
            rows.append(("finding", name, _cell(value), unit))
    rows += [("check", name, _cell(passed), "") for name, passed in result.checks.items()]
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _cell(value: object) -> object:
    """Return a value as a spreadsheet may have it: a text that looks like a formula gets an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
