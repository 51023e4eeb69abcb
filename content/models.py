"""Tables of the course: what readers finished, marked and wrote, and the index of what there is to read."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db import Base, Instant


class FinishedLessonRow(Base):
    """A lesson that a person marked as read."""

    __tablename__ = "content_finished_lesson"

    person_id: Mapped[int] = mapped_column(ForeignKey("accounts_person.id", ondelete="CASCADE"), primary_key=True)
    lesson: Mapped[str] = mapped_column(String(200), primary_key=True)
    finished_at: Mapped[datetime] = mapped_column(Instant)


class MarkRow(Base):
    """A paragraph that a person bookmarked, with the note they wrote on it (or none).

    ``anchor`` is made of the paragraph's words and ``quote`` is how they begin, so that a note on a paragraph that
    has been rewritten since can still be shown with what it was about.
    """

    __tablename__ = "content_mark"
    __table_args__ = (UniqueConstraint("person_id", "page", "anchor"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("accounts_person.id", ondelete="CASCADE"))
    page: Mapped[str] = mapped_column(String(200))
    anchor: Mapped[str] = mapped_column(String(20))
    quote: Mapped[str] = mapped_column(String(200))
    note: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(Instant)


class FeedbackRow(Base):
    """What a reader wrote to the instructors about a page, and what they answered."""

    __tablename__ = "content_feedback"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("accounts_person.id", ondelete="CASCADE"), index=True)
    page: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    written_at: Mapped[datetime] = mapped_column(Instant)
    answer: Mapped[str] = mapped_column(Text)
    settled_at: Mapped[datetime | None] = mapped_column(Instant)


class SoundFileRow(Base):
    """The last sound state of a file of the content, by its path under the content's folder."""

    __tablename__ = "content_sound_file"

    path: Mapped[str] = mapped_column(String(300), primary_key=True)
    text: Mapped[str] = mapped_column(Text)


class IndexedPageRow(Base):
    """A page that search knows, in the state that ``digest`` tells."""

    __tablename__ = "content_indexed_page"

    address: Mapped[str] = mapped_column(String(200), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))


class PassageRow(Base):
    """The words under one heading of a page; their stems stand in ``content_words``, made by the migration."""

    __tablename__ = "content_passage"
    __table_args__ = (Index("ix_content_passage_address", "address"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(String(200))
    anchor: Mapped[str] = mapped_column(String(200))
    title: Mapped[str] = mapped_column(String(300))
    heading: Mapped[str] = mapped_column(String(300))
    place: Mapped[str] = mapped_column(String(300))
    language: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(Text)
