"""How often something may be tried: one limiter for all rooms, and what tries are counted under."""

from __future__ import annotations

from flask import request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from accounts.credentials import CredentialError, normalise_email
from accounts.sessions import current_person

# By address the limits are wide: a whole class may sit behind one.
limiter = Limiter(get_remote_address)


def account() -> str:
    """Return what a sign-in is counted under: the account it is for, whoever asks and however it is spelt."""
    sent = request.form.get("email", "")
    try:
        return f"account:{normalise_email(sent)}"
    except CredentialError:
        return f"account:{sent[:254]}"


def person() -> str:
    """Return what a signed-in person's tries are counted under."""
    known = current_person()
    return f"person:{known.id if known else 0}"
