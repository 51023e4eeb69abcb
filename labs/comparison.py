"""Two runs of a lab side by side: the settings that differ, and the findings with their differences."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labs import matrices
from labs.display import NONE, difference, figure, label
from labs.registry import Lab
from labs.store import StoredRun


@dataclass(frozen=True)
class Setting:
    """A parameter that the two runs set differently, as text; of a text, only the lines that differ."""

    label: str
    first: str
    second: str
    unit: str = ""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pair:
    """A finding of both runs as text, and how far the second is from the first."""

    label: str
    first: str
    second: str
    unit: str
    difference: str


def settings(lab: Lab, first: StoredRun, second: StoredRun) -> list[Setting]:
    """Return the parameters that differ between the runs, in the lab's order."""
    made = []
    for one in lab.parameters:
        before, after = (one.show(run.parameters.get(one.name)) for run in (first, second))
        if before == after:
            continue
        if one.is_text:
            made.append(Setting(one.label, "", "", lines=_changed_lines(before, after)))
        else:
            made.append(Setting(one.label, before or one.empty, after or one.empty, one.unit))
    return made


def pairs(first: StoredRun, second: StoredRun) -> list[Pair]:
    """Return the findings that are single values in either run, in the first run's order."""
    names = dict.fromkeys([*first.findings, *second.findings])
    return [
        _pair(name, first.findings.get(name), second.findings.get(name))
        for name in names
        if all(
            not isinstance(found["value"], list | dict)
            for found in (first.findings.get(name), second.findings.get(name))
            if found is not None
        )
    ]


def answers(first: StoredRun, second: StoredRun) -> list[Pair]:
    """Return the answers of matrices that differ between the runs, or that only one of them has."""
    told = [_answers(run) for run in (first, second)]
    places = dict.fromkeys([*told[0], *told[1]])
    shown = [(place, told[0].get(place, NONE), told[1].get(place, NONE)) for place in places]
    return [Pair(place, before, after, "", NONE) for place, before, after in shown if before != after]


def _answers(run: StoredRun) -> dict[str, str]:
    """Return every answer of a run's matrices in a word, by its place."""
    read = {label(name): matrices.read(found["value"]) for name, found in run.findings.items()}
    return {
        f"{name}: {place}": matrix.word(answer)
        for name, matrix in read.items()
        if matrix
        for place, answer in matrix.named()
    }


def _pair(name: str, first: Mapping[str, Any] | None, second: Mapping[str, Any] | None) -> Pair:
    values = [None if found is None else found["value"] for found in (first, second)]
    numbers = [one for one in values if isinstance(one, int | float) and not isinstance(one, bool)]
    apart = difference(numbers[1], numbers[0]) if len(numbers) == 2 else NONE
    shown = [NONE if one is None else figure(one) for one in values]
    known = first or second or {}
    unit = "" if any(isinstance(one, bool) for one in values) else known["unit"]
    return Pair(label(name), shown[0], shown[1], unit, apart)


def _changed_lines(before: str, after: str) -> tuple[str, ...]:
    """Return the lines that only one text has, with a minus or a plus before them, and a line around each place."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1)
    return tuple(line for line in lines if not line.startswith(("---", "+++")))
