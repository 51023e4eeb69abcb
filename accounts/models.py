"""Tables of people and their sessions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from db import Base, Instant


class PersonRow(Base):
    """A person; ``email`` is normalised (NFKC, case folded) and absent for guests."""

    __tablename__ = "accounts_person"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str | None] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(12))
    theme: Mapped[str] = mapped_column(String(8), default="auto")
    language: Mapped[str] = mapped_column(String(8), default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(Instant)


class SessionRow(Base):
    """A visit that belongs to a person, known by the SHA-256 of its id; deleting the row ends it."""

    __tablename__ = "accounts_session"

    visit_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("accounts_person.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)


class InvitationRow(Base):
    """A link that makes whoever opens it an admin, once; known by the SHA-256 of its token."""

    __tablename__ = "accounts_invitation"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)
