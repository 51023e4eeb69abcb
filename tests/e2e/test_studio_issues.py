"""The editor's way in a browser: drop and move an article, write, read the draft, approve it, and readers have it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests import databases
from tests.e2e.conftest import Server, Watched
from tests.e2e.test_every_page import inspect

pytestmark = pytest.mark.browser
PASSWORD = "a calm long sentence"


def sign_in_as_instructor(server: Server, watched: Watched) -> None:
    """Make an instructor on the command line and sign in."""
    email = "ina@example.org"
    command = ["-m", "flask", "accounts", "create", email, "--role", "instructor", "--password", PASSWORD]
    environment = {"PATH": os.environ["PATH"], **databases.current.environment(server.instance)}
    subprocess.run([sys.executable, *command], env=environment, check=True, capture_output=True)
    page = watched.page
    page.goto(f"{server.address}/sign-in")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="Studio")).to_be_visible()


def test_an_editor_makes_an_issue_and_readers_have_it(own_server: Server, watched: Watched) -> None:
    site, page = own_server.address, watched.page
    sign_in_as_instructor(own_server, watched)
    page.goto(f"{site}/studio/issues")
    faults = inspect(watched, "studio issues")
    page.get_by_role("link", name="February 2018").click()
    expect(page.get_by_label("Letter to the reader")).to_be_visible()
    faults += inspect(watched, "studio issue")

    page.get_by_label("Letter to the reader").fill("Dear reader,\n\nonly four this time.")
    page.get_by_label("Working on one drawing").or_(page.get_by_role("checkbox").last).uncheck()
    # With the Enter key in a field the form is kept, and nothing moves.
    page.get_by_label("Startups").focus()
    order = page.locator("[name=order]").evaluate_all("all => all.map(one => one.value)")
    move = page.locator("button[name=move]").first
    mover = move.get_attribute("value").split()[1]
    move.focus()
    page.keyboard.press("Enter")
    expect(page.locator("[name=order]").nth(order.index(mover))).not_to_have_value(mover)
    expect(page.get_by_label("Letter to the reader")).to_have_value("Dear reader,\n\nonly four this time.")
    page.wait_for_load_state()
    moved = page.locator("[name=order]").evaluate_all("all => all.map(one => one.value)")
    assert sorted(moved) == sorted(order)
    assert moved != order

    page.get_by_role("link", name="Read the draft").click()
    page.get_by_role("link", name="To the reader").click()
    expect(page.get_by_text("only four this time.")).to_be_visible()
    page.goto(f"{site}/studio/issues/2018-02/publish")
    faults += inspect(watched, "publish")
    page.get_by_role("button", name="Approve and publish").click()
    expect(page.get_by_text("this very book, approved")).to_be_visible()
    page.goto(f"{site}/issues/2018-02")
    expect(page.get_by_text("only four this time.")).to_be_visible()
    expect(page.locator(".issue-contents a[href^='/issues/']")).to_have_count(4)
    assert faults == []
