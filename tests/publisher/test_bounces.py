"""What comes back to the return address: reports of failure, complaints, wishes to leave, and what is none of these."""

from __future__ import annotations

import pytest

from publisher.bounces import Return, read

CODE = "12.0123456789abcdef0123456789abcdef"
TO = f"returns+{CODE}@example.org"


def report(action: str, status: str, to: str = TO, copy: str = "") -> bytes:
    """Return a report as RFC 3464 has it, in the manner of Postfix."""
    return f"""\
From: MAILER-DAEMON@mail.example.com (Mail Delivery System)
To: {to}
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.com
Arrival-Date: Thu, 1 Feb 2018 06:00:00 +0000

Final-Recipient: rfc822; ada@example.org
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 {status} No such
    mailbox here

--B
Content-Type: text/rfc822-headers

From: Archway Monthly <archway@example.org>
{copy}Subject: Archway Monthly, February 2018

--B--
""".encode()


COMPLAINT = f"""\
From: <feedback@mail.example.com>
To: abuse@example.org
Subject: FW: Archway Monthly
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="B"

--B
Content-Type: text/plain

This is an abuse report.

--B
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Feedback/1.0
Version: 1

--B
Content-Type: message/rfc822

From: Archway Monthly <archway@example.org>
Message-ID: <{CODE}@example.org>
Subject: Archway Monthly

Here it is.

--B--
""".encode()


def test_a_failure_names_the_mail_by_its_return_path() -> None:
    assert read(report("failed", "5.1.1")) == Return(CODE, "hard", "5.1.1 smtp; 550 5.1.1 No such mailbox here")


def test_a_mail_server_may_write_the_return_path_in_capitals() -> None:
    assert read(report("failed", "5.1.1", TO.upper())).code == CODE


def test_a_failure_names_the_mail_by_the_copy_of_its_headers() -> None:
    found = read(report("failed", "5.2.2", "archway@example.org", f"Message-ID: <{CODE}@example.org>\n"))
    assert (found.code, found.kind) == (CODE, "soft")


def test_a_report_that_is_cut_off_behind_the_failure_is_understood() -> None:
    whole = report("failed", "5.1.1")
    assert read(whole[: whole.index(b"text/rfc822-headers")]).kind == "hard"


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded", ""])
def test_only_a_failure_counts(action: str) -> None:
    assert read(report(action, "4.4.1")) is None


def whole_report(status: str, diagnostic: str) -> bytes:
    """Return a report with all the fields that a Postfix 3.7 writes, and the whole mail behind it."""
    return f"""\
Return-Path: <>
X-Original-To: {TO}
Delivered-To: {TO}
Received: by mail.example.com (Postfix)
	id E9B9; Thu, 1 Feb 2018 06:00:01 +0000 (UTC)
Date: Thu, 1 Feb 2018 06:00:01 +0000 (UTC)
From: Mail Delivery System <MAILER-DAEMON@mail.example.com>
Subject: Undelivered Mail Returned to Sender
To: {TO}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
	boundary="DF03.1517464801/mail.example.com"
Content-Transfer-Encoding: 8bit

This is a MIME-encapsulated message.

--DF03.1517464801/mail.example.com
Content-Description: Notification
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

It could not be delivered.

--DF03.1517464801/mail.example.com
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.com
X-Postfix-Queue-ID: E9B9
X-Postfix-Sender: rfc822; {TO}
Arrival-Date: Thu,  1 Feb 2018 06:00:00 +0000 (UTC)

Final-Recipient: rfc822; ada@example.org
Original-Recipient: rfc822;ada@example.org
Action: failed
Status: {status}
Diagnostic-Code: {diagnostic}

--DF03.1517464801/mail.example.com
Content-Description: Undelivered Message
Content-Type: message/rfc822
Content-Transfer-Encoding: 8bit

From: Archway Monthly <archway@example.org>
To: ada@example.org
Message-ID: <{CODE}@example.org>

Here it is.

--DF03.1517464801/mail.example.com--
""".encode()


@pytest.mark.parametrize(
    ("status", "diagnostic", "kind"),
    [
        ("5.1.1", 'X-Postfix; unknown user: "ada@example.org"', "hard"),
        ("5.2.2", "x-unix; input/output error", "soft"),
        ("5.4.4", "X-Postfix; unable to look up host mail.example.org: Name\n    or service not known", "soft"),
        ("5.7.1", "smtp; 550 5.7.1 Message refused by policy", "soft"),
        ("5.0.0", "smtp; 550 no such user here", "hard"),
        ("5.0.0", "smtp; 552 mailbox is full", "soft"),
        ("5.0.0", "smtp; 550 5.2.1 mailbox is disabled", "hard"),
    ],
)
def test_what_a_mail_server_reports_is_understood(status: str, diagnostic: str, kind: str) -> None:
    found = read(whole_report(status, diagnostic))
    assert (found.code, found.kind) == (CODE, kind)
    assert found.sentence == " ".join(f"{status} {diagnostic}".split())


def test_a_complaint_is_known_by_the_mail_it_carries() -> None:
    assert read(COMPLAINT) == Return(CODE, "complaint", "The reader's mail service reports it as unwanted.")


def test_a_mail_with_the_subject_unsubscribe_is_a_wish_to_leave() -> None:
    assert read(f"To: {TO}\nSubject: Unsubscribe\n\n".encode()) == Return(CODE, "leave", "")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\x00",
        f"To: {TO}\nSubject: On holiday\n\nI unsubscribe from work.".encode(),
        f"To: {TO}\nSubject: Re: unsubscribe from what?\n\n".encode(),
        b"To: returns@example.org\nSubject: unsubscribe\n\n",
        b"To: returns+12.abc@example.org\nSubject: unsubscribe\n\n",
        f"To: {TO}\nContent-Type: message/delivery-status\n\nno fields".encode(),
        f"To: {TO}\nContent-Type: multipart/x; boundary=B\n\n--B\nContent-Type: message/delivery-status\n\n".encode(),
    ],
)
def test_anything_else_means_nothing(data: bytes) -> None:
    assert read(data) is None
