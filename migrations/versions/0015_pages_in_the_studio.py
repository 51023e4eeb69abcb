"""Pages of the course as drafts in the studio, their revisions, and remarks.

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def _person(table: str) -> tuple[sa.Column[int], sa.ForeignKeyConstraint]:
    return (
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["accounts_person.id"],
            name=op.f(f"fk_{table}_person_id_accounts_person"),
            ondelete="SET NULL",
        ),
    )


def _draft(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_draft_id_content_page_draft")
    return sa.ForeignKeyConstraint(["draft_id"], ["content_page_draft.id"], name=name, ondelete="CASCADE")


def upgrade() -> None:
    op.create_table(
        "content_page_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(length=300), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("public", sa.Integer(), nullable=True),
        sa.Column("origin", sa.String(length=64), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        *_person("content_page_draft"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_content_page_draft")),
        sa.UniqueConstraint("path", name=op.f("uq_content_page_draft_path")),
    )
    op.create_table(
        "content_page_revision",
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
        *_person("content_page_revision"),
        _draft("content_page_revision"),
        sa.PrimaryKeyConstraint("draft_id", "revision", name=op.f("pk_content_page_revision")),
    )
    op.create_table(
        "content_page_remark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        *_person("content_page_remark"),
        _draft("content_page_remark"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_content_page_remark")),
    )
    op.create_index("ix_content_page_remark_draft_id", "content_page_remark", ["draft_id"])
