"""Cohorts: their members, the links that lead in, assignments, and later due dates.

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def _key(table: str, column: str, target: str, when_gone: str = "CASCADE") -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{target}")
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=name, ondelete=when_gone)


def upgrade() -> None:
    op.create_table(
        "accounts_cohort",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("zone", sa.String(length=60), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts_cohort")),
    )
    op.create_table(
        "accounts_member",
        sa.Column("cohort_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("teaches", sa.Boolean(), nullable=False),
        sa.Column("extra_time", sa.String(length=6), nullable=False),
        sa.Column("joined_at", sa.BigInteger(), nullable=False),
        _key("accounts_member", "cohort_id", "accounts_cohort"),
        _key("accounts_member", "person_id", "accounts_person"),
        sa.PrimaryKeyConstraint("cohort_id", "person_id", name=op.f("pk_accounts_member")),
    )
    op.create_index(op.f("ix_accounts_member_person_id"), "accounts_member", ["person_id"])
    op.create_table(
        "accounts_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cohort_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("uses_left", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        _key("accounts_link", "cohort_id", "accounts_cohort"),
        _key("accounts_link", "person_id", "accounts_person", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_accounts_link_token_hash")),
    )
    op.create_index(op.f("ix_accounts_link_cohort_id"), "accounts_link", ["cohort_id"])
    op.create_table(
        "accounts_assignment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cohort_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("opens_at", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("closes", sa.Boolean(), nullable=False),
        sa.Column("counts", sa.String(length=6), nullable=False),
        sa.Column("fixed_time", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        _key("accounts_assignment", "cohort_id", "accounts_cohort"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts_assignment")),
    )
    op.create_index(op.f("ix_accounts_assignment_cohort_id"), "accounts_assignment", ["cohort_id"])
    op.create_table(
        "accounts_extension",
        sa.Column("assignment_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        _key("accounts_extension", "assignment_id", "accounts_assignment"),
        _key("accounts_extension", "person_id", "accounts_person"),
        sa.PrimaryKeyConstraint("assignment_id", "person_id", name=op.f("pk_accounts_extension")),
    )
    op.create_index(op.f("ix_accounts_extension_person_id"), "accounts_extension", ["person_id"])


def downgrade() -> None:
    for table in ("extension", "assignment", "link", "member", "cohort"):
        op.drop_table(f"accounts_{table}")
