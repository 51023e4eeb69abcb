"""What is kept of a mail that came back, and which subscriptions that ends."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from publisher import bounces, subscribers
from publisher.bounces import Return
from publisher.models import DeliveryRow
from publisher.outbox import LETTERS
from publisher.signatures import Signer, delivery_of, same_code


def accept(connection: Connection, signer: Signer, returned: Return, now: datetime) -> bool:
    """Keep what came back if it is for a mail of ours; False: its code is not genuine, or the mail is forgotten."""
    columns = (DeliveryRow.id, DeliveryRow.occasion, DeliveryRow.subscriber_id, DeliveryRow.queued_at)
    row = connection.execute(select(*columns).where(DeliveryRow.id == delivery_of(returned.code))).first()
    if row is None or not same_code(signer.code(*row), returned.code):
        return False
    if returned.kind == "leave":
        subscribers.stop(connection, row.subscriber_id, "left", now)
    else:
        note(connection, row.id, returned.kind, returned.sentence, now)
    return True


def note(connection: Connection, delivery: int, kind: str, sentence: str, now: datetime) -> None:
    """Keep that a mail bounced or was complained about, and stop the subscription where the rule says so."""
    values = {"bounce": kind, "failure": sentence[:500], "state": "refused", "changed_at": now}
    subscriber = connection.scalar(
        update(DeliveryRow).where(DeliveryRow.id == delivery).values(**values).returning(DeliveryRow.subscriber_id)
    )
    if subscriber is None:
        return
    reason = bounces.reason_to_stop(kind, _latest(connection, subscriber))
    if reason:
        subscribers.stop(connection, subscriber, reason, now)


def _latest(connection: Connection, subscriber: str) -> list[str]:
    """Return what came back for a subscriber's issues that were tried, the newest month first."""
    tried = DeliveryRow.state.in_(("sent", "refused", "uncertain"))
    rows = select(DeliveryRow.bounce).where(
        DeliveryRow.subscriber_id == subscriber, DeliveryRow.occasion.not_in(LETTERS), tried
    )
    return list(connection.scalars(rows.order_by(DeliveryRow.occasion.desc()).limit(bounces.SOFT_IN_A_ROW)))
