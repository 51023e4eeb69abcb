"""The time, injected: tests set ``app.extensions["clock"]``; nothing else asks the system what time it is."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import current_app


def now() -> datetime:
    """Return the present moment in UTC, as the application's clock tells it."""
    moment: datetime = current_app.extensions["clock"]()
    return moment


def system_clock() -> datetime:
    """Return the machine's time in UTC."""
    return datetime.now(UTC)
