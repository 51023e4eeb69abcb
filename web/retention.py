"""Forgetting what was kept for long enough: once an hour, in short transactions, so that nobody waits for it."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask

from config import Settings
from db import Database
from web.lifecycle import lifecycle

PAUSE = timedelta(hours=1)
MOST = 100
"""So much is forgotten in one transaction; of a guest that is at most a few thousand rows."""
TURNS = 100
"""So many transactions an hour for each kind."""


def sweep(app: Flask) -> None:
    """Let every room forget, unless this process did so within the hour."""
    database: Database = app.extensions["database"]
    settings: Settings = app.extensions["settings"]
    now, last = app.extensions["clock"](), app.extensions.get("forgot_at")
    if last is not None and now - last < PAUSE:
        return
    app.extensions["forgot_at"] = now
    keep = timedelta(days=settings.keep_days)
    for expire in lifecycle(app).expire:
        for _ in range(TURNS):
            with database.writing() as connection:
                if not expire(connection, now, keep, MOST):
                    break
