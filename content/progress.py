"""Which lessons a person has finished, and which one comes next."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select, update

from content.library import Course, Lesson, Module
from content.models import FinishedLessonRow
from db import Database

_FINISHED = select(FinishedLessonRow.lesson).where(FinishedLessonRow.person_id == bindparam("person_id"))


@dataclass(frozen=True)
class Neighbours:
    """The lessons before and after one, in reading order; None at either end."""

    previous: tuple[Module, Lesson] | None
    next: tuple[Module, Lesson] | None


def lesson_key(course: Course, module: Module, lesson: Lesson) -> str:
    """Return the name under which a finished lesson is kept."""
    return f"{course.slug}/{module.slug}/{lesson.slug}"


def neighbours(course: Course, lesson: Lesson) -> Neighbours:
    """Return what stands beside a lesson in its course."""
    order = list(course.lessons())
    index = next(number for number, (_, one) in enumerate(order) if one is lesson)
    return Neighbours(order[index - 1] if index else None, order[index + 1] if index + 1 < len(order) else None)


def read_slugs(course: Course, module: Module, finished: Collection[str]) -> set[str]:
    """Return the slugs of a module's lessons that are among the finished ones."""
    return (
        {lesson.slug for lesson in module.lessons if lesson_key(course, module, lesson) in finished}
        if finished
        else set()
    )


def next_unfinished(course: Course, finished: Collection[str]) -> tuple[Module, Lesson] | None:
    """Return the first lesson after the last finished one that is not finished, else the first open one."""
    order = list(course.lessons())
    done = [lesson_key(course, module, lesson) in finished for module, lesson in order]
    start = max((number for number, yes in enumerate(done) if yes), default=-1) + 1
    turned = [*range(start, len(order)), *range(start)]
    return next((order[number] for number in turned if not done[number]), None)


def finished_lessons(database: Database, person_id: int) -> set[str]:
    """Return the names of the lessons that a person has finished."""
    with database.reading() as connection:
        return set(connection.execute(_FINISHED, {"person_id": person_id}).scalars())


def finishes(connection: Connection, lessons: Sequence[str], people: Sequence[int]) -> list[tuple[int, str, datetime]]:
    """Return (person's id, lesson, when) for these lessons and people."""
    statement = select(FinishedLessonRow.person_id, FinishedLessonRow.lesson, FinishedLessonRow.finished_at)
    own = (FinishedLessonRow.lesson.in_(lessons), FinishedLessonRow.person_id.in_(people))
    return [(row.person_id, row.lesson, row.finished_at) for row in connection.execute(statement.where(*own))]


def last_finished(connection: Connection, people: Sequence[int]) -> dict[int, datetime]:
    """Return when each of these people last finished a lesson."""
    newest = func.max(FinishedLessonRow.finished_at, type_=FinishedLessonRow.finished_at.type)
    statement = select(FinishedLessonRow.person_id, newest.label("at")).group_by(FinishedLessonRow.person_id)
    rows = connection.execute(statement.where(FinishedLessonRow.person_id.in_(people)))
    return {row.person_id: row.at for row in rows}


def finish(database: Database, person_id: int, lesson: str, now: datetime) -> None:
    """Note that a person has finished a lesson; a second time changes nothing."""
    statement = database.upsert(FinishedLessonRow).values(person_id=person_id, lesson=lesson, finished_at=now)
    with database.writing() as connection:
        connection.execute(statement.on_conflict_do_nothing())


def adopt(connection: Connection, guest_id: int, person_id: int) -> None:
    """Give a guest's finished lessons to an account, but for those that it has finished itself."""
    own = select(FinishedLessonRow.lesson).where(FinishedLessonRow.person_id == person_id)
    moved = update(FinishedLessonRow).where(
        FinishedLessonRow.person_id == guest_id, FinishedLessonRow.lesson.not_in(own.scalar_subquery())
    )
    connection.execute(moved.values(person_id=person_id))
