"""A whole exam with nothing but keys, in Chromium and in Firefox: the focus is never lost and always seen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Server, Watched

pytestmark = pytest.mark.browser
CURRENT = ".exam-item.current"
FOCUS = """(wanted) => {
    const one = document.activeElement;
    const box = one.getBoundingClientRect();
    // Of something taller than the window, the middle of what is in sight.
    const middle = (Math.max(box.top, 0) + Math.min(box.bottom, innerHeight)) / 2;
    const top = document.elementFromPoint(box.x + box.width / 2, middle);
    const style = getComputedStyle(one);
    const trouble =
        one === document.body || one === document.documentElement || one.matches(":disabled") ? "is lost"
        : style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2 ? "is not seen"
        : !top || !(one.contains(top) || top.contains(one)) ? "is covered or out of sight"
        : "";
    return [trouble && `the focus ${trouble}: ${one.outerHTML.slice(0, 120)}`, wanted !== "" && one.matches(wanted)];
}"""


@dataclass
class Hands:
    """Hands that only press keys, with eyes that follow the focus after each of them."""

    page: Page

    def look(self) -> str:
        """Return what is wrong with the focus, or nothing."""
        return str(self.page.evaluate(FOCUS, "")[0])

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            assert self.look() == "", key

    def reach(self, selector: str, key: str = "Tab") -> None:
        """Press Tab or Shift+Tab until the focus is where it is wanted."""
        for _ in range(120):
            self.page.keyboard.press(key)
            trouble, there = self.page.evaluate(FOCUS, selector)
            assert trouble == ""
            if there:
                return
        raise AssertionError(f"{key} does not lead to {selector}")

    def leave(self, selector: str, title: str) -> None:
        """Go to a link or a button and over to the page it leads to, where nothing has the focus yet."""
        self.reach(selector)
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_role("heading", level=1)).to_have_text(title)
        self.page.wait_for_load_state()


def _start(hands: Hands, server: Server) -> int:
    """Take more time, choose a form and start; return the attempt's id."""
    page = hands.page
    page.goto(f"{server.address}/exams/saa-c01")
    hands.reach("#time")
    hands.press("ArrowDown")
    hands.reach("summary")
    hands.press("Enter")
    hands.reach("#form")
    page.keyboard.type("7")
    hands.reach("form.card button")
    page.keyboard.press("Enter")
    expect(page.locator("#exam.live")).to_be_visible()
    expect(page.locator("#time")).to_have_text(re.compile("^2 h 4[23] min$"))
    return int(re.search(r"/attempts/(\d+)", page.url)[1])


def _question(page: Page) -> tuple[int, list[str]]:
    """Return how many options the question in front asks for, and their letters in the order of the screen."""
    item = page.locator(CURRENT)
    letters = item.locator(".options input").evaluate_all("(all) => all.map((one) => one.value)")
    return int(item.get_attribute("data-choose")), letters


def _answer_with_tab(hands: Hands, place: int) -> str:
    choose, letters = _question(hands.page)
    if choose == 1:
        hands.reach(f"{CURRENT} .options input")
        hands.press("Space", *["ArrowDown"] * (place % 4))
        return letters[place % 4]
    for number in range(len(letters) - choose, len(letters)):
        hands.reach(f"{CURRENT} .option-line:nth-child({number + 1}) input")
        hands.press("Space")
    return "".join(sorted(letters[-choose:]))


def _answer_with_digits(hands: Hands, place: int) -> str:
    choose, letters = _question(hands.page)
    if choose > 1:
        # The focus rests on a box that the last digit takes out of reach.
        hands.reach(f"{CURRENT} .option-line:last-child input")
    numbers = [(place + step) % 4 for step in range(choose)]
    hands.press(*[str(number + 1) for number in numbers])
    return "".join(sorted(letters[number] for number in numbers))


def _stored(server: Server, attempt_id: int) -> dict[int, str]:
    statement = "SELECT place, answer FROM quizzes_response WHERE attempt_id = :attempt AND NOT late"
    return dict(server.rows(statement, attempt=attempt_id))


def _texts(page: Page, items: str, chosen: str) -> list[Sequence[str]]:
    """Return the texts of the chosen options, sorted, for each question."""
    return page.locator(items).evaluate_all(
        "(all, chosen) => all.map((item) =>"
        " [...item.querySelectorAll(chosen)].map((one) => one.textContent.trim()).sort())",
        chosen,
    )


def _answer_ten_with_tab(hands: Hands) -> dict[int, str]:
    """Answer, flag the third, strike an option of the fourth, and step on, all without shortcuts."""
    page = hands.page
    given = {}
    for place in range(1, 11):
        given[place] = _answer_with_tab(hands, place)
        if place == 3:
            hands.reach(f"{CURRENT} .flag input")
            hands.press("Space")
        if place == 4:
            hands.reach(f"{CURRENT} .option-line:last-child .strike")
            hands.press("Enter")
            expect(page.locator(f"{CURRENT} .strike").last).to_have_attribute("aria-pressed", "true")
        hands.reach(f"{CURRENT} [data-go='1']")
        hands.press("Enter")
        assert page.evaluate("document.activeElement.id") == f"heading-{place + 1}"
    return given


def _answer_the_rest_with_digits(hands: Hands) -> dict[int, str]:
    """See that shortcuts can be switched off and on again, and use them."""
    page = hands.page
    hands.reach("#keys")
    hands.press("Space", "1")
    assert page.locator(f"{CURRENT} .options input:checked").count() == 0
    hands.press("Space")
    hands.reach("[data-jump='11']", "Shift+Tab")
    hands.press("Enter")
    given = {}
    for place in range(11, 66):
        given[place] = _answer_with_digits(hands, place)
        if place == 20:
            hands.press("f", "n", "p")
        hands.press("n")
    expect(page.locator("#where")).to_have_text("Question 65 of 65")
    return given


def _hide_the_time_and_jump_back(hands: Hands) -> None:
    page = hands.page
    hands.reach("#hide-time", "Shift+Tab")
    hands.press("Enter")
    expect(page.locator("#time")).to_have_class("hidden-time")
    hands.reach("[data-jump='3']")
    assert page.evaluate("document.activeElement.ariaLabel") == "Question 3, answered, flagged"
    hands.press("Enter")
    expect(page.locator("#where")).to_have_text("Question 3 of 65")


def _stay_inside(hands: Hands) -> None:
    """Go round in the dialog: no key leads to the page behind it, only to the browser's own controls and back.

    The focus is in the browser's own controls where the document says that it has none, or that its body has it.
    """
    page = hands.page
    for key in ("Tab", "Shift+Tab"):
        hands.press(key)
    for key in [*["Tab"] * 5, *["Shift+Tab"] * 5]:
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.matches('body, #ask, #ask *')")
    for _ in range(4):
        page.keyboard.press("Tab")
        if page.evaluate("document.hasFocus() && document.activeElement.matches('#ask *')"):
            return
    raise AssertionError("Tab does not lead back into the dialog")


def _submit(hands: Hands) -> None:
    page = hands.page
    hands.reach("#finish")
    hands.press("Enter")
    expect(page.locator("#ask-counts")).to_contain_text("65 of 65 questions are answered, 0 are open, 2 are flagged")
    _stay_inside(hands)
    hands.press("Escape")
    expect(page.locator("#ask")).to_be_hidden()
    assert page.evaluate("document.activeElement.id") == "finish"
    hands.press("Enter")
    hands.leave("#ask-submit", "Score report")


def test_a_whole_exam_by_keyboard(server: Server, watched_in_each: Watched) -> None:
    page = watched_in_each.page
    hands = Hands(page)
    attempt_id = _start(hands, server)
    given = _answer_ten_with_tab(hands) | _answer_the_rest_with_digits(hands)
    _hide_the_time_and_jump_back(hands)
    expect(page.locator("#saved")).to_have_text("All 65 answers are on the server")
    assert _stored(server, attempt_id) == given
    on_screen = _texts(page, ".exam-item", ".option:has(input:checked) .option-text")
    _submit(hands)
    hands.leave("main a[href$='/review']", "Review")
    assert _texts(page, ".review-item", ".is-chosen .reviewed-text > span:first-child") == on_screen
    hands.reach("[href='#question-3']")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#question-3$"))
    hands.press("Tab")
    assert page.evaluate("document.activeElement.closest('section').id") == "question-3"
    assert _stored(server, attempt_id) == given


def test_the_eyes_see_a_focus_that_is_lost_or_hidden(server: Server, watched_in_each: Watched) -> None:
    page = watched_in_each.page
    hands = Hands(page)
    page.goto(f"{server.address}/exams/saa-c01")
    assert "is lost" in hands.look()
    hands.reach("#time")
    page.evaluate("document.activeElement.style.outline = 'none'")
    assert "is not seen" in hands.look()
    page.evaluate("document.activeElement.style.outline = ''")
    assert hands.look() == ""
    page.evaluate("scrollTo({top: document.body.scrollHeight, behavior: 'instant'})")
    assert "out of sight" in hands.look()
    page.evaluate("document.getElementById('time').disabled = true")
    with pytest.raises(AssertionError, match="is lost"):
        hands.press("1")
