"""What befalls a sitting in a real browser: no storage, two tabs, wrong clocks, a sign-in that ends in the middle."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from tests.e2e.conftest import Server, Watched, saved
from tests.e2e.test_main_job import _begin_exam, _shown

pytestmark = pytest.mark.browser
HOUR = 3_600_000
WRONG_BY = (20, 1)
"""Seconds by which a page's clock may be wrong, as an answer is under way: on a busy machine, and on a quiet one."""
PASSWORD = "a calm long sentence"
NO_STORAGE = "Storage.prototype.setItem = () => { throw new Error('no storage'); };"
WRONG_DATE = """
const Right = Date;
Date = class extends Right {
    constructor(...given) { super(...(given.length ? given : [Date.now()])); }
    static now() { return Right.now() + %d; }
};
"""
ASLEEP = """
const real = performance.now.bind(performance);
performance.now = () => real() - (window.slept ?? 0);
"""
TOLD = """
addEventListener("DOMContentLoaded", () => {
    window.told = [];
    const announce = document.getElementById("announce");
    if (!announce) return;
    new MutationObserver(() => window.told.push(announce.textContent)).observe(announce, { childList: true });
});
"""


def _attempt(page: Page) -> int:
    return int(re.search(r"/attempts/(\d+)", page.url)[1])


def _stored(server: Server, attempt: int) -> dict[int, str]:
    statement = "SELECT place, answer FROM quizzes_response WHERE NOT late AND attempt_id = :attempt"
    rows = server.rows(statement, attempt=attempt)
    return {place: letters for place, letters in rows if letters}


def _all_saved(page: Page, count: int) -> None:
    expect(page.locator("#saved")).to_have_text(saved(count), timeout=60_000)


def _choose(page: Page, place: int, option: int) -> None:
    """Choose an option as a click does, whichever question is on screen."""
    page.evaluate("([name, option]) => document.getElementsByName(name)[option].click()", [f"q{place}", option])


@pytest.mark.parametrize("storage", [True, False], ids=["as it is", "control: a browser without storage"])
def test_two_tabs_that_are_closed_while_the_server_is_down_keep_their_answers(
    own_server: Server, context: BrowserContext, storage: bool
) -> None:
    if not storage:
        context.add_init_script(NO_STORAGE)
    tabs = [context.new_page(), context.new_page()]
    _begin_exam(tabs[0], own_server)
    address = tabs[0].url
    tabs[1].goto(address)
    expect(tabs[1].locator("#exam.live")).to_be_visible()
    own_server.kill()
    for place in range(1, 7):
        _choose(tabs[place % 2], place, 0)
    for tab in tabs:
        expect(tab.locator("#saved")).to_contain_text("3 not yet")
        tab.close()
    own_server.start()
    again = context.new_page()
    again.goto(address)
    _all_saved(again, 6 if storage else 0)
    assert sorted(_stored(own_server, 1)) == ([1, 2, 3, 4, 5, 6] if storage else [])


def test_two_tabs_and_two_browsers_end_with_the_same_130_answers(
    server: Server, watched: Watched, browser: Browser, sized: Callable[[int, int], int]
) -> None:
    """Nobody's answer gives way in silence: whoever sees another one than they gave was told so within five seconds."""
    first = watched.page
    first.add_init_script(TOLD)
    _begin_exam(first, server)
    device = browser.new_context()
    device.add_cookies([one for one in first.context.cookies() if one["name"] == "archway"])
    pages = [first, first.context.new_page(), device.new_page()]
    for page in pages[1:]:
        page.add_init_script(TOLD)
        page.goto(first.url)
        expect(page.locator("#exam.live")).to_be_visible()
    dice = random.Random(8)
    turns = dice.sample([place for place in range(1, 66) for _ in range(2)], 130)
    own: list[dict[int, str]] = [{} for _ in pages]
    for place in turns:
        who = dice.randrange(len(pages))
        _choose(pages[who], place, dice.randrange(4))
        own[who][place] = _shown(pages[who]).get(place, "")
    end = time.monotonic() + sized(60, 5)
    while any(_shown(page) != _stored(server, _attempt(first)) for page in pages) and time.monotonic() < end:
        pages[0].wait_for_timeout(100)
    stored = _stored(server, _attempt(first))
    for page, gave in zip(pages, own, strict=True):
        assert _shown(page) == stored
        told = {int(number) for number in re.findall(r"Question (\d+)", " ".join(page.evaluate("window.told")))}
        assert {place for place, letters in gave.items() if stored.get(place, "") != letters} <= told
    assert any(stored.get(place, "") != letters for gave in own for place, letters in gave.items())
    device.close()


def _end_in(server: Server, attempt: int, seconds: float) -> None:
    deadline = int((time.time() + seconds) * 1000)
    server.change("UPDATE quizzes_attempt SET deadline = :deadline WHERE id = :id", deadline=deadline, id=attempt)


def _wrong_by(page: Page) -> float:
    """Answer a question and return by how many seconds the page's clock is wrong, as the answer's stamp shows."""
    before = time.time()
    with page.expect_request(lambda request: request.method == "POST") as caught:
        page.keyboard.press("1")
    stamp = caught.value.post_data_json["responses"][0]["stamp"] / 1000
    return max(before - stamp, stamp - time.time())


@pytest.mark.parametrize("hours", [-24, 24])
def test_a_computer_that_is_a_day_off_changes_neither_the_time_left_nor_the_stamps(
    server: Server, watched: Watched, sized: Callable[[int, int], int], hours: int
) -> None:
    page = watched.page
    page.add_init_script(WRONG_DATE % (hours * HOUR))
    _begin_exam(page, server)
    assert abs(page.evaluate("Date.now()") / 1000 - time.time()) > 23 * 3600
    _end_in(server, _attempt(page), 300)
    page.reload()
    expect(page.locator("#time")).to_have_text(re.compile("^[1-5] min$"))
    assert _wrong_by(page) < sized(*WRONG_BY)
    _all_saved(page, 1)
    assert len(_stored(server, _attempt(page))) == 1


@pytest.mark.parametrize("looking", [True, False], ids=["as it is", "control: a page that does not look"])
def test_a_page_that_slept_and_whose_end_moved_shows_what_is_left_within_five_seconds(
    server: Server, watched: Watched, sized: Callable[[int, int], int], looking: bool
) -> None:
    page = watched.page
    page.add_init_script(ASLEEP)
    if not looking:
        page.route("**/responses?version=*", lambda route: route.abort())
    with page.expect_event("requestfinished" if looking else "requestfailed", _is_look):
        _begin_exam(page, server)
    page.evaluate(f"window.slept = {2 * HOUR}")
    _end_in(server, _attempt(page), 300)
    if looking:
        expect(page.locator("#time")).to_have_text(re.compile("^[1-5] min$"), timeout=sized(30_000, 5_000))
        assert _wrong_by(page) < sized(*WRONG_BY)
    else:
        page.wait_for_event("requestfailed", _is_look)
        assert "h" in page.locator("#time").text_content()


def _is_look(request: Request) -> bool:
    return "/responses?version=" in request.url


def _sign_up(page: Page, server: Server, email: str) -> None:
    page.goto(f"{server.address}/sign-up")
    page.locator("[name=name]").fill("Ada")
    page.locator("[name=email]").fill(email)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main form button").click()
    expect(page.get_by_text("Your account:")).to_be_attached()


def _sign_in(page: Page, server: Server, email: str) -> None:
    page.goto(f"{server.address}/sign-in")
    page.locator("[name=email]").fill(email)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main form button").click()
    expect(page.get_by_text("Your account:")).to_be_attached()


_THEIRS = "WHERE person_id = (SELECT id FROM accounts_person WHERE email = :email)"


def _end_session(server: Server, email: str) -> None:
    """Delete the session, as after signing out everywhere or a change of password."""
    server.change(f"DELETE FROM accounts_session {_THEIRS}", email=email)


def _expire_session(server: Server, email: str) -> None:
    server.change(f"UPDATE accounts_session SET expires_at = 1 {_THEIRS}", email=email)


@pytest.mark.parametrize(("end", "reload"), [(_end_session, False), (_expire_session, True)])
def test_a_sign_in_that_ends_in_the_middle_loses_nothing(
    server: Server, watched: Watched, end: Callable[[Server, str], None], reload: bool
) -> None:
    page, email = watched.page, f"ada{end.__name__}@example.org"
    _sign_up(page, server, email)
    _begin_exam(page, server)
    attempt = _attempt(page)
    page.keyboard.press("1")
    _all_saved(page, 1)
    end(server, email)
    for place in range(2, 6):
        page.keyboard.press("n")
        page.keyboard.press("2")
        expect(page.locator("#saved")).to_contain_text(f"{place - 1} not yet: sign in again in another tab")
    if reload:
        page.reload()
        expect(page.get_by_text("sign in with the account that started it")).to_be_visible()
    other = page.context.new_page()
    _sign_in(other, server, email)
    if reload:
        page.reload()
    _all_saved(page, 5)
    assert sorted(_stored(server, attempt)) == [1, 2, 3, 4, 5]
    assert _stored(server, attempt) == _shown(page)
    page.get_by_role("button", name="Submit the exam").click()
    page.get_by_role("button", name="Submit now").click()
    expect(page.get_by_role("heading", name="Score report")).to_be_visible()


def test_a_guest_who_signs_up_in_another_tab_answers_on(server: Server, watched: Watched) -> None:
    page = watched.page
    _begin_exam(page, server)
    _sign_up(page.context.new_page(), server, "grace@example.org")
    page.keyboard.press("1")
    _all_saved(page, 1)
    assert len(_stored(server, _attempt(page))) == 1


def test_the_control_a_page_that_keeps_its_old_token_stays_shut_out(server: Server, watched: Watched) -> None:
    page, email = watched.page, "old-token@example.org"
    page.route("**/responses?version=*", lambda route: route.abort())
    _sign_up(page, server, email)
    _begin_exam(page, server)
    _end_session(server, email)
    page.keyboard.press("1")
    expect(page.locator("#saved")).to_contain_text("1 not yet")
    other = page.context.new_page()
    _sign_in(other, server, email)
    with page.expect_response("**/responses") as caught:
        page.evaluate("dispatchEvent(new Event('online'))")
    assert caught.value.status == 403
    assert _stored(server, _attempt(page)) == {}
