"""A lab and its runs as a page shows them: figures beside the published ones, charts as geometry, the drawing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree
from markupsafe import Markup

from content import render
from labs.registry import Lab, PublishedTable
from labs.runner import Event

WIDTH, HEIGHT = 460, 180
"""The field in which a chart is drawn, in its own units; labels stand around it."""

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
    """A metric over time: its points as SVG writes them, and where and what its last value is."""

    name: str
    points: str
    end: float
    last: str


@dataclass(frozen=True)
class TimeChart:
    """Metrics on one scale over a run's own time, and the same numbers as rows of (seconds, value of each)."""

    lines: tuple[Line, ...]
    seconds: float
    rows: tuple[tuple[str, ...], ...]


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


def rows(findings: Mapping[str, Mapping[str, Any]], tables: Sequence[PublishedTable]) -> list[Row]:
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


def histograms(findings: Mapping[str, Mapping[str, Any]], tables: Sequence[PublishedTable]) -> list[Histogram]:
    """Return the measured histogram and the published ones on one axis; none where the lab has none."""
    if "histogram" not in findings:
        return []
    measured = [(edge, count) for edge, count in findings["histogram"]["value"]]
    named = [("", measured), *((one.title, one.histogram) for one in tables if one.histogram)]
    widest = max(edge for _, bars in named for edge, _ in bars)
    return [_histogram(title, bars, widest) for title, bars in named]


def time_chart(lab: Lab, events: Iterable[Event]) -> TimeChart | None:
    """Return the metrics that the lab wants drawn over its own time; none where it reported none."""
    metrics = [event for event in events if event["kind"] == "metric" and set(lab.chart) <= set(event["values"])]
    if not lab.chart or not metrics or metrics[-1]["at"] <= 0:
        return None
    seconds = max(event["at"] for event in metrics)
    top = max(1, *(event["values"][name] for event in metrics for name in lab.chart))
    lines = []
    for name in lab.chart:
        points = [(event["at"] / seconds * WIDTH, HEIGHT - event["values"][name] / top * HEIGHT) for event in metrics]
        text = " ".join(f"{x:.1f},{y:.1f}" for x, y in [(0.0, float(HEIGHT)), *points])
        lines.append(Line(label(name), text, round(points[-1][1], 1), figure(metrics[-1]["values"][name])))
    table = tuple((f"{event['at']:.2f}", *(figure(event["values"][name]) for name in lab.chart)) for event in metrics)
    return TimeChart(tuple(lines), seconds, table)


def drawing(lab: Lab, values: Mapping[str, Any]) -> Markup | None:
    """Return the architecture with these values written where it has a place for them."""
    if lab.drawing is None:
        return None
    root = render.read_drawing(lab.drawing)
    root.set("role", "img")
    for place in root.iter("{*}tspan"):
        name = place.get("data-metric")
        if name is not None:
            place.text = figure(values[name]) if name in values else NONE
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
        f"{one.label.lower()} {one.show(parameters[one.name]) or one.empty}"
        for one in lab.parameters
        if one.name in parameters and one.show(parameters[one.name]) != one.show(one.default)
    ]
    return ", ".join(words)


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
