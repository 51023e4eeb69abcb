"""Which issues are too late to go out by themselves, and what keeps them: for editors to know before readers ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import Connection, func, select, update

from db import Database
from publisher import store
from publisher.issue import due_at, month_name
from publisher.models import DeliveryRow, RunRow, SubscriberRow
from publisher.store import Published

TIMELY = timedelta(days=7)
"""How late an issue may be and still be sent by itself."""


@dataclass(frozen=True)
class Late:
    """An issue that came due more than TIMELY ago and that readers do not have.

    ``why`` is ``unbuilt``, with the failure; ``unapproved``; or ``unsent``, with the number of those who subscribed
    in time and have no mail of it.
    """

    month: str
    why: str
    told: bool
    readers: int = 0
    failure: str = ""

    def sentence(self) -> str:
        """Return what an editor should know and do, in the language of the request or the mail."""
        name = month_name(self.month)
        failure = self.failure or _("nothing has tried to build it yet.")
        unbuilt = _("The issue of %(name)s is late and not built: %(failure)s", name=name, failure=failure)
        waits = ngettext(
            "The issue of %(name)s came too late to go out by itself. %(num)d reader waits; an admin can send it.",
            "The issue of %(name)s came too late to go out by itself. %(num)d readers wait; an admin can send it.",
            self.readers,
            name=name,
        )
        unapproved = _("The issue of %(name)s is late: it waits for an editor's approval.", name=name)
        sentences: dict[str, str] = {"unbuilt": unbuilt, "unapproved": unapproved, "unsent": waits}
        return sentences[self.why]


def find(
    connection: Connection, due: Iterable[str], now: datetime, is_public: Callable[[Published], bool]
) -> list[Late]:
    """Return the late ones among the months that are due, the oldest first."""
    books = {book.month: book for book in store.published(connection)}
    runs = {run.month: run for run in store.runs(connection)}
    found = []
    for month in due:
        book, run = books.get(month), runs.get(month)
        told = run is not None and run.told_late
        if now - due_at(month) <= TIMELY:
            continue
        if book is None:
            found.append(Late(month, "unbuilt", told, failure=run.failure if run else ""))
        elif not is_public(book):
            found.append(Late(month, "unapproved", told))
        elif readers := _waiting(connection, month):
            found.append(Late(month, "unsent", told, readers))
    return found


def mark_told(database: Database, connection: Connection, month: str) -> bool:
    """Remember that the editors are told of a month; False where another process has just remembered it."""
    instant = due_at(month)
    values = {"due_at": instant, "state": "done", "owner": "", "lease_until": instant, "token": 0, "failure": ""}
    at = {"stage": "", "stage_done": 0, "stage_total": 0, "told_late": False}
    # A book that was built because somebody asked for it has no run of its own.
    connection.execute(database.upsert(RunRow).values(month=month, **values, **at).on_conflict_do_nothing())
    fresh = update(RunRow).where(RunRow.month == month, RunRow.told_late.is_(False))
    return connection.execute(fresh.values(told_late=True)).rowcount == 1


def _waiting(connection: Connection, month: str) -> int:
    """Count who subscribed while an issue could still come by itself, and has no mail of it."""
    have = select(DeliveryRow.subscriber_id).where(DeliveryRow.occasion == month)
    in_time = SubscriberRow.created_at <= due_at(month) + TIMELY
    readers = select(func.count()).where(SubscriberRow.state == "active", in_time, SubscriberRow.id.not_in(have))
    return connection.scalar(readers) or 0
