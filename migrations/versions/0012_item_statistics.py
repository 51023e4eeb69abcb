"""Sheets of closed attempts, numbers of versions, and the statistics of exams.

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "quizzes_version_number",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["fingerprint"],
            ["quizzes_version.fingerprint"],
            name=op.f("fk_quizzes_version_number_fingerprint_quizzes_version"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_quizzes_version_number")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_quizzes_version_number_fingerprint")),
    )
    op.create_table(
        "quizzes_sheet",
        sa.Column("attempt_id", sa.Integer(), nullable=False),
        sa.Column("exam", sa.String(length=40), nullable=False),
        sa.Column("form", sa.String(length=16), nullable=False),
        sa.Column("right", sa.Integer(), nullable=False),
        sa.Column("scored", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["attempt_id"],
            ["quizzes_attempt.id"],
            name=op.f("fk_quizzes_sheet_attempt_id_quizzes_attempt"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_quizzes_sheet")),
    )
    op.create_index("ix_quizzes_sheet_exam", "quizzes_sheet", ["exam", "form", "right", "scored"])
    op.create_table(
        "quizzes_statistics",
        sa.Column("exam", sa.String(length=40), nullable=False),
        sa.Column("computed_at", sa.BigInteger(), nullable=False),
        sa.Column("sheets", sa.Integer(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("exam", name=op.f("pk_quizzes_statistics")),
    )
