"""Answers of any kind: not letters alone, and with partial credit in drills.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("quizzes_response", "quizzes_practice"):
        with op.batch_alter_table(table) as batch:
            batch.alter_column("letters", new_column_name="answer", type_=sa.String(length=200))
    with op.batch_alter_table("quizzes_practice") as batch:
        batch.add_column(sa.Column("credit", sa.Float(), nullable=True))
    op.execute("UPDATE quizzes_practice SET credit = CASE WHEN correct THEN 1 ELSE 0 END")
    with op.batch_alter_table("quizzes_practice") as batch:
        batch.alter_column("credit", existing_type=sa.Float(), nullable=False)
