"""Reading as readers do: offline, with definitions on focus, in their own zone and language, with notes, on paper."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import Server, Watched

pytestmark = pytest.mark.browser
COURSE = "/learn/architectures"
LESSON = f"{COURSE}/services-under-load/lambda-concurrency"


def test_a_kept_course_is_read_without_a_connection(server: Server, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{server.address}{COURSE}")
    page.get_by_role("button", name="Keep for reading offline").click()
    expect(page.locator("#kept-offline")).to_contain_text("Every lesson is kept", timeout=20_000)
    page.reload()
    page.context.set_offline(True)
    page.goto(f"{server.address}{LESSON}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Share a limit among functions")
    assert page.evaluate("getComputedStyle(document.querySelector('.lesson')).display") == "grid"
    page.goto(f"{server.address}/learn/solutions-architect-associate")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no connection")
    page.context.set_offline(False)


def test_only_lessons_and_files_are_ever_kept(server: Server, watched: Watched) -> None:
    page = watched.page
    for path in (LESSON, "/exams/saa-c01", "/account", "/notebook", f"{LESSON}?marking=on"):
        page.goto(f"{server.address}{path}")
    page.wait_for_timeout(300)
    page.goto(f"{server.address}{LESSON}")
    kept = page.evaluate(
        "(async () => (await Promise.all((await caches.keys()).map(async (name) =>"
        " (await (await caches.open(name)).keys()).map((one) => new URL(one.url).pathname)))).flat())()"
    )
    assert all(path.startswith(("/learn", "/static/")) for path in kept)


def test_a_definition_is_told_on_focus_and_put_away_by_escape(server: Server, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{server.address}{LESSON}")
    term = page.locator("a.term").first
    tip = page.locator(f"#{term.get_attribute('aria-describedby')}")
    expect(tip).to_be_hidden()
    term.focus()
    expect(tip).to_be_visible()
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    term.hover()
    expect(tip).to_be_visible()
    term.click()
    expect(page).to_have_url(re.compile(r"/glossary#"))


def test_the_contents_mark_the_section_that_is_read(server: Server, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{server.address}{LESSON}")
    page.locator("#what-is-wrong-or-missing").evaluate("(heading) => heading.scrollIntoView()")
    current = page.locator(".lesson-contents [aria-current=location]")
    expect(current).to_have_text("What is wrong or missing")


def test_a_note_is_written_without_javascript(server: Server, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{server.address}{LESSON}")
    page.get_by_role("link", name="Bookmark or note a paragraph").click()
    page.get_by_role("link", name=re.compile(r"Note or bookmark\s*: On a Monday")).click()
    page.get_by_label("Your note on the paragraph above").fill("Ask the team about thumbnails.")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("Ask the team about thumbnails.")).to_be_visible()
    context.close()


def test_talks_are_shown_in_the_zone_of_the_browser(server: Server, browser: Browser) -> None:
    context = browser.new_context(timezone_id="Asia/Tokyo")
    page = context.new_page()
    page.goto(f"{server.address}/talks/2018-01")
    expect(page).to_have_url(re.compile("zone=Asia"))
    expect(page.get_by_text("times in Asia/Tokyo")).to_be_visible()
    expect(page.locator("time").first).to_have_text("04:00")
    context.close()


@pytest.mark.parametrize("path", [LESSON, f"{COURSE}/print", "/notes/2018-01-tri-bilborda", "/talks/2018-01"])
def test_nothing_is_cut_off_on_paper(server: Server, watched: Watched, path: str) -> None:
    page = watched.page
    page.goto(f"{server.address}{path}")
    page.emulate_media(media="print", color_scheme="light")
    # A4 with margins of 10 mm, at 96 px an inch.
    page.set_viewport_size({"width": 718, "height": 1047})
    wide = page.evaluate(
        "[...document.querySelectorAll('main *')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1"
        " && !one.closest('.visually-hidden')).map((one) => one.outerHTML.slice(0, 80))"
    )
    assert wide == []
    assert page.locator(".tip:visible, .site-nav:visible, button:visible").count() == 0
