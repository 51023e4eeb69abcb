"""How the states language compares two JSON values: by type first, and never across types."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from labs.parts.states.payload import Json

_TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def is_number(value: Json) -> bool:
    """Whether the value is a JSON number; Python's booleans are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def instant(value: Json) -> float | None:
    """Return the seconds since 1970 of an RFC 3339 timestamp, None where the value is none.

    The states language asks for the capital T, and the capital Z where no offset stands.
    """
    found = _TIMESTAMP.fullmatch(value) if isinstance(value, str) else None
    if not found:
        return None
    offset = timedelta(hours=int(found[9] or 0), minutes=int(found[10] or 0)) * (-1 if found[8] == "-" else 1)
    try:
        moment = datetime(*(int(found[index]) for index in range(1, 7)), tzinfo=UTC)  # type: ignore[arg-type, misc]
    except ValueError:
        return None
    return (moment - _EPOCH - offset).total_seconds() + float(f"0.{found[7] or 0}")


def holds(value: Json, test: str, expected: Json) -> bool:
    """Return whether ``value test expected`` holds, for a test such as ``<=``; false across types, but for ``!=``."""
    if test in {"==", "!="}:
        return same(value, expected) == (test == "==")
    ordered = (is_number(value) and is_number(expected)) or (isinstance(value, str) and isinstance(expected, str))
    return ordered and _ORDERS[test](value, expected)


def same(one: Json, other: Json) -> bool:
    """Return whether two JSON values are equal; true is not 1, and 1 is 1.0."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(member, other[name]) for name, member in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and one == other
