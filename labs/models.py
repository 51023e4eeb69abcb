"""Tables of the labs: runs, which are their own queue, and the events of each."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from db import Base, Instant


class RunRow(Base):
    """A run: what was asked, its state (queued, running, done, failed, cancelled), and what was found.

    ``claim`` names the worker that has it until ``lease_until``; ``starts`` counts how often a worker took it.
    """

    __tablename__ = "labs_run"
    __table_args__ = (Index("ix_labs_run_person_lab", "person_id", "lab"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("accounts_person.id", ondelete="CASCADE"))
    lab: Mapped[str] = mapped_column(String(80))
    parameters: Mapped[dict[str, object]] = mapped_column(JSON)
    seed: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(12), index=True)
    reason: Mapped[str] = mapped_column(String(500), default="")
    findings: Mapped[dict[str, dict[str, object]] | None] = mapped_column(JSON)
    checks: Mapped[dict[str, bool] | None] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(Instant)
    started_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    claim: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    starts: Mapped[int] = mapped_column(Integer, default=0)
    cancel_requested: Mapped[bool] = mapped_column(Boolean, default=False)


class EventRow(Base):
    """One event of a run, numbered from 1."""

    __tablename__ = "labs_event"

    run_id: Mapped[int] = mapped_column(ForeignKey("labs_run.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    event: Mapped[dict[str, object]] = mapped_column(JSON)
