"""Items as frozen values: what a learner sees (Question) apart from what settles it (Key)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

DIFFICULTIES = ("easy", "medium", "hard")
MAXIMUM_ANSWER = 200
"""How many characters an answer may have: letters of a choice are few, a short text is short."""
POOLS = ("exam", "check", "pilot")
"""Items of the pool ``exam`` are drawn into exams; those of ``check`` stand in lessons and are answered at once; those
of ``pilot`` stand in exams to be tried out, unscored and not shown as such."""


@dataclass(frozen=True)
class Option:
    """One answer to choose, named by a letter that stays its own however options are ordered."""

    letter: str
    text: str


@dataclass(frozen=True)
class Question:
    """An item without its key: all that may reach a browser before submission."""

    id: str
    course: str
    task: str
    difficulty: str
    lesson: str
    stem: str
    options: tuple[Option, ...]
    choose: int
    enemies: str = ""
    """The name of a set of items of which a form holds one at most, because one would give the other away."""

    @property
    def domain(self) -> int:
        """The domain that the task belongs to: 1 for task 1.3."""
        return int(self.task.partition(".")[0])


@dataclass(frozen=True)
class Key:
    """What settles an item: the right letters, why each option is right or wrong, and what differs today."""

    correct: frozenset[str]
    rationales: tuple[tuple[str, str], ...]
    today: str = ""

    def rationale(self, letter: str) -> str:
        """Return why the option of that letter is right or wrong."""
        return dict(self.rationales)[letter]


@dataclass(frozen=True)
class Item:
    """A question with its key, and where it was written (nowhere, for a version out of the database)."""

    question: Question
    key: Key
    path: Path | None = None
    line: int = 0

    def fingerprint(self) -> str:
        """Return the SHA-256 of the item's content, key included: the name of this immutable version."""
        question = asdict(self.question)
        if not question["enemies"]:
            # Items without a set keep the names that they had before there were sets.
            del question["enemies"]
        content = {"question": question, "key": {**asdict(self.key), "correct": sorted(self.key.correct)}}
        text = json.dumps(content, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Bank:
    """A file of items."""

    slug: str
    title: str
    course: str
    pool: str
    items: tuple[Item, ...]
