"""Tables of corrections: rulings on versions of items, the attempts that they changed, and learners' disputes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Boolean, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from db import Base, Instant


class CorrectionRow(Base):
    """What was decided about one version of an item, by whom and why; the newest of a version is in force.

    ``kind`` and ``correct`` are those of replay.Ruling. Rows are never changed: they are the entries of the audit.
    """

    __tablename__ = "quizzes_correction"

    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64), index=True)
    question_id: Mapped[str] = mapped_column(String(80), index=True)
    kind: Mapped[str] = mapped_column(String(8))
    correct: Mapped[list[str]] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(Text)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_person.id", ondelete="SET NULL"))
    made_at: Mapped[datetime] = mapped_column(Instant)


class RescoreRow(Base):
    """An attempt whose score a correction changed; its learner is told until ``seen_at``."""

    __tablename__ = "quizzes_rescore"

    correction_id: Mapped[int] = mapped_column(
        ForeignKey("quizzes_correction.id", ondelete="CASCADE"), primary_key=True
    )
    attempt_id: Mapped[int] = mapped_column(
        ForeignKey("quizzes_attempt.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    person_id: Mapped[int] = mapped_column(ForeignKey("accounts_person.id", ondelete="CASCADE"), index=True)
    before: Mapped[int] = mapped_column(Integer)
    after: Mapped[int] = mapped_column(Integer)
    passed_before: Mapped[bool] = mapped_column(Boolean)
    passed_after: Mapped[bool] = mapped_column(Boolean)
    seen_at: Mapped[datetime | None] = mapped_column(Instant)


class DisputeRow(Base):
    """A learner's objection to an item of a closed attempt, and what an instructor answered.

    ``verdict`` is empty while it is open, then upheld or declined; ``seen_at`` is when the learner read the answer.
    """

    __tablename__ = "quizzes_dispute"

    id: Mapped[int] = mapped_column(primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("quizzes_attempt.id", ondelete="CASCADE"), index=True)
    place: Mapped[int] = mapped_column(Integer)
    person_id: Mapped[int] = mapped_column(ForeignKey("accounts_person.id", ondelete="CASCADE"), index=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    question_id: Mapped[str] = mapped_column(String(80), index=True)
    reason: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(String(500))
    made_at: Mapped[datetime] = mapped_column(Instant)
    verdict: Mapped[str] = mapped_column(String(8), index=True)
    answer: Mapped[str] = mapped_column(Text)
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("accounts_person.id", ondelete="SET NULL"))
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    seen_at: Mapped[datetime | None] = mapped_column(Instant)
