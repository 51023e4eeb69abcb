"""Tables of the studio: banks, items as their authors write them, remarks on them, and what was published."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from db import Base, Instant


class BankRow(Base):
    """A bank that was born in the studio. ``cases`` is the Markdown of its cases, as in a bank's file.

    ``revision`` grows with each change of the bank itself, not of its items. With ``minutes`` and ``cut`` learners sit
    its published items as an exam; ``offered`` says whether anybody can begin one now.
    """

    __tablename__ = "quizzes_bank"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    course: Mapped[str] = mapped_column(String(80))
    pool: Mapped[str] = mapped_column(String(8))
    cases: Mapped[str] = mapped_column(Text, default="")
    revision: Mapped[int] = mapped_column(Integer, default=1)
    minutes: Mapped[int | None] = mapped_column(Integer)
    cut: Mapped[int | None] = mapped_column(Integer)
    offered: Mapped[bool] = mapped_column(Boolean, default=False)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_person.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(Instant)


class DraftRow(Base):
    """An item of the studio as its author has it now: Markdown from its heading on.

    ``state`` is draft, review, approved, published (the text is what learners get) or retired. ``fingerprint`` names
    the version that learners get, if there is one. ``revision`` grows with each change of text, so that of two authors
    the second is told. ``import_id`` names the import that made the item.
    """

    __tablename__ = "quizzes_draft"

    id: Mapped[int] = mapped_column(primary_key=True)
    bank_id: Mapped[int] = mapped_column(ForeignKey("quizzes_bank.id", ondelete="CASCADE"), index=True)
    question_id: Mapped[str] = mapped_column(String(80), unique=True)
    text: Mapped[str] = mapped_column(Text)
    revision: Mapped[int] = mapped_column(Integer, default=1)
    state: Mapped[str] = mapped_column(String(12), default="draft")
    fingerprint: Mapped[str | None] = mapped_column(String(64))
    import_id: Mapped[int | None] = mapped_column(Integer, index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_person.id", ondelete="SET NULL"))
    changed_at: Mapped[datetime] = mapped_column(Instant)


class DraftRevisionRow(Base):
    """A text that an item had, and who wrote it: the item's history, never changed."""

    __tablename__ = "quizzes_draft_revision"

    draft_id: Mapped[int] = mapped_column(ForeignKey("quizzes_draft.id", ondelete="CASCADE"), primary_key=True)
    revision: Mapped[int] = mapped_column(Integer, primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_person.id", ondelete="SET NULL"))
    written_at: Mapped[datetime] = mapped_column(Instant)


class RemarkRow(Base):
    """What somebody said or decided about a revision of an item: comment, ask, approve, return, publish, retire.

    ``line`` is the line of the text that a remark is on, if it is on one.
    """

    __tablename__ = "quizzes_remark"

    id: Mapped[int] = mapped_column(primary_key=True)
    draft_id: Mapped[int] = mapped_column(ForeignKey("quizzes_draft.id", ondelete="CASCADE"), index=True)
    revision: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(10))
    line: Mapped[int | None] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(Text, default="")
    fingerprint: Mapped[str | None] = mapped_column(String(64))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_person.id", ondelete="SET NULL"))
    made_at: Mapped[datetime] = mapped_column(Instant)
