"""From a wrong answer to the experiment that settles it, in two clicks."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Server, Watched

pytestmark = pytest.mark.browser
LESSON = "/learn/architectures/services-under-load/lambda-concurrency"


def review_with_a_everywhere(page: Page, server: Server) -> None:
    """Sit form 1 of the architectures' exam with the first option of the bank everywhere, and open its review."""
    page.goto(f"{server.address}/exams/architectures")
    fields = {"csrf_token": page.locator("[name=csrf_token]").first.input_value(), "form": "1"}
    started = page.context.request.post(f"{server.address}/exams/architectures/attempts", form=fields)
    page.goto(started.url)
    token = page.locator("#exam [name=csrf_token]").input_value()
    places = range(1, page.locator(".exam-item").count() + 1)
    # The exam's page would go to the report by itself, while it is told to go elsewhere.
    page.goto("about:blank")
    answers = [{"place": one, "revision": 9, "answer": "a", "flagged": False, "stamp": None} for one in places]
    headers = {"X-CSRF-Token": token}
    assert page.context.request.post(f"{started.url}/responses", headers=headers, data={"responses": answers}).ok
    page.context.request.post(f"{started.url}/submit", form={"csrf_token": token})
    page.goto(f"{started.url}/review")


def test_a_wrong_answer_leads_to_the_lab_with_its_parameters_in_two_clicks(server: Server, watched: Watched) -> None:
    page = watched.page
    review_with_a_everywhere(page, server)
    wrong = page.locator(".review-item").filter(has=page.locator("h2 .bad")).filter(has=page.locator(".proof")).first
    expect(wrong).to_contain_text("Proved by experiment")
    place = re.search(r"\d+", wrong.get_attribute("id"))[0]
    page.get_by_role("link", name=f"Question {place}, wrong", exact=True).click()
    page.locator(f"#question-{place}").get_by_role("link", name="Open the lab with these parameters").first.click()
    expect(page).to_have_url(re.compile(r"/labs/[a-z-]+\?.*seed="))
    for name, value in parse_qsl(urlsplit(page.url).query, keep_blank_values=True):
        if not value.startswith("@"):
            expect(page.locator(f"[name={name}]")).to_have_value(value)


@pytest.mark.full
def test_the_review_is_sound_on_a_phone_and_a_desk_in_both_themes(server: Server, watched: Watched) -> None:
    page = watched.page
    review_with_a_everywhere(page, server)
    assert watched.unsound_at(360, 1280) == []


def test_a_wrong_answer_in_a_lesson_leads_to_the_lab_in_one_click(server: Server, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{server.address}{LESSON}")
    check = page.locator("#check-arc-check-205")
    expect(check.get_by_role("link", name="Open the lab")).to_have_count(0)
    check.get_by_label("590").check()
    check.get_by_role("button", name="Check").click()
    expect(check.get_by_text("not right")).to_be_visible()
    assert watched.axe() == []
    check.get_by_role("link", name="Open the lab with these parameters").click()
    expect(page.locator("#concurrency")).to_have_value("12")
    expect(page.locator("#requests")).to_have_value("600")
