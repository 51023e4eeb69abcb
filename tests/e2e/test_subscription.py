"""Subscribing and sending in a real browser, from the form to the book and out again, while the operator looks on."""

from __future__ import annotations

import re
import time
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Server, Watched
from tests.e2e.test_every_page import inspect

pytestmark = pytest.mark.browser


def mail(server: Server, number: int) -> EmailMessage:
    """Return a mail by its number, waiting until it is sent."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for path in (server.instance / "outbox").glob(f"{number}.*.eml"):
            return message_from_bytes(path.read_bytes(), policy=policy.default)
        time.sleep(0.1)
    raise AssertionError(f"mail {number} was not sent")


def links(message: EmailMessage) -> list[str]:
    return re.findall(r"http://\S+", message.get_content())


def _lose_the_answer(server: Server) -> None:
    """Let the mail of the issue stand as uncertain, as after a connection that was lost."""
    said = "The connection was lost before the server's answer: Connection unexpectedly closed"
    server.change("UPDATE publisher_delivery SET state = 'uncertain', failure = :said WHERE id = 2", said=said)


def test_from_the_form_to_the_book_and_out_again(own_server: Server, watched: Watched) -> None:
    page, server = watched.page, own_server
    invitation = re.search(r"http\S+", server.process.stdout.readline())[0]
    page.goto(f"{server.address}/issues/2018-01")
    page.get_by_role("link", name="Subscribe").click()
    page.get_by_label("E-mail address").fill("ada@example.org")
    page.get_by_label("Country").select_option(label="Germany")
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
    page.goto(links(mail(server, 1))[0])
    assert inspect(watched, "confirm") == []
    page.get_by_role("button", name="Begin the subscription").click()
    expect(page.get_by_text("You are subscribed.")).to_be_visible()
    assert inspect(watched, "settings") == []

    page.goto(invitation)
    for label, text in (("Name", "Ina"), ("E-mail address", "ina@example.org"), ("Password", "a calm long sentence")):
        page.get_by_label(label).fill(text)
    page.get_by_role("button", name="Make the account").click()
    page.get_by_role("link", name="Post").click()
    page.get_by_role("button", name="Send to 1 reader").first.click()
    expect(page.locator("[data-count$='/sent']").first).to_have_text("1", timeout=60_000)
    expect(page.locator("#said")).to_have_text(re.compile("Everything that was due is done|^$"), timeout=60_000)
    _lose_the_answer(server)
    page.reload()
    assert inspect(watched, "operator") == []
    page.get_by_role("button", name="Send again ada@example.org").click()
    expect(page.locator("[data-count$='/sent']").first).to_have_text("1", timeout=60_000)

    read, book, _settings, leave = links(mail(server, 2))
    page.goto(read)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Archway Monthly")
    assert page.request.get(book).headers["content-type"] == "application/epub+zip"
    page.goto(leave)
    assert inspect(watched, "unsubscribe") == []
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_role("heading", name="You are unsubscribed")).to_be_visible()
