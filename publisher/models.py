"""Tables of the digest: issues that were built, and which month is due, being built or done.

An issue's bytes are kept in the database, not in files beside it: they are committed together with the end of the
run that made them, one backup holds everything, and several hosts serve the same issue. A year's worth is a few MB.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from db import Base, Instant


class IssueRow(Base):
    """An issue as readers get it; ``manifest_sha256`` covers the entries, whatever a host's zlib makes of them."""

    __tablename__ = "publisher_issue"

    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    manifest_sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(Integer)
    built_at: Mapped[datetime] = mapped_column(Instant)
    epub: Mapped[bytes] = mapped_column(LargeBinary)
    cover: Mapped[bytes] = mapped_column(LargeBinary)


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
