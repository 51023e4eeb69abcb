"""The mails as they arrive: both ways to leave, a book that Kindle takes, the reader's language, and no spy."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from flask import Flask

from publisher import mails
from publisher.delivery import Mail
from publisher.mails import Post
from publisher.outbox import Claim
from publisher.signatures import Signer
from publisher.store import Published

NOW = datetime(2018, 2, 1, 6, 0, tzinfo=UTC)
POST = Post("https://archway.example.org", "archway@example.org", "returns@example.org", Signer("a key of these tests"))
BOOK = Published("2018-02", "Archway Monthly, February 2018", "ab" * 32, "cd" * 32, 300_000, NOW, None, approved=False)
CLAIM = Claim(
    id=7,
    token=1,
    owner="o",
    occasion="2018-02",
    sha256="ab" * 32,
    queued_at=NOW,
    attempts=0,
    subscriber="0123456789abcdef01234567",
    email="ada@example.org",
    kindle="",
    domain="example.org",
    channel="link",
    language="en",
)


def read(mail: Mail) -> EmailMessage:
    return message_from_bytes(mail.head + mail.tail, policy=policy.default)


@pytest.fixture(autouse=True)
def _in_the_application(app: Flask) -> object:
    with app.app_context():
        yield


def test_a_mail_of_an_issue_can_be_left_by_one_click_and_by_mail() -> None:
    mail = mails.link(POST, CLAIM, BOOK, NOW)
    message = read(mail)
    leave = POST.link(CLAIM.subscriber, "unsubscribe", "/unsubscribe")
    assert message["List-Unsubscribe"] == f"<{leave}>, <mailto:returns+{mail.code}@example.org?subject=unsubscribe>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert leave in message.get_content()
    assert b"=?" not in mail.head


def test_one_click_is_only_promised_over_https() -> None:
    message = read(mails.link(replace(POST, site="http://127.0.0.1:8000", returns=""), CLAIM, BOOK, NOW))
    assert message["List-Unsubscribe-Post"] is None
    assert message["List-Unsubscribe"].startswith("<http://127.0.0.1:8000/subscriptions/")


def test_each_mail_is_known_by_issue_and_subscriber() -> None:
    first, again = (mails.link(POST, replace(CLAIM, token=token), BOOK, NOW) for token in (1, 2))
    assert first.code == again.code
    assert read(first)["Message-ID"] == f"<{first.code}@example.org>"
    assert first.return_path == f"returns+{first.code}@example.org"
    others = [replace(CLAIM, subscriber="x"), replace(CLAIM, occasion="2018-03"), replace(CLAIM, id=8)]
    assert len({mails.link(POST, one, BOOK, NOW).code for one in (CLAIM, *others)}) == 4


def test_a_book_in_a_mail_is_what_kindle_takes() -> None:
    epub = bytes(range(256)) * 40
    claim = replace(CLAIM, channel="kindle", kindle="ada@kindle.com")
    mail = mails.parcel(POST, claim, BOOK, mails.enclosure(BOOK, epub), NOW)
    message = read(mail)
    [attachment] = message.iter_attachments()
    assert attachment.get_content_type() == "application/epub+zip"
    assert attachment.get_filename() == "archway-2018-02.epub"
    assert attachment.get_content() == epub
    assert message.get_body().get_content().strip()
    assert (mail.recipient, message["To"]) == ("ada@kindle.com", "ada@kindle.com")
    assert not re.search(rb"(?m)^\.", mail.tail)
    assert not message.defects
    assert all(line.endswith(b"\r") for line in (mail.head + mail.tail).split(b"\n")[:-1])


def test_letters_go_to_the_readers_own_address_and_tell_of_the_approved_senders() -> None:
    claim = replace(CLAIM, occasion="confirm", channel="kindle", kindle="ada@kindle.com")
    message = read(mails.letter(POST, claim, NOW))
    assert message["To"] == "ada@example.org"
    assert "add archway@example.org to the approved senders" in message.get_content()
    assert "approved" not in read(mails.letter(POST, replace(claim, kindle=""), NOW)).get_content()


@pytest.mark.parametrize("occasion", ["confirm", "settings", "2018-02"])
def test_mails_speak_the_readers_language(occasion: str) -> None:
    claim = replace(CLAIM, occasion=occasion, language="bg")
    mail = mails.link(POST, claim, BOOK, NOW) if occasion == "2018-02" else mails.letter(POST, claim, NOW)
    text = read(mail).get_content()
    assert re.search("[а-я]{4}", text)
    assert not re.findall("[a-z]{4}", re.sub(r"https?://\S+|Archway Monthly, February 2018|Archway Monthly", "", text))
    assert max(len(line) for line in mail.head.split(b"\r\n\r\n", 1)[1].split(b"\r\n")) <= 78
    assert all(line.isascii() for line in mail.head.splitlines())


def test_no_mail_watches_its_reader() -> None:
    mail = mails.link(POST, CLAIM, BOOK, NOW)
    assert read(mail).get_content_type() == "text/plain"
    links = re.findall(r"https?://\S+", read(mail).get_content())
    assert len(links) == 4
    assert all(link.startswith("https://archway.example.org/") for link in links)


def test_a_mail_with_a_book_of_8_mb_costs_little_once_the_book_is_encoded() -> None:
    tail = mails.enclosure(BOOK, bytes(8_000_000))
    begun = time.thread_time()
    for _ in range(10):
        mails.parcel(POST, CLAIM, BOOK, tail, NOW)
    assert (time.thread_time() - begun) / 10 < 0.08
