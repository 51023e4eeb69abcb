"""A scripted SMTP server: what it does with a mail is written in the first letters of the recipient's name."""

# ruff: noqa: ARG002, N802 (the names and arguments of its methods are aiosmtpd's)

from __future__ import annotations

import asyncio
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP

SIZE_LIMIT = 64 * 1024 * 1024


@dataclass
class Sink:
    """What the server got, as (recipient, Message-ID), in order; ``got`` is released at each."""

    port: int = 0
    pause: float = 0.0
    busy: int = 0
    """It is too busy for one mail of so many, and says so before it hears whose it is."""
    mails: list[tuple[str, str]] = field(default_factory=list)
    bodies: dict[str, bytes] = field(default_factory=dict)
    senders: dict[str, str] = field(default_factory=dict)
    got: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    drops: int = 0
    _met: set[str] = field(default_factory=set)
    _asked: int = 0

    async def handle_MAIL(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:
        self._asked += 1
        if self.busy and self._asked % self.busy == 0:
            return "421 4.3.2 Too busy, come again later"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("gone"):
            return "550 5.1.1 There is nobody of that name here"
        if address.startswith("full"):
            return "552 5.2.2 The mailbox is full"
        if address.startswith("grey") and address not in self._met:
            self._met.add(address)
            return "451 4.7.1 Come again later"
        if address.startswith("never"):
            return "450 4.2.1 Not now"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        recipient = envelope.rcpt_tos[0]
        await asyncio.sleep(self.pause)
        if recipient.startswith(("late", "void")) and recipient not in self._met:
            self._met.add(recipient)
            if recipient.startswith("void"):
                self.drops += 1
                server.transport.abort()
            return "451 4.3.0 Come again later"
        # Only the head is looked at: it stands before a book of megabytes.
        message_id = re.search(rb"(?m)^Message-ID: (\S+)", envelope.content[:20_000])
        self.mails.append((recipient, message_id[1].decode() if message_id else ""))
        self.bodies[recipient] = envelope.content
        self.senders[recipient] = envelope.mail_from
        self.got.release()
        if recipient.startswith("drop"):
            self.drops += 1
            server.transport.abort()
        return "554 5.6.0 This is not wanted" if recipient.startswith("unwanted") else "250 OK"

    def recipients(self) -> list[str]:
        return [recipient for recipient, _ in self.mails]


def _server(sink: Sink, tls: ssl.SSLContext | None) -> SMTP:
    return SMTP(sink, data_size_limit=SIZE_LIMIT, hostname="sink.example.org", ident="sink", tls_context=tls)


@contextmanager
def listening(pause: float = 0.0, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Iterator[Sink]:
    """Yield a server that listens on a port of its own."""
    sink = Sink(pause=pause)
    loop = asyncio.new_event_loop()
    started = threading.Event()

    def serve() -> None:
        asyncio.set_event_loop(loop)
        listener = loop.run_until_complete(loop.create_server(lambda: _server(sink, tls), host, 0))
        sink.port = listener.sockets[0].getsockname()[1]
        started.set()
        loop.run_forever()
        listener.close()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    started.wait()
    yield sink
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
