"""A limit of so much a second, in virtual time."""

from __future__ import annotations

from collections import deque


class PerSecond:
    """Lets at most ``limit`` through in any second, whenever that second begins; times may only grow."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self._taken: deque[tuple[float, float]] = deque()
        self._sum = 0.0

    def admits(self, amount: float, now: float) -> bool:
        """Return whether so much more would fit into the second that ends now."""
        while self._taken and self._taken[0][0] <= now - 1:
            self._sum -= self._taken.popleft()[1]
        return self._sum + amount <= self.limit

    def take(self, amount: float, now: float) -> None:
        """Count what was let through."""
        self._taken.append((now, amount))
        self._sum += amount


def take_all(wanted: list[tuple[PerSecond, float]], now: float) -> bool:
    """Take from every limit, or from none of them where one does not admit it; return whether it was taken."""
    if not all(limit.admits(amount, now) for limit, amount in wanted):
        return False
    for limit, amount in wanted:
        limit.take(amount, now)
    return True
