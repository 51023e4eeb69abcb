"""An author's way by keyboard: begin a bank, write, mend a finding, lose the tab, publish, edit a lesson; all sound."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Server, Watched
from tests.e2e.test_every_page import inspect
from tests.e2e.test_studio_issues import sign_in_as_instructor

pytestmark = pytest.mark.browser


def test_an_author_writes_and_publishes_by_keyboard(own_server: Server, watched: Watched) -> None:
    site, page = own_server.address, watched.page
    sign_in_as_instructor(own_server, watched)
    page.get_by_role("link", name="Studio").press("Enter")
    expect(page.get_by_role("button", name="Begin the bank")).to_be_visible()
    faults = inspect(watched, "studio")
    page.get_by_label("Title").fill("Caches")
    page.get_by_role("button", name="Begin the bank").press("Enter")
    expect(page.get_by_role("link", name="Write an item in Markdown")).to_be_visible()
    faults += inspect(watched, "bank")
    page.get_by_role("link", name="Write an item in Markdown").press("Enter")

    text = page.get_by_label("The item, in Markdown")
    expect(text).to_be_visible()
    page.wait_for_load_state()
    text.fill("## caches-1\n\nWhich one?\n\n- [ ] This\n- [ ] <script>alert(1)</script> that\n")
    # The preview comes from the server by itself; its finding leads to the line.
    finding = page.get_by_role("listitem").filter(has_text="No option is right")
    expect(finding).to_be_visible()
    stray = "## caches-1\n\nWhich one?\n\n- [x] This\n\n- [ ] <script>alert(1)</script> that\n\nstray"
    text.fill(stray)
    page.locator("[data-line='9']").press("Enter")
    assert text.evaluate("one => one.value.slice(one.selectionStart)") == "stray"

    # What was not kept outlives the tab.
    page.reload()
    page.get_by_role("button", name="Take it up again").press("Enter")
    expect(text).to_have_value(
        "## caches-1\n\nWhich one?\n\n- [x] This\n\n- [ ] <script>alert(1)</script> that\n\nstray"
    )
    text.fill("## caches-1\n\nWhich one?\n\n- [x] This\n- [ ] <script>alert(1)</script> that\n")
    expect(page.locator("#preview .reviewed")).to_contain_text("<script>alert(1)</script> that")
    text.press("Control+s")
    expect(page.get_by_role("heading", level=1)).to_have_text("caches-1")
    expect(page.get_by_role("button", name="Take it up again")).to_be_hidden()
    faults += inspect(watched, "item")
    page.get_by_role("button", name="Publish").press("Enter")
    expect(page.get_by_text("learners have this text")).to_be_visible()
    page.goto(f"{site}/studio/items/caches-1/history")
    faults += inspect(watched, "history")
    page.goto(f"{site}/studio/reviews")
    faults += inspect(watched, "reviews")
    faults += edit_the_bank_as_one_text(site, watched)
    faults += edit_a_lesson(site, watched)
    assert faults == []


def edit_the_bank_as_one_text(site: str, watched: Watched) -> list[str]:
    """Add a second item under the first, whose preview follows the caret, and take the first out."""
    page = watched.page
    page.goto(f"{site}/studio/banks/caches/text")
    text = page.get_by_label("The bank, in Markdown")
    text.press("Control+End")
    page.keyboard.insert_text("\n## caches-2\n\nWhich other?\n\n- [x] This\n- [ ] That\n")
    expect(page.locator("#preview h3")).to_have_text("caches-2")
    text.press("Control+Home")
    expect(page.locator("#preview h3")).to_have_text("caches-1")
    faults = inspect(watched, "bank as one text")
    text.press("Control+s")
    page.wait_for_function("!document.querySelector('.studio-editor').dataset.unkept")
    text.evaluate("one => { one.value = one.value.replace(/## caches-1[^]*(?=## caches-2)/, ''); }")
    text.press("Control+s")
    expect(page.get_by_role("heading", level=1)).to_have_text("Retire what you took out?")
    faults += inspect(watched, "bank confirm")
    page.get_by_role("button", name="Keep the text and retire 1 item").press("Enter")
    expect(page.get_by_label("The bank, in Markdown")).to_have_value(re.compile("caches-2"))
    return faults


def edit_a_lesson(site: str, watched: Watched) -> list[str]:
    """Change a lesson under the eyes of its preview, and publish it over its file."""
    page = watched.page
    page.goto(f"{site}/studio/pages")
    faults = inspect(watched, "lessons and notes")
    page.get_by_role("link", name="Durable storage").first.press("Enter")
    text = page.get_by_label("The page, in Markdown")
    expect(text).to_be_visible()
    page.wait_for_load_state()
    text.press("Control+End")
    page.keyboard.insert_text("\nA last [word](gone.md).\n")
    finding = page.locator("#preview [data-line]")
    expect(finding).to_be_visible()
    finding.press("Enter")
    assert text.evaluate("one => one.value.slice(one.selectionStart)").startswith("gone.md")
    text.evaluate("one => { one.value = one.value.replace('[word](gone.md)', 'word'); }")
    text.press("Control+s")
    expect(page.get_by_text("No fault.")).to_be_visible()
    faults += inspect(watched, "lesson")
    page.get_by_role("button", name="Publish").press("Enter")
    expect(page.get_by_text("readers have this text")).to_be_visible()
    page.get_by_role("link", name="History").press("Enter")
    expect(page.locator("ins")).to_contain_text(["A last word."])
    faults += inspect(watched, "lesson's history")
    page.goto(f"{site}/learn/solutions-architect-associate/resilient-architectures/durable-storage")
    expect(page.get_by_text("A last word.")).to_be_visible()
    return faults
