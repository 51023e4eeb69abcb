"""Addresses and passwords: how they are normalised, judged, hashed and compared."""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

SHORTEST, LONGEST = 10, 1000

_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_AT_ONCE = threading.BoundedSemaphore(4)
_EDGES = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_ADDRESS = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]+\.[^@\s\x00-\x1f\x7f]+")


class CredentialError(ValueError):
    """An address or a password that cannot be used; the message says what to change.

    The messages hold no values, so that the sign-up page can look each of them up in the reader's language.
    """


def normalise_email(text: str) -> str:
    """Return the one spelling of an address: NFKC, case folded, no space around; raise CredentialError if it is none.

    Two spellings that look alike must be one account (CVE-2020-7245 was a take-over by spaces around a name).
    """
    address = unicodedata.normalize("NFKC", text).strip().casefold()
    if len(address) > 254 or not _ADDRESS.fullmatch(address):
        raise CredentialError("Enter an e-mail address such as ada@example.org.")
    return address


def clean_name(text: str) -> str:
    """Return a name to show: no control characters, single spaces; raise CredentialError if nothing is left."""
    printable = "".join(" " if unicodedata.category(one) in {"Cc", "Zl", "Zp"} else one for one in text)
    name = " ".join(unicodedata.normalize("NFC", printable).split())
    if not 1 <= len(name) <= 80:
        raise CredentialError("Enter a name of 1 to 80 characters.")
    return name


def hash_password(password: str, *about: str) -> str:
    """Return the argon2id hash (19 MiB, two passes: OWASP's first choice); raise CredentialError if unfit.

    ``about`` is what is known of its owner, which a guesser tries first.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise CredentialError("Choose a password of at least 10 characters; a short sentence is best.")
    if is_guessed_soon(password, *about):
        raise CredentialError("This password is among the first that are tried; choose a short sentence of your own.")
    with _AT_ONCE:
        return _HASHER.hash(password)


def is_guessed_soon(password: str, *about: str) -> bool:
    """Return whether a password is a common one, a word about its owner or the site, or one of few characters.

    Digits and signs before and after a word hide nothing: whoever guesses puts them there too.
    """
    whole = unicodedata.normalize("NFKC", password).casefold()
    word = _EDGES.sub("", whole)
    known = {part for text in (*about, "archway") for part in (text.casefold(), *re.split(r"[@.\s]", text.casefold()))}
    return len(set(whole)) <= 3 or not word or bool({whole, word} & (_common_passwords() | known))


@cache
def _common_passwords() -> frozenset[str]:
    """Return the 30,000 most frequent passwords of known leaks, as zxcvbn ships them."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415 (read where the first password is set)

    return frozenset(FREQUENCY_LISTS["passwords"])


def password_matches(stored: str | None, password: str) -> bool:
    """Compare a password with its hash; an unknown account (None) takes as long as a known one."""
    with _AT_ONCE:
        try:
            return _HASHER.verify(stored or _DUMMY, password[: LONGEST + 1]) and stored is not None
        except (Argon2Error, InvalidHashError):
            return False


_DUMMY = _HASHER.hash("nobody has this password")
