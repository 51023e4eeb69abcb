"""The way of an item or a page from draft to learners: which action leads from which state to which, and for whom."""

from __future__ import annotations

from dataclasses import dataclass
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
class Remark:
    """What somebody said or decided about a revision."""

    revision: int
    kind: str
    text: str
    person_id: int | None
    made_at: datetime


@dataclass(frozen=True)
class Situation:
    """Where an item stands for the person who looks at it."""

    state: str
    is_author: bool
    """Whether this person wrote the present text."""
    sound: bool
    """Whether the text has no faults."""
    review_required: bool


def actions(situation: Situation) -> tuple[str, ...]:
    """Return what this person may do to the item now, in the order of STEPS."""
    return tuple(name for name in STEPS if _allowed(name, situation))


def after(action: str, state: str) -> str:
    """Return the state that follows; raise ValueError where the action is not possible in this one."""
    if action not in STEPS or state not in STEPS[action].begins:
        raise ValueError(f"“{action}” is not possible while the item is “{state}”.")
    return STEPS[action].ends or state


def _allowed(action: str, situation: Situation) -> bool:
    if situation.state not in STEPS[action].begins:
        return False
    if action == "approve":
        return not situation.is_author
    if action == "publish":
        return situation.sound and (situation.state == "approved" or not situation.review_required)
    return True
