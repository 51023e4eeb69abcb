"""How far a scheduled build is, and whether the editors were told that an issue is late.

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, kind, default in (
        ("stage", sa.String(12), ""),
        ("stage_done", sa.Integer(), "0"),
        ("stage_total", sa.Integer(), "0"),
        ("told_late", sa.Boolean(), sa.false()),
    ):
        op.add_column("publisher_run", sa.Column(name, kind, nullable=False, server_default=default))


def downgrade() -> None:
    for name in ("told_late", "stage_total", "stage_done", "stage"):
        op.drop_column("publisher_run", name)
