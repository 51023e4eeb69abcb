"""An author's way by keyboard: begin a bank, write, mend a finding, lose the tab, publish; every page is sound."""

from __future__ import annotations

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
    faults = inspect(watched, "studio")
    page.get_by_label("Title").fill("Caches")
    page.get_by_role("button", name="Begin the bank").press("Enter")
    faults += inspect(watched, "bank")
    page.get_by_role("link", name="Write an item").press("Enter")

    text = page.get_by_label("The item, in Markdown")
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
    assert faults == []
