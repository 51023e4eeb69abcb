"""The EMRFS lab in a browser: who was granted what is read and explained, and a fault is told at its line."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from playwright.sync_api import Page, expect

from labs import registry
from tests.e2e.conftest import Server, Watched

# The labs have tests of their own; what this adds in a browser is looked at before a release.
pytestmark = [pytest.mark.browser, pytest.mark.full]
LAB = registry.read(registry.CATALOG / "emrfs_authorization")
ARTICLE = next(run.parameters for run in LAB.solution() if run.check == "articles_outcome")


def _run(page: Page, server: Server, parameters: Mapping[str, str], state: str) -> None:
    page.goto(f"{server.address}/labs/{LAB.slug}")
    for name, text in parameters.items():
        field = page.locator(f"[name={name}]")
        if name == "instance_role":
            field.select_option(text)
        else:
            field.fill(text)
    page.get_by_role("button", name="Run", exact=True).first.click()
    expect(page.locator("#state")).to_have_text(re.compile(state), timeout=30_000)


def test_every_answer_can_be_read_and_asked_why(server: Server, watched: Watched) -> None:
    page = watched.page
    _run(page, server, ARTICLE, "done")
    table = page.get_by_role("region", name="Access").get_by_role("table")
    rows = table.get_by_role("row")
    expect(rows).to_have_count(6)
    mona = rows.filter(has=page.get_by_role("rowheader", name="mona")).get_by_role("cell")
    expect(mona.nth(0)).to_contain_text("✗ denied: list, read, write, delete, delete bucket")
    expect(mona.nth(1)).to_contain_text("✓ allowed: list, read, write, delete, delete bucket")
    why = mona.nth(1).locator("summary")
    expect(why).to_have_text(re.compile("Why mona, emrfs-auth-data-engineering-bucket-demo"))
    why.focus()
    page.keyboard.press("Enter")
    expect(mona.nth(1).get_by_text("as mona is in grp_data_engineering")).to_be_visible()
    expect(mona.nth(1).get_by_text(re.compile(r"s3:GetObject .* allowed"))).to_be_visible()
    assert watched.unsound_at(360, 768, 1280) == []


def test_a_fault_in_the_mappings_is_told_at_its_line(server: Server, watched: Watched) -> None:
    page = watched.page
    text = ARTICLE["configuration"].replace('"IdentifierType": "Prefix"', '"IdentifierType": "Bucket"')
    _run(page, server, {**ARTICLE, "configuration": text}, "failed")
    expect(page.locator(".listing .wrong")).to_contain_text("EMRFS knows no type “Bucket”; use User, Group, Prefix.")
    page.get_by_role("link", name="Change something").click()
    expect(page.locator(".editor-copy .wrong")).to_contain_text('"IdentifierType": "Bucket"')
