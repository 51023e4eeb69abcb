"""Every page in both themes: no axe violation, no sideways scroll at 320 px, no violation of the policy."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Server, Watched

pytestmark = pytest.mark.browser
COURSE = "/learn/solutions-architect-associate"
PAGES = (
    "/",
    "/learn",
    COURSE,
    f"{COURSE}/resilient-architectures/",
    f"{COURSE}/resilient-architectures/durable-storage",
    f"{COURSE}/performant-architectures/elasticity",
    f"{COURSE}/secure-architectures/vpc-networking",
    f"{COURSE}/cost-optimized-architectures/cost-optimal-storage",
    "/learn/security-specialty",
    "/learn/security-specialty/data-protection/key-management",
    "/learn/big-data",
    "/learn/big-data/data-at-rest/athena",
    "/learn/architectures/services-under-load/lambda-concurrency",
    "/learn/architectures/services-under-load/lambda-concurrency?marking=on",
    "/learn/architectures/print",
    "/learn/offline",
    "/glossary",
    "/notes",
    "/notes/2018-01-tri-bilborda",
    "/notebook",
    "/search",
    "/search?q=queue",
    "/talks/2018-01",
    "/talks/2018-01?by=category&zone=Asia/Tokyo",
    "/startups/2018-02",
    "/exams",
    "/exams/saa-c01",
    "/exams/scs-c01",
    "/drills",
    "/drills/today",
    "/drills/security-specialty?domain=3",
    "/drills/security-specialty?only=mistakes",
    "/labs",
    "/labs/lambda-concurrency",
    "/issues",
    "/issues/2018-01",
    "/issues/2018-01/lambda-concurrency",
    "/issues/2018-01/tri-bilborda",
    "/subscribe",
    "/subscribe/sent?channel=kindle",
    "/sign-in",
    "/sign-up",
    "/no-such-page",
)


def inspect(watched: Watched, where: str) -> list[str]:
    """Return what is wrong with the page as it is shown, in both themes and at three widths."""
    faults = [f"{where} {one}" for one in watched.axe_in_both_themes()]
    return faults + too_wide(watched, where)


def too_wide(watched: Watched, where: str) -> list[str]:
    """Return at which of three widths the page as it is shown runs off the screen."""
    faults = []
    for width in (320, 768, 1280):
        watched.page.set_viewport_size({"width": width, "height": 800})
        if watched.overflow() > 0:
            faults.append(f"{where}: {watched.overflow()} px too wide at {width}")
    return faults


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_sound(server: Server, watched: Watched, path: str) -> None:
    watched.page.goto(f"{server.address}{path}")
    assert inspect(watched, path) == []


def test_the_control_a_violation_of_the_policy_is_met(server: Server, watched: Watched) -> None:
    watched.page.goto(server.address)
    watched.page.evaluate("document.body.setAttribute('style', 'color: red')")
    watched.page.goto(f"{server.address}/learn")
    with pytest.raises(AssertionError, match="style-src"):
        watched.finish()
    watched.errors.clear()


def test_a_lab_run_is_sound(server: Server, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{server.address}/labs/lambda-concurrency")
    page.get_by_role("button", name="Run").first.click()
    expect(page).to_have_url(re.compile(r"/runs/\d+"))
    expect(page.get_by_text("done").first).to_be_visible(timeout=20_000)
    assert inspect(watched, "lab run") == []


def test_the_chosen_theme_stays(server: Server, watched: Watched) -> None:
    page = watched.page
    page.goto(server.address)
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto(f"{server.address}/learn")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
