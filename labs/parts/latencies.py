"""Response times as a load tool reports them: percentiles and a histogram, exact up to a size and in bins beyond."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

EXACT = 100_000
"""Up to so many response times each one is kept."""

BIN = 0.0001
"""Beyond, seconds are counted in bins of a tenth of a millisecond, so memory depends on their spread alone."""


class Latencies:
    """Response times in seconds, in any number; the least, the greatest, the count and the sum are always exact."""

    def __init__(self, exact: int = EXACT) -> None:
        self._exact = exact
        self._kept: list[float] = []
        self._bins: Counter[int] = Counter()
        self.count = 0
        self.total = 0.0
        self.fastest = float("inf")
        self.slowest = 0.0

    def extend(self, seconds: Sequence[float]) -> None:
        """Take more response times in."""
        if not seconds:
            return
        self.count += len(seconds)
        self.total += sum(seconds)
        least, greatest = min(seconds), max(seconds)
        self.fastest, self.slowest = min(self.fastest, least), max(self.slowest, greatest)
        if self.count <= self._exact:
            self._kept.extend(seconds)
        else:
            self._count(self._kept)
            self._count(seconds)
            self._kept = []

    def percentiles(self, shares: Iterable[int]) -> Iterator[float]:
        """Yield each percentile as hey reports it: the value at place ceil(share * n / 100), counted from 0."""
        values, places = self._ordered()
        for share in shares:
            wanted = min(-(-share * self.count // 100), self.count - 1)
            yield values[bisect_right(places, wanted)]

    def histogram(self, bars: int = 10) -> list[list[float]]:
        """Return [upper edge, count] as hey draws them: equal steps from the fastest to the slowest, both edges."""
        width = (self.slowest - self.fastest) / bars
        edges = [self.fastest + width * bar for bar in range(bars)] + [self.slowest]
        counts = [*self.up_to(edges[:-1]), self.count]
        steps = zip(edges, counts, [0, *counts], strict=False)
        return [[round(edge, 3), count - before] for edge, count, before in steps]

    def up_to(self, edges: Iterable[float]) -> list[int]:
        """Return how many response times there are up to each edge."""
        values, places = self._ordered()
        ends = (bisect_right(values, edge) for edge in edges)
        return [places[end - 1] if end else 0 for end in ends]

    def _count(self, seconds: Iterable[float]) -> None:
        self._bins.update([int(one / BIN) for one in seconds])

    def _ordered(self) -> tuple[list[float], Sequence[int]]:
        """Return the values in order, a bin by its middle, and how many response times there are up to each."""
        if self._kept:
            return sorted(self._kept), range(1, self.count + 1)
        values = sorted(self._bins)
        return [(one + 0.5) * BIN for one in values], list(accumulate(self._bins[one] for one in values))
