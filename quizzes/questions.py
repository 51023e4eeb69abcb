"""Items as frozen values: what a learner sees (Question) apart from what settles it (Key)."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DIFFICULTIES = ("easy", "medium", "hard")
KINDS = ("choice", "numeric", "text", "ordering", "matching")
"""How a question is answered: by choosing options, a number, a few words, an order, or a partner for each line."""
TYPES = ("multiple-choice", "multiple-response", "true-false", "numeric", "short-text", "ordering", "matching")
"""The names that the field has for items of these kinds; an exam may ask for some of them only."""
POOLS = ("exam", "check", "pilot")
"""Items of the pool ``exam`` are drawn into exams; those of ``check`` stand in lessons and are answered at once; those
of ``pilot`` stand in exams to be tried out, unscored and not shown as such."""
MAXIMUM_ANSWER = 200
"""How many characters an answer may have: letters of a choice are few, a short text is short."""

_REFERS = re.compile(
    r"\b(?:all|none|both|neither|either|any|one) of (?:the|these) "
    r"(?:other )?(?:above|below|following|options|answers)\b"
    r"|\b(?:both|neither|either|options?|answers?) \(?[A-H]\)? (?:and|or|nor) \(?[A-H]\)?(?!\w)"
    r"|\bthe (?:first|second|third|fourth|last|previous|next) (?:option|answer)s?\b",
    re.IGNORECASE,
)
# Fields that came after the first versions were named; they count only where an item uses them.
_LATER = frozenset(
    {
        *("enemies", "targets", "unit", "fixed", "case", "stimulus"),
        *("tolerance", "experiments", "claims", "explanation", "also"),
    }
)


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
    """What is chosen, ordered or matched; a number and a text have none."""
    choose: int
    enemies: str = ""
    """The name of a set of items of which a form holds one at most, because one would give the other away."""
    kind: str = "choice"
    targets: tuple[Option, ...] = ()
    """What the options of a matching item are matched with, named by numerals."""
    unit: str = ""
    """What the number of a numeric item counts, as in “invocations”."""
    fixed: bool = False
    """Whether the author wants the options in their own order, as for a ladder of figures."""
    case: str = ""
    stimulus: str = ""
    """The text that the items of one case share."""
    tags: tuple[str, ...] = ()
    """Words to drill by. They describe an item, and changing them makes no new version of it."""

    @property
    def domain(self) -> int:
        """The domain that the task belongs to: 1 for task 1.3, and 0 for an item that belongs to none yet."""
        return int(self.task.partition(".")[0] or 0)

    @property
    def type(self) -> str:
        """The field's name for this kind of item, one of TYPES."""
        if self.kind == "text":
            return "short-text"
        if self.kind != "choice":
            return self.kind
        if [option.text.casefold() for option in self.options] == ["true", "false"]:
            return "true-false"
        return "multiple-response" if self.choose > 1 else "multiple-choice"

    @property
    def shuffles(self) -> bool:
        """Whether the options may stand in any order: not where one refers to others, and not True and False."""
        if self.fixed or self.type == "true-false":
            return False
        return not any(refers_to_others(option.text) for option in self.options)


@dataclass(frozen=True)
class Key:
    """What settles an item, why, and what differs today.

    ``correct`` holds the right letters of a choice; of the other kinds, the answers that are right: ``{"bca"}`` for an
    order, ``{"a2b1"}`` for a matching, a number, or the spellings of a short text. ``tolerance`` is how far a number
    may be off, as in ``5`` or ``1 %``. A rationale belongs to a letter, or to ``""`` where there are no options.
    """

    correct: frozenset[str]
    rationales: tuple[tuple[str, str], ...]
    today: str = ""
    tolerance: str = ""
    experiments: tuple[tuple[str, str], ...] = ()
    """The runs that prove the item, as (name, experiment as it is written); the name of a single one is empty."""
    claims: tuple[tuple[str, str], ...] = ()
    """What each option takes those runs to have found, as (letter, predicate); of a number, which value it is."""
    explanation: str = ""
    """What there is to say of the item as a whole, whatever was answered."""
    also: tuple[str, ...] = ()
    """Other whole answers to a choice that count as right since its key was corrected, as letters in order."""

    def rationale(self, letter: str) -> str:
        """Return why the option of that letter is right or wrong, or nothing where the author does not say."""
        return dict(self.rationales).get(letter, "")

    @property
    def answer(self) -> str:
        """The right answer of an item that has one; of a short text, the spelling that comes first."""
        return min(self.correct)


@dataclass(frozen=True)
class Item:
    """A question with its key, and where it was written (nowhere, for a version out of the database)."""

    question: Question
    key: Key
    path: Path | None = None
    line: int = 0

    def __hash__(self) -> int:
        """Return the hash of the question's id: that of every word in an item would cost more than what it looks up."""
        return hash(self.question.id)

    @property
    def written_order(self) -> str:
        """The letters of the options in the order in which the item's text has them."""
        if self.question.kind == "ordering":
            return self.key.answer
        return "".join(option.letter for option in self.question.options)

    def content(self) -> dict[str, dict[str, Any]]:
        """Return the question and the key as plain values, without what an item does not use."""
        # Not dataclasses.asdict: it copies every text deeply, which takes five times as long.
        question, key = (
            {name: value for name, value in vars(part).items() if value or name not in _LATER}
            for part in (self.question, self.key)
        )
        del question["tags"]
        if self.question.kind == "choice":
            del question["kind"]
        for name in ("options", "targets"):
            if name in question:
                question[name] = tuple(dict(vars(one)) for one in question[name])
        return {"question": question, "key": {**key, "correct": sorted(self.key.correct)}}

    def fingerprint(self) -> str:
        """Return the SHA-256 of the item's content, key included: the name of this immutable version."""
        return hashlib.sha256(json.dumps(self.content(), sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True)
class Bank:
    """A file of items."""

    slug: str
    title: str
    course: str
    pool: str
    items: tuple[Item, ...]


def item_of(question: dict[str, Any], key: dict[str, Any]) -> Item:
    """Return the item whose ``content()`` these are, or are out of JSON."""
    options, targets = (tuple([Option(**one) for one in question.get(name, ())]) for name in ("options", "targets"))
    pairs: dict[str, Any] = {
        name: tuple(map(tuple, key[name])) for name in ("rationales", "experiments", "claims") if name in key
    }
    return Item(
        Question(**{**question, "options": options, "targets": targets, "tags": tuple(question.get("tags", ()))}),
        Key(**{**key, **pairs, "correct": frozenset(key["correct"]), "also": tuple(key.get("also", ()))}),
    )


def refers_to_others(text: str) -> bool:
    """Return whether an option speaks of other options, so that it makes sense in its own place only."""
    return bool(_REFERS.search(text))
