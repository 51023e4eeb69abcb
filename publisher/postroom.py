"""The application's own outbox at work: what its mails are made of, by which way they go, and what comes back."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask

from config import Settings, name_of
from db import Database
from publisher import appendix, bounces, countries, mails, outbox, returns, sources, store, subscribers
from publisher.countries import CountriesError
from publisher.delivery import REPEAT, DeliveryError, Hours, Mail, Outcome, Policy, Sender, Transport
from publisher.mails import Post
from publisher.outbox import LETTERS, Claim
from publisher.signatures import Signer
from publisher.store import Published
from publisher.transports import Folder, Smtp
from quizzes.questions import Item

TOPIC = "mail"
"""What the queue of mails is called."""
LARGEST = 256 * 1024
"""Bytes that are read of a mail that came back: its report stands before the copy of what was sent."""

logger = logging.getLogger(__name__)


@dataclass
class Composer:
    """Makes the mail of a claim; a book is encoded once for all its readers, and once for those on a Kindle."""

    database: Database
    post: Post
    clock: Callable[[], datetime]
    own_questions: Callable[[int, str], tuple[Item, ...]] = lambda _person, _month: ()
    """Returns the questions of a person's own appendix for a month."""
    _enclosures: dict[tuple[str, bool], bytes] = field(default_factory=dict)

    def __call__(self, claim: Claim) -> Mail:
        """Return the mail; raise DeliveryError where the book that was queued is no longer there."""
        if claim.occasion in LETTERS:
            return mails.letter(self.post, claim, self.clock())
        book = self._book(claim)
        if claim.channel == "link":
            return mails.link(self.post, claim, book, self.clock())
        kindle = claim.channel == "kindle"
        own = self.own_questions(claim.person, claim.occasion) if claim.person else ()
        if own:
            enclosure = mails.enclosure(book, appendix.personalise(self._bytes(book, kindle=kindle), own))
        else:
            enclosure = self._enclosure(book, kindle=kindle)
        return mails.parcel(self.post, claim, book, enclosure, self.clock())

    def _book(self, claim: Claim) -> Published:
        with self.database.reading() as connection:
            found = store.find(connection, claim.occasion)
        if found is None or found.sha256 != claim.sha256:
            raise DeliveryError(f"The book of {claim.occasion} was built anew after this was queued; send it again.")
        return found

    def _enclosure(self, book: Published, *, kindle: bool) -> bytes:
        wanted = book.sha256, kindle
        if wanted not in self._enclosures:
            made = mails.enclosure(book, self._bytes(book, kindle=kindle))
            # Only one book is under way at a time; those before it would stay in memory for nothing.
            self._enclosures = {kept: one for kept, one in self._enclosures.items() if kept[0] == book.sha256}
            self._enclosures[wanted] = made
        return self._enclosures[wanted]

    def _bytes(self, book: Published, *, kindle: bool) -> bytes:
        read = store.kindle if kindle else store.epub
        with self.database.reading() as connection:
            return read(connection, book.month)


def post_of(app: Flask) -> Post:
    """Return what the mails of the application share."""
    settings: Settings = app.extensions["settings"]
    return Post(settings.address, settings.mail_from, settings.mail_returns, Signer(settings.secret_key))


def sender_of(app: Flask) -> Sender:
    """Return a worker for the application's outbox; raise CountriesError where the countries' file has a fault."""
    settings: Settings = app.extensions["settings"]
    database, clock = app.extensions["database"], app.extensions["clock"]
    policy = Policy(settings.mail_rate, settings.mail_domain_rate, Hours(*settings.mail_hours))
    composer = Composer(database, post_of(app), clock, sources.own_questions)
    return Sender(database, transport_of(settings), composer, policy, countries.load(), clock)


def transport_of(settings: Settings) -> Transport:
    """Return the way out: the server that is set, or a folder of files."""
    return Smtp(settings.smtp_url) if settings.smtp_url else Folder(settings.instance / "outbox")


def way_out(settings: Settings) -> str:
    """Return where mails go, without the password: a server's name, or a folder's."""
    parts = urlsplit(settings.smtp_url)
    return f"{parts.scheme}://{parts.hostname}" if settings.smtp_url else str(settings.instance / "outbox")


def send_now(app: Flask, mail: Mail) -> Outcome:
    """Send one mail past the outbox, while somebody waits for it."""
    way = transport_of(app.extensions["settings"])
    try:
        return way.send(mail)
    finally:
        way.close()


@dataclass
class Worker:
    """One worker: sends what is queued, each time with the settings' own way out and the countries' rules."""

    app: Flask
    topic: str = TOPIC
    idle: float = 2.0

    def run_next(self, going: Callable[[], bool] = lambda: True) -> bool:
        """Send what is due until nothing is or ``going`` says no; return False, for nothing can be sent just now."""
        with self.app.app_context():
            sender_of(self.app).run(going)
        return False


def sweep(app: Flask) -> None:
    """Take in what came back, settle what was left in the middle, and forget who never confirmed."""
    settings: Settings = app.extensions["settings"]
    now = app.extensions["clock"]()
    if settings.mail_folder is not None:
        collect(app, settings.mail_folder)
    database: Database = app.extensions["database"]
    with database.writing() as connection:
        outbox.recover(connection, now)
        outbox.repeat_links(connection, now, REPEAT)
        subscribers.forget_unconfirmed(connection, now)


def collect(app: Flask, maildir: Path) -> None:
    """Take in each new mail of a Maildir and mark it as seen; one that is met twice changes nothing more."""
    try:
        arrived = sorted((maildir / "new").iterdir())
    except OSError as error:
        logger.error("%s is “%s”, which is no Maildir: %s.", name_of("mail_folder"), maildir, error.strerror)  # noqa: TRY400 (the sentence is all there is to know)
        return
    for path in arrived:
        with path.open("rb") as file:
            take_back(app, file.read(LARGEST))
        path.replace(maildir / "cur" / f"{path.name}:2,S")


def take_back(app: Flask, data: bytes) -> bool:
    """Keep what one mail to the return address says; return whether it says something about a mail of ours."""
    returned = bounces.read(data)
    if returned is None:
        return False
    with app.extensions["database"].writing() as connection:
        return returns.accept(connection, post_of(app).signer, returned, app.extensions["clock"]())


def report_faults(app: Flask) -> None:
    """Log a fault in the countries' file, so that an operator's slip is seen at the start."""
    try:
        countries.load()
    except CountriesError as error:
        app.logger.error("%s", error)  # noqa: TRY400 (the same)
