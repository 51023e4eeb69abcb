"""Whose answers a subscriber's own appendix is made from.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not in a batch: on SQLite that makes the table anew, and dropping the old one deletes every mail's row with it.
    op.execute(
        "ALTER TABLE publisher_subscriber ADD COLUMN person_id INTEGER "
        "CONSTRAINT fk_publisher_subscriber_person_id_accounts_person "
        "REFERENCES accounts_person (id) ON DELETE SET NULL"
    )
    op.create_index(op.f("ix_publisher_subscriber_person_id"), "publisher_subscriber", ["person_id"])
