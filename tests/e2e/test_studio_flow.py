"""From a file of another program to drafts; and from a disputed key to everybody's corrected score."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import Server, Watched
from tests.e2e.test_every_page import inspect
from tests.e2e.test_proofs import review_with_a_everywhere
from tests.e2e.test_studio_issues import sign_in_as_instructor

pytestmark = pytest.mark.browser

FILE = """::queue:: What keeps messages until they are read? {=Amazon SQS ~Amazon SNS}

::queue-again:: What keeps messages until they are read? {~Amazon SQS =Amazon SNS}

::half:: Which of these store objects? {~%60%Amazon S3 ~%40%Amazon Glacier ~%-100%Amazon EBS}

::essay:: Tell all that you know. {}
"""


def test_a_file_is_looked_at_taken_over_and_taken_back(own_server: Server, watched: Watched, tmp_path: Path) -> None:
    page = watched.page
    sign_in_as_instructor(own_server, watched)
    file = tmp_path / "week 3.gift"
    file.write_text(FILE, "utf-8")
    page.goto(f"{own_server.address}/studio/imports")
    faults = inspect(watched, "imports")
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Look at it").press("Enter")
    expect(page.get_by_text("3 of 4 can come; 1 cannot; 1 lose something.")).to_be_visible()
    faults += inspect(watched, "report")
    # Of the two that contradict each other neither is ticked; their author takes the first.
    expect(page.get_by_text("the same question with another key")).to_have_count(2)
    page.get_by_label("Take this question over (1)").press("Space")
    page.get_by_label("Title").fill("Week 3")
    page.get_by_role("button", name="Take over what is ticked").press("Enter")
    expect(page.get_by_text("2 items are in the bank as drafts.")).to_be_visible()
    faults += inspect(watched, "taken over")
    page.get_by_role("button", name="Undo this import").press("Enter")
    expect(page.get_by_text("2 items were taken out of the bank.")).to_be_visible()
    page.goto(f"{own_server.address}/studio/export?bank=big-data/checks-1&format=aiken")
    faults += inspect(watched, "export")
    assert faults == []


def test_a_disputed_key_is_corrected_for_everybody(own_server: Server, watched: Watched, browser: Browser) -> None:
    site, page = own_server.address, watched.page
    learner = browser.new_context(locale="en-US").new_page()
    review_with_a_everywhere(learner, own_server)
    wrong = learner.locator(".review-item").filter(has=learner.locator("h2 .bad")).first
    number = wrong.get_attribute("id").rpartition("-")[2]
    wrong.get_by_text("Is the key wrong?").click()
    wrong.get_by_label("Why you think so").fill("The guide says the first.")
    wrong.get_by_role("button", name="Send to the instructors").click()
    expect(learner.locator(f"#question-{number}").get_by_text("You objected:")).to_be_visible()

    sign_in_as_instructor(own_server, watched)
    page.goto(f"{site}/studio/disputes")
    faults = inspect(watched, "disputes")
    page.locator("main .plain-list a").press("Enter")
    expect(page.get_by_label("The learner is right")).to_be_visible()
    faults += inspect(watched, "dispute")
    page.get_by_label("The learner is right").check()
    page.get_by_label("Why").fill("It does.")
    page.get_by_role("button", name="Answer").press("Enter")
    page.get_by_role("link", name="Correct the key").press("Enter")
    expect(page.get_by_role("button", name="See who gains and who loses")).to_be_visible()
    faults += inspect(watched, "replay")
    now_asked = page.get_by_role("region", name="The version that is asked now")
    for box in now_asked.get_by_role("checkbox").all():
        box.set_checked(box.input_value() == "a")
    now_asked.get_by_role("button", name="See who gains and who loses").press("Enter")
    expect(page.get_by_text("Of 1 closed attempts, 1 gain and 0 lose")).to_be_visible()
    faults += inspect(watched, "trial")
    page.get_by_label("Why the key is corrected").fill("The guide was read again.")
    page.get_by_role("button", name="Correct the key").press("Enter")
    expect(page.get_by_text("The guide was read again.")).to_be_visible()

    learner.goto(site)
    learner.get_by_role("link", name="See the report").click()
    expect(learner.get_by_text("A corrected key has changed this score")).to_be_visible()
    learner.get_by_role("link", name="Review").first.click()
    expect(learner.locator(f"#question-{number}").get_by_text("The guide was read again.")).to_be_visible()
    expect(learner.locator(f"#question-{number}").get_by_text("It does.")).to_be_visible()
    page.goto(f"{site}/studio/statistics/architectures")
    faults += inspect(watched, "statistics")
    assert faults == []
    learner.context.close()
