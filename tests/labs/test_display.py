"""Figures, differences and charts carry the same numbers as the findings."""

from __future__ import annotations

import pytest

from labs import display, registry
from labs.registry import PublishedTable

LAB = registry.read(registry.CATALOG / "lambda_concurrency")
TABLE = PublishedTable("t", "Published", {"total_seconds": 380.0, "rejected": 3076}, ((1.0, 3), (2.0, 0), (4.0, 1)))


@pytest.mark.parametrize(
    ("measured", "published", "text"),
    [(2500, 3076, "−576"), (3.5, 3.25, "+0.2500"), (7, 7, "0"), (0.01299, 0.013, "0"), (5, 4.5, "+0.5000")],
)
def test_a_difference_has_its_sign(measured: float, published: float, text: str) -> None:
    assert display.difference(measured, published) == text


def test_findings_stand_beside_what_was_published() -> None:
    findings = {"total_seconds": {"value": 400.5, "unit": "s"}, "peak": {"value": 25, "unit": "executions"}}
    total, peak = display.rows(findings, [TABLE])
    assert (total.label, total.measured, total.compared[0].difference) == ("Total", "400.5000", "+20.5000")
    assert peak.compared[0].published == display.NONE


def test_histograms_share_one_axis() -> None:
    findings = {"histogram": {"value": [[4.0, 2], [8.0, 6]], "unit": ""}}
    measured, published = display.histograms(findings, [TABLE])
    assert [bar.count for bar in measured.bars] == [2, 6]
    assert measured.tallest.height == display.HEIGHT
    assert published.bars[-1].x + published.bars[-1].width == pytest.approx(display.WIDTH / 2, abs=2)
    assert measured.ticks == published.ticks


def test_the_drawing_shows_the_newest_values() -> None:
    events = [
        {"kind": "metric", "at": 0.0, "values": {"refused": 1, "succeeded": 2}},
        {"kind": "log", "text": "words"},
        {"kind": "metric", "at": 9.0, "values": {"refused": 1234}},
    ]
    drawing = display.drawing(LAB, display.last_metrics(events))
    assert drawing is not None
    assert ">1234</" in drawing
    assert ">2</" in drawing


def test_the_time_chart_has_a_row_for_each_of_its_points() -> None:
    events = [{"kind": "metric", "at": at, "values": {"refused": 25 * at, "succeeded": at}} for at in (1.0, 2.0, 4.0)]
    chart = display.time_chart(LAB, events)
    assert chart is not None
    assert [line.last for line in chart.lines] == ["4.0000", "100.0000"]
    assert chart.rows[-1][0] == "4.00"
    assert chart.lines[1].points.endswith(f"{display.WIDTH:.1f},0.0")
    assert display.time_chart(LAB, []) is None


def test_what_a_run_sets_is_said_in_words() -> None:
    values, _ = LAB.read({"reserved_concurrency": "25", "preset": "fitted"})
    assert display.changed(LAB, values) == "reserved concurrency 25, model fitted"
    assert display.changed(LAB, LAB.defaults()) == ""
