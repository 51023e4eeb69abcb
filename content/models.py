"""Tables of the course: which lessons a person has finished."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from db import Base, Instant


class FinishedLessonRow(Base):
    """A lesson that a person marked as read."""

    __tablename__ = "content_finished_lesson"

    person_id: Mapped[int] = mapped_column(ForeignKey("accounts_person.id", ondelete="CASCADE"), primary_key=True)
    lesson: Mapped[str] = mapped_column(String(200), primary_key=True)
    finished_at: Mapped[datetime] = mapped_column(Instant)
