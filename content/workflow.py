"""The way of an item or a page from draft to learners: which action leads from which state to which, and for whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

PUBLIC = ("publish", "retire")
"""The actions that change what learners and readers get."""
STATES = ("draft", "review", "approved", "published", "retired")
_ALL = frozenset(STATES)


@dataclass(frozen=True)
class Step:
    """An action: the states in which it is possible, and the state that it leads to (none: it stays as it was)."""

    begins: frozenset[str]
    ends: str | None = None


STEPS = {
    "comment": Step(_ALL),
    "ask": Step(frozenset({"draft"}), "review"),
    "approve": Step(frozenset({"review"}), "approved"),
    "return": Step(frozenset({"review", "approved"}), "draft"),
    "publish": Step(frozenset({"draft", "review", "approved"}), "published"),
    "retire": Step(_ALL - {"retired"}, "retired"),
}
"""What may happen to an item besides a change of its text, which makes a draft of it again."""


@dataclass(frozen=True)
class Signature:
    """Who did something, and when; nobody, for what came with a command."""

    person_id: int | None
    at: datetime


@dataclass(frozen=True)
class Revision:
    """A text that an item or a page had."""

    revision: int
    text: str
    person_id: int | None
    written_at: datetime


@dataclass(frozen=True)
class Said:
    """What somebody says with a step of the workflow: nothing, or something on the whole text or on a line of it."""

    text: str = ""
    line: int | None = None


@dataclass(frozen=True)
class Remark:
    """What somebody said or decided about a revision; ``quoted`` is the line of it that the remark is on, if any."""

    revision: int
    kind: str
    text: str
    person_id: int | None
    made_at: datetime
    line: int | None = None
    quoted: str = ""


@dataclass(frozen=True)
class Situation:
    """Where an item stands for the person who looks at it."""

    state: str
    is_author: bool
    """Whether this person wrote the present text."""
    sound: bool
    """Whether the text has no faults."""
    review_required: bool


def quote(remarks: Iterable[Remark], revisions: Iterable[Revision]) -> list[Remark]:
    """Return the remarks, each that is on a line with the line's words as they were in its revision."""
    texts = {one.revision: one.text.split("\n") for one in revisions}
    return [replace(one, quoted=_line(texts.get(one.revision, []), one.line)) if one.line else one for one in remarks]


def line_of(text: str, sent: str) -> int | None:
    """Return the line of a text that a remark is on by what was sent; None for none, and where there is no such."""
    line = int(sent) if sent.isdecimal() and len(sent) < 7 else 0
    return line if 0 < line <= text.count("\n") + 1 else None


def actions(situation: Situation) -> tuple[str, ...]:
    """Return what this person may do to the item now, in the order of STEPS."""
    return tuple(name for name in STEPS if _allowed(name, situation))


def after(action: str, state: str) -> str:
    """Return the state that follows; raise ValueError where the action is not possible in this one."""
    if action not in STEPS or state not in STEPS[action].begins:
        raise ValueError(f"“{action}” is not possible while the item is “{state}”.")
    return STEPS[action].ends or state


def _line(lines: Sequence[str], number: int) -> str:
    return lines[number - 1] if number <= len(lines) else ""


def _allowed(action: str, situation: Situation) -> bool:
    if situation.state not in STEPS[action].begins:
        return False
    if action == "approve":
        return not situation.is_author
    if action == "publish":
        return situation.sound and (situation.state == "approved" or not situation.review_required)
    return True
