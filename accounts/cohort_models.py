"""Tables of cohorts: who belongs to them, the links that lead in, what is assigned, and who has more time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from db import Base, Instant


class CohortRow(Base):
    """People who learn together; ``zone`` is the time zone in which its dates are set."""

    __tablename__ = "accounts_cohort"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(120))
    zone: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(Instant)
    archived_at: Mapped[datetime | None] = mapped_column(Instant)


class MemberRow(Base):
    """A person in a cohort, as its instructor or a learner; ``extra_time`` multiplies the time of their exams."""

    __tablename__ = "accounts_member"

    cohort_id: Mapped[int] = mapped_column(ForeignKey("accounts_cohort.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(
        ForeignKey("accounts_person.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    teaches: Mapped[bool] = mapped_column(Boolean)
    extra_time: Mapped[str] = mapped_column(String(6))
    joined_at: Mapped[datetime] = mapped_column(Instant)


class LinkRow(Base):
    """A link that leads into a cohort, known by the SHA-256 of its token; ``uses_left`` is empty for any number.

    One that is meant for a single person tells their name and address, and by ``person_id`` who came by it.
    """

    __tablename__ = "accounts_link"

    id: Mapped[int] = mapped_column(primary_key=True)
    cohort_id: Mapped[int] = mapped_column(ForeignKey("accounts_cohort.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str] = mapped_column(String(254))
    uses_left: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_person.id", ondelete="SET NULL"))


class AssignmentRow(Base):
    """Something of another room that a cohort is to do, by the room's ``kind`` and ``key``, and by when."""

    __tablename__ = "accounts_assignment"

    id: Mapped[int] = mapped_column(primary_key=True)
    cohort_id: Mapped[int] = mapped_column(ForeignKey("accounts_cohort.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(12))
    key: Mapped[str] = mapped_column(String(200))
    title: Mapped[str] = mapped_column(String(300))
    note: Mapped[str] = mapped_column(Text)
    opens_at: Mapped[datetime | None] = mapped_column(Instant)
    due_at: Mapped[datetime | None] = mapped_column(Instant)
    closes: Mapped[bool] = mapped_column(Boolean)
    counts: Mapped[str] = mapped_column(String(6))
    fixed_time: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[datetime] = mapped_column(Instant)


class ExtensionRow(Base):
    """A later due date of one person for one assignment."""

    __tablename__ = "accounts_extension"

    assignment_id: Mapped[int] = mapped_column(
        ForeignKey("accounts_assignment.id", ondelete="CASCADE"), primary_key=True
    )
    person_id: Mapped[int] = mapped_column(
        ForeignKey("accounts_person.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    due_at: Mapped[datetime] = mapped_column(Instant)
