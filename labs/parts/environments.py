"""Execution environments of a function: started cold, reused, and ended after a time without work."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from typing import NamedTuple

Start = Callable[[], tuple[float, int]]
"""Starts an environment: the seconds of its cold start, and what its initialisation drew, once for all its uses."""


class Taken(NamedTuple):
    """An environment that serves: the seconds until its handler begins, and what its initialisation drew."""

    wait: float
    drawn: int


class Environments:
    """The environments of one function, at most ``most``; times are seconds that only grow.

    The most recently used one is taken first. One that has been idle for ``keep`` seconds has ended. AWS publishes
    neither the order nor the time.
    """

    def __init__(self, start: Start, keep: float, most: float = float("inf")) -> None:
        self._start = start
        self._keep = keep
        self._most = most
        self._idle: deque[tuple[float, int]] = deque()
        self._busy: list[tuple[float, int]] = []
        self._lost: list[float] = []
        self.started = 0
        self.ended = 0
        self.peak = 0
        self.peak_busy = 0

    def take(self, now: float) -> Taken | None:
        """Return an environment, or None where all are busy and no more may exist."""
        self.settle(now)
        if self._idle:
            taken = Taken(0.0, self._idle.pop()[1])
        elif self.started - self.ended < self._most:
            self.started += 1
            self.peak = max(self.peak, self.started - self.ended)
            taken = Taken(*self._start())
        else:
            return None
        self.peak_busy = max(self.peak_busy, len(self._busy) + len(self._lost) + 1)
        return taken

    def give_back(self, moment: float, drawn: int) -> None:
        """Make a taken environment idle at ``moment``."""
        heappush(self._busy, (moment, drawn))

    def lose(self, moment: float) -> None:
        """End a taken environment at ``moment``, as a timeout does."""
        heappush(self._lost, moment)

    def settle(self, now: float) -> None:
        """Bring the environments to the state they are in ``now``."""
        busy, idle, lost = self._busy, self._idle, self._lost
        while busy and busy[0][0] <= now:
            idle.append(heappop(busy))
        while idle and idle[0][0] + self._keep <= now:
            idle.popleft()
            self.ended += 1
        while lost and lost[0] <= now:
            heappop(lost)
            self.ended += 1
