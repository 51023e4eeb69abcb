"""Two people and a learner: written in a form by keyboard, reviewed, mended, published, sat, and its key corrected."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.conftest import Server, Watched, saved
from tests.e2e.test_every_page import inspect
from tests.e2e.test_studio_issues import PASSWORD

pytestmark = pytest.mark.browser


def instructor(server: Server, browser: Browser, name: str) -> Watched:
    """Return the browser of an instructor who has just signed up."""
    watched = Watched(browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US").new_page())
    page = watched.page
    page.goto(f"{server.address}/sign-up")
    for label, text in (("Name", name), ("E-mail", f"{name}@example.com"), ("Password", PASSWORD)):
        page.get_by_label(label).fill(text)
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("link", name=name)).to_be_visible()
    server.change("UPDATE accounts_person SET role = 'instructor' WHERE name = :name", name=name)
    return watched


def reach(page: Page, place: Locator, key: str = "Tab") -> None:
    """Go to an element as people do who have no pointer."""
    expect(place).to_be_visible()
    for _ in range(90):
        if place.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"The Tab key does not reach {place}.")


def write_an_item_by_keyboard(page: Page) -> None:
    """Write a whole item in the form, with an option removed and one moved, and ask for its review."""
    reach(page, page.get_by_label("Question"))
    page.keyboard.type("What keeps messages until they are read?")
    for number, words, reason in ((1, "Amazon SNS", "It pushes them."), (2, "Amazon SQS", "It is a queue.")):
        reach(page, page.locator(f"#option-{number}"))
        page.keyboard.type(words)
        reach(page, page.locator(f"#reason-{number}"))
        page.keyboard.type(reason)
    # The preview comes by itself, with what it found above the form and at the field, and takes it away again.
    expect(page.locator("#found-right-1")).to_have_text("No option is right; tick the key.")
    page.get_by_role("link", name="Option 1: It is right").press("Enter")
    expect(page.locator("#right-1")).to_be_focused()
    expect(page.locator("#right-1")).to_have_attribute("aria-invalid", "true")
    reach(page, page.locator("#right-2"))
    page.keyboard.press("Space")
    expect(page.locator("#preview .is-key")).to_contain_text("Amazon SQS")
    expect(page.locator("#found-right-1")).to_be_empty()
    expect(page.locator("#right-1")).not_to_have_attribute("aria-invalid", "true")
    reach(page, page.get_by_role("button", name="Move up Option 2"))
    page.keyboard.press("Enter")
    expect(page.locator("#option-1")).to_have_value("Amazon SQS")
    reach(page, page.get_by_role("button", name="Remove Option 4"))
    page.keyboard.press("Enter")
    expect(page.locator("#option-3")).to_be_focused()
    reach(page, page.get_by_label("Domain and task"))
    page.keyboard.type("1.1")
    reach(page, page.get_by_label("Difficulty"))
    page.keyboard.type("easy")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("queues-1")
    expect(page.get_by_text("in review · version 1")).to_be_visible()


def test_an_item_is_written_reviewed_sat_and_corrected(server: Server, browser: Browser) -> None:
    site, author, reviewer = server.address, instructor(server, browser, "irma"), instructor(server, browser, "colin")
    page, colleague = author.page, reviewer.page
    page.goto(f"{site}/studio")
    page.get_by_label("Title").fill("Queues")
    page.get_by_label("Course").select_option("big-data")
    page.get_by_role("button", name="Begin the bank").press("Enter")
    page.get_by_role("link", name="Write an item in a form").press("Enter")
    write_an_item_by_keyboard(page)
    faults = inspect(author, "form")

    colleague.goto(f"{site}/studio/reviews")
    colleague.get_by_role("link", name="queues-1").click()
    expect(colleague.get_by_text("irma is editing this too.")).to_be_visible()
    colleague.get_by_label("A remark").fill("Say that each is read once.")
    colleague.get_by_text("A line of it").press("Enter")
    colleague.get_by_label("What keeps messages until they are read?").press("Space")
    colleague.get_by_role("button", name="Send back").click()
    expect(colleague.locator(".on-line")).to_contain_text("What keeps messages until they are read?")
    # Who is there already is told without another page: the answer to a preview brings the name.
    page.get_by_label("Question").press("End")
    page.keyboard.type(" Each is read once.")
    expect(page.get_by_text("colin is editing this too.")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Say that each is read once.")).to_be_visible()
    page.get_by_role("button", name="Take it up again").press("Enter")
    expect(page.get_by_label("Question")).to_have_value("What keeps messages until they are read? Each is read once.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("in review · version 2")).to_be_visible()
    colleague.reload()
    colleague.get_by_role("button", name="Approve").click()
    page.reload()
    page.get_by_role("button", name="Publish").press("Enter")
    expect(page.get_by_text("learners have this text")).to_be_visible()
    page.goto(f"{site}/studio/banks/queues")
    page.get_by_role("button", name="Offer it as an exam").press("Enter")
    exam = page.get_by_role("link", name="Learners can sit it").get_attribute("href")
    faults += inspect(author, "bank offered")

    learner = browser.new_context(locale="en-US").new_page()
    answer_wrongly(learner, site, exam)
    page.goto(f"{site}/studio/statistics/{exam.rpartition('/')[2]}")
    page.get_by_role("button", name="Compute now").press("Enter")
    expect(page.get_by_role("row").filter(has_text="queues-1").first).to_be_visible()
    correct_the_key(page, site)
    learner.goto(site)
    learner.get_by_role("link", name="See the report").click()
    expect(learner.get_by_text("A corrected key has changed this score")).to_be_visible()
    assert faults == []
    for one in (author, reviewer):
        one.finish()
    for one in (page, colleague, learner):
        one.context.close()


def answer_wrongly(page: Page, site: str, exam: str) -> None:
    """Sit the bank's exam and choose what is wrong by the key."""
    page.goto(f"{site}/exams")
    page.locator(f"a[href='{exam}']").first.click()
    page.get_by_role("button", name="Start the exam").click()
    page.get_by_label("Amazon SNS").check()
    expect(page.locator("#saved")).to_contain_text(saved(1))
    page.get_by_role("button", name="Submit the exam").click()
    page.get_by_role("button", name="Submit now").click()
    expect(page.get_by_role("heading", name="Score report")).to_be_visible()


def correct_the_key(page: Page, site: str) -> None:
    """Make the other option the key for everybody who was asked."""
    page.goto(f"{site}/studio/replay/queues-1")
    asked = page.get_by_role("region", name="The version that is asked now")
    asked.get_by_label("Amazon SQS").uncheck()
    asked.get_by_label("Amazon SNS").check()
    asked.get_by_role("button", name="See who gains and who loses").press("Enter")
    expect(page.get_by_text("Of 1 closed attempts, 1 gain and 0 lose; 1 pass now")).to_be_visible()
    page.get_by_label("Why the key is corrected").fill("It was the other one.")
    page.get_by_role("button", name="Correct the key").press("Enter")
    expect(page.get_by_text("It was the other one.")).to_be_visible()
