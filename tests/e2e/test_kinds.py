"""Orders, pairs, numbers and words in a real browser: by keyboard alone, by touch alone, and kept through a reload."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.conftest import Server, Watched, saved

FORM = "12"
"""A form of the exam that has an order, pairs, a number, words and a case."""


def _begin(page: Page, server: Server) -> None:
    page.goto(f"{server.address}/exams/architectures")
    page.get_by_text("Sit a form of your choice").click()
    page.get_by_label("Form number").fill(FORM)
    page.get_by_role("button", name="Start the exam").click()
    expect(page.locator("#exam.live")).to_be_visible()


def _open(page: Page, kind: str) -> Locator:
    place = page.locator(f'.exam-item[data-kind="{kind}"]').first.get_attribute("data-place")
    page.locator(f'[data-jump="{place}"]').click()
    return page.locator(".exam-item.current")


def _stored(server: Server, item: Locator) -> str:
    attempt, place = item.page.locator("#exam").get_attribute("data-attempt"), item.get_attribute("data-place")
    statement = "SELECT answer FROM quizzes_response WHERE attempt_id = :attempt AND place = :place"
    rows = server.rows(statement, attempt=int(attempt), place=int(place))
    return rows[0][0] if rows else ""


def _shown(item: Locator) -> str:
    return "".join(item.locator(".ordering li").evaluate_all("(all) => all.map((one) => one.dataset.letter)"))


def _wait_for_server(page: Page, count: int) -> None:
    expect(page.locator("#saved")).to_have_text(saved(count))


def test_an_order_is_given_by_keyboard_alone(server: Server, watched: Watched) -> None:
    page = watched.page
    _begin(page, server)
    item = _open(page, "ordering")
    before = _shown(item)
    box = item.get_by_role("listbox")
    help_text = item.locator("[data-help]")
    expect(help_text).to_have_text("Not answered yet: move a step, or keep this order.")
    while page.evaluate("document.activeElement.getAttribute('role')") != "listbox":
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    assert _stored(server, item) == ""
    page.keyboard.press("Alt+ArrowDown")
    moved = before[0] + before[2] + before[1] + before[3:]
    assert _shown(item) == moved
    expect(help_text).to_have_text(f"Place 3 of {len(before)}")
    _wait_for_server(page, 1)
    assert _stored(server, item) == moved
    page.keyboard.press("End")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    last = moved[:-2] + moved[-1] + moved[-2]
    assert _shown(item) == last
    expect(page.get_by_role("button", name="Move up").locator("visible=true")).to_be_focused()
    expect(box.locator('[aria-selected="true"]')).to_have_attribute("data-letter", moved[-1])
    page.wait_for_function("() => !document.getElementById('saved').classList.contains('waiting')")
    page.reload()
    expect(page.locator("#exam.live")).to_be_visible()
    assert _shown(page.locator(".exam-item.current")) == last == _stored(server, item)


@pytest.mark.parametrize("width", [320, 768])
def test_orders_and_pairs_are_given_by_touch_alone(server: Server, browser: Browser, width: int) -> None:
    context = browser.new_context(has_touch=True, is_mobile=True, viewport={"width": width, "height": 740})
    page = context.new_page()
    _begin(page, server)
    item = _open(page, "ordering")
    before = _shown(item)
    item.locator(".ordering li").nth(2).tap()
    expect(item.locator("[aria-selected=true]")).to_have_attribute("data-letter", before[2])
    for place in (1, 0):
        item.get_by_role("button", name="Move up").tap()
        expect(item.locator(".ordering li").nth(place)).to_have_attribute("data-letter", before[2])
    assert _shown(item) == before[2] + before[:2] + before[3:]
    for button in item.locator(".ordering-moves button").all():
        assert button.bounding_box()["height"] >= 24
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    item = _open(page, "matching")
    selects = item.locator("select")
    for number in range(selects.count()):
        selects.nth(number).select_option(index=number + 1)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    _wait_for_server(page, 2)
    letters = selects.evaluate_all("(all) => all.map((one) => one.dataset.letter + one.value)")
    assert _stored(server, item) == "".join(sorted(letters))
    context.close()


def test_keeping_the_order_is_an_answer(server: Server, watched: Watched) -> None:
    page = watched.page
    _begin(page, server)
    item = _open(page, "ordering")
    item.get_by_role("button", name="Keep this order").click()
    _wait_for_server(page, 1)
    assert _stored(server, item) == _shown(item)


def test_enter_in_a_field_goes_on_and_the_last_question_leads_to_the_end(server: Server, watched: Watched) -> None:
    page = watched.page
    _begin(page, server)
    item = _open(page, "text")
    place = int(item.get_attribute("data-place"))
    item.locator(".typed input").fill("a queue")
    page.keyboard.press("Enter")
    if place < 30:
        expect(page.locator("#where")).to_have_text(f"Question {place + 1} of 30")
        expect(page.locator("#ask")).to_be_hidden()
        page.locator('[data-jump="30"]').click()
    page.get_by_role("button", name="Finish").click()
    expect(page.locator("#ask-counts")).to_contain_text("1 of 30 questions are answered")


@pytest.mark.parametrize(("kind", "text"), [("numeric", "12,5"), ("text", "Cold start – n, p or 1?")])
def test_what_is_typed_is_saved_as_it_is_typed_and_no_shortcut(
    server: Server, watched: Watched, kind: str, text: str
) -> None:
    page = watched.page
    _begin(page, server)
    item = _open(page, kind)
    item.locator(".typed input").press_sequentially(text)
    expect(page.locator(".exam-item.current")).to_have_attribute("data-kind", kind)
    expect(item.locator(".flag input")).not_to_be_checked()
    _wait_for_server(page, 1)
    page.wait_for_function("() => !document.getElementById('saved').classList.contains('waiting')")
    assert _stored(server, item) == text


def test_what_is_typed_while_the_server_is_away_is_there_after_a_reload(own_server: Server, watched: Watched) -> None:
    page = watched.page
    _begin(page, own_server)
    item = _open(page, "text")
    own_server.kill()
    item.locator(".typed input").press_sequentially("trust policy")
    expect(page.locator("#saved")).to_contain_text("not yet")
    own_server.start()
    page.reload()
    expect(page.locator("#exam.live")).to_be_visible()
    expect(page.locator(".exam-item.current .typed input")).to_have_value("trust policy")
    _wait_for_server(page, 1)
    assert _stored(own_server, item) == "trust policy"


@pytest.mark.full
def test_every_kind_its_report_and_its_review_have_no_axe_violation(server: Server, watched: Watched) -> None:
    page = watched.page
    _begin(page, server)
    for kind in ("choice", "numeric", "text", "ordering", "matching"):
        item = _open(page, kind)
        assert watched.axe_in_both_themes() == [], kind
        if kind == "ordering":
            item.get_by_role("button", name="Keep this order").click()
            assert watched.axe_in_both_themes() == []
    page.get_by_role("button", name="Submit the exam").click()
    page.get_by_role("button", name="Submit now").click()
    expect(page).to_have_url(re.compile("/report$"))
    assert watched.axe_in_both_themes() == []
    page.get_by_role("link", name="Review every question").click()
    assert watched.axe_in_both_themes() == []


# Drills are also played in tests/quizzes/test_practice.py, and orders set by keyboard in the exam above.
@pytest.mark.full
def test_a_drill_of_an_order_works_with_and_without_scripts(server: Server, browser: Browser) -> None:
    for scripts in (True, False):
        context = browser.new_context(java_script_enabled=scripts)
        page = context.new_page()
        for _ in range(60):
            page.goto(f"{server.address}/drills/architectures?domain=1")
            kind = page.locator("form.drill").get_attribute("data-kind")
            _answer[kind](page, scripts)
            page.get_by_role("button", name="Check").click()
            expect(page.get_by_role("link", name="Next question")).to_be_visible()
            if kind == "ordering":
                expect(page.get_by_text("your answer: 1")).to_be_visible()
                break
        else:
            pytest.fail("no order was asked")
        context.close()


def _order(page: Page, scripts: bool) -> None:
    if scripts:
        page.get_by_role("button", name="Keep this order").click()
        return
    for number, select in enumerate(page.locator(".ordering select").all(), 1):
        select.select_option(str(number))


_answer: dict[str, Callable[[Page, bool], object]] = {
    "choice": lambda page, _scripts: page.locator(".options input").first.check(),
    "numeric": lambda page, _scripts: page.locator(".typed input").fill("1"),
    "text": lambda page, _scripts: page.locator(".typed input").fill("a queue"),
    "matching": lambda page, _scripts: page.locator(".matching select").first.select_option(index=1),
    "ordering": _order,
}
