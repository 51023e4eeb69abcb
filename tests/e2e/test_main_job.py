"""The main job in a real browser: read a lesson, sit an exam while the server is killed, run a lab, get the digest."""

from __future__ import annotations

import random
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Server, Watched

pytestmark = pytest.mark.browser
LESSON = "/learn/solutions-architect-associate/resilient-architectures/durable-storage"


def _begin_exam(page: Page, server: Server) -> None:
    page.goto(f"{server.address}/exams/saa-c01")
    page.get_by_role("button", name="Start the exam").click()
    expect(page.locator("#exam.live")).to_be_visible()


def _answers(server: Server) -> dict[int, str]:
    rows = server.rows("SELECT place, answer FROM quizzes_response WHERE NOT late")
    return {place: letters for place, letters in rows if letters}


def _shown(page: Page) -> dict[int, str]:
    pairs = page.evaluate(
        """[...document.querySelectorAll(".exam-item")].map((item) => [Number(item.dataset.place),
            [...item.querySelectorAll(".options input:checked")].map((input) => input.value).sort().join("")])"""
    )
    return {place: letters for place, letters in pairs if letters}


def test_a_visitor_begins_as_a_guest_and_reads_a_lesson(server: Server, watched: Watched) -> None:
    page = watched.page
    page.goto(server.address)
    page.get_by_role("button", name="Begin without an account").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.goto(f"{server.address}{LESSON}")
    check = page.locator("form.check").first
    check.locator("input[name=answer]").first.check()
    check.get_by_role("button").click()
    expect(check.locator(".check-result")).to_contain_text("right")
    expect(check.locator(".rationale").first).to_be_visible()
    page.get_by_role("button", name="I have read this").click()
    page.goto(server.address)
    expect(page.get_by_text("Continue with")).to_be_visible()


@pytest.mark.parametrize("seed", [0, *[pytest.param(seed, marks=pytest.mark.full) for seed in range(1, 6)]])
def test_65_answers_by_keyboard_survive_twelve_kills(own_server: Server, watched_in_each: Watched, seed: int) -> None:
    page, dice = watched_in_each.page, random.Random(seed)
    kills = {5 * number + dice.randrange(3) for number in range(1, 13)}
    _begin_exam(page, own_server)
    expected: dict[int, str] = {}
    for place in range(1, 66):
        if place in kills:
            own_server.kill()
        item = page.locator(".exam-item.current")
        choose = int(item.get_attribute("data-choose"))
        for key in range(1, choose + 1):
            page.keyboard.press(str((place + key) % 4 + 1))
        expected[place] = "".join(
            sorted(item.locator(".options input:checked").evaluate_all("(all) => all.map((one) => one.value)"))
        )
        assert len(expected[place]) == choose
        if place - 2 in kills:
            expect(page.locator("#saved")).to_contain_text("not yet")
            own_server.start()
        page.keyboard.press("n")
    expect(page.locator("#saved")).to_have_text("All 65 answers are on the server", timeout=60_000)
    assert len(kills) == 12
    assert _answers(own_server) == expected
    page.reload()
    expect(page.locator("#exam.live")).to_be_visible()
    assert _shown(page) == expected
    page.locator("#finish").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#ask-counts")).to_contain_text("65 of 65 questions are answered")
    page.locator("#ask-submit").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Score report")).to_be_visible()
    assert page.locator("table.domains tbody tr").count() == 5
    page.get_by_role("link", name="Review every question").click()
    expect(page.locator(".rationale").nth(65 * 3 - 1)).to_be_attached()


def test_answers_wait_in_the_browser_and_arrive_after_a_reload(own_server: Server, watched: Watched) -> None:
    page = watched.page
    _begin_exam(page, own_server)
    page.route("**/responses", lambda route: route.abort())
    page.keyboard.press("1")
    page.keyboard.press("f")
    expect(page.locator("#saved")).to_contain_text("1 not yet")
    assert _answers(own_server) == {}
    page.unroute("**/responses")
    page.reload()
    expect(page.locator("#saved")).to_have_text("The one answer is on the server")
    assert len(_answers(own_server)) == 1
    expect(page.locator("[data-jump='1']")).to_have_attribute("aria-label", "Question 1, answered, flagged")


def test_a_page_out_of_the_browsers_history_has_every_answer(server: Server, watched: Watched) -> None:
    page = watched.page
    _begin_exam(page, server)
    page.keyboard.press("1")
    expect(page.locator("#saved")).to_have_text("The one answer is on the server")
    page.goto(server.address)
    page.go_back()
    expect(page.locator("#exam.live")).to_be_visible()
    expect(page.locator("[data-jump='1']")).to_have_attribute("aria-label", "Question 1, answered")
    page.keyboard.press("2")
    expect(page.locator("#saved")).to_have_text("The one answer is on the server")
    shown = _shown(page)
    page.reload()
    expect(page.locator("#exam.live")).to_be_visible()
    assert _shown(page) == shown


def test_a_second_tab_is_shown_the_newer_answer(server: Server, watched: Watched) -> None:
    page = watched.page
    _begin_exam(page, server)
    place = page.locator(".exam-item[data-choose='1']").first.get_attribute("data-place")
    other = page.context.new_page()
    # It learns of the other answers only from its own next save.
    other.route("**/responses?version=*", lambda route: route.abort())
    other.goto(page.url)
    expect(other.locator("#exam.live")).to_be_visible()
    for tab in (page, other):
        tab.locator(f"[data-jump='{place}']").click()
    for key in ("1", "2"):
        page.keyboard.press(key)
        expect(page.locator("#saved")).to_have_text("The one answer is on the server")
    newer = _shown(page)
    other.keyboard.press("3")
    expect(other.locator("#announce")).to_contain_text(f"Question {place} was answered elsewhere")
    assert _shown(other) == newer
    other.keyboard.press("3")
    expect(other.locator("#saved")).to_have_text("The one answer is on the server")
    other.reload()
    expect(other.locator("#exam.live")).to_be_visible()
    assert _shown(other) != newer


def test_another_device_is_told_within_five_seconds(
    server: Server, watched: Watched, browser: Browser, sized: Callable[[int, int], int]
) -> None:
    page, patience = watched.page, sized(30_000, 5_000)
    _begin_exam(page, server)
    device = browser.new_context()
    device.add_cookies([one for one in page.context.cookies() if one["name"] == "archway"])
    other = device.new_page()
    other.goto(page.url)
    expect(other.locator("#exam.live")).to_be_visible()
    page.keyboard.press("2")
    expect(page.locator("#saved")).to_have_text("The one answer is on the server")
    expect(other.locator("#announce")).to_contain_text("Question 1 was answered elsewhere", timeout=patience)
    assert _shown(other) == _shown(page)
    page.get_by_role("button", name="Submit the exam").click()
    page.get_by_role("button", name="Submit now").click()
    expect(other).to_have_url(re.compile("/report$"), timeout=patience)
    device.close()


def test_a_struck_option_stays_struck_and_is_no_answer(server: Server, watched: Watched) -> None:
    page = watched.page
    _begin_exam(page, server)
    strike = page.locator(".exam-item.current .strike").nth(1)
    strike.focus()
    page.keyboard.press("Enter")
    expect(strike).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(page.locator(".exam-item.current .strike").nth(1)).to_have_attribute("aria-pressed", "true")
    assert _shown(page) == {}


def test_an_exam_can_be_sat_without_a_time_limit(server: Server, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{server.address}/exams/saa-c01")
    page.get_by_label("Time", exact=True).select_option(label="No time limit")
    page.get_by_role("button", name="Start the exam").click()
    expect(page.locator("#exam.live")).to_be_visible()
    expect(page.locator("#time")).to_have_text("no time limit")
    page.keyboard.press("1")
    expect(page.locator("#saved")).to_have_text("The one answer is on the server")


def test_the_countdown_follows_the_server_and_not_the_computers_clock(server: Server, watched: Watched) -> None:
    page = watched.page
    _begin_exam(page, server)
    before = page.locator("#time").text_content()
    assert before.startswith("2 h")
    page.evaluate("Date.now = () => 0")
    page.wait_for_timeout(700)
    assert page.locator("#time").text_content() in {before, "2 h 09 min", "2 h 10 min"}
    page.get_by_role("button", name="Hide time").click()
    expect(page.locator("#time")).to_have_class("hidden-time")


def test_without_scripts_every_question_is_there_and_the_form_saves(server: Server, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 800})
    page = context.new_page()
    page.goto(f"{server.address}/exams/saa-c01")
    page.get_by_role("button", name="Start the exam").click()
    expect(page.locator(".exam-item").last).to_be_visible()
    page.locator(".exam-item").last.locator(".options input").first.check()
    page.get_by_role("button", name="Submit the exam").click()
    expect(page.get_by_text("1 of 65 questions are answered")).to_be_visible()
    page.get_by_role("button", name="Submit now").click()
    expect(page.get_by_role("heading", name="Score report")).to_be_visible()
    context.close()


def test_a_lab_runs_live_to_its_findings(server: Server, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{server.address}/labs/lambda-concurrency")
    page.locator("[name=reserved_concurrency]").fill("25")
    page.get_by_role("button", name="Run").first.click()
    expect(page.get_by_text("2500").first).to_be_visible(timeout=20_000)


def test_the_digest_can_be_downloaded(server: Server, watched: Watched, tmp_path: Path) -> None:
    page = watched.page
    page.goto(f"{server.address}/issues/2018-01")
    with page.expect_download() as caught:
        page.get_by_role("link", name="Download").first.click()
    caught.value.save_as(tmp_path / "issue.epub")
    with zipfile.ZipFile(tmp_path / "issue.epub") as book:
        assert book.read("mimetype") == b"application/epub+zip"
