"""Percentiles and percentages, as findings and charts give them."""

from __future__ import annotations

import math
from collections.abc import Iterable


def percentile(values: Iterable[float], share: int) -> float:
    """Return the value that so many percent do not exceed; 0 where there are none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share / 100) - 1)] if ordered else 0.0


def percent(part: int, whole: int) -> float:
    """Return how many percent of the whole the part is; 0 of nothing."""
    return round(100 * part / whole, 2) if whole else 0.0
