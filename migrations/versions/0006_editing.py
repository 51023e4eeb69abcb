"""What editors chose and approved, what an issue printed, and the book in its form for Kindle.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("publisher_issue", sa.Column("kindle", sa.LargeBinary()))
    op.add_column("publisher_issue", sa.Column("choice", sa.JSON()))
    op.add_column("publisher_issue", sa.Column("printed", sa.JSON()))
    op.create_table(
        "publisher_draft",
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("choice", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("saved_by", sa.Integer()),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["saved_by"],
            ["accounts_person.id"],
            name="fk_publisher_draft_saved_by_accounts_person",
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("month", name="pk_publisher_draft"),
    )
    op.create_table(
        "publisher_approval",
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("approved_by", sa.Integer()),
        sa.Column("approved_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["approved_by"],
            ["accounts_person.id"],
            name="fk_publisher_approval_approved_by_accounts_person",
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("month", name="pk_publisher_approval"),
    )
