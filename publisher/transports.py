"""Ways to bring a mail out: an SMTP server, or files in a folder where no server is set."""

from __future__ import annotations

import contextlib
import os
import re
import smtplib
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from publisher.delivery import Mail, Outcome

WAIT = 60
"""Seconds that a server may take for one answer."""
_LOCAL = {"localhost", "127.0.0.1", "::1"}


@dataclass
class Smtp:
    """A server such as ``smtp://user:password@host:587`` or ``smtps://…``; one connection serves many mails."""

    url: str = field(repr=False)
    _server: smtplib.SMTP | None = field(default=None, repr=False)

    def send(self, mail: Mail) -> Outcome:
        """Send one mail; where the connection is lost once its text is under way, nobody knows what became of it."""
        try:
            server = self._connected()
            refusal = _envelope(server, mail)
        except smtplib.SMTPResponseException as error:
            return self._lost(Outcome("away", _reply(error.smtp_code, error.smtp_error)))
        except (OSError, smtplib.SMTPException) as error:
            return self._lost(Outcome("away", f"{type(error).__name__}: {error}"))
        if refusal is not None:
            return self._refused(refusal)
        try:
            server.send(re.sub(rb"(?m)^\.", b"..", mail.head))
            server.send(mail.tail)
            server.send(b".\r\n")
            code, text = server.getreply()
        except (OSError, smtplib.SMTPException) as error:
            return self._lost(Outcome("uncertain", f"The connection was lost before the server's answer: {error}"))
        return Outcome("sent") if code == 250 else self._refused(_judge(code, text))

    def close(self) -> None:
        """Say goodbye, if there is still somebody to say it to."""
        if self._server is not None:
            try:
                self._server.quit()
            except (OSError, smtplib.SMTPException):
                self._server.close()
        self._server = None

    def _lost(self, outcome: Outcome) -> Outcome:
        if self._server is not None:
            self._server.close()
        self._server = None
        return outcome

    def _refused(self, outcome: Outcome) -> Outcome:
        """Forget the mail that was begun, so that the connection is ready for the next."""
        try:
            if self._server is not None:
                self._server.rset()
        except (OSError, smtplib.SMTPException):
            self._lost(outcome)
        return outcome

    def _connected(self) -> smtplib.SMTP:
        if self._server is None:
            self._server = self._connect()
        return self._server

    def _connect(self) -> smtplib.SMTP:
        parts = urlsplit(self.url)
        host = parts.hostname or "localhost"
        secure = ssl.create_default_context()
        if parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=WAIT, context=secure)
        else:
            server = smtplib.SMTP(host, parts.port or 25, timeout=WAIT)
        try:
            # A mail goes out in three writes; without this, the last would wait 40 ms for the first to be acknowledged.
            if server.sock is not None:
                server.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _introduce(server, parts, secure)
        except (OSError, smtplib.SMTPException):
            server.close()
            raise
        return server


def _introduce(server: smtplib.SMTP, parts: SplitResult, secure: ssl.SSLContext) -> None:
    """Encrypt the connection where the server offers it, and log in where the address has a name."""
    server.ehlo_or_helo_if_needed()
    encrypted = parts.scheme == "smtps"
    if not encrypted and server.has_extn("starttls"):
        server.starttls(context=secure)
        server.ehlo()
        encrypted = True
    if not parts.username:
        return
    if not encrypted and parts.hostname not in _LOCAL:
        raise smtplib.SMTPException("it offers no STARTTLS, and a password is not sent in the open")
    server.login(unquote(parts.username), unquote(parts.password or ""))


def _envelope(server: smtplib.SMTP, mail: Mail) -> Outcome | None:
    """Name the sender and the recipient and ask to send the text; return a refusal, or None if it may be sent."""
    code, text = server.mail(mail.return_path)
    if code != 250:
        return Outcome("away", _reply(code, text)) if code == 421 else _judge(code, text)
    code, text = server.rcpt(mail.recipient)
    if code not in {250, 251}:
        return _judge(code, text, recipient=True)
    code, text = server.docmd("DATA")
    return None if code == 354 else _judge(code, text)


def _judge(code: int, text: bytes, *, recipient: bool = False) -> Outcome:
    kind = "refused" if 500 <= code < 600 else "later"
    return Outcome(kind, _reply(code, text), recipient=recipient)


def _reply(code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return " ".join(f"{code} {words}".split())


@dataclass(frozen=True)
class Folder:
    """A folder in which each mail becomes a file; the same mail written twice is one file."""

    path: Path

    def send(self, mail: Mail) -> Outcome:
        """Write one mail, whole or not at all."""
        name = f"{mail.code}.eml"
        draft = self.path / f".{name}.{os.getpid()}"
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft.write_bytes(mail.head + mail.tail)
            draft.replace(self.path / name)
        except OSError as error:
            with contextlib.suppress(OSError):
                draft.unlink()
            return Outcome("away", f"{self.path} cannot be written: {error.strerror}.")
        return Outcome("sent")

    def close(self) -> None:
        """Nothing is open."""
