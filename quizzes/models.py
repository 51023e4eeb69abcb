"""Tables of the quiz engine: immutable versions of items, attempts, and the answers they hold."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Boolean, Float, ForeignKey, Index, Integer, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db import Base, Instant
from quizzes.questions import MAXIMUM_ANSWER

_RUNS = text("closed_at IS NULL")


class VersionRow(Base):
    """One version of an item, named by the SHA-256 of its content; never changed, never deleted."""

    __tablename__ = "quizzes_version"

    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    question_id: Mapped[str] = mapped_column(String(80), index=True)
    question: Mapped[dict[str, object]] = mapped_column(JSON)
    key: Mapped[dict[str, object]] = mapped_column(JSON)


class AttemptRow(Base):
    """One sitting of an exam: its form (fingerprint and order of options for each place) and its clock.

    ``answers`` holds, from the close on, the scored answer of each place: one compact row for statistics.
    """

    __tablename__ = "quizzes_attempt"
    __table_args__ = (Index("ix_quizzes_attempt_open", "deadline", sqlite_where=_RUNS, postgresql_where=_RUNS),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("accounts_person.id", ondelete="CASCADE"), index=True)
    exam: Mapped[str] = mapped_column(String(40))
    seed: Mapped[int] = mapped_column(BigInteger)
    form: Mapped[list[list[str]]] = mapped_column(JSON)
    places: Mapped[int] = mapped_column(Integer)
    started_at: Mapped[datetime] = mapped_column(Instant)
    deadline: Mapped[datetime] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    answers: Mapped[list[str] | None] = mapped_column(JSON)
    scaled: Mapped[int | None] = mapped_column(Integer)


class PracticeRow(Base):
    """An answer given in a drill, with the version of the item that was asked."""

    __tablename__ = "quizzes_practice"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("accounts_person.id", ondelete="CASCADE"), index=True)
    question_id: Mapped[str] = mapped_column(String(80))
    fingerprint: Mapped[str] = mapped_column(String(64))
    answer: Mapped[str] = mapped_column(String(MAXIMUM_ANSWER))
    correct: Mapped[bool] = mapped_column(Boolean)
    credit: Mapped[float] = mapped_column(Float)
    answered_at: Mapped[datetime] = mapped_column(Instant)


class ResponseRow(Base):
    """The newest answer at one place of an attempt; one that came too late is kept beside it, unscored."""

    __tablename__ = "quizzes_response"

    attempt_id: Mapped[int] = mapped_column(ForeignKey("quizzes_attempt.id", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int] = mapped_column(Integer, primary_key=True)
    late: Mapped[bool] = mapped_column(Boolean, primary_key=True)
    revision: Mapped[int] = mapped_column(Integer)
    answer: Mapped[str] = mapped_column(String(MAXIMUM_ANSWER))
    flagged: Mapped[bool] = mapped_column(Boolean)
    answered_at: Mapped[datetime] = mapped_column(Instant)
    received_at: Mapped[datetime] = mapped_column(Instant)


class VersionNumberRow(Base):
    """A small number for a version of an item, so that a sheet names one in four bytes."""

    __tablename__ = "quizzes_version_number"

    number: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(
        String(64), ForeignKey("quizzes_version.fingerprint", ondelete="CASCADE"), unique=True
    )


class SheetRow(Base):
    """The answers of a closed attempt as statistics read them: ``data`` is an array of ``statistics.RESPONSE``.

    ``form`` is the same for attempts with the same scored items; ``right`` of the ``scored`` ones were right. Where
    nothing was answered, ``data`` is empty and nothing is scored. All of it follows from the attempt.
    """

    __tablename__ = "quizzes_sheet"
    # Scores and forms are read from the index alone, without the answers.
    __table_args__ = (Index("ix_quizzes_sheet_exam", "exam", "form", "right", "scored"),)

    attempt_id: Mapped[int] = mapped_column(ForeignKey("quizzes_attempt.id", ondelete="CASCADE"), primary_key=True)
    exam: Mapped[str] = mapped_column(String(40))
    form: Mapped[str] = mapped_column(String(16))
    right: Mapped[int] = mapped_column(Integer)
    scored: Mapped[int] = mapped_column(Integer)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class StatisticsRow(Base):
    """The newest statistics of an exam, as they were computed from so many sheets."""

    __tablename__ = "quizzes_statistics"

    exam: Mapped[str] = mapped_column(String(40), primary_key=True)
    computed_at: Mapped[datetime] = mapped_column(Instant)
    sheets: Mapped[int] = mapped_column(Integer)
    document: Mapped[dict[str, object]] = mapped_column(JSON)
