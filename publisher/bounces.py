"""What comes back for a mail: reports of failure (RFC 3464), complaints (RFC 5965) and wishes to unsubscribe."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message

SOFT_IN_A_ROW = 3
"""So many issues in a row that bounce softly stop a subscription: three months of a full mailbox, ten sends a year."""

_CODE = re.compile(r"\b(\d{1,15}\.[0-9a-f]{32})\b", re.IGNORECASE)
_MESSAGE_ID = re.compile(r"^Message-ID:(.*)$", re.IGNORECASE | re.MULTILINE)
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_UNDEFINED = "5.0.0"
_TOO_LARGE = re.compile(r"\b552\b")
_GONE = {("1", "1"), ("1", "2"), ("1", "3"), ("1", "6"), ("1", "10"), ("2", "1")}
"""Status codes of RFC 3463 and 7505 for an address that is not there, has moved, is disabled or takes no mail."""


@dataclass(frozen=True)
class Return:
    """What came back for the mail with this code: ``hard``, ``soft``, ``complaint`` or ``leave``, in whose words."""

    code: str
    kind: str
    sentence: str


def kind(reply: str) -> str:
    """Return ``hard`` where a permanent refusal says that the address is gone, else ``soft``.

    A full mailbox, a mail too large or a sender that is not liked is no fault of the address. A refusal without a
    status of RFC 3463, for which reports say 5.0.0, counts as hard, since old servers refuse unknown recipients so;
    but for 552, which in RFC 5321 is a mailbox or a mail that is too large.
    """
    status = next((one for one in _STATUS.finditer(reply) if one[0] != _UNDEFINED), None)
    if status is None:
        return "soft" if _TOO_LARGE.search(reply) else "hard"
    return "hard" if status[1] == "5" and (status[2], status[3]) in _GONE else "soft"


def reason_to_stop(kind: str, latest: Sequence[str]) -> str:
    """Return why a subscription ends, ``complaint`` or ``bounce``, or nothing where it goes on.

    ``latest``: what came back for each of its issues that were tried, the newest first, or nothing for one that stayed.
    """
    if kind == "complaint":
        return "complaint"
    full = len(latest) >= SOFT_IN_A_ROW and all(one == "soft" for one in latest[:SOFT_IN_A_ROW])
    return "bounce" if kind == "hard" or full else ""


def read(data: bytes) -> Return | None:
    """Return what a mail to the return address means, or None where it means nothing, as spam does."""
    message = message_from_bytes(data, policy=policy.default)
    code = _code(message)
    if code is None:
        return None
    complaint = _part(message, "message/feedback-report")
    if complaint is not None:
        return Return(code, "complaint", "The reader's mail service reports it as unwanted.")
    report = _part(message, "message/delivery-status")
    if report is not None:
        return _failure(code, report)
    if str(message.get("Subject", "")).strip().casefold() == "unsubscribe":
        return Return(code, "leave", "")
    return None


def _failure(code: str, report: Message) -> Return | None:
    for group in _groups(report):
        if str(group.get("Action", "")).strip().casefold() == "failed":
            status, words = str(group.get("Status", "")), str(group.get("Diagnostic-Code", ""))
            sentence = " ".join(f"{status} {words}".split())[:500]
            return Return(code, kind(sentence), sentence)
    return None


def _groups(report: Message) -> Iterator[Message]:
    """Yield the groups of fields of a report; the parser gives each as a message of its own."""
    payload = report.get_payload()
    if isinstance(payload, list):
        yield from (one for one in payload if isinstance(one, Message))


def _part(message: Message, content_type: str) -> Message | None:
    return next((part for part in message.walk() if part.get_content_type() == content_type), None)


def _code(message: Message) -> str | None:
    """Return the code from the return address, or from the Message-ID of the mail that is sent back."""
    names = ("To", "Delivered-To", "X-Original-To")
    places = [str(value) for name in names for value in message.get_all(name, [])]
    for part in message.walk():
        if part.get_content_type() == "text/rfc822-headers":
            places += _MESSAGE_ID.findall(str(part.get_payload()))
        elif part is not message:
            places.append(str(part.get("Message-ID", "")))
    found = next((match for place in places if (match := _CODE.search(place))), None)
    return found[1].lower() if found else None
