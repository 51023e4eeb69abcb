"""Figures, differences and charts carry the same numbers as the findings."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from labs import display, registry
from labs.registry import Chart, PublishedTable

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
    measured, published = display.histograms({"": findings}, [TABLE])
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


def test_titled_charts_are_drawn_where_a_run_reported_their_metrics() -> None:
    charts = (Chart("Two", ("succeeded", "refused")), Chart("Nothing", ("unheard_of",)))
    events = [{"kind": "metric", "at": at, "values": {"succeeded": at, "refused": 2 * at}} for at in (1.0, 2.0)]
    [chart] = display.time_charts(replace(LAB, charts=charts), {"": iter(events)})
    assert chart.title == "Two"
    assert [line.last for line in chart.lines] == ["2.0000", "4.0000"]


def test_the_time_chart_has_a_row_for_each_of_its_points() -> None:
    events = [{"kind": "metric", "at": at, "values": {"refused": 25 * at, "succeeded": at}} for at in (1.0, 2.0, 4.0)]
    chart = display.time_chart(LAB, {"": events})
    assert chart is not None
    assert [line.last for line in chart.lines] == ["4.0000", "100.0000"]
    assert chart.rows[-1][0] == "4.00"
    assert chart.lines[1].points.endswith(f"{display.WIDTH:.1f},0.0")
    assert display.time_chart(LAB, {"": []}) is None


def test_what_a_run_sets_is_said_in_words() -> None:
    values, _ = LAB.read({"reserved_concurrency": "25", "preset": "fitted"})
    assert display.changed(LAB, values) == "reserved concurrency 25, model fitted"
    assert display.changed(LAB, LAB.defaults()) == ""


MESSAGES = registry.read(Path("tests/labs/catalog/messages"))


def _parts(values: dict[str, int]) -> list[str]:
    """Return the parts and arrows that the drawing marks as used, by what they name."""
    drawing = display.drawing(MESSAGES, values)
    assert drawing is not None
    root = etree.fromstring(str(drawing))
    used = [one for one in root.iter() if "used" in one.get("class", "").split()]
    return sorted(one.get("data-part", "") + one.get("data-arrow", "") for one in used)


def test_a_part_is_marked_as_used_by_any_of_its_metrics() -> None:
    assert _parts({"sent": 3, "delivered": 3, "dropped": 0}) == ["delivered", "delivered dropped", "sent", "sent"]
    assert _parts({"sent": 0}) == []
    assert _parts({}) == []


def test_two_runs_are_drawn_on_one_scale_and_told_apart() -> None:
    runs = {
        f"#{number}": [
            {"kind": "metric", "at": at, "values": {"sent": number * at, "delivered": at}} for at in (1.0, 2.0)
        ]
        for number in (1, 2)
    }
    chart = display.time_chart(MESSAGES, runs)
    assert chart is not None
    assert [(line.name, line.style, line.run) for line in chart.lines] == [
        ("Sent #1", 1, 1),
        ("Delivered #1", 2, 1),
        ("Sent #2", 1, 2),
        ("Delivered #2", 2, 2),
    ]
    # 4 is the greatest of all values, so the first run's 2 stands half as high.
    assert chart.lines[2].points.endswith(f"{display.WIDTH:.1f},0.0")
    assert chart.lines[0].points.endswith(f"{display.WIDTH:.1f},{display.HEIGHT / 2:.1f}")
    assert ("1.00", "–", "–", "2.0000", "1.0000") in chart.rows
    assert len(chart.rows) == 4


def test_the_words_of_lines_never_lie_on_each_other() -> None:
    for heights in ([50.0, 50.0, 50.0], [100.0, 110.0, 120.0, 121.0], [180.0]):
        moved = sorted(display._apart(heights))
        assert all(after - before >= display.WORDS for before, after in itertools.pairwise(moved))
        assert max(moved) == max(heights)


def test_words_that_have_no_room_above_go_down_from_the_top() -> None:
    assert sorted(display._apart([0.0, 1.0, 2.0])) == [0, display.WORDS, 2 * display.WORDS]
