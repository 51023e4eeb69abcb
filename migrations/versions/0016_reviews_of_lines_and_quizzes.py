"""Who is editing what, remarks on a line of a text, and banks of the studio that are sat as exams.

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

REMARKS = ("quizzes_remark", "content_page_remark")


def upgrade() -> None:
    op.create_table(
        "content_editor",
        sa.Column("place", sa.String(length=310), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["accounts_person.id"],
            name=op.f("fk_content_editor_person_id_accounts_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("place", "person_id", name=op.f("pk_content_editor")),
    )
    for table in REMARKS:
        op.add_column(table, sa.Column("line", sa.Integer(), nullable=True))
    op.add_column("quizzes_bank", sa.Column("minutes", sa.Integer(), nullable=True))
    op.add_column("quizzes_bank", sa.Column("cut", sa.Integer(), nullable=True))
    op.add_column("quizzes_bank", sa.Column("offered", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    for name in ("offered", "cut", "minutes"):
        op.drop_column("quizzes_bank", name)
    for table in REMARKS:
        op.drop_column(table, "line")
    op.drop_table("content_editor")
