"""What a reader asks for when subscribing, judged without a database: address, channel, language, country."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Mapping
from dataclasses import dataclass

CHANNELS = ("link", "attachment", "kindle")
"""A mail with a link to the book; the book attached to a mail; the book sent to a Kindle."""

_LOCAL = r"[a-z0-9#$&'*+/=^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_ADDRESS = re.compile(rf"(?=.{{1,64}}@){_LOCAL}(?:\.{_LOCAL})*@(?:{_LABEL}\.)+{_LABEL}")


class SubscriptionError(ValueError):
    """Something in the form that cannot be used; the message says what to change.

    The messages hold no values, so that the page can look each of them up in the reader's language.
    """


@dataclass(frozen=True)
class Wish:
    """What a reader wants: ``email`` is where letters go; ``kindle`` is empty unless the channel is ``kindle``."""

    email: str
    channel: str
    kindle: str
    language: str
    country: str

    @property
    def address(self) -> str:
        """Where the issues go."""
        return self.kindle or self.email

    @property
    def domain(self) -> str:
        """The domain that receives the issues."""
        return self.address.rpartition("@")[2]


def clean_address(text: str) -> str:
    """Return the one spelling of an address: NFKC, lower case; raise SubscriptionError if mail cannot be sent there.

    Only the dot-atoms of RFC 5322 in ASCII pass, without the old routing signs % and ! and the ? of encoded words:
    nothing that a header or an SMTP command could read as more than one address.
    """
    address = unicodedata.normalize("NFKC", text).strip(" ").lower()
    if len(address) > 254 or not _ADDRESS.fullmatch(address):
        raise SubscriptionError("Enter an e-mail address such as ada@example.org, in Latin letters.")
    return address


def read_wish(form: Mapping[str, str], languages: Container[str], countries: Container[str]) -> Wish:
    """Return what a form asks for; raise SubscriptionError naming what to change."""
    channel, language, country = (form.get(name, "") for name in ("channel", "language", "country"))
    if country not in countries:
        raise SubscriptionError("Choose your country from the list.")
    if channel not in CHANNELS:
        raise SubscriptionError("Choose how you want to get the issues.")
    if language not in languages:
        raise SubscriptionError("Choose the language of the mails.")
    email = clean_address(form.get("email", ""))
    return Wish(email, channel, _kindle(form) if channel == "kindle" else "", language, country)


def _kindle(form: Mapping[str, str]) -> str:
    refusal = SubscriptionError("Enter your Kindle's address, which ends in kindle.com.")
    try:
        address = clean_address(form.get("kindle", ""))
    except SubscriptionError:
        raise refusal from None
    if not re.search(r"[@.]kindle\.com$", address):
        raise refusal
    return address
