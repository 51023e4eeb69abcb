"""What the tasks ask of the findings."""

from __future__ import annotations

from labs.findings import Values


def all_are_delivered(values: Values) -> bool:
    """Start at the state that lets messages through."""
    return values["delivered"] == values["sent"]


def all_are_dropped(values: Values) -> bool:
    """Start at the state that fails."""
    return values["dropped"] == values["sent"]
