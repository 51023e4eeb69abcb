"""Every state of an exam: no axe violation in both themes and sizes, targets for a thumb, and what is told aloud."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Server, Watched

# Runs before a release; exams by keyboard and under faults are tried at every commit.
pytestmark = [pytest.mark.browser, pytest.mark.full]
PLANT = """
const fault = document.createElement("p");
fault.id = "fault";
fault.textContent = "grey on grey";
Object.assign(fault.style, {color: "#777", background: "#888"});
fault.append(document.createElement("input"));
(document.querySelector("dialog[open]") ?? document.querySelector("main")).prepend(fault);
"""
SMALL = """
[...document.querySelectorAll(".navigator a, .strike, .option, .flag, .shortcuts label, .button, summary, select")]
    .map((one) => [one, one.getBoundingClientRect()])
    .filter(([one, box]) => box.width > 0 && (box.width < 24 || box.height < 24))
    .map(([one, box]) => `${one.outerHTML.slice(0, 80)} ${box.width} × ${box.height}`)
"""


def _inspect(watched: Watched, state: str, widths: tuple[int, ...]) -> list[str]:
    """Return what is wrong in a state: what axe finds in both themes at the widths, and what runs off any screen.

    A fault that is planted there must be among what axe finds.
    """
    page = watched.page
    faults = []
    for width in (320, 768, 360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        if watched.overflow() > 0:
            faults.append(f"{state}: {watched.overflow()} px too wide at {width}")
        if width in widths:
            faults += [f"{state}, {width} px, {one}" for one in watched.axe_in_both_themes()]
    page.evaluate(PLANT)
    found = " ".join(watched.axe("label", "color-contrast", within="#fault"))
    if not ("label: #fault" in found and "color-contrast: #fault" in found):
        faults.append(f"{state}: the planted fault was not found among {found}")
    page.evaluate("document.getElementById('fault').remove()")
    return faults


def _start(page: Page, server: Server) -> None:
    page.goto(f"{server.address}/exams/saa-c01")
    page.get_by_role("button", name="Start the exam").click()
    expect(page.locator("#exam.live")).to_be_visible()


def _end_in(page: Page, server: Server, seconds: float) -> None:
    """Move the end of the attempt, as an instructor does who gives or takes time; the page learns of it by a save."""
    attempt_id = int(re.search(r"/attempts/(\d+)", page.url)[1])
    deadline = round((time.time() + seconds) * 1000)
    server.change("UPDATE quizzes_attempt SET deadline = :deadline WHERE id = :id", deadline=deadline, id=attempt_id)
    with page.expect_response("**/responses"):
        page.keyboard.press("f")


def _answer_elsewhere(page: Page, place: int) -> None:
    page.context.request.post(
        page.url.split("#")[0] + "/responses",
        headers={"X-CSRF-Token": page.locator("#exam [name=csrf_token]").input_value()},
        data={"responses": [{"place": place, "revision": 9, "answer": "a", "flagged": False, "stamp": None}]},
    )


def test_every_state_of_a_running_exam_is_sound(
    server: Server, watched: Watched, sized: Callable[..., tuple[int, ...]]
) -> None:
    page, widths = watched.page, sized((360,), (360, 1280))
    page.goto(f"{server.address}/exams/saa-c01")
    faults = _inspect(watched, "before the start", widths)
    _start(page, server)
    faults += _inspect(watched, "the first question", (360, 1280))
    page.keyboard.press("1")
    page.keyboard.press("f")
    page.locator(".exam-item.current .strike").nth(1).click()
    faults += _inspect(watched, "answered, flagged and struck", widths)
    two = page.locator(".exam-item[data-choose='2']").nth(1)
    page.locator(f"[data-jump='{two.get_attribute('data-place')}']").click()
    page.keyboard.press("1")
    page.keyboard.press("2")
    expect(two.locator(".options input:disabled")).not_to_have_count(0)
    faults += _inspect(watched, "two of two chosen", widths)
    _answer_elsewhere(page, 65)
    expect(page.locator("#announce")).to_contain_text("Question 65 was answered elsewhere")
    faults += _inspect(watched, "told from elsewhere", widths)
    page.get_by_role("button", name="Submit the exam").click()
    faults += _inspect(watched, "asking", widths)
    page.keyboard.press("Escape")
    _end_in(page, server, 59)
    expect(page.locator("#time")).to_have_text(re.compile(r"^\d+ s$"))
    faults += _inspect(watched, "the last minute", widths)
    assert faults == []


@pytest.mark.full
def test_every_state_of_an_exam_that_ends_without_a_connection_is_sound(
    own_server: Server, watched: Watched, sized: Callable[..., tuple[int, ...]]
) -> None:
    page, widths = watched.page, sized((360,), (360, 1280))
    _start(page, own_server)
    own_server.kill()
    page.keyboard.press("1")
    expect(page.locator("#saved")).to_have_text("1 not yet: trying again")
    faults = _inspect(watched, "disconnected", widths)
    own_server.start()
    expect(page.locator("#saved")).to_have_text("The one answer is on the server", timeout=20_000)
    _end_in(page, own_server, 3)
    own_server.kill()
    page.keyboard.press("2")
    expect(page.locator("#ask-title")).to_have_text("Time is up", timeout=10_000)
    expect(page.locator("#ask-title")).to_be_focused()
    page.keyboard.press("Escape")
    faults += _inspect(watched, "time is up", widths)
    expect(page.locator("#ask")).to_be_visible()
    own_server.start()
    expect(page.get_by_role("heading", name="Score report")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("left 64 open")).to_be_visible()
    faults += _inspect(watched, "report", (360, 1280))
    page.get_by_role("link", name="Review every question").click()
    faults += _inspect(watched, "review", widths)
    page.goto(own_server.address)
    faults += _inspect(watched, "home, returning", widths)
    page.goto(f"{own_server.address}/account")
    faults += _inspect(watched, "account", widths)
    assert faults == []


def test_what_is_left_is_told_and_nothing_else(server: Server, watched: Watched) -> None:
    page = watched.page
    said = page.locator("#announce")
    _start(page, server)
    for seconds, sentence in {
        30 * 60: "30 minutes are left.",
        15 * 60: "15 minutes are left.",
        5 * 60: "5 minutes are left.",
        60: "One minute is left.",
        30: "30 seconds are left.",
    }.items():
        before = said.text_content()
        _end_in(page, server, seconds + 120)
        expect(page.locator("#time")).to_have_text(f"{math.ceil(seconds / 60) + 2} min")
        # The last end that the test sets is later than the one before, as if an instructor had given more time.
        assert said.text_content() in {before, "You have been given more time."}
        _end_in(page, server, seconds + 1)
        expect(said).to_have_text(sentence)


def test_what_is_left_after_a_pause_is_told_as_it_is(server: Server, watched: Watched) -> None:
    _start(watched.page, server)
    _end_in(watched.page, server, 10 * 60)
    expect(watched.page.locator("#announce")).to_have_text("10 minutes are left.")


def test_going_back_calls_off_a_submission_that_waits(server: Server, watched: Watched) -> None:
    page = watched.page
    _start(page, server)
    page.route("**/responses", lambda route: route.abort())
    page.keyboard.press("1")
    page.get_by_role("button", name="Submit the exam").click()
    page.get_by_role("button", name="Submit now").press("Enter")
    expect(page.locator("#ask-note")).to_have_text("Sending the last answers…")
    expect(page.locator("#ask-title")).to_be_focused()
    page.keyboard.press("Escape")
    page.unroute("**/responses")
    expect(page.locator("#saved")).to_have_text("The one answer is on the server")
    page.get_by_role("button", name="Submit the exam").click()
    expect(page.get_by_role("button", name="Submit now")).to_be_enabled()
    page.get_by_role("button", name="Submit now").press("Enter")
    expect(page.get_by_role("heading", name="Score report")).to_be_visible()


@pytest.mark.parametrize("path", ["", "/report", "/review"])
def test_targets_are_large_enough_and_nothing_runs_off_a_narrow_screen(
    server: Server, watched: Watched, path: str
) -> None:
    page = watched.page
    _start(page, server)
    if path:
        page.get_by_role("button", name="Submit the exam").click()
        page.get_by_role("button", name="Submit now").click()
        expect(page.get_by_role("heading", name="Score report")).to_be_visible()
        page.goto(page.url.replace("/report", path))
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate(SMALL) == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert watched.overflow() <= 0
    page.evaluate(
        "Object.assign(document.querySelector('.navigator a, .button').style, {blockSize: 0, minBlockSize: 0})"
    )
    page.evaluate("document.querySelector('main').style.inlineSize = '330px'")
    assert len(page.evaluate(SMALL)) == 1
    assert watched.overflow() > 0


def test_the_bar_leaves_a_low_screen_to_the_question(server: Server, watched: Watched) -> None:
    """At 400 % a screen of 1280 by 1024 pixels is one of 320 by 256."""
    page = watched.page
    _start(page, server)
    bottom = "document.querySelector('.exam-bar').getBoundingClientRect().bottom"
    page.set_viewport_size({"width": 320, "height": 800})
    page.evaluate("scrollTo({top: 600, behavior: 'instant'})")
    assert page.evaluate(bottom) > 0
    page.set_viewport_size({"width": 320, "height": 256})
    assert page.evaluate(bottom) <= 0
