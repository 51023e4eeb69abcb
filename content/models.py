"""Tables of the course: what readers finished, marked and wrote, and the index of what there is to read."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint
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


class PageDraftRow(Base):
    """A page of the content as its author has it now, by its file's path under the content's folder.

    ``state`` is as of an item in the studio; ``public`` is the revision that readers get in place of the file, if
    there is one. ``origin`` is the SHA-256 of the file's text that the draft was begun from, empty without a file.
    """

    __tablename__ = "content_page_draft"

    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(String(300), unique=True)
    text: Mapped[str] = mapped_column(Text)
    revision: Mapped[int] = mapped_column(Integer, default=1)
    state: Mapped[str] = mapped_column(String(12), default="draft")
    public: Mapped[int | None] = mapped_column(Integer)
    origin: Mapped[str] = mapped_column(String(64), default="")
    person_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_person.id", ondelete="SET NULL"))
    changed_at: Mapped[datetime] = mapped_column(Instant)


class PageRevisionRow(Base):
    """A text that a page's draft had, and who wrote it: its history, never changed."""

    __tablename__ = "content_page_revision"

    draft_id: Mapped[int] = mapped_column(ForeignKey("content_page_draft.id", ondelete="CASCADE"), primary_key=True)
    revision: Mapped[int] = mapped_column(Integer, primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_person.id", ondelete="SET NULL"))
    written_at: Mapped[datetime] = mapped_column(Instant)


class PageRemarkRow(Base):
    """What somebody said or decided about a revision of a page: comment, ask, approve, return, publish, retire.

    ``line`` is the line of the text that a remark is on, if it is on one.
    """

    __tablename__ = "content_page_remark"

    id: Mapped[int] = mapped_column(primary_key=True)
    draft_id: Mapped[int] = mapped_column(ForeignKey("content_page_draft.id", ondelete="CASCADE"), index=True)
    revision: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(10))
    line: Mapped[int | None] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(Text, default="")
    person_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_person.id", ondelete="SET NULL"))
    made_at: Mapped[datetime] = mapped_column(Instant)


class EditorRow(Base):
    """Somebody who edits a text of the studio, by its place: ``page/<path>`` or ``item/<id>``."""

    __tablename__ = "content_editor"

    place: Mapped[str] = mapped_column(String(310), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("accounts_person.id", ondelete="CASCADE"), primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(Instant)


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
