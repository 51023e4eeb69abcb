"""Lambda's concurrency limiter: what an account may promise its functions, and the count of what runs now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from heapq import heappop, heappush

ACCOUNT_LIMIT = 1000
KEPT_UNRESERVED = 100


class ReservationError(ValueError):
    """A reservation that the account cannot give; the sentence says how much is left."""


@dataclass(frozen=True)
class Account:
    """An account in one Region: its limit of concurrent executions, and (function, reserved executions) pairs.

    A reservation is two things at once: the function never runs more, and nobody else can take them from it.
    100 executions always stay for functions without one (AWS Compute Blog, December 2017).
    """

    limit: int = ACCOUNT_LIMIT
    reservations: tuple[tuple[str, int], ...] = ()

    @property
    def reserved(self) -> int:
        """The executions that functions have for themselves."""
        return sum(count for _, count in self.reservations)

    @property
    def unreserved(self) -> int:
        """The executions that functions without a reservation share."""
        return self.limit - self.reserved

    def reserve(self, function: str, count: int) -> Account:
        """Return the account with ``count`` executions reserved for ``function``, in place of what it had.

        Raises ReservationError for a negative count, or where fewer than 100 executions would stay unreserved.
        """
        others = tuple(pair for pair in self.reservations if pair[0] != function)
        free = replace(self, reservations=others).unreserved - KEPT_UNRESERVED
        if count < 0:
            raise ReservationError(f"{count} executions cannot be reserved; give 0 or more.")
        if count > free:
            raise ReservationError(
                f"Reserving {count} for {function} would leave {free + KEPT_UNRESERVED - count} of {self.limit}"
                f" executions unreserved; {KEPT_UNRESERVED} must stay, so reserve at most {max(free, 0)}."
            )
        return replace(self, reservations=(*others, (function, count)))

    def limit_of(self, function: str, in_use: int = 0) -> int:
        """Return how many executions ``function`` may have at once.

        ``in_use`` is what other functions without a reservation hold of the shared executions at this moment; a
        function with a reservation does not notice them.
        """
        reserved = dict(self.reservations)
        return reserved.get(function, max(0, self.unreserved - in_use))


class RunningCounter:
    """Counts a function's executions against its limit, in any unit of time that only grows."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._releases: list[float] = []

    def admits(self, now: float) -> bool:
        """Return whether one more execution may begin; executions released by ``now`` no longer count."""
        releases = self._releases
        while releases and releases[0] <= now:
            heappop(releases)
        return len(releases) < self.limit

    def hold_until(self, moment: float) -> None:
        """Count one more execution until ``moment``."""
        heappush(self._releases, moment)
