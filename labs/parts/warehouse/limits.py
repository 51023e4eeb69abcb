"""What a statement may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What a statement may take: seconds, memory in MiB, rows of its result, and characters of its text."""

    seconds: float = 10
    memory_mib: int = 256
    rows: int = 1000
    text: int = 65_536
