"""A lab's animation in a browser: it waits to be asked, moves as recorded, and its drawing stands without a script."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Browser, expect

from labs import registry
from tests.e2e.conftest import Server, Watched

# Runs before a release; exams by keyboard and under faults are tried at every commit.
pytestmark = [pytest.mark.browser, pytest.mark.full]
FOLDER = registry.CATALOG / "lambda_concurrency"
LAB = "/labs/lambda-concurrency"
PLAYED = json.loads((FOLDER / "animation.json").read_text())


def test_it_moves_when_asked_and_as_recorded(server: Server, watched: Watched) -> None:
    page = watched.page
    page.clock.install()
    page.goto(f"{server.address}{LAB}")
    said = page.locator("#animation p.meta")
    expect(said).to_contain_text("Second 0:")
    page.clock.run_for(10_000)
    expect(said).to_contain_text("Second 0:")
    page.get_by_label("Scene").select_option("Three friends want two")
    for _ in range(5):
        page.get_by_role("button", name="One step").click()
    letters = [one.text_content() for one in page.locator("#animation .holder").all()]
    assert "".join(letter or "-" for letter in letters) == PLAYED["evenings"][1]["frames"][5]["slices"]
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(1_500)
    expect(said).to_contain_text("Second 7:")
    page.get_by_role("button", name="Pause").click()
    page.clock.run_for(10_000)
    expect(said).to_contain_text("Second 7:")
    assert watched.axe() == []


def test_it_is_slower_for_those_who_want_less_motion(server: Server, browser: Browser) -> None:
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.clock.install()
    page.goto(f"{server.address}{LAB}")
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(1_500)
    expect(page.locator("#animation p.meta")).to_contain_text("Second 0:")
    assert page.locator(".slice").first.evaluate("slice => getComputedStyle(slice).transitionDuration") == "0s"
    context.close()


def test_the_drawing_stands_without_a_script(server: Server, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{server.address}{LAB}")
    expect(page.get_by_role("img", name="A pizza of eight slices")).to_be_visible()
    expect(page.get_by_role("button", name="Play")).to_have_count(0)
    context.close()
