"""A worker that sends what is in an outbox until nothing is queued; ``hasty`` marks its mails after sending them."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, update

from db import Database
from publisher import countries
from publisher.delivery import Mail, Policy, Sender
from publisher.models import DeliveryRow, SubscriberRow
from publisher.outbox import Claim
from publisher.signatures import Signer
from publisher.transports import Smtp

SIGNER = Signer("a key that only these tests have")
PAUSES = tuple(timedelta(seconds=0.2) for _ in range(8))


def compose(claim: Claim) -> Mail:
    code = SIGNER.code(claim.id, claim.occasion, claim.subscriber, claim.queued_at)
    head = f"Message-ID: <{code}@archway.example.org>\r\nSubject: An issue\r\n\r\nHere it is.\r\n"
    return Mail(code, "archway@example.org", claim.email, head.encode())


def queued(database: Database) -> int:
    with database.reading() as connection:
        return connection.execute(select(func.count()).where(DeliveryRow.state == "queued")).scalar_one()


def clock() -> datetime:
    return datetime.now(UTC)


def send(database: Database, port: int) -> None:
    policy = Policy(rate=60_000, domain_rate=60_000, pauses=PAUSES)
    sender = Sender(database, Smtp(f"smtp://127.0.0.1:{port}"), compose, policy, countries.load(), clock)
    end = time.monotonic() + 600
    while queued(database):
        assert time.monotonic() < end
        sender.run()
        time.sleep(0.05)


def send_hastily(database: Database, port: int) -> None:
    """Send a batch and mark it when all of it is sent, as some newsletter programs do."""
    way = Smtp(f"smtp://127.0.0.1:{port}")
    batch = select(DeliveryRow.id, DeliveryRow.occasion, SubscriberRow.id.label("subscriber"), SubscriberRow.email)
    batch = batch.join(SubscriberRow).add_columns(DeliveryRow.queued_at).where(DeliveryRow.state == "queued").limit(20)
    while queued(database):
        with database.reading() as connection:
            rows = connection.execute(batch).all()
        for row in rows:
            way.send(compose(row))
        with database.writing() as connection:
            ids = [row.id for row in rows]
            connection.execute(update(DeliveryRow).where(DeliveryRow.id.in_(ids)).values(state="sent"))


if __name__ == "__main__":
    worker = send_hastily if sys.argv[3:] == ["hasty"] else send
    worker(Database(sys.argv[1]), int(sys.argv[2]))
