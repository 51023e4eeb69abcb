"""The gradebook: what each person's efforts amount to for each assignment, and who is stuck; pure functions."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.cohorts import Assignment, Member
from accounts.work import Effort

Extensions = Mapping[tuple[int, int], datetime]
"""(assignment's id, person's id) → the later due date."""

IDLE_DAYS = 7
"""After so many days without any activity somebody is shown as idle, unless the instructor asks otherwise."""


@dataclass(frozen=True)
class Grade:
    """How one person stands in one assignment.

    ``state`` is one of: submitted, late, begun, missing (due and not done), open, closed (not open yet). ``percent``
    and ``scaled`` are of the effort that counts; of what is only begun, of how far it got.
    """

    state: str
    due_at: datetime | None
    percent: int | None = None
    scaled: int | None = None
    when: datetime | None = None

    @property
    def is_done(self) -> bool:
        """Whether it was handed in, in time or late."""
        return self.state in {"submitted", "late"}


@dataclass(frozen=True)
class Book:
    """Everybody's grades: (person's id, assignment's id) → Grade."""

    people: tuple[Member, ...]
    assignments: tuple[Assignment, ...]
    grades: Mapping[tuple[int, int], Grade]

    def mean(self, person_id: int) -> int | None:
        """Return the mean of a person's percents over what they handed in, None where nothing has a percent."""
        found = [self.grades[person_id, one.id] for one in self.assignments]
        percents = [one.percent for one in found if one.is_done and one.percent is not None]
        return round(sum(percents) / len(percents)) if percents else None

    def count(self, person_id: int, *states: str) -> int:
        """Return in how many assignments a person is in one of these states."""
        return sum(self.grades[person_id, one.id].state in states for one in self.assignments)


def due_of(assignment: Assignment, person_id: int, extensions: Extensions) -> datetime | None:
    """Return when a person's work is due: the later of the assignment's date and their own."""
    own, due = extensions.get((assignment.id, person_id)), assignment.terms.due_at
    return max(own, due) if own and due else due


def grade(assignment: Assignment, due: datetime | None, efforts: Sequence[Effort], now: datetime) -> Grade:
    """Judge one person's efforts at one assignment.

    Of the efforts that are done in time the best, first or last counts, as the assignment says. Only where there is
    none does late work count, unless the assignment closes after its due date.
    """
    terms = assignment.terms
    done = [one for one in efforts if one.done_at is not None]
    in_time = [one for one in done if due is None or (one.done_at or now) <= due]
    if in_time:
        return _of(_choose(in_time, terms.counts), "submitted", due)
    if done and not terms.closes:
        return _of(_choose(done, terms.counts), "late", due)
    if due is not None and now > due:
        return Grade("missing", due, *_furthest(efforts))
    if efforts:
        return Grade("begun", due, *_furthest(efforts))
    return Grade("closed" if terms.opens_at and now < terms.opens_at else "open", due)


def compile_book(
    people: Sequence[Member],
    assignments: Sequence[Assignment],
    efforts: Mapping[str, Iterable[Effort]],
    extensions: Extensions,
    rules: Rules,
) -> Book:
    """Return everybody's grades; ``efforts`` are those of each kind."""
    found = by_place(assignments, efforts, rules.repeatable)
    grades = {
        (person.person_id, one.id): grade(
            one, due_of(one, person.person_id, extensions), found.get((person.person_id, one.id), ()), rules.now
        )
        for person in people
        for one in assignments
    }
    return Book(tuple(people), tuple(assignments), grades)


@dataclass(frozen=True)
class Rules:
    """The moment of judgement, and of which kinds a go before the opening does not count."""

    now: datetime
    repeatable: frozenset[str]


@dataclass(frozen=True)
class Trouble:
    """Who may need help: those who have done nothing, those long idle with their last activity, and what is missing."""

    not_begun: tuple[Member, ...]
    idle: tuple[tuple[Member, datetime], ...]
    missing: tuple[tuple[Member, tuple[Assignment, ...]], ...]


def trouble(book: Book, activity: Mapping[int, datetime], now: datetime, days: int) -> Trouble:
    """Return who is stuck: without any activity, without one for so many days, or with work missing."""
    oldest = now - timedelta(days=days)
    idle = [(one, activity[one.person_id]) for one in book.people if one.person_id in activity]
    missing = [
        (one, tuple(task for task in book.assignments if book.grades[one.person_id, task.id].state == "missing"))
        for one in book.people
    ]
    return Trouble(
        tuple(one for one in book.people if one.person_id not in activity),
        tuple(sorted(((one, when) for one, when in idle if when < oldest), key=lambda pair: pair[1])),
        tuple(sorted(((one, tasks) for one, tasks in missing if tasks), key=lambda pair: -len(pair[1]))),
    )


def to_csv(book: Book, words: Callable[[Grade], str], heads: Sequence[str]) -> str:
    """Return the gradebook as CSV: a line a person; of each assignment the state, the percent and the scaled score.

    ``heads`` are the words for: name, address, state, percent, scaled score.
    """
    name, email, state, percent, scaled = heads
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    tasks = [f"{one.title}: {head}" for one in book.assignments for head in (state, percent, scaled)]
    writer.writerow([guarded(cell) for cell in (name, email, *tasks)])
    for person in book.people:
        cells: list[object] = [person.name, person.email]
        for one in book.assignments:
            found = book.grades[person.person_id, one.id]
            cells += [words(found), found.percent, found.scaled]
        writer.writerow([guarded("" if cell is None else str(cell)) for cell in cells])
    return out.getvalue()


def guarded(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: one that begins like one gets an apostrophe in front.

    The characters are those that OWASP names for CSV injection.
    """
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else cell


def by_place(
    assignments: Sequence[Assignment], efforts: Mapping[str, Iterable[Effort]], repeatable: frozenset[str]
) -> dict[tuple[int, int], list[Effort]]:
    """Return the efforts that count for each person and assignment, in the order in which they were begun."""
    tasks: dict[tuple[str, str], list[Assignment]] = defaultdict(list)
    for one in assignments:
        tasks[one.kind, one.key].append(one)
    found: dict[tuple[int, int], list[Effort]] = defaultdict(list)
    for kind, made in efforts.items():
        for effort in sorted(made, key=lambda one: one.started_at):
            for one in tasks.get((kind, effort.key), ()):
                opens = one.terms.opens_at if kind in repeatable else None
                if opens is None or effort.started_at >= opens:
                    found[effort.person_id, one.id].append(effort)
    return found


def _choose(done: Sequence[Effort], counts: str) -> Effort:
    if counts == "best":
        return max(done, key=lambda one: (-1 if one.scaled is None else one.scaled, one.percent or 0))
    return done[0] if counts == "first" else done[-1]


def _furthest(efforts: Sequence[Effort]) -> tuple[int | None, None, datetime | None]:
    percents = [one.percent for one in efforts if one.percent is not None and one.done_at is None]
    return max(percents, default=None), None, efforts[-1].started_at if efforts else None


def _of(effort: Effort, state: str, due: datetime | None) -> Grade:
    return Grade(state, due, effort.percent, effort.scaled, effort.done_at)
