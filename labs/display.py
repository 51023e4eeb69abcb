"""A lab and its runs as a page shows them: figures beside the published ones, charts as geometry, the drawing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree
from markupsafe import Markup

from content import render
from labs import matrices
from labs.matrices import Matrix
from labs.registry import Lab, PublishedTable
from labs.runner import Event

Found = Mapping[str, Mapping[str, Any]]
"""A run's findings as they are stored: by name, each a value and its unit."""

WIDTH, HEIGHT = 460, 180
"""The field in which a chart is drawn, in its own units; labels stand around it."""

WORDS = 22
"""The height of a line of words in a chart."""

NONE = "–"


@dataclass(frozen=True)
class Compared:
    """A published figure and how far the measured one is from it, both as text."""

    published: str
    difference: str


@dataclass(frozen=True)
class Row:
    """A finding as text, with one Compared for each published table."""

    name: str
    label: str
    measured: str
    unit: str
    compared: tuple[Compared, ...]


@dataclass(frozen=True)
class Bar:
    """A bar of a histogram: the responses above the bar before it, up to ``edge``."""

    x: float
    width: float
    height: float
    edge: float
    count: int


@dataclass(frozen=True)
class Histogram:
    """A histogram on an axis that it shares with others, and the ticks of that axis as (x, seconds).

    The title is that of the published table; the measured histogram has none.
    """

    title: str
    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, int], ...]

    @property
    def tallest(self) -> Bar:
        """The bar with the greatest count."""
        return max(self.bars, key=lambda bar: bar.count)


@dataclass(frozen=True)
class Line:
    """A metric of a run over time: its points as SVG writes them, its last value, and the height of its words.

    ``style`` tells the metrics apart, ``run`` the runs, both from 1.
    """

    name: str
    points: str
    last: str
    height: float
    style: int
    run: int


@dataclass(frozen=True)
class TimeChart:
    """Metrics on one scale over a run's own time, and the same numbers as rows of (seconds, value of each line).

    ``margin`` is the room for the lines' words at their end. The chart of a lab's ``chart`` has no title.
    """

    lines: tuple[Line, ...]
    seconds: float
    rows: tuple[tuple[str, ...], ...]
    title: str = ""

    @property
    def margin(self) -> int:
        """The width that the longest of the lines' words needs."""
        return 24 + 9 * max(len(f"{line.name} {line.last}") for line in self.lines)


def figure(value: Any) -> str:
    """Return a number as text: whole numbers as they are, others with four decimals; yes and no in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def difference(measured: float, published: float) -> str:
    """Return by how much ``measured`` is above (+) or below (−) ``published``."""
    text = figure(abs(measured - published))
    sign = "+" if measured > published else "−"
    return "0" if float(text) == 0 else sign + text


def label(name: str) -> str:
    """Return a finding's name in words."""
    return name.removesuffix("_seconds").replace("_", " ").capitalize()


def rows(findings: Found, tables: Sequence[PublishedTable]) -> list[Row]:
    """Return every finding that is a number, each beside the published tables."""
    made = []
    for name, found in findings.items():
        value = found["value"]
        if isinstance(value, int | float):
            compared = tuple(_compared(value, table.figures.get(name)) for table in tables)
            made.append(
                Row(name, label(name), figure(value), "" if isinstance(value, bool) else found["unit"], compared)
            )
    return made


def matrices_of(findings: Found) -> dict[str, Matrix]:
    """Return the findings that are matrices, by what they are called."""
    read = {label(name): matrices.read(found["value"]) for name, found in findings.items()}
    return {name: one for name, one in read.items() if one is not None}


def histograms(runs: Mapping[str, Found], tables: Sequence[PublishedTable] = ()) -> list[Histogram]:
    """Return the histograms of runs, by their titles, and the published ones on one axis; none where there are none."""
    measured = [(title, found["histogram"]["value"]) for title, found in runs.items() if "histogram" in found]
    if not measured:
        return []
    named = [*measured, *((one.title, one.histogram) for one in tables if one.histogram)]
    widest = max(edge for _, bars in named for edge, _ in bars)
    return [_histogram(title, bars, widest) for title, bars in named]


def time_chart(lab: Lab, runs: Mapping[str, Iterable[Event]]) -> TimeChart | None:
    """Return the metrics that the lab wants drawn over its own time; none where no run reported any.

    ``runs`` has the events of each run by what its lines are called beside the metric; empty for a single run.
    """
    return _time_chart("", lab.chart, runs)


def time_charts(lab: Lab, runs: Mapping[str, Iterable[Event]]) -> list[TimeChart]:
    """Return the lab's titled charts in the same way, without those for which no run reported anything."""
    given = {run: [*events] for run, events in runs.items()}
    drawn = (_time_chart(one.title, one.metrics, given) for one in lab.charts)
    return [one for one in drawn if one is not None]


def _time_chart(title: str, names: Sequence[str], runs: Mapping[str, Iterable[Event]]) -> TimeChart | None:
    metrics = {run: _charted(names, events) for run, events in runs.items()}
    moments = [event["at"] for one in metrics.values() for event in one]
    seconds = max(moments, default=0)
    if not names or seconds <= 0:
        return None
    every = [event["values"][name] for one in metrics.values() for event in one for name in names]
    scale = HEIGHT / max(1, *every)
    drawn = [(run, name) for run, one in metrics.items() if one for name in names]
    ends = [HEIGHT - metrics[run][-1]["values"][name] * scale for run, name in drawn]
    lines = []
    for (run, name), height in zip(drawn, _apart(ends), strict=True):
        points = [(event["at"] / seconds * WIDTH, HEIGHT - event["values"][name] * scale) for event in metrics[run]]
        text = " ".join(f"{x:.1f},{y:.1f}" for x, y in [(0.0, float(HEIGHT)), *points])
        last = figure(metrics[run][-1]["values"][name])
        place = list(runs).index(run) + 1
        lines.append(Line(f"{label(name)} {run}".strip(), text, last, height, names.index(name) + 1, place))
    table = sorted(
        (event["at"], *(figure(event["values"][name]) if one == run else NONE for one, name in drawn))
        for run in metrics
        for event in metrics[run]
    )
    return TimeChart(tuple(lines), seconds, tuple((f"{at:.2f}", *values) for at, *values in table), title)


def drawing(lab: Lab, values: Mapping[str, Any]) -> Markup | None:
    """Return the architecture with these values written where it has a place for them.

    Parts and arrows name the metrics that stand for what they do; those of which one is not 0 are marked as used.
    """
    if lab.drawing is None:
        return None
    root = render.read_drawing(lab.drawing)
    root.set("role", "img")
    for place in root.iter("{*}tspan"):
        name = place.get("data-metric")
        if name is not None:
            place.text = figure(values[name]) if name in values else NONE
    for place in root.iter("{*}*"):
        names = f"{place.get('data-part', '')} {place.get('data-arrow', '')}".split()
        if any(values.get(name) for name in names):
            place.set("class", f"{place.get('class', '')} used".strip())
    return Markup(etree.tostring(root, encoding="unicode").strip())  # noqa: S704 (a file of the catalog, values as text)


def animation(lab: Lab) -> Markup | None:
    """Return the drawing that the lab's animation moves, or None where it has none."""
    if not lab.animation:
        return None
    root = render.read_drawing(lab.folder / "animation.svg")
    root.set("role", "img")
    return Markup(etree.tostring(root, encoding="unicode").strip())  # noqa: S704 (a file of the catalog)


def last_metrics(events: Iterable[Event]) -> dict[str, Any]:
    """Return the newest value of each metric."""
    values: dict[str, Any] = {}
    for event in events:
        if event["kind"] == "metric":
            values.update(event["values"])
    return values


def changed(lab: Lab, parameters: Mapping[str, Any]) -> str:
    """Return in words what a run sets otherwise than by default; nothing where it sets nothing."""
    words = [
        f"{one.label.lower()} {'edited' if one.is_text else one.show(parameters[one.name]) or one.empty}"
        for one in lab.parameters
        if one.name in parameters and one.show(parameters[one.name]) != one.show(one.default)
    ]
    return ", ".join(words)


def _charted(names: Sequence[str], events: Iterable[Event]) -> list[Event]:
    return [event for event in events if event["kind"] == "metric" and set(names) <= set(event["values"])]


def _apart(heights: Sequence[float]) -> list[float]:
    """Return the heights of words, moved as far apart as a line of words is high: upwards, but not past the top."""
    moved = list(heights)
    above, below = math.inf, -math.inf
    from_below = sorted(range(len(moved)), key=lambda one: -moved[one])
    for place in from_below:
        moved[place] = above = min(moved[place], above - WORDS)
    for place in reversed(from_below):
        moved[place] = below = max(moved[place], below + WORDS, 0)
    return [round(one, 1) for one in moved]


def _compared(measured: float, published: float | None) -> Compared:
    if published is None:
        return Compared(NONE, NONE)
    return Compared(figure(published), difference(measured, published))


def _histogram(title: str, counted: Sequence[tuple[float, int]], widest: float) -> Histogram:
    top = max(count for _, count in counted) or 1
    bars = []
    before = 0.0
    for edge, count in counted:
        x, end = before / widest * WIDTH, edge / widest * WIDTH
        bars.append(Bar(round(x, 1), round(max(end - x - 1, 1), 1), round(count / top * HEIGHT, 1), edge, count))
        before = edge
    step = max(1, round(widest / 5))
    ticks = tuple((round(second / widest * WIDTH, 1), second) for second in range(0, int(widest) + 1, step))
    return Histogram(title, tuple(bars), ticks)
