"""A bank of the studio as an exam of its own: all of its published items that exams may ask, by domain; pure."""

from __future__ import annotations

from collections import Counter

from content.library import Course
from quizzes.authoring.store import StudioBank
from quizzes.blueprint import Blueprint, Domain
from quizzes.pool import questions
from quizzes.questions import Bank

MINUTES = (1, 600)
"""The least and the greatest time that such an exam may take."""
CUT = 700


def slug_of(bank: StudioBank) -> str:
    """Return the exam's name in addresses and attempts, which a change of the bank's title does not change."""
    return f"bank-{bank.id}"


def blueprint_of(bank: StudioBank, public: Bank, course: Course) -> Blueprint:
    """Return the exam of a bank: every item of ``public`` that exams may ask, of a set of enemies one.

    A bank that has no such item asks for one, so that the exam says what it lacks. An exam that is no longer offered
    still has its blueprint: reports of it are read by it.
    """
    sets = {(one.domain, one.enemies or one.id) for one in questions((public,), bank.course)}
    counts = Counter(domain for domain, _name in sets) or Counter({course.modules[0].number: 1})
    return Blueprint(
        slug=slug_of(bank),
        code=bank.title,
        title=bank.title,
        course=bank.course,
        items=counts.total(),
        minutes=bank.minutes or MINUTES[0],
        cut=bank.cut or CUT,
        domains=tuple(
            Domain(one.number, one.overview.title, counts[one.number]) for one in course.modules if counts[one.number]
        ),
        official=False,
        offered=bank.offered,
    )
