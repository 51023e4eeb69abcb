"""Signed addresses and codes: whoever has one can do the one thing that it is for, without an account."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime

from db import milliseconds


@dataclass(frozen=True)
class Signer:
    """Signs with the site's secret key (HMAC-SHA-256, 128 bits)."""

    key: str = field(repr=False)

    def token(self, subscriber: str, purpose: str) -> str:
        """Return what stands in a link: the subscriber's id and a signature that holds for this purpose alone."""
        return f"{subscriber}.{self._sign(purpose, subscriber)}"

    def subscriber(self, token: str, purpose: str) -> str | None:
        """Return whose token this is, or None if it is forged or for another purpose."""
        subscriber, _, signature = token.partition(".")
        return subscriber if _same(signature, self._sign(purpose, subscriber)) else None

    def code(self, delivery: int, occasion: str, subscriber: str, queued_at: datetime) -> str:
        """Return the name of a mail, the same however often it is tried: for its Message-ID and its return path."""
        parts = (str(delivery), occasion, subscriber, str(milliseconds(queued_at)))
        return f"{delivery}.{self._sign('delivery', *parts)}"

    def _sign(self, *parts: str) -> str:
        return hmac.new(self.key.encode(), "\n".join(("mail", *parts)).encode(), hashlib.sha256).hexdigest()[:32]


def delivery_of(code: str) -> int | None:
    """Return the number of the delivery that a code names; whether it is genuine, only its comparison tells."""
    number = code.partition(".")[0]
    return int(number) if number.isdecimal() and number.isascii() and len(number) <= 15 else None


def same_code(one: str, other: str) -> bool:
    """Compare two codes in constant time."""
    return _same(one, other)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
