"""The lab on Aurora and Redshift in a browser: a query's result and the chart stand on the run's page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from labs import registry
from tests.e2e.conftest import Server, Watched

# The labs have tests of their own; what this adds in a browser is looked at before a release.
pytestmark = [pytest.mark.browser, pytest.mark.full]
SPRING = (registry.CATALOG / "aurora_redshift/spring.sql").read_text("utf-8")


def _open(page: Page, server: Server) -> None:
    page.goto(f"{server.address}/labs/aurora-redshift")
    page.locator("#parameters details").evaluate_all("(all) => all.forEach((one) => (one.open = true))")


def _run(page: Page, state: str = "done") -> None:
    page.get_by_role("button", name="Run", exact=True).first.click()
    expect(page.locator("#state")).to_have_text(re.compile(state), timeout=30_000)


def _faults(watched: Watched) -> list[str]:
    """Return what is wrong with the page in both themes at two widths."""
    return watched.unsound_at(360, 1280)


@pytest.mark.parametrize("chart", ["bars", "line"])
def test_the_answer_and_the_chart_stand_on_the_runs_page(server: Server, watched: Watched, chart: str) -> None:
    page = watched.page
    _open(page, server)
    assert _faults(watched) == []
    page.locator("[name=days]").select_option("every day of the year")
    page.locator("[name=dimension]").select_option("weekday")
    page.locator("[name=chart]").select_option(chart)
    page.locator("[name=query]").fill(SPRING)
    page.locator("#seed").fill("1")
    _run(page)
    figures = page.locator("figure.chart")
    result = figures.filter(has=page.get_by_text("Query result", exact=True))
    expect(result.locator("tbody tr")).to_have_count(7)
    expect(result.locator("thead th")).to_have_text(["d_dayofweek", "total_sales"])
    drawn = figures.filter(has=page.get_by_text("Total Sales $ by weekday", exact=True))
    expect(drawn.locator("rect.bar")).to_have_count(7 if chart == "bars" else 0)
    expect(drawn.locator("polyline")).to_have_count(0 if chart == "bars" else 1)
    expect(drawn.get_by_role("img")).to_have_accessible_name(re.compile(r"the highest is \w+day with [\d,]+\.\d\d\."))
    drawn.get_by_text("The same as a table").click()
    expect(drawn.locator("tbody tr").first).to_contain_text("Monday")
    assert _faults(watched) == []


def test_what_is_wrong_in_a_query_is_told_at_its_line(server: Server, watched: Watched) -> None:
    page = watched.page
    _open(page, server)
    page.locator("[name=query]").fill("select d_season\nfrom dates")
    page.locator("[name=sales]").fill("10")
    _run(page, "failed")
    expect(page.locator(".listing .wrong")).to_contain_text("Column 6: There is no table “dates”.")
    page.get_by_role("link", name="Change something").click()
    query = page.get_by_role("textbox", name="Query")
    expect(query).to_have_accessible_description(re.compile("Line 2, column 6: There is no table “dates”"))


def test_two_runs_show_their_charts_side_by_side(server: Server, watched: Watched) -> None:
    page = watched.page
    for measure in ("Sales", "Quantity"):
        _open(page, server)
        page.locator("[name=measure]").select_option(measure)
        _run(page)
    page.goto(f"{server.address}/labs/aurora-redshift")
    page.get_by_role("button", name="Compare").click()
    for words in ("Sales by month", "Quantity by month"):
        expect(page.get_by_text(re.compile(rf"Run \d+: {words}"))).to_be_visible()
    assert _faults(watched) == []
