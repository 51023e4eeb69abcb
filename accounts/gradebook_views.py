"""The gradebook, a person's page, and who is stuck where."""

from __future__ import annotations

from datetime import datetime

from flask import Response, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response as Answer

from accounts import assignment_store, cohort_store, cohorts, gradebook
from accounts.assignment_views import assignment, efforts_at, rules, state_words
from accounts.cohort_views import Page, member, routes, taught, told
from accounts.cohorts import EXTRA_TIMES, Cohort, CohortError
from accounts.gradebook import Book, Grade
from db import database
from web.clock import now
from web.offers import offers

WEAKEST = 8


@routes.get("/studio/cohorts/<int:cohort_id>/gradebook")
def show_gradebook(cohort_id: int) -> str:
    """Show everybody's grades in every assignment."""
    cohort = taught(cohort_id)
    book = _book(cohort)[0]
    return render_template("accounts/gradebook.html", cohort=cohort, book=book, words=state_words(), told=told)


@routes.get("/studio/cohorts/<int:cohort_id>/gradebook.csv")
def export_gradebook(cohort_id: int) -> Response:
    """Serve the gradebook for a spreadsheet."""
    book, words = _book(taught(cohort_id))[0], state_words()
    heads = (_("Name"), _("E-mail address"), _("state"), _("percent"), _("scaled score"))
    # The mark at the start tells spreadsheets that the letters are UTF-8.
    text = "\ufeff" + gradebook.to_csv(book, lambda grade: words[grade.state], heads)
    answer = Response(text, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="gradebook-{cohort_id}.csv"'
    return answer


@routes.get("/studio/cohorts/<int:cohort_id>/standing")
def standing(cohort_id: int) -> str:
    """Show who is stuck where: who has not begun, who is idle, what is missing, and the weakest tasks."""
    cohort = taught(cohort_id)
    days = request.args.get("days", gradebook.IDLE_DAYS, int)
    if not 1 <= days <= 365:
        abort(400, _("Enter a number of days from 1 to 365."))
    book, activity = _book(cohort)
    people = [one.person_id for one in book.people]
    with database().reading() as connection:
        tasks = [one for ask in offers().mastery for one in ask(connection, people)]
    answered = [one for one in tasks if one.cohort_percent is not None]
    weakest = sorted(answered, key=lambda one: one.cohort_percent or 0)[:WEAKEST]
    return render_template(
        "accounts/standing.html",
        cohort=cohort,
        book=book,
        trouble=gradebook.trouble(book, activity, now(), days),
        days=days,
        weakest=weakest,
        tasks=answered,
        told=told,
    )


@routes.get("/studio/cohorts/<int:cohort_id>/people/<int:person_id>")
def show_person(cohort_id: int, person_id: int) -> str:
    """Show how one person stands, and what they are given: more time, later dates."""
    return _person_page(taught(cohort_id), person_id)


@routes.post("/studio/cohorts/<int:cohort_id>/people/<int:person_id>")
def set_extra_time(cohort_id: int, person_id: int) -> Answer | Page:
    """Multiply the time of a learner's exams; those that run end later at once."""
    cohort = taught(cohort_id)
    member(cohort_id, person_id)
    multiplier = request.form.get("extra", "")
    if multiplier not in EXTRA_TIMES:
        error = _("Choose by how much the time is multiplied: %(choices)s.", choices=", ".join(EXTRA_TIMES))
        return _person_page(cohort, person_id, error), 400
    with database().writing() as connection:
        cohort_store.set_extra_time(connection, cohort_id, person_id, multiplier)
        given = cohort_store.extra_time(connection, person_id)
        for lengthen in offers().lengthen:
            lengthen(connection, person_id, given)
    return redirect(url_for("cohorts.show_person", cohort_id=cohort_id, person_id=person_id), 303)


@routes.post("/studio/cohorts/<int:cohort_id>/people/<int:person_id>/extensions/<int:assignment_id>")
def extend(cohort_id: int, person_id: int, assignment_id: int) -> Answer | Page:
    """Give one learner a later due date, or with an empty field take it back."""
    cohort = taught(cohort_id)
    member(cohort_id, person_id)
    found = assignment(cohort_id, assignment_id)
    try:
        due = cohorts.check_later(found.terms, cohorts.read_moment(request.form.get("due", ""), cohort.zone))
    except CohortError as error:
        return _person_page(cohort, person_id, _(str(error))), 400
    try:
        with database().writing() as connection:
            assignment_store.extend(database(), connection, assignment_id, person_id, due)
    except IntegrityError:
        # What was there a moment ago was taken away meanwhile.
        abort(404)
    return redirect(url_for("cohorts.show_person", cohort_id=cohort_id, person_id=person_id), 303)


def _book(cohort: Cohort, only: int | None = None) -> tuple[Book, dict[int, datetime]]:
    """Return a cohort's gradebook and when each of its learners was last active; ``only`` is one learner's id."""
    with database().reading() as connection:
        people = [one for one in cohort_store.learners(connection, cohort.id) if only in {None, one.person_id}]
        tasks = assignment_store.of_cohort(connection, cohort.id)
        numbers = [one.person_id for one in people]
        efforts = efforts_at(connection, tasks, numbers)
        extensions = assignment_store.extensions(connection, tasks)
        return gradebook.compile_book(people, tasks, efforts, extensions, rules()), _activity(connection, numbers)


def _activity(connection: Connection, people: list[int]) -> dict[int, datetime]:
    found: dict[int, datetime] = {}
    for ask in offers().activity:
        for person, at in ask(connection, people).items():
            found[person] = max(at, found.get(person, at))
    return found


def _person_page(cohort: Cohort, person_id: int, error: str = "") -> str:
    one = member(cohort.id, person_id)
    book, activity = _book(cohort, person_id)
    own: list[Grade] = [book.grades[person_id, task.id] for task in book.assignments] if book.people else []
    return render_template(
        "accounts/member.html",
        cohort=cohort,
        one=one,
        rows=list(zip(book.assignments, own, strict=False)),
        last=activity.get(person_id),
        error=error,
        choices=EXTRA_TIMES,
        words=state_words(),
        told=told,
        write_moment=cohorts.write_moment,
    )
