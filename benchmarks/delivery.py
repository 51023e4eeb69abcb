"""Mails with a book of 8 MB, and mails with a link: CPU a mail, against the standard library's usual way.

The server is aiosmtpd in a process of its own, whose CPU is not counted. Ours encodes the book once; the usual way
makes the whole mail anew for each recipient and hands it to ``smtplib.send_message``.
"""

from __future__ import annotations

import contextlib
import random
import smtplib
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from flask import Flask
from sqlalchemy import insert

import config
from app import create_app
from benchmarks.promises import Promise, record
from db import upgrade
from publisher import countries, mails, outbox
from publisher.delivery import Policy, Sender
from publisher.mails import Post
from publisher.models import IssueRow, SubscriberRow
from publisher.outbox import Claim
from publisher.postroom import Composer
from publisher.signatures import Signer
from publisher.store import Published
from publisher.transports import Smtp

NOW = datetime(2018, 2, 1, 6, 0, tzinfo=UTC)
MONTH, SIZE, BOOKS, LINKS, ROUNDS = "2018-02", 8_000_000, 3, 100, 3
BOOK = Published(MONTH, "Archway Monthly, February 2018", "ab" * 32, "cd" * 32, SIZE, NOW, None, approved=False)
POST = Post("https://archway.example.org", "archway@example.org", "", Signer("the key of a benchmark"))
CLAIM = Claim(
    id=1,
    token=1,
    owner="",
    occasion=MONTH,
    sha256=BOOK.sha256,
    queued_at=NOW,
    attempts=0,
    subscriber="0" * 24,
    email="ada@example.org",
    kindle="ada@kindle.com",
    domain="kindle.com",
    channel="kindle",
    language="en",
)


@contextlib.contextmanager
def server() -> Iterator[int]:
    """Yield the port of a server that takes every mail and forgets it."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = int(found.getsockname()[1])
    command = [sys.executable, "-m", "aiosmtpd", "-n", "-c", "aiosmtpd.handlers.Sink", "-s", str(64 * 1024 * 1024)]
    process = subprocess.Popen([*command, "-l", f"127.0.0.1:{port}"])
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            break
        time.sleep(0.1)
    yield port
    process.terminate()
    process.wait()


def ours(port: int, epub: bytes) -> None:
    """Send BOOKS mails with the book, encoded once."""
    tail = mails.enclosure(BOOK, epub)
    with contextlib.closing(Smtp(f"smtp://127.0.0.1:{port}")) as way:
        for number in range(BOOKS):
            way.send(mails.parcel(POST, replace(CLAIM, id=number), BOOK, tail, NOW))


def usual(port: int, epub: bytes) -> None:
    """Send BOOKS mails with the book as the library's documentation shows it."""
    with smtplib.SMTP("127.0.0.1", port) as way:
        for _ in range(BOOKS):
            message = EmailMessage()
            message["From"], message["To"], message["Subject"] = POST.sender, CLAIM.kindle, BOOK.title
            message.set_content("The book is in this mail.")
            message.add_attachment(epub, maintype="application", subtype="epub+zip", filename="book.epub")
            way.send_message(message)


def links(app: Flask, port: int) -> None:
    """Send LINKS mails with a link, the whole way through the outbox."""
    database = app.extensions["database"]
    policy, countries_of = Policy(rate=60_000, domain_rate=60_000), countries.load()
    composer = Composer(database, POST, lambda: NOW)
    with database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM publisher_delivery")
        outbox.enqueue(database, connection, MONTH, BOOK.sha256, NOW)
    Sender(database, Smtp(f"smtp://127.0.0.1:{port}"), composer, policy, countries_of, lambda: datetime.now(UTC)).run()


def site(folder: Path) -> Flask:
    """Return an application with a book and LINKS subscribers."""
    app = create_app(config.load({"ARCHWAY_INSTANCE": str(folder)}))
    upgrade(app.extensions["database"])
    same = {"channel": "link", "kindle": "", "domain": "example.org", "language": "en", "country": "DE"}
    book = {"month": MONTH, "title": BOOK.title, "sha256": BOOK.sha256, "manifest_sha256": BOOK.manifest_sha256}
    with app.extensions["database"].writing() as connection:
        connection.execute(insert(IssueRow).values(**book, size=SIZE, built_at=NOW, epub=b"", cover=b""))
        for number in range(LINKS):
            one = {"id": f"{number:024}", "email": f"{number}@example.org", "created_at": NOW, "changed_at": NOW}
            connection.execute(insert(SubscriberRow).values(**same, **one, state="active", reason=""))
    return app


def cpu(work: Callable[[], None], count: int) -> tuple[float, float]:
    """Return milliseconds of CPU and of the wall clock that one of ``count`` mails took."""
    cpu_before, begun = time.process_time(), time.perf_counter()
    work()
    return (time.process_time() - cpu_before) / count * 1000, (time.perf_counter() - begun) / count * 1000


def main() -> None:
    """Run all in turns and print the table."""
    epub = random.Random(1).randbytes(SIZE)
    with tempfile.TemporaryDirectory() as folder, server() as port:
        app = site(Path(folder))
        contestants = {
            "8 MB attached, ours": (lambda: ours(port, epub), BOOKS),
            "8 MB attached, made anew for each": (lambda: usual(port, epub), BOOKS),
            "a link, through the outbox": (lambda: links(app, port), LINKS),
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}
        with app.app_context():
            for _ in range(ROUNDS):
                for name, (work, count) in contestants.items():
                    taken[name].append(cpu(work, count))
    attached, anew, _link = (min(spent for spent, _ in times) for times in taken.values())
    record(
        "delivery",
        [Promise("a mail with a book of 8 MB", attached, "ms CPU", 80, "made anew for each", anew)],
    )
    print("| | CPU ms a mail, least | median | wall ms, median |\n|---|--:|--:|--:|")
    for name, times in taken.items():
        spent, waited = zip(*times, strict=True)
        print(f"| {name} | {min(spent):.1f} | {statistics.median(spent):.1f} | {statistics.median(waited):.1f} |")


if __name__ == "__main__":
    main()
