"""What a sitting does between the pure rules and the database: open an attempt, close it, and report on it."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from sqlalchemy import Connection

from db import Database, in_turns
from quizzes import attempts, blueprint, grading, sheets, store
from quizzes.blueprint import Blueprint, Form
from quizzes.corrections import store as corrections
from quizzes.pool import questions
from quizzes.questions import Bank, Item, Question
from quizzes.store import Attempt, Response

SEEDS = 2**31
"""How many forms can be asked for by number."""


class ExamClosedError(ValueError):
    """The exam cannot be opened; the message is the shortage report."""


@dataclass(frozen=True)
class Exams:
    """The exams that are offered and the banks they draw from."""

    blueprints: tuple[Blueprint, ...]
    banks: tuple[Bank, ...]
    own: Mapping[str, Bank] = field(default_factory=dict)
    """The bank from which alone an exam draws, by the exam's slug; the others draw from all banks of their course."""

    @property
    def offered(self) -> list[Blueprint]:
        """The exams that anybody can begin."""
        return [one for one in self.blueprints if one.offered]

    def pool(self, exam: Blueprint, pool: str = "exam") -> list[Question]:
        """Return the questions of one pool that an exam may draw."""
        own = self.own.get(exam.slug)
        return questions(self.banks if own is None else (own,), exam.course, pool)

    def find(self, slug: str) -> Blueprint | None:
        """Return the blueprint of that slug, or None."""
        return next((one for one in self.blueprints if one.slug == slug), None)

    def shortages(self, exam: Blueprint) -> tuple[blueprint.Shortage, ...]:
        """Return what the banks lack for one form of the exam."""
        return blueprint.shortages(exam, self.pool(exam), self.pool(exam, "pilot"))

    @cached_property
    def items(self) -> dict[str, Item]:
        """Every item by its question's id."""
        return {item.question.id: item for bank in self.banks for item in bank.items}

    @cached_property
    def present(self) -> dict[str, str]:
        """The fingerprint of every item's present version by its question's id."""
        return {name: item.fingerprint() for name, item in self.items.items()}

    @cached_property
    def checks(self) -> dict[str, Item]:
        """The items that stand in lessons, by their question's id; none of them is ever drawn into an exam."""
        return {item.question.id: item for bank in self.banks if bank.pool == "check" for item in bank.items}


@dataclass(frozen=True)
class Sitting:
    """An attempt with all that belongs to it: its items in order, and the answers kept so far."""

    attempt: Attempt
    blueprint: Blueprint
    items: tuple[Item, ...]
    responses: tuple[Response, ...]

    def scored(self) -> dict[int, str]:
        """Return the letters that count, by place."""
        return {one.place: one.answer for one in self.responses if not one.late}

    def kept(self) -> dict[int, Response]:
        """Return what the page shows by place: the answer in time, or the late one where there is no other."""
        shown: dict[int, Response] = {}
        for one in self.responses:
            shown.setdefault(one.place, one)
        return shown

    def late(self) -> dict[int, Response]:
        """Return the answers that came too late, by place."""
        return {one.place: one for one in self.responses if one.late}

    def report(self) -> grading.Report:
        """Score the attempt with what was saved in time."""
        return grading.report(self.blueprint, self.items, self.scored(), self.attempt.unscored)


def draw(exams: Exams, exam: Blueprint, seed: int | None = None, seen: Collection[str] = ()) -> Form:
    """Draw the form of that number, or one by chance without what was ``seen`` lately.

    A form asked for by its number is the same for everybody. Raises ExamClosedError where the banks are too small.
    """
    short = exams.shortages(exam)
    if short:
        raise ExamClosedError(" ".join(map(str, short)))
    own, pilots = exams.pool(exam), exams.pool(exam, "pilot")
    if seed is not None:
        return blueprint.draw(exam, own, seed, pilots=pilots)
    return blueprint.draw(exam, own, secrets.randbelow(SEEDS), pilots=pilots, seen=seen)


def number_of(exams: Exams, sitting: Sitting) -> int | None:
    """Return the number by which anybody can ask for this form, or None where it was drawn for its learner."""
    try:
        form = draw(exams, sitting.blueprint, sitting.attempt.seed)
    except ExamClosedError:
        return None
    same = [place.question.id for place in form.places] == [item.question.id for item in sitting.items]
    return sitting.attempt.seed if same else None


def start(connection: Connection, exams: Exams, form: Form, person_id: int, clock: attempts.Clock) -> int:
    """Open an attempt on a drawn form and return its id."""
    items = [exams.items[place.question.id] for place in form.places]
    return store.start(connection, person_id, form, items, clock)


def load(connection: Connection, exams: Exams, attempt: Attempt) -> Sitting:
    """Return the attempt with its items and answers."""
    exam = exams.find(attempt.exam)
    if exam is None:
        raise LookupError(f"The exam “{attempt.exam}” of this attempt is no longer offered.")
    items, rulings = store.load_ruled(connection, [fingerprint for fingerprint, _ in attempt.form])
    return Sitting(
        store.without_dropped(attempt, rulings), exam, tuple(items), tuple(store.responses(connection, attempt.id))
    )


def close(connection: Connection, exams: Exams, attempt_id: int, now: datetime, *, asked: bool = False) -> bool:
    """Close an attempt that is due, as of its deadline, or that its learner ``asked`` to close, with what was saved.

    Its score and its sheet are stored. Returns whether this call closed it, and so False where it was closed before.
    """
    # Marked by the rulings in force: a correction that is being made waits for this close, or this close for it.
    in_turns(connection, corrections.RULINGS, shared=True)
    attempt = store.hold(connection, attempt_id)
    if attempt is None or attempt.clock.closed_at is not None:
        return False
    due = attempt.clock.is_due(now)
    if due or asked:
        sitting = load(connection, exams, attempt)
        scored = sitting.scored()
        answers = [scored.get(place, "") for place in range(1, len(sitting.items) + 1)]
        store.close(connection, attempt, answers, sitting.report().scaled, attempt.clock.deadline if due else now)
        sheets.file(connection, sitting.attempt, sitting.items, answers)
    return due or asked


def close_overdue(database: Database, exams: Exams, now: datetime) -> int:
    """Close every attempt whose time and grace are over, as of its deadline; return how many this call closed.

    ``now`` must be a clock's that does not jump (web.clock.SteadyClock): what is closed here stays closed.
    """
    with database.reading() as connection:
        overdue = store.overdue_attempts(connection, now - attempts.GRACE)
    closed = 0
    for attempt in overdue:
        with database.writing() as connection:
            closed += close(connection, exams, attempt.id, now)
    return closed


def anyone_sits(database: Database, now: datetime) -> bool:
    """Return whether an attempt with a time limit is running, so that a jump of the clock would change its length."""
    with database.reading() as connection:
        return store.is_timed_attempt_running(connection, now - attempts.GRACE)
