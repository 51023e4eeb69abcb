"""Tables of the digest: issues that were built, what editors chose and approved, and which month is due or being built.

An issue's bytes are kept in the database, not in files beside it: they are committed together with the end of the
run that made them, one backup holds everything, and several hosts serve the same issue. A year's worth is a few MB.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Integer, LargeBinary, String
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
    away for longer than its lease cannot write over its successor.
    """

    __tablename__ = "publisher_run"

    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(Instant)
    state: Mapped[str] = mapped_column(String(8))
    owner: Mapped[str] = mapped_column(String(120))
    lease_until: Mapped[datetime] = mapped_column(Instant)
    token: Mapped[int] = mapped_column(Integer)
    failure: Mapped[str] = mapped_column(String(500))
