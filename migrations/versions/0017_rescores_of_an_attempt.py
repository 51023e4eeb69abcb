"""An index by which the rescores of an attempt are found, as when it is deleted.

Revision ID: 0017
Revises: 0016
"""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_quizzes_rescore_attempt_id"), "quizzes_rescore", ["attempt_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_quizzes_rescore_attempt_id"), "quizzes_rescore")
