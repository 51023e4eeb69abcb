"""The mails as texts and bytes: letters, an issue's link, and a book that is encoded once for all its readers."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import urlsplit

from flask_babel import force_locale
from flask_babel import gettext as _

from publisher.delivery import Mail
from publisher.epub import Edition
from publisher.issue import SERIES
from publisher.lateness import Late
from publisher.outbox import Claim
from publisher.signatures import Signer
from publisher.store import Published

EPUB_TYPE = "application/epub+zip"
"""What Kindle's mail service wants; it refuses books of an unknown type."""
# Headers stay on one line each: folding would put an address as long as ours into an encoded word.
_LINES = policy.SMTP.clone(max_line_length=990)


@dataclass(frozen=True)
class Post:
    """What all mails of a site share: its public address, the sender, where returns go, and who signs."""

    site: str
    sender: str
    returns: str
    signer: Signer

    @property
    def host(self) -> str:
        """The name behind the @ of every Message-ID."""
        return self.sender.rpartition("@")[2]

    def link(self, subscriber: str, purpose: str, ending: str = "") -> str:
        """Return an address of the site that only this subscriber knows."""
        return f"{self.site}/subscriptions/{self.signer.token(subscriber, purpose)}{ending}"

    def return_path(self, code: str) -> str:
        """Return the envelope's sender, by which a mail that comes back names itself."""
        name, _at, domain = self.returns.partition("@")
        return f"{name}+{code}@{domain}" if domain else self.sender


def letter(post: Post, claim: Claim, now: datetime) -> Mail:
    """Return the mail that asks for confirmation, or that leads to the settings."""
    with force_locale(claim.language):
        if claim.occasion == "confirm":
            return _whole(post, claim, _("Confirm your subscription"), _confirmation(post, claim), now)
        return _whole(post, claim, _("Your subscription"), _settings(post, claim), now)


def link(post: Post, claim: Claim, book: Published, now: datetime) -> Mail:
    """Return the mail with the links to an issue."""
    with force_locale(claim.language):
        text = "\n\n".join(
            (
                _("%(title)s is here.", title=book.title),
                _("Read it on the site:") + f"\n{post.site}/issues/{book.month}",
                _("Download the book (EPUB, %(size)d kB):", size=round(book.size / 1000))
                + f"\n{post.link(claim.subscriber, book.month, f'/{book.month}.epub')}",
                _foot(post, claim),
            )
        )
    return _whole(post, claim, book.title, text, now)


def parcel(post: Post, claim: Claim, book: Published, tail: bytes, now: datetime) -> Mail:
    """Return the mail that carries the book itself; ``tail`` is what ``enclosure`` made of it."""
    with force_locale(claim.language):
        text = "\n\n".join((_("%(title)s is in this mail, as a book.", title=book.title), _foot(post, claim)))
    part = EmailMessage(policy.SMTP)
    _fill(part, text)
    del part["MIME-Version"]
    # Written out by hand: the library would encode the book anew in every mail.
    headers = _headers(post, claim, book.title, now).as_bytes(policy=_LINES).removesuffix(b"\r\n")
    mixed = f'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="{_boundary(book)}"\r\n\r\n'.encode()
    border = f"--{_boundary(book)}\r\n".encode()
    head = headers + mixed + border + part.as_bytes(policy=_LINES) + b"\r\n" + border
    return _mail(post, claim, head, tail)


def enclosure(book: Published, epub: bytes) -> bytes:
    """Return the book as the last part of a mail, which is the same for everybody."""
    headers = (
        f"Content-Type: {EPUB_TYPE}",
        f'Content-Disposition: attachment; filename="archway-{book.month}.epub"',
        "Content-Transfer-Encoding: base64",
        "\r\n",
    )
    encoded = base64.encodebytes(epub).replace(b"\n", b"\r\n")
    return "\r\n".join(headers).encode() + encoded + f"--{_boundary(book)}--\r\n".encode()


def proof(post: Post, recipient: str, edition: Edition, now: datetime) -> Mail:
    """Return the mail that brings a draft to its editor, in the language of the page; each has a name of its own."""
    code = f"proof-{edition.month}-{secrets.token_hex(8)}"
    message = _addressed(post, recipient, _("Proof: %(title)s", title=edition.title), code, now)
    _fill(message, _("This is the draft as it stands now. Its checksum: %(sha256)s", sha256=edition.sha256))
    main, _slash, kind = EPUB_TYPE.partition("/")
    name = f"archway-{edition.month}-proof.epub"
    message.add_attachment(edition.epub, maintype=main, subtype=kind, filename=name)
    return Mail(code, post.sender, recipient, message.as_bytes(policy=_LINES))


def late(post: Post, recipient: str, language: str, issues: Sequence[Late], now: datetime) -> Mail:
    """Return the mail that tells an editor which issues are too late to go out by themselves."""
    code = f"late-{secrets.token_hex(8)}"
    with force_locale(language):
        message = _addressed(post, recipient, _("%(series)s is late", series=SERIES), code, now)
        where = _("The issues in the studio:") + f"\n{post.site}/studio/issues"
        _fill(message, "\n\n".join((*(one.sentence() for one in issues), where)) + "\n")
    message["Auto-Submitted"] = "auto-generated"
    return Mail(code, post.sender, recipient, message.as_bytes(policy=_LINES))


def _confirmation(post: Post, claim: Claim) -> str:
    kindle = (
        _(
            "Before the first issue comes: Amazon drops what it gets from a sender that you have not approved. On its "
            "site, add %(sender)s to the approved senders of personal documents.",
            sender=post.sender,
        ),
    )
    return "\n\n".join(
        (
            _("Somebody, probably you, entered this address to get %(series)s each month.", series=SERIES),
            _("Open this page and press the button there to begin:")
            + f"\n{post.link(claim.subscriber, 'confirm', '/confirm')}",
            *(kindle if claim.kindle else ()),
            _("If it was not you, do nothing. After seven days your address is forgotten."),
        )
    )


def _settings(post: Post, claim: Claim) -> str:
    return "\n\n".join(
        (
            _("This address already gets %(series)s, and nothing was changed.", series=SERIES),
            _foot(post, claim),
        )
    )


def _foot(post: Post, claim: Claim) -> str:
    change = _("Change what you get, take your data with you, or have it deleted:")
    leave = _("Unsubscribe:")
    return (
        f"-- \n{change}\n{post.link(claim.subscriber, 'settings')}\n\n"
        f"{leave}\n{post.link(claim.subscriber, 'unsubscribe', '/unsubscribe')}"
    )


def _headers(post: Post, claim: Claim, subject: str, now: datetime) -> EmailMessage:
    code = _code(post, claim)
    message = _addressed(post, _recipient(claim), subject, code, now)
    message["Auto-Submitted"] = "auto-generated"
    if claim.occasion != "confirm":
        message["List-Id"] = f"{SERIES} <archway-monthly.{urlsplit(post.site).hostname or post.host}>"
        _offer_to_leave(message, post, claim, code)
    return message


def _addressed(post: Post, recipient: str, subject: str, code: str, now: datetime) -> EmailMessage:
    message = EmailMessage(policy.SMTP)
    message["From"] = Address(SERIES, addr_spec=post.sender)
    message["To"] = Address(addr_spec=recipient)
    message["Subject"] = subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{code}@{post.host}>"
    return message


def _offer_to_leave(message: EmailMessage, post: Post, claim: Claim, code: str) -> None:
    """Add what RFC 2369 and RFC 8058 say; the latter allows one click only over HTTPS."""
    ways = [f"<{post.link(claim.subscriber, 'unsubscribe', '/unsubscribe')}>"]
    if post.returns:
        ways.append(f"<mailto:{post.return_path(code)}?subject=unsubscribe>")
    message["List-Unsubscribe"] = ", ".join(ways)
    if post.site.startswith("https://"):
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"


def _whole(post: Post, claim: Claim, subject: str, text: str, now: datetime) -> Mail:
    message = _headers(post, claim, subject, now)
    _fill(message, text)
    return _mail(post, claim, message.as_bytes(policy=_LINES), b"")


def _fill(message: EmailMessage, text: str) -> None:
    message.set_content(text, cte="7bit" if text.isascii() else "quoted-printable")


def _mail(post: Post, claim: Claim, head: bytes, tail: bytes) -> Mail:
    code = _code(post, claim)
    return Mail(code, post.return_path(code), _recipient(claim), head, tail)


def _recipient(claim: Claim) -> str:
    return claim.email if claim.occasion in {"confirm", "settings"} else claim.kindle or claim.email


def _code(post: Post, claim: Claim) -> str:
    return post.signer.code(claim.id, claim.occasion, claim.subscriber, claim.queued_at)


def _boundary(book: Published) -> str:
    return f"archway-{book.sha256[:40]}"
