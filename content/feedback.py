"""What readers tell the instructors about a page, and what they are answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, insert, select, update

from content.models import FeedbackRow
from db import Database

LONGEST = 4000


@dataclass(frozen=True)
class Feedback:
    """A remark on the page at an address; it is open until an instructor settles it, with an answer or without."""

    id: int
    person_id: int
    page: str
    text: str
    written_at: datetime
    answer: str
    settled_at: datetime | None


def write(database: Database, person_id: int, page: str, text: str, now: datetime) -> None:
    """Keep a remark for the instructors."""
    with database.writing() as connection:
        connection.execute(
            insert(FeedbackRow).values(
                person_id=person_id, page=page, text=text[:LONGEST], written_at=now, answer="", settled_at=None
            )
        )


def settle(database: Database, feedback_id: int, answer: str, now: datetime) -> bool:
    """Close an open remark with an answer (which may be empty); return whether it was open."""
    still_open = update(FeedbackRow).where(FeedbackRow.id == feedback_id, FeedbackRow.settled_at.is_(None))
    with database.writing() as connection:
        return connection.execute(still_open.values(answer=answer[:LONGEST], settled_at=now)).rowcount == 1


def waiting(database: Database) -> list[Feedback]:
    """Return the open remarks, the oldest first."""
    return _read(
        database, _ALL.where(FeedbackRow.settled_at.is_(None)).order_by(FeedbackRow.written_at, FeedbackRow.id)
    )


def of_person(database: Database, person_id: int) -> list[Feedback]:
    """Return what a person wrote, the newest first."""
    newest = (FeedbackRow.written_at.desc(), FeedbackRow.id.desc())
    return _read(database, _ALL.where(FeedbackRow.person_id == person_id).order_by(*newest))


def adopt(connection: Connection, guest_id: int, person_id: int) -> None:
    """Give a guest's remarks to an account."""
    connection.execute(update(FeedbackRow).where(FeedbackRow.person_id == guest_id).values(person_id=person_id))


_ALL = select(
    FeedbackRow.id,
    FeedbackRow.person_id,
    FeedbackRow.page,
    FeedbackRow.text,
    FeedbackRow.written_at,
    FeedbackRow.answer,
    FeedbackRow.settled_at,
)


def _read(database: Database, statement: Select[int, int, str, str, datetime, str, datetime | None]) -> list[Feedback]:
    with database.reading() as connection:
        return [Feedback(*row) for row in connection.execute(statement)]
