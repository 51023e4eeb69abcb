"""The interface in Bulgarian in a real browser: what scripts say, and that longer words still fit."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Server, Watched
from tests.e2e.test_every_page import PAGES, inspect, too_wide

# Runs before a release; exams by keyboard and under faults are tried at every commit.
pytestmark = [pytest.mark.browser, pytest.mark.full]
OF_WORDS = ("cat.aria", "cat.forms", "cat.language", "cat.name-role-value", "cat.semantics", "cat.text-alternatives")
"""The kinds of rules of axe that look at words, and at what they name."""
LESSON = "/learn/solutions-architect-associate/resilient-architectures/durable-storage"


@pytest.mark.full
def test_every_page_is_sound_in_bulgarian(server: Server, watched: Watched) -> None:
    page = watched.page
    page.goto(server.address)
    page.get_by_role("button", name="Български").click()
    expect(page.locator("html")).to_have_attribute("lang", "bg")
    faults = []
    for path in PAGES:
        page.goto(f"{server.address}{path}")
        # Words change what is read out and how much room it takes; the colours were looked at in English.
        faults += [f"{path}: {one}" for one in watched.axe(*OF_WORDS)] + too_wide(watched, path)
    assert faults == []


def test_scripts_speak_bulgarian(server: Server, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{server.address}{LESSON}")
    page.get_by_role("button", name="Български").click()
    expect(page.locator("html")).to_have_attribute("lang", "bg")
    page.wait_for_load_state()
    check = page.locator("form.check").first
    check.get_by_role("button").click()
    expect(check.locator(".check-result")).to_have_text("Първо изберете отговор.")
    check.locator("input[name=answer]").first.check()
    check.get_by_role("button").click()
    expect(check.locator(".check-result")).to_contain_text("вярно")
    page.goto(f"{server.address}/exams/saa-c01")
    page.get_by_role("button", name="Започнете изпита").click()
    expect(page.locator("#exam.live")).to_be_visible()
    expect(page.locator("#time")).to_have_text(re.compile(r"^2 ч (10|09) мин$"))
    expect(page.locator("#where")).to_have_text("Въпрос 1 от 65")
    page.keyboard.press("1")
    page.keyboard.press("f")
    expect(page.locator("#saved")).to_have_text("Единственият отговор е на сървъра")
    expect(page.locator("[data-jump='1']")).to_have_attribute("aria-label", "Въпрос 1, с отговор, отбелязан")
    assert inspect(watched, "exam") == []
    page.get_by_role("button", name="Предайте изпита").click()
    expect(page.locator("#ask-counts")).to_have_text("Отговорени са 1 от 65 въпроса; без отговор: 64, отбелязани: 1.")
    page.get_by_role("button", name="Предайте сега").click()
    expect(page.get_by_role("heading", name="Отчет за резултата")).to_be_visible()
    assert inspect(watched, "report") == []
    page.goto(f"{server.address}/labs/lambda-concurrency")
    page.get_by_role("button", name="Пускане").first.click()
    expect(page.get_by_text("готово").first).to_be_visible(timeout=20_000)
    assert inspect(watched, "lab run") == []
