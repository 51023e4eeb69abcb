"""Addresses and titles with line breaks: no mail gets a header, a recipient or a command that a reader wrote."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from publisher import mails, postroom
from tests.publisher.test_mails import BOOK, CLAIM, NOW, POST

BREAKS = ("\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "%0d%0a", "\\r\\n")
HEADERS = ("Bcc: eve@evil.example", "\r\nRCPT TO:<eve@evil.example>")
HOSTILE = [f"ada@example.org{gap}{header}" for gap in BREAKS for header in HEADERS]


@pytest.mark.parametrize("field", ["email", "kindle"])
def test_an_address_brings_no_header_into_a_mail(
    app: Flask, client: FlaskClient, post: Callable[..., Any], field: str
) -> None:
    assert len(HOSTILE) == 20
    wish = {
        "email": "ada@example.org",
        "channel": "kindle",
        "language": "en",
        "country": "DE",
        "kindle": "a@kindle.com",
    }
    taken = [value for value in HOSTILE if post(client, "/subscribe", **{**wish, field: value}).status_code != 400]
    assert taken == []
    postroom.Worker(app).run_next()
    assert not list((Path(app.extensions["settings"].instance) / "outbox").glob("*.eml"))


@pytest.mark.parametrize("value", [one for one in HOSTILE if "\r" in one or "\n" in one])
def test_a_mail_refuses_what_came_past_the_form(app: Flask, value: str) -> None:
    with (
        app.test_request_context(),
        pytest.raises(ValueError, match=r"(?i)newline|linefeed|carriage|addr|CR|invalid|domain"),
    ):
        mails.letter(POST, replace(CLAIM, occasion="confirm", email=value), NOW)


@pytest.mark.parametrize("gap", BREAKS[:3])
def test_a_title_with_a_line_break_stays_one_subject(app: Flask, gap: str) -> None:
    with app.test_request_context():
        try:
            made = mails.link(POST, CLAIM, replace(BOOK, title=f"March{gap}Bcc: eve@evil.example"), NOW)
        except ValueError:
            return
    mail = message_from_bytes(made.head + made.tail, policy=policy.default)
    assert mail["Bcc"] is None
    assert "Bcc" in str(mail["Subject"])


def test_the_control_a_mail_that_is_joined_by_hand_gets_the_header() -> None:
    raw = f"To: {HOSTILE[0]}\r\nSubject: x\r\n\r\n".encode()
    assert message_from_bytes(raw, policy=policy.default)["Bcc"] == "eve@evil.example"
