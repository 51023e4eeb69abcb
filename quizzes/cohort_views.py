"""What the quiz engine offers to cohorts: exams to assign, what people did in them, and the time they may take."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import Connection

from accounts.people import Person
from accounts.work import Assignable, Effort, TaskMastery, Work
from quizzes import attempts, cohort_store
from quizzes.grading import HIGHEST, LOWEST
from quizzes.routes import exams, library
from web.clock import now
from web.offers import Offers, offers


def register(register: Offers) -> None:
    """Offer exams as work, what this room knows of people, and longer exams."""
    register.work["exam"] = Work(_assignable, _efforts, timed=True)
    register.activity.append(cohort_store.last_activity)
    register.mastery.append(_mastery)
    register.lengthen.append(_lengthen)


def times(person: Person | None, slug: str) -> tuple[str, ...]:
    """Return by what a person may multiply the time of an exam, the first being what they are given."""
    rules = [rule(person.id, slug) for rule in offers().exam_time] if person else []
    own = max((multiplier for multiplier, _fixed in rules), key=float, default="1")
    return attempts.offered(own, fixed=any(fixed for _multiplier, fixed in rules))


def _assignable() -> list[Assignable]:
    own = exams().own
    return [
        Assignable(
            one.slug,
            one.title,
            url_for("quizzes.exam", slug=one.slug),
            group=_("banks of the studio") if one.slug in own else "",
        )
        for one in exams().offered
    ]


def _efforts(connection: Connection, slugs: Sequence[str], people: Sequence[int]) -> list[Effort]:
    return [_effort(one, now()) for one in cohort_store.goes(connection, slugs, people)]


def _effort(one: cohort_store.Go, moment: datetime) -> Effort:
    """Return an attempt as an effort; one that is over and waits for the sweep counts as begun."""
    if one.scaled is None or one.clock.closed_at is None or one.clock.closed_at > moment:
        return Effort(one.person_id, one.exam, one.clock.started_at, None)
    percent = round(100 * (one.scaled - LOWEST) / (HIGHEST - LOWEST))
    return Effort(one.person_id, one.exam, one.clock.started_at, one.clock.closed_at, percent, one.scaled)


def _lengthen(connection: Connection, person_id: int, multiplier: str) -> int:
    minutes = {one.slug: one.minutes for one in exams().blueprints}
    return cohort_store.lengthen(connection, person_id, minutes, float(multiplier), now())


def _mastery(connection: Connection, people: Sequence[int]) -> list[TaskMastery]:
    """Return every task that questions of exams are on, course by course."""
    last = cohort_store.last_results(connection, people)
    questions = _questions()
    return [
        TaskMastery(
            course.page.title,
            task.code,
            task.title,
            len(own),
            {person: sum(one in known and known[one].correct for one in own) for person, known in last.items()},
            {person: sum(one in known for one in own) for person, known in last.items()},
        )
        for course in sorted(library().courses, key=lambda one: one.page.title)
        for module in course.modules
        for task in module.tasks
        if (own := questions.get((course.slug, task.code)))
    ]


def _questions() -> dict[tuple[str, str], list[str]]:
    """Return the ids of the questions of each task, by course and task."""
    found: dict[tuple[str, str], list[str]] = {}
    for bank in exams().banks:
        for item in bank.items if bank.pool == "exam" else ():
            found.setdefault((item.question.course, item.question.task), []).append(item.question.id)
    return found
