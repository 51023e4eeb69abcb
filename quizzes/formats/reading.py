"""What a reader of another program's file returns: the items it can make, and everything that it cannot keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from quizzes.questions import Item

Severity = Literal["error", "loss", "note"]
"""An error keeps its question out (or, of no question, the whole file); a loss lets it in without something that it
had, or with something else in its place; a note tells of a change that takes nothing away."""


MOST_FINDINGS = 100
"""So much is said of one question, or of the file."""


@dataclass(frozen=True)
class Finding:
    """One thing that an import says: where (line and column counted from 1), of which question, and one sentence.

    ``question`` counts the questions of the file from 1, 0 for what belongs to none; ``member`` is the file's name
    within a package. ``raw`` is the source's own text of what is not kept, as far as it helps an author.
    """

    line: int
    column: int
    severity: Severity
    sentence: str
    question: int = 0
    member: str = ""
    raw: str = ""

    def __str__(self) -> str:
        place = f"{self.member}:" if self.member else ""
        return f"{place}{self.line}:{self.column}: {self.severity}: {self.sentence}"


@dataclass(frozen=True)
class Imported:
    """An item that a file gives: its number and its place in the file, the file's name for it, and its category.

    The item's task, difficulty and lesson are empty where the format has none; its id is made of ``name``.
    """

    number: int
    line: int
    column: int
    name: str
    item: Item
    category: str = ""
    member: str = ""


@dataclass(frozen=True)
class Reading:
    """A file as it was read. Every question of the file is in ``items``, or has an error among ``findings``."""

    items: tuple[Imported, ...]
    findings: tuple[Finding, ...]
    questions: int
    """How many questions the file has, those with errors among them."""
    files: dict[str, bytes] = field(default_factory=dict)
    """Pictures that items show as ``![…](file:NAME)``, by name."""


@dataclass(frozen=True)
class Writing:
    """A bank as another program's file, and what that format cannot carry (findings of items, in their order)."""

    data: bytes
    findings: tuple[Finding, ...]


def shortened(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the first findings of each question, and the worst of the others with how many they are."""
    if len(findings) <= MOST_FINDINGS:
        return tuple(findings)
    of: dict[int, list[Finding]] = {}
    for one in findings:
        of.setdefault(one.question, []).append(one)
    return tuple(one for question in sorted(of) for one in _first(of[question]))


def _first(found: list[Finding]) -> list[Finding]:
    more = found[MOST_FINDINGS:]
    if not more:
        return found
    worst = min(more, key=lambda one: get_args(Severity).index(one.severity))
    sentence = f"{worst.sentence} Not listed are {len(more) - 1:,} more findings."
    return [*found[:MOST_FINDINGS], replace(worst, sentence=sentence)]
