"""How mail is sent: what becomes of a delivery after a try, at what pace, in which hours; and the loop that does it."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from db import Database
from publisher import bounces, outbox, returns
from publisher.countries import Country
from publisher.outbox import Claim, Result, Terms

PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 20, 60, 180, 360, 720, 1440))
"""How long to wait after each refusal that may pass; after the last, two days in all, the mail is given up."""
LEASE = timedelta(minutes=10)
"""How long a claim holds: longer than any mail takes, as the network's waits are at most a minute each."""
REPEAT = timedelta(minutes=15)
"""How long an uncertain mail with a link rests before it is sent once more."""

logger = logging.getLogger(__name__)


class DeliveryError(ValueError):
    """A mail that cannot be made; the sentence says why."""


@dataclass(frozen=True)
class Outcome:
    """What a server made of a mail.

    ``kind``: ``sent``; ``away`` (no server, nothing was tried); ``later`` (a 4xx); ``refused`` (a 5xx); ``uncertain``
    (the connection was lost after the mail, before the answer). ``recipient``: it is the recipient that was refused.
    """

    kind: str
    reply: str = ""
    recipient: bool = False


@dataclass(frozen=True)
class Mail:
    """A mail as it is sent, in lines that end in CRLF.

    ``head`` is its own; ``tail`` is shared by many and has no line that begins with a dot.
    """

    code: str
    return_path: str
    recipient: str
    head: bytes
    tail: bytes = b""


class Transport(Protocol):
    """What brings mails away."""

    def send(self, mail: Mail) -> Outcome:
        """Send one mail; never raises for what a server or a network does."""

    def close(self) -> None:
        """Leave the server."""


@dataclass(frozen=True)
class Hours:
    """The hours of the day in which issues are sent, from ``first`` up to ``last``, which is not among them."""

    first: int = 0
    last: int = 24

    def hold(self, local: datetime) -> bool:
        """Return whether a local time is among them; hours may run over midnight, as in 22-6."""
        if self.first < self.last:
            return self.first <= local.hour < self.last
        return local.hour >= self.first or local.hour < self.last


@dataclass(frozen=True)
class Policy:
    """How mail is sent: mails a minute in all and to one domain, the hours for issues, the pauses after a 4xx."""

    rate: int
    domain_rate: int
    hours: Hours = Hours()
    pauses: tuple[timedelta, ...] = PAUSES


def closed(countries: Mapping[str, Country], hours: Hours, now: datetime) -> tuple[str, ...]:
    """Return the codes of the countries in which it is not the hour for issues."""
    return tuple(code for code, one in countries.items() if not hours.hold(now.astimezone(one.zone)))


def after(outcome: Outcome, attempts: int, pauses: tuple[timedelta, ...], now: datetime) -> Result:
    """Return what a try leads to. ``attempts`` counts the earlier tries that met a 4xx."""
    if outcome.kind == "away":
        return Result("queued", now + pauses[0], attempts, outcome.reply)
    if outcome.kind != "later":
        return Result(outcome.kind, now, attempts, outcome.reply)
    if attempts >= len(pauses):
        return Result("refused", now, attempts, f"Given up after {attempts + 1} tries: {outcome.reply}")
    return Result("queued", now + pauses[attempts], attempts + 1, outcome.reply)


@dataclass
class Sender:
    """One worker: any number of them, in any number of processes, may send from the same outbox."""

    database: Database
    transport: Transport
    compose: Callable[[Claim], Mail]
    policy: Policy
    countries: Mapping[str, Country]
    clock: Callable[[], datetime]
    owner: str = field(default_factory=lambda: uuid.uuid4().hex)

    def run(self, going: Callable[[], bool] = lambda: True) -> None:
        """Send what is due until nothing is, the server is away, or ``going`` says no."""
        try:
            while going() and self.send_next():
                pass
        finally:
            self.transport.close()

    def send_next(self) -> bool:
        """Claim one mail and send it; return whether there may be another to send now."""
        now, policy = self.clock(), self.policy
        terms = Terms(policy.rate, policy.domain_rate, closed(self.countries, policy.hours, now), LEASE)
        claim = outbox.claim(self.database, terms, self.owner, now)
        if claim is None:
            return False
        outcome = self._send(claim)
        self._keep(claim, outcome)
        return outcome.kind != "away"

    def _keep(self, claim: Claim, outcome: Outcome) -> None:
        now = self.clock()
        result = after(outcome, claim.attempts, self.policy.pauses, now)
        with self.database.writing() as connection:
            kept = outbox.finish(connection, claim, result, now)
            if kept and outcome.recipient and result.state == "refused":
                returns.note(connection, claim.id, bounces.kind(outcome.reply), outcome.reply, now)
        if not kept:
            logger.warning("Mail %d took longer than its lease; it stands as uncertain.", claim.id)

    def _send(self, claim: Claim) -> Outcome:
        try:
            mail = self.compose(claim)
        except Exception as error:
            # Nothing was sent yet: whatever is wrong with the making of this mail must not stop the others.
            logger.exception("Mail %d to a subscriber of %s could not be made.", claim.id, claim.occasion)
            return Outcome("refused", str(error) if isinstance(error, DeliveryError) else "The mail could not be made.")
        return self.transport.send(mail)
