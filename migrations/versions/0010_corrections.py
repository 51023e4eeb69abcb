"""Corrections of keys, the attempts that they changed, and learners' disputes.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def _foreign(table: str, column: str, target: str, ondelete: str = "CASCADE") -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{target}")
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=name, ondelete=ondelete)


def upgrade() -> None:
    op.create_table(
        "quizzes_correction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("question_id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("correct", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        _foreign("quizzes_correction", "person_id", "accounts_person", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quizzes_correction")),
    )
    op.create_index(op.f("ix_quizzes_correction_fingerprint"), "quizzes_correction", ["fingerprint"])
    op.create_index(op.f("ix_quizzes_correction_question_id"), "quizzes_correction", ["question_id"])
    op.create_table(
        "quizzes_rescore",
        sa.Column("correction_id", sa.Integer(), nullable=False),
        sa.Column("attempt_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("before", sa.Integer(), nullable=False),
        sa.Column("after", sa.Integer(), nullable=False),
        sa.Column("passed_before", sa.Boolean(), nullable=False),
        sa.Column("passed_after", sa.Boolean(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        _foreign("quizzes_rescore", "correction_id", "quizzes_correction"),
        _foreign("quizzes_rescore", "attempt_id", "quizzes_attempt"),
        _foreign("quizzes_rescore", "person_id", "accounts_person"),
        sa.PrimaryKeyConstraint("correction_id", "attempt_id", name=op.f("pk_quizzes_rescore")),
    )
    op.create_index(op.f("ix_quizzes_rescore_person_id"), "quizzes_rescore", ["person_id"])
    op.create_table(
        "quizzes_dispute",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("attempt_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("question_id", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=500), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.String(length=8), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.Integer(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        _foreign("quizzes_dispute", "attempt_id", "quizzes_attempt"),
        _foreign("quizzes_dispute", "person_id", "accounts_person"),
        _foreign("quizzes_dispute", "answered_by", "accounts_person", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quizzes_dispute")),
    )
    for column in ("attempt_id", "person_id", "question_id", "verdict"):
        op.create_index(op.f(f"ix_quizzes_dispute_{column}"), "quizzes_dispute", [column])


def downgrade() -> None:
    for table in ("quizzes_dispute", "quizzes_rescore", "quizzes_correction"):
        op.drop_table(table)
