"""Distributions of times, told by a few quantiles and drawn from a seeded source."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from random import Random

Quantiles = tuple[tuple[float, float], ...]
"""A distribution as (share of the draws, value) pairs from share 0 to 1, straight lines between them.

Shares are whole hundredths. Two pairs with the same share make a gap that is never drawn.
"""

Draw = Callable[[], float]
"""Draws one value; values are in the unit of the quantiles."""

STEPS = 100


def sampler(quantiles: Quantiles, random: Random) -> Draw:
    """Return a function that draws from the distribution.

    Between two hundredths the line is straight, so a table of a hundred pieces is exact, and quicker than a search.
    """
    pieces = [_piece(quantiles, step / STEPS) for step in range(STEPS)]
    uniform = random.random

    def draw() -> float:
        place = uniform() * STEPS
        step = int(place)
        low, rise = pieces[step]
        return low + rise * (place - step)

    return draw


def around(value: float) -> Quantiles:
    """Return a narrow distribution, a tenth to each side."""
    return ((0, 0.9 * value), (1, 1.1 * value))


def _piece(quantiles: Quantiles, share: float) -> tuple[float, float]:
    """Return (value at ``share``, rise to the next hundredth)."""
    index = bisect_right(quantiles, (share + 0.5 / STEPS, 0.0))
    (before, low), (after, high) = quantiles[index - 1], quantiles[index]
    slope = (high - low) / (after - before)
    return low + slope * (share - before), slope / STEPS
