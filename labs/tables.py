"""Findings that are tables, as a page shows them: the cells as texts, and bars or a line as geometry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labs.display import HEIGHT, NONE, WIDTH, Found, figure, label
from labs.findings import TABLES

STEP, THICK = 28, 18
"""From one bar to the next, and a bar's thickness, in the units of the drawing."""
BARS, WORDS, FIGURES = 360, 128, 84
"""The width of a drawing of bars, narrow for a phone; of that, the room for the words before a bar and its figures."""


@dataclass(frozen=True)
class Bar:
    """A bar that lies in its row: its words and its number as texts, where it begins from above, how long it is."""

    words: str
    text: str
    y: float
    length: float


@dataclass(frozen=True)
class Table:
    """A finding that is a table; where it is drawn, it has ``bars``, or the ``points`` of a line as SVG writes them."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    bars: tuple[Bar, ...] = ()
    points: str = ""
    highest: int = 0
    """The row with the greatest number."""

    @property
    def width(self) -> int:
        """How wide the drawing is."""
        return WIDTH if self.points else BARS

    @property
    def height(self) -> int:
        """How high the drawing is."""
        return HEIGHT if self.points else STEP * len(self.bars)


def tables(runs: Mapping[str, Found]) -> list[Table]:
    """Return the tables among the findings of runs, each with the run's title before its own."""
    return [
        _table(f"{run}: {title}" if run else title, value)
        for run, findings in runs.items()
        for name, found in findings.items()
        if isinstance(value := found["value"], dict) and value["kind"] in TABLES
        for title in [_title(name, value)]
    ]


def _title(name: str, value: Mapping[str, Any]) -> str:
    return label(name) if value["kind"] == "table" else f"{value['columns'][-1]} by {value['columns'][0]}"


def _table(title: str, value: Mapping[str, Any]) -> Table:
    rows = tuple(tuple(map(_text, row)) for row in value["rows"])
    numbers = [row[-1] for row in value["rows"]] if value["kind"] != "table" else []
    top = max(numbers, default=0)
    highest = numbers.index(top) if numbers else 0
    bars: tuple[Bar, ...] = ()
    points = ""
    if value["kind"] == "bars":
        shares = [number / (top or 1) for number in numbers]
        bars = tuple(_bar(place, row, share) for place, (row, share) in enumerate(zip(rows, shares, strict=True)))
    elif value["kind"] == "line":
        points = _line(numbers, top or 1)
    return Table(title, tuple(value["columns"]), rows, bars, points, highest)


def _bar(place: int, row: Sequence[str], share: float) -> Bar:
    return Bar(row[0], row[-1], place * STEP + (STEP - THICK) / 2, round(share * (BARS - WORDS - FIGURES), 1))


def _line(numbers: Sequence[float], top: float) -> str:
    step = WIDTH / max(1, len(numbers) - 1)
    return " ".join(f"{place * step:.1f},{HEIGHT * (1 - one / top):.1f}" for place, one in enumerate(numbers))


def _text(value: Any) -> str:
    if value is None:
        return NONE
    if isinstance(value, float):
        return f"{value:,.2f}"
    return figure(value)
