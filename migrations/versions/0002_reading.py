"""What readers mark and write, the language they chose, and the search index.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts_person", sa.Column("language", sa.String(length=8), nullable=False, server_default=""))
    op.create_table(
        "content_mark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("page", sa.String(length=200), nullable=False),
        sa.Column("anchor", sa.String(length=20), nullable=False),
        sa.Column("quote", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["accounts_person.id"],
            name=op.f("fk_content_mark_person_id_accounts_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_content_mark")),
        sa.UniqueConstraint("person_id", "page", "anchor", name=op.f("uq_content_mark_person_id")),
    )
    op.create_table(
        "content_feedback",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("page", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["accounts_person.id"],
            name=op.f("fk_content_feedback_person_id_accounts_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_content_feedback")),
    )
    op.create_index(op.f("ix_content_feedback_person_id"), "content_feedback", ["person_id"])
    op.create_table(
        "content_sound_file",
        sa.Column("path", sa.String(length=300), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("path", name=op.f("pk_content_sound_file")),
    )
    op.create_table(
        "content_indexed_page",
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_content_indexed_page")),
    )
    op.create_table(
        "content_passage",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("anchor", sa.String(length=200), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("heading", sa.String(length=300), nullable=False),
        sa.Column("place", sa.String(length=300), nullable=False),
        sa.Column("language", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_content_passage")),
    )
    op.create_index(op.f("ix_content_passage_address"), "content_passage", ["address"])
    _create_words(op.get_bind().dialect.name)


def _create_words(dialect: str) -> None:
    """Make the index of stems, of which each database has its own kind."""
    if dialect == "postgresql":
        op.execute(
            "CREATE TABLE content_words (passage_id integer PRIMARY KEY REFERENCES content_passage (id) "
            "ON DELETE CASCADE, words tsvector NOT NULL)"
        )
        op.execute("CREATE INDEX ix_content_words_words ON content_words USING gin (words)")
    else:
        # The stems come ready, accents and case already folded.
        op.execute(
            "CREATE VIRTUAL TABLE content_words USING fts5 "
            "(title, heading, body, tokenize = 'unicode61 remove_diacritics 0')"
        )
