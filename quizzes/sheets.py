"""Sheets: the answers of closed attempts in a compact form, of which statistics read millions at once."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, func, select

from db import Database, in_turns, upsert
from quizzes import grading, store
from quizzes.corrections import store as corrections
from quizzes.models import AttemptRow, ResponseRow, SheetRow, VersionNumberRow
from quizzes.questions import Item
from quizzes.statistics import FULL, LETTERS, RESPONSE, Batch

READ_TOGETHER = 2000
"""How many sheets make a batch: so few that its arrays stay in the processor's cache."""
FILED_TOGETHER = 100
_COUNTS = (SheetRow.scored > 0,)


def file(
    connection: Connection,
    attempt: store.Attempt,
    items: Sequence[Item],
    answers: Sequence[str],
) -> None:
    """Write the sheet of an attempt that is closed: its items by their keys in force, and the answers that count."""
    fingerprints = [fingerprint for fingerprint, _ in attempt.form]
    numbers = version_numbers(connection, fingerprints)
    took = seconds(attempt.clock.started_at, _moments(connection, attempt.id))
    data = np.array(
        [
            response(numbers[name], item, answer, took.get(place, 0), place not in attempt.unscored)
            for place, (name, item, answer) in enumerate(zip(fingerprints, items, answers, strict=True), 1)
        ],
        RESPONSE,
    )
    counts = data["scored"] != 0
    answered = any(answers)
    scored_items = "".join(sorted(name for place, name in enumerate(fingerprints, 1) if place not in attempt.unscored))
    row = {
        "attempt_id": attempt.id,
        "exam": attempt.exam,
        "form": hashlib.sha256(scored_items.encode()).hexdigest()[:16],
        "right": int(np.sum(counts & (data["credit"] == FULL))) if answered else 0,
        "scored": int(counts.sum()) if answered else 0,
        "data": data.tobytes() if answered else b"",
    }
    # Two processes may find the same attempt without one.
    connection.execute(upsert(connection, SheetRow).values(row).on_conflict_do_nothing())


def response(number: int, item: Item, answer: str, took: int, scored: bool) -> tuple[int, int, int, int, bool]:
    """Return an answer as ``statistics.RESPONSE`` has it."""
    mark = grading.mark(item, answer)
    credit = FULL if mark.correct else min(FULL - 1, round(mark.credit * FULL))
    if item.question.kind == "choice":
        chosen = sum(1 << LETTERS.index(letter) for letter in set(answer) & set(LETTERS))
    else:
        chosen = int(bool(answer))
    return number, chosen, took, credit, scored


def seconds(start: datetime, moments: Iterable[tuple[int, datetime]]) -> dict[int, int]:
    """Return how many seconds passed before the last change of each place's answer since any other was changed.

    ``moments`` are (place, when) in the order of time. What was sent together has no time of its own, and 0.
    """
    took = {}
    for place, moment in moments:
        took[place] = min(int((moment - start).total_seconds()), 65_535)
        start = moment
    return took


def file_missing(database: Database, at_most: int | None = None) -> int:
    """Write the sheets that closed attempts lack, as those of before there were sheets, in batches; return how many.

    It stops once it has written ``at_most``, or a few more.
    """
    written = 0
    while (at_most is None or written < at_most) and (batch := _file_some(database)):
        written += batch
    return written


def forget(connection: Connection, exam: str) -> None:
    """Delete the sheets of an exam; ``file_missing`` writes them again from the attempts."""
    connection.execute(delete(SheetRow).where(SheetRow.exam == exam))


def counts(connection: Connection) -> dict[str, int]:
    """Return how many sheets with an answer there are of each exam."""
    statement = select(SheetRow.exam, func.count()).where(*_COUNTS).group_by(SheetRow.exam)
    return {row[0]: row[1] for row in connection.execute(statement)}


def scores(connection: Connection, exam: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return of each sheet of an exam how many scored items were right, and how many there are."""
    rows = connection.execute(select(SheetRow.right, SheetRow.scored).where(SheetRow.exam == exam, *_COUNTS)).all()
    both = np.array([tuple(row) for row in rows], np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def batches(connection: Connection, exam: str, form: str | None = None) -> Iterator[Batch]:
    """Yield the sheets of an exam, or of one of its forms, in batches."""
    statement = select(SheetRow.data).where(SheetRow.exam == exam, *_COUNTS)
    if form is not None:
        statement = statement.where(SheetRow.form == form)
    for part in connection.execute(statement.execution_options(yield_per=READ_TOGETHER)).scalars().partitions():
        places = np.array([len(data) for data in part], np.int64) // RESPONSE.itemsize
        yield Batch(np.frombuffer(b"".join(part), RESPONSE), places)


def commonest_form(connection: Connection, exam: str) -> tuple[str, int]:
    """Return the form that most attempts at an exam have had, and how many had it; nobody, where there are none."""
    count = func.count()
    statement = select(SheetRow.form, count).where(SheetRow.exam == exam, *_COUNTS).group_by(SheetRow.form)
    row = connection.execute(statement.order_by(count.desc(), SheetRow.form).limit(1)).first()
    return ("", 0) if row is None else (row[0], row[1])


def version_numbers(connection: Connection, fingerprints: Collection[str]) -> Mapping[str, int]:
    """Return the number of each version, giving one to those that have none."""
    wanted = select(VersionNumberRow.fingerprint, VersionNumberRow.number).where(
        VersionNumberRow.fingerprint.in_(fingerprints)
    )
    numbers = {row.fingerprint: row.number for row in connection.execute(wanted)}
    # In one order everywhere: two that number each other's versions would wait for each other.
    new = [{"fingerprint": name} for name in sorted(set(fingerprints)) if name not in numbers]
    if not new:
        return numbers
    # Another process may number the same version at the same moment.
    connection.execute(upsert(connection, VersionNumberRow).values(new).on_conflict_do_nothing())
    return {row.fingerprint: row.number for row in connection.execute(wanted)}


def _file_some(database: Database) -> int:
    lacking = (
        select(AttemptRow.id)
        .outerjoin(SheetRow)
        .where(AttemptRow.closed_at.is_not(None), AttemptRow.answers.is_not(None), SheetRow.attempt_id.is_(None))
        .limit(FILED_TOGETHER)
    )
    with database.writing() as connection:
        # As at a close: a correction that is being made waits for these sheets, or they for it.
        in_turns(connection, corrections.RULINGS, shared=True)
        wanted = connection.execute(lacking).scalars().all()
        attempts = store.closed_attempts(connection, wanted)
        fingerprints = list({name for attempt, _ in attempts for name, _ in attempt.form})
        ruled = dict(zip(fingerprints, zip(*store.load_ruled(connection, fingerprints), strict=True), strict=True))
        version_numbers(connection, fingerprints)
        for attempt, answers in attempts:
            held = [ruled[name] for name, _ in attempt.form]
            as_ruled = store.without_dropped(attempt, [ruling for _, ruling in held])
            file(connection, as_ruled, [item for item, _ in held], answers)
    return len(attempts)


def _moments(connection: Connection, attempt_id: int) -> list[tuple[int, datetime]]:
    statement = (
        select(ResponseRow.place, ResponseRow.answered_at)
        .where(ResponseRow.attempt_id == attempt_id, ResponseRow.late.is_(False))
        .order_by(ResponseRow.answered_at, ResponseRow.place)
    )
    return [(place, moment) for place, moment in connection.execute(statement)]
