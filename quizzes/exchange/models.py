"""Tables of imports, which are their own queue, and of the pictures that came with them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from db import Base, Instant


class ImportRow(Base):
    """A file that somebody imports.

    ``state`` is queued, reading, ready, failed, cancelled, applied or undone; ``step`` and ``count`` tell how far the
    reading is. ``data`` is the file until the import is settled, ``report`` the compared file as exchange.wire packs
    it, ``total`` its sum, ``choices`` what the author decided otherwise than was proposed, ``outcome`` what was taken
    over. ``claim`` names the worker that has it until ``lease_until``.
    """

    __tablename__ = "quizzes_import"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_person.id", ondelete="SET NULL"))
    name: Mapped[str] = mapped_column(String(200))
    format: Mapped[str] = mapped_column(String(20))
    data: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(10), index=True)
    step: Mapped[str] = mapped_column(String(10))
    count: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str] = mapped_column(String(500))
    report: Mapped[bytes | None] = mapped_column(LargeBinary)
    choices: Mapped[dict[str, bool]] = mapped_column(JSON)
    total: Mapped[dict[str, int] | None] = mapped_column(JSON)
    outcome: Mapped[dict[str, object] | None] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(Instant)
    changed_at: Mapped[datetime] = mapped_column(Instant)
    claim: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None] = mapped_column(Instant)


class PictureRow(Base):
    """A picture of items, by the SHA-256 of its bytes."""

    __tablename__ = "quizzes_picture"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    media_type: Mapped[str] = mapped_column(String(20))
    data: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Instant)
