"""What the database keeps of drills, and a learner's results out of drills and closed exams together."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from quizzes import grading, store
from quizzes.corrections import store as corrections
from quizzes.models import AttemptRow, PracticeRow
from quizzes.practice import Result
from quizzes.questions import Item


def keep(connection: Connection, person_id: int, item: Item, answer: str, now: datetime) -> None:
    """Keep an answer of a drill; each is a row of its own, so that nothing answered is ever changed."""
    mark = grading.mark(next(corrections.ruled_items(connection, [item])), answer)
    values = {
        "person_id": person_id,
        "question_id": item.question.id,
        "fingerprint": item.fingerprint(),
        "answer": answer,
        "correct": mark.correct,
        "credit": mark.credit,
        "answered_at": now,
    }
    connection.execute(insert(PracticeRow).values(values))


def results(connection: Connection, person_id: int) -> list[Result]:
    """Return how a person has answered, in drills and in closed exams; what was left open there went wrong."""
    drilled = select(PracticeRow.question_id, PracticeRow.correct, PracticeRow.answered_at)
    found = [Result(*row) for row in connection.execute(drilled.where(PracticeRow.person_id == person_id))]
    closed = connection.execute(
        select(AttemptRow.form, AttemptRow.answers, AttemptRow.closed_at).where(
            AttemptRow.person_id == person_id, AttemptRow.closed_at.is_not(None), AttemptRow.answers.is_not(None)
        )
    ).all()
    fingerprints = list({fingerprint for row in closed for fingerprint, *_ in row.form})
    items = dict(zip(fingerprints, store.load_items(connection, fingerprints), strict=True))
    for row in closed:
        for (fingerprint, *_), answer in zip(row.form, row.answers, strict=True):
            item = items[fingerprint]
            found.append(Result(item.question.id, grading.mark(item, answer).correct, row.closed_at))
    return found


def withheld(connection: Connection, person_id: int) -> set[str]:
    """Return the ids of the questions that stand in a person's running exams: their keys are not to be told."""
    forms = connection.execute(
        select(AttemptRow.form).where(AttemptRow.person_id == person_id, AttemptRow.closed_at.is_(None))
    ).scalars()
    return store.questions_in(connection, forms)


def adopt(connection: Connection, guest_id: int, person_id: int) -> None:
    """Give a guest's drills to an account."""
    connection.execute(update(PracticeRow).where(PracticeRow.person_id == guest_id).values(person_id=person_id))
