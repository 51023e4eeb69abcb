"""A link with which somebody sets a new password: signed, good for a day, and for the password there is now."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

from db import from_milliseconds, milliseconds

LIFETIME = timedelta(days=1)


def make_token(key: str, person_id: int, password_hash: str | None, now: datetime) -> str:
    """Return a token for this person; it works until the day is over or the password has changed."""
    ends = milliseconds(now + LIFETIME)
    return f"{person_id}-{ends}-{_sign(key, person_id, ends, password_hash)}"


def person_of(token: str) -> int | None:
    """Return whom a token is for, or None where it is none; whether it is genuine, only ``holds`` tells."""
    parts = _parts(token)
    return parts[0] if parts else None


def holds(key: str, token: str, password_hash: str | None, now: datetime) -> bool:
    """Return whether a token is genuine, in time and not used, for the person with this password."""
    parts = _parts(token)
    if parts is None or now >= from_milliseconds(parts[1]):
        return False
    return hmac.compare_digest(parts[2].encode(), _sign(key, parts[0], parts[1], password_hash).encode())


def _parts(token: str) -> tuple[int, int, str] | None:
    parts = token.split("-")
    if len(parts) != 3 or not all(one.isascii() and one.isdecimal() and len(one) <= 15 for one in parts[:2]):
        return None
    return int(parts[0]), int(parts[1]), parts[2]


def _sign(key: str, person_id: int, ends: int, password_hash: str | None) -> str:
    text = f"recovery\n{person_id}\n{ends}\n{password_hash or ''}"
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
