"""What is wrong in a text or in a file, and where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Fault:
    """One thing wrong in a text: where (both counted from 1) and one sentence that says how to mend it."""

    line: int
    column: int
    sentence: str


@dataclass(frozen=True)
class ContentError:
    """A fault in a file: where (both counted from 1), and one sentence that says how to mend it."""

    path: Path
    line: int
    column: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.sentence}"
