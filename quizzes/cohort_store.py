"""What cohorts ask the database of exams and drills about many people at once, each in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select, update

from quizzes import grading, store
from quizzes.attempts import Clock
from quizzes.models import AttemptRow, PracticeRow
from quizzes.practice import Result, latest


@dataclass(frozen=True)
class Go:
    """One attempt of a person at an exam; ``scaled`` is its score once it is closed."""

    person_id: int
    exam: str
    clock: Clock
    scaled: int | None


def goes(connection: Connection, exams: Sequence[str], people: Sequence[int]) -> list[Go]:
    """Return these people's attempts at these exams."""
    clock = (AttemptRow.started_at, AttemptRow.deadline, AttemptRow.closed_at)
    statement = select(AttemptRow.person_id, AttemptRow.exam, *clock, AttemptRow.scaled)
    own = (AttemptRow.exam.in_(exams), AttemptRow.person_id.in_(people))
    return [
        Go(row.person_id, row.exam, Clock(row.started_at, row.deadline, row.closed_at), row.scaled)
        for row in connection.execute(statement.where(*own))
    ]


def last_activity(connection: Connection, people: Sequence[int]) -> dict[int, datetime]:
    """Return when each of these people last answered in a drill, began an exam or closed one."""
    found: dict[int, datetime] = {}
    for row_type, column in (
        (PracticeRow, PracticeRow.answered_at),
        (AttemptRow, AttemptRow.started_at),
        (AttemptRow, AttemptRow.closed_at),
    ):
        newest = func.max(column, type_=AttemptRow.started_at.type).label("at")
        own = row_type.person_id.in_(people)
        statement = select(row_type.person_id, newest).where(own, column.is_not(None)).group_by(row_type.person_id)
        for row in connection.execute(statement):
            found[row.person_id] = max(row.at, found.get(row.person_id, row.at))
    return found


def last_results(connection: Connection, people: Sequence[int]) -> dict[int, dict[str, Result]]:
    """Return each person's last result of each question, in drills and closed exams; what was left open is wrong."""
    results: dict[int, list[Result]] = {person: [] for person in people}
    drilled = select(PracticeRow.person_id, PracticeRow.question_id, PracticeRow.correct, PracticeRow.answered_at)
    for row in connection.execute(drilled.where(PracticeRow.person_id.in_(people))):
        results[row.person_id].append(Result(row.question_id, row.correct, row.answered_at))
    for person, result in _examined(connection, people):
        results[person].append(result)
    return {person: latest(found) for person, found in results.items()}


def lengthen(
    connection: Connection, person_id: int, minutes: Mapping[str, int], multiplier: float, now: datetime
) -> int:
    """Let a person's running attempts end as late as their multiplier allows; return how many end later now.

    ``minutes`` are each exam's own. No attempt is ever cut short, and none that can no longer be answered is opened.
    """
    running = select(AttemptRow.id, AttemptRow.exam, AttemptRow.started_at, AttemptRow.deadline, AttemptRow.closed_at)
    moved = 0
    for row in connection.execute(
        running.where(AttemptRow.person_id == person_id, AttemptRow.closed_at.is_(None))
    ).all():
        deadline = row.started_at + timedelta(minutes=minutes.get(row.exam, 0)) * multiplier
        if Clock(row.started_at, row.deadline, None).is_open(now) and deadline > row.deadline:
            # Another cohort's instructor may be giving them more at this moment.
            still = update(AttemptRow).where(
                AttemptRow.id == row.id, AttemptRow.closed_at.is_(None), AttemptRow.deadline < deadline
            )
            moved += connection.execute(still.values(deadline=deadline)).rowcount
    return moved


def _examined(connection: Connection, people: Sequence[int]) -> Iterator[tuple[int, Result]]:
    closed = connection.execute(
        select(AttemptRow.person_id, AttemptRow.form, AttemptRow.answers, AttemptRow.closed_at).where(
            AttemptRow.person_id.in_(people), AttemptRow.closed_at.is_not(None), AttemptRow.answers.is_not(None)
        )
    ).all()
    fingerprints = list({fingerprint for row in closed for fingerprint, *_ in row.form})
    items = dict(zip(fingerprints, store.load_items(connection, fingerprints), strict=True))
    for row in closed:
        for (fingerprint, *_), answer in zip(row.form, row.answers, strict=True):
            item = items[fingerprint]
            yield row.person_id, Result(item.question.id, grading.mark(item, answer).correct, row.closed_at)
