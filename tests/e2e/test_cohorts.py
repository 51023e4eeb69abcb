"""A cohort in a browser: invite, join, sit the assigned exam with extra time that comes midway, read the gradebook."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import Server, Watched
from tests.e2e.test_every_page import inspect
from tests.e2e.test_studio_issues import PASSWORD, sign_in_as_instructor

pytestmark = pytest.mark.browser


def test_from_an_invitation_to_the_gradebook(
    own_server: Server, watched: Watched, browser: Browser, sized: Callable[[int, int], int]
) -> None:
    site, ina = own_server.address, watched.page
    sign_in_as_instructor(own_server, watched)
    ina.goto(f"{site}/studio/cohorts")
    ina.get_by_label("Title").fill("Winter")
    ina.get_by_label("Time zone").select_option("Europe/Sofia")
    ina.get_by_role("button", name="Make the cohort").click()
    ina.get_by_role("link", name="Assign something").click()
    ina.get_by_label("What", exact=True).select_option("exam:saa-c01")
    ina.get_by_label("Due date (Europe/Sofia)").fill("2038-01-01T12:00")
    ina.get_by_label("An exam takes its own time").check()
    ina.get_by_label("Note").fill("Bring tea.")
    faults = inspect(watched, "assignment")
    ina.get_by_role("button", name="Assign").click()
    ina.get_by_role("button", name="Make a link").click()
    link = ina.get_by_label("Copy it").input_value()
    faults += inspect(watched, "cohort")

    context = browser.new_context(viewport={"width": 360, "height": 740}, locale="en-US")
    learner = Watched(context.new_page())
    ada = learner.page
    ada.goto(link)
    faults += inspect(learner, "join")
    for label, text in (("Name", "Ada"), ("E-mail", "ada@example.org"), ("Password", PASSWORD)):
        ada.get_by_label(label).fill(text)
    ada.get_by_role("button", name="Sign up and join").click()
    expect(ada.get_by_text("Bring tea.")).to_be_visible()
    faults += inspect(learner, "assignments")
    ada.goto(site)
    expect(ada.get_by_text("Due 1 Jan 2038, 12:00 (Europe/Sofia)")).to_be_visible()
    ada.get_by_role("link", name="Begin").click()
    expect(ada.get_by_label("Time", exact=True).locator("option")).to_have_count(1)
    ada.get_by_role("button", name="Start the exam").click()
    expect(ada.locator("#time")).to_have_text(re.compile("2 h (09|10) min"))
    ada.get_by_role("radio").or_(ada.get_by_role("checkbox")).first.check()

    ina.goto(f"{site}/studio/cohorts/1")
    ina.get_by_role("link", name="Ada").click()
    ina.get_by_label("The time of an exam").select_option("1.5")
    ina.get_by_role("button", name="Keep").first.click()
    expect(ada.locator("#time")).to_have_text(re.compile("3 h 1[45] min"), timeout=sized(30_000, 5500))
    expect(ada.locator("#announce")).to_have_text("You have been given more time.")
    faults += inspect(watched, "member")

    ada.get_by_role("button", name="Submit the exam").click()
    ada.get_by_role("button", name="Submit now").click()
    expect(ada).to_have_url(re.compile("/report"))
    for name in ("standing", "gradebook"):
        ina.goto(f"{site}/studio/cohorts/1/{name}")
        faults += inspect(watched, name)
    expect(ina.get_by_role("row", name="Ada")).to_contain_text("in time")
    assert faults == []
    learner.finish()
    context.close()
