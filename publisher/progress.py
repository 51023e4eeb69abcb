"""How far the build of an issue is: the stages that a build reports, and the whole as a share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

STAGES = ("collecting", "cover", "documents", "packing", "checking", "keeping")
"""What a build does, in this order."""


@dataclass(frozen=True)
class Stage:
    """What a build is at, one of STAGES; where that has parts, how many of them are done."""

    name: str
    done: int = 0
    total: int = 0

    @property
    def share(self) -> float:
        """Return how much of the build is done, from 0 to 1: each stage counts as much as another."""
        part = self.done / self.total if self.total else 0.0
        return round((STAGES.index(self.name) + part) / len(STAGES), 3)


Report = Callable[[Stage], None]


def to_nobody(_stage: Stage) -> None:
    """Report to nobody, for builds that nobody watches."""
