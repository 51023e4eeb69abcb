"""Tables of the digest: issues, what editors chose and approved, which month is due, who subscribes, what is sent.

An issue's bytes are kept in the database, not in files beside it: they are committed together with the end of the
run that made them, one backup holds everything, and several hosts serve the same issue. A year's worth is a few MB.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db import Base, Instant


class IssueRow(Base):
    """An issue as readers get it; ``manifest_sha256`` covers the entries, whatever a host's zlib makes of them.

    ``kindle`` is the book in its form for Kindle, ``choice`` what the editor had chosen when it was built, ``printed``
    what later issues must know of it; an issue that an earlier release built has none of them.
    """

    __tablename__ = "publisher_issue"

    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    manifest_sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(Integer)
    built_at: Mapped[datetime] = mapped_column(Instant)
    epub: Mapped[bytes] = mapped_column(LargeBinary)
    cover: Mapped[bytes] = mapped_column(LargeBinary)
    kindle: Mapped[bytes | None] = mapped_column(LargeBinary)
    choice: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    printed: Mapped[dict[str, Any] | None] = mapped_column(JSON)


class DraftRow(Base):
    """What an editor chose for a month; ``revision`` grows with each change, so that nobody overwrites another's."""

    __tablename__ = "publisher_draft"

    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    choice: Mapped[dict[str, Any]] = mapped_column(JSON)
    revision: Mapped[int] = mapped_column(Integer)
    saved_by: Mapped[int | None] = mapped_column(ForeignKey("accounts_person.id", ondelete="SET NULL"))
    saved_at: Mapped[datetime] = mapped_column(Instant)


class ApprovalRow(Base):
    """The book that an editor approved for a month, by its hash: another build of the month is not approved."""

    __tablename__ = "publisher_approval"

    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("accounts_person.id", ondelete="SET NULL"))
    approved_at: Mapped[datetime] = mapped_column(Instant)


class RunRow(Base):
    """The scheduled run of a month: ``waiting``, ``building`` or ``done``.

    Nobody else may take it before ``lease_until``; ``token`` grows with each claim, so that a builder which was
    away for longer than its lease cannot write over its successor. ``stage`` is what the build is at, or empty, with
    how many of its parts are done; ``told_late`` is whether the editors were told that the issue is late.
    """

    __tablename__ = "publisher_run"

    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(Instant)
    state: Mapped[str] = mapped_column(String(8))
    owner: Mapped[str] = mapped_column(String(120))
    lease_until: Mapped[datetime] = mapped_column(Instant)
    token: Mapped[int] = mapped_column(Integer)
    failure: Mapped[str] = mapped_column(String(500))
    stage: Mapped[str] = mapped_column(String(12))
    stage_done: Mapped[int] = mapped_column(Integer)
    stage_total: Mapped[int] = mapped_column(Integer)
    told_late: Mapped[bool] = mapped_column(Boolean)


class SubscriberRow(Base):
    """Somebody who gets the issues: ``pending`` until confirmed, ``active``, or ``stopped`` for a ``reason``.

    ``domain`` receives the issues, which is the Kindle's where they go to one. ``person_id`` is whose answers an
    appendix of their own is made from; empty for whoever did not ask for one.
    """

    __tablename__ = "publisher_subscriber"

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    channel: Mapped[str] = mapped_column(String(10))
    kindle: Mapped[str] = mapped_column(String(254))
    domain: Mapped[str] = mapped_column(String(254))
    language: Mapped[str] = mapped_column(String(8))
    country: Mapped[str] = mapped_column(String(2))
    state: Mapped[str] = mapped_column(String(8), index=True)
    reason: Mapped[str] = mapped_column(String(12))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_person.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    changed_at: Mapped[datetime] = mapped_column(Instant)


class DeliveryRow(Base):
    """A mail to one subscriber: an issue, whose ``occasion`` is its month, or a letter (``confirm``, ``settings``).

    ``queued``, ``sending``, ``sent``, ``refused`` or ``uncertain``: the connection was lost when the server may have
    had the mail already. ``token`` grows with each claim, as for a RunRow. ``bounce`` is what came back for it.
    """

    __tablename__ = "publisher_delivery"
    __table_args__ = (
        UniqueConstraint("occasion", "subscriber_id"),
        Index("ix_publisher_delivery_state", "state", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    occasion: Mapped[str] = mapped_column(String(8))
    subscriber_id: Mapped[str] = mapped_column(ForeignKey("publisher_subscriber.id", ondelete="CASCADE"), index=True)
    sha256: Mapped[str] = mapped_column(String(64))
    channel: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(9))
    queued_at: Mapped[datetime] = mapped_column(Instant)
    due_at: Mapped[datetime] = mapped_column(Instant)
    changed_at: Mapped[datetime] = mapped_column(Instant)
    attempts: Mapped[int] = mapped_column(Integer)
    repeated: Mapped[bool] = mapped_column(Boolean)
    owner: Mapped[str] = mapped_column(String(120))
    lease_until: Mapped[datetime] = mapped_column(Instant)
    token: Mapped[int] = mapped_column(Integer)
    bounce: Mapped[str] = mapped_column(String(9))
    failure: Mapped[str] = mapped_column(String(500))


class PaceRow(Base):
    """A token bucket, for the server (an empty name) or a recipient's domain, as the moment when it is full again."""

    __tablename__ = "publisher_pace"

    name: Mapped[str] = mapped_column(String(254), primary_key=True)
    full_at: Mapped[datetime] = mapped_column(Instant)
