"""The studio: banks, items as their authors write them, their revisions, and remarks.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
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
    name = op.f(f"fk_{table}_draft_id_quizzes_draft")
    return sa.ForeignKeyConstraint(["draft_id"], ["quizzes_draft.id"], name=name, ondelete="CASCADE")


def upgrade() -> None:
    op.create_table(
        "quizzes_bank",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("course", sa.String(length=80), nullable=False),
        sa.Column("pool", sa.String(length=8), nullable=False),
        sa.Column("cases", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        *_person("quizzes_bank"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quizzes_bank")),
        sa.UniqueConstraint("slug", name=op.f("uq_quizzes_bank_slug")),
    )
    op.create_table(
        "quizzes_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("bank_id", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.String(length=80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=True),
        sa.Column("import_id", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        *_person("quizzes_draft"),
        sa.ForeignKeyConstraint(
            ["bank_id"], ["quizzes_bank.id"], name=op.f("fk_quizzes_draft_bank_id_quizzes_bank"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quizzes_draft")),
        sa.UniqueConstraint("question_id", name=op.f("uq_quizzes_draft_question_id")),
    )
    op.create_index(op.f("ix_quizzes_draft_bank_id"), "quizzes_draft", ["bank_id"])
    op.create_index(op.f("ix_quizzes_draft_import_id"), "quizzes_draft", ["import_id"])
    op.create_table(
        "quizzes_draft_revision",
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
        *_person("quizzes_draft_revision"),
        _draft("quizzes_draft_revision"),
        sa.PrimaryKeyConstraint("draft_id", "revision", name=op.f("pk_quizzes_draft_revision")),
    )
    op.create_table(
        "quizzes_remark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=True),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        *_person("quizzes_remark"),
        _draft("quizzes_remark"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quizzes_remark")),
    )
    op.create_index(op.f("ix_quizzes_remark_draft_id"), "quizzes_remark", ["draft_id"])


def downgrade() -> None:
    for table in ("quizzes_remark", "quizzes_draft_revision", "quizzes_draft", "quizzes_bank"):
        op.drop_table(table)
