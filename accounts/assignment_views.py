"""What is assigned: the instructors' forms, the learners' own page, and what is due next on the home page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import available_timezones

from flask import Response, abort, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Answer

from accounts import assignment_store, cohorts, gradebook
from accounts.assignment_store import What
from accounts.cohort_store import extra_time
from accounts.cohort_views import Page, leave, routes, taught, told
from accounts.cohorts import Assignment, Cohort, CohortError, Terms
from accounts.gradebook import Grade
from accounts.people import Person
from accounts.sessions import require_role
from accounts.work import Assignable, Effort, Work
from db import database
from web import cookies
from web.clock import now
from web.offers import NextStep, offers

ZONE_COOKIE = "zone"
SOON = timedelta(days=7)
KINDS = ("lesson", "exam", "lab")


@dataclass(frozen=True)
class Task:
    """An assignment as one learner sees it; ``address`` is empty where what was assigned is no longer there."""

    assignment: Assignment
    cohort: Cohort
    grade: Grade
    address: str


@routes.get("/studio/cohorts/<int:cohort_id>/assignments")
def new_assignment(cohort_id: int) -> str:
    """Ask what to assign, and on what terms."""
    return _form(taught(cohort_id), None, Terms("", None, None, closes=False, counts="best"))


@routes.post("/studio/cohorts/<int:cohort_id>/assignments")
def assign(cohort_id: int) -> Answer | Page:
    """Assign something."""
    cohort = taught(cohort_id)
    kind, _colon, key = request.form.get("what", "").partition(":")
    try:
        terms, found = _terms(cohort), _assignable(kind, key)
    except CohortError as error:
        return _form(cohort, None, None, _(str(error))), 400
    with database().writing() as connection:
        assignment_store.assign(connection, cohort_id, What(kind, key, found.title), terms, now())
    return redirect(url_for("cohorts.show", cohort_id=cohort_id), 303)


@routes.get("/studio/cohorts/<int:cohort_id>/assignments/<int:assignment_id>")
def edit_assignment(cohort_id: int, assignment_id: int) -> str:
    """Show an assignment's terms."""
    cohort = taught(cohort_id)
    found = assignment(cohort_id, assignment_id)
    return _form(cohort, found, found.terms)


@routes.post("/studio/cohorts/<int:cohort_id>/assignments/<int:assignment_id>")
def change_assignment(cohort_id: int, assignment_id: int) -> Answer | Page:
    """Give an assignment other terms, or take it back."""
    cohort = taught(cohort_id)
    found = assignment(cohort_id, assignment_id)
    try:
        terms = found.terms if request.form.get("do") == "withdraw" else _terms(cohort)
    except CohortError as error:
        return _form(cohort, found, None, _(str(error))), 400
    with database().writing() as connection:
        if request.form.get("do") == "withdraw":
            assignment_store.withdraw(connection, assignment_id)
        else:
            assignment_store.change(connection, assignment_id, terms)
    return redirect(url_for("cohorts.show", cohort_id=cohort_id), 303)


@routes.get("/assignments")
def mine() -> Response:
    """Show a learner what they are to do in each of their cohorts, in their own time zone."""
    person = require_role("learner")
    asked = request.args.get("zone", "")
    if asked and asked not in available_timezones():
        abort(400, _("There is no time zone of that name; choose one from the list, as in Europe/Sofia."))
    cohorts_of_mine, found = tasks_of(person.id)
    zones = {one.id: reader_zone(one.zone) for one in cohorts_of_mine}
    page = render_template(
        "accounts/assignments.html",
        cohorts=cohorts_of_mine,
        tasks=found,
        asked=asked,
        zone=asked or next(iter(zones.values()), "UTC"),
        zone_of=zones,
        zones=sorted(available_timezones()),
        words=state_words(),
        told=told,
    )
    answer = make_response(page)
    if asked:
        cookies.keep(answer, ZONE_COOKIE, asked)
    return answer


@routes.post("/assignments/<int:cohort_id>/leave")
def leave_cohort(cohort_id: int) -> Answer:
    """Leave a cohort; what one did stays one's own."""
    person = require_role("learner")
    with database().reading() as connection:
        own = {one.id for one in assignment_store.of_learner(connection, person.id)}
    if cohort_id not in own:
        abort(404, _("You are in no such cohort; those you are in are listed under your assignments."))
    leave(cohort_id, person.id)
    return redirect(url_for("cohorts.mine"), 303)


def assignment(cohort_id: int, assignment_id: int) -> Assignment:
    """Return an assignment of a cohort."""
    with database().reading() as connection:
        found = assignment_store.find(connection, cohort_id, assignment_id)
    if found is None:
        abort(404, _("There is no such assignment in this cohort; it may have been withdrawn."))
    return found


def efforts_at(connection: Connection, tasks: Iterable[Assignment], people: list[int]) -> dict[str, list[Effort]]:
    """Return what these people did of what is assigned, by kind: each room is asked once."""
    keys: dict[str, set[str]] = {}
    for one in tasks:
        keys.setdefault(one.kind, set()).add(one.key)
    work = offers().work
    return {
        kind: list(work[kind].efforts(connection, sorted(own), people)) for kind, own in keys.items() if kind in work
    }


def rules() -> gradebook.Rules:
    """Return the rules by which work is judged now."""
    return gradebook.Rules(now(), frozenset(kind for kind, work in offers().work.items() if work.repeatable))


def tasks_of(person_id: int) -> tuple[list[Cohort], list[Task]]:
    """Return the cohorts in which a person learns, and their tasks in all of them."""
    with database().reading() as connection:
        found = assignment_store.of_learner(connection, person_id)
        tasks = [one for own in found.values() for one in own]
        if not tasks:
            return list(found), []
        efforts = efforts_at(connection, tasks, [person_id])
        extensions = assignment_store.extensions(connection, tasks)
    places = gradebook.by_place(tasks, efforts, rules().repeatable)
    addresses = _addresses()
    cohort_of = {one.id: one for one in found}
    return list(found), [
        Task(
            one,
            cohort_of[one.cohort_id],
            gradebook.grade(
                one, gradebook.due_of(one, person_id, extensions), places.get((person_id, one.id), ()), now()
            ),
            addresses.get((one.kind, one.key), ""),
        )
        for one in tasks
    ]


def next_step(person: Person | None) -> NextStep | None:
    """Return what is due next, or what is late and still counts."""
    if person is None or person.is_guest:
        return None
    waiting = [one for one in tasks_of(person.id)[1] if _waits(one, now())]
    if not waiting:
        return None
    first = min(waiting, key=lambda one: one.grade.due_at or now())
    due = first.grade.due_at or now()
    when = told(due, reader_zone(first.cohort.zone))
    sentence = _("Due %(when)s, for “%(cohort)s”.") if due >= now() else _("It was due %(when)s, for “%(cohort)s”.")
    text = sentence % {"when": when, "cohort": first.cohort.title}
    if due < now():
        text += " " + _("You can still hand it in; it will be marked as late.")
    urgency = 2 if due < now() + SOON else 4
    return NextStep(
        urgency, first.assignment.title, text, first.address, _("Begin") if first.grade.percent is None else _("Go on")
    )


def exam_time(person_id: int, exam: str) -> tuple[str, bool]:
    """Return by how much an exam's time is multiplied for a person, and whether an open assignment fixes that."""
    moment = now()
    with database().reading() as connection:
        own = extra_time(connection, person_id)
        tasks = [one for found in assignment_store.of_learner(connection, person_id).values() for one in found]
        exams = [one for one in tasks if (one.kind, one.key) == ("exam", exam) and one.terms.fixed_time]
        extensions = assignment_store.extensions(connection, exams) if exams else {}
    return own, any(one.terms.is_open(moment, gradebook.due_of(one, person_id, extensions)) for one in exams)


def reader_zone(default: str) -> str:
    """Return the time zone that this browser's reader chose, else the default."""
    kept = cookies.kept(ZONE_COOKIE)
    return kept if kept in available_timezones() else default


def state_words() -> dict[str, str]:
    """Return what each state of a grade is called."""
    return {
        "submitted": _("in time"),
        "late": _("late"),
        "begun": _("begun"),
        "missing": _("missing"),
        "open": _("not begun"),
        "closed": _("not open yet"),
    }


def _waits(task: Task, moment: datetime) -> bool:
    grade, terms = task.grade, task.assignment.terms
    undone = grade.due_at is not None and bool(task.address) and grade.state in {"open", "begun", "missing"}
    return undone and terms.is_open(moment, grade.due_at)


def _addresses() -> dict[tuple[str, str], str]:
    return {(kind, one.key): one.address for kind, work in offers().work.items() for one in work.every()}


def _assignable(kind: str, key: str) -> Assignable:
    work: Work | None = offers().work.get(kind)
    found = next((one for one in work.every() if one.key == key), None) if work else None
    if found is None:
        raise CohortError("Choose what to assign.")
    return found


def _terms(cohort: Cohort) -> Terms:
    form = request.form
    return cohorts.check_terms(
        Terms(
            form.get("note", "").strip(),
            cohorts.read_moment(form.get("opens", ""), cohort.zone),
            cohorts.read_moment(form.get("due", ""), cohort.zone),
            closes="closes" in form,
            counts=form.get("counts", "best"),
            fixed_time="fixed" in form,
        )
    )


def _form(cohort: Cohort, found: Assignment | None, terms: Terms | None, error: str = "") -> str:
    """Show an assignment's form: as its terms are, or with None as it was sent."""
    values = dict(request.form) if terms is None else _values(cohort, terms)
    choices = [] if found else _choices()
    return render_template(
        "accounts/assignment.html",
        cohort=cohort,
        assignment=found,
        values=values,
        choices=choices,
        error=error,
        timed=found is None or offers().work[found.kind].timed,
    )


def _values(cohort: Cohort, terms: Terms) -> dict[str, str]:
    flags = {name: "yes" for name, yes in (("closes", terms.closes), ("fixed", terms.fixed_time)) if yes}
    opens, due = (cohorts.write_moment(moment, cohort.zone) for moment in (terms.opens_at, terms.due_at))
    return {"note": terms.note, "opens": opens, "due": due, "counts": terms.counts, **flags}


def _choices() -> list[tuple[str, str, list[Assignable]]]:
    """Return what can be assigned as (kind, group's title, things), the kinds in the order of KINDS."""
    groups: dict[tuple[str, str], list[Assignable]] = {}
    work: dict[str, Work] = offers().work
    for kind in sorted(work, key=lambda one: (KINDS.index(one) if one in KINDS else len(KINDS), one)):
        for one in work[kind].every():
            groups.setdefault((kind, one.group), []).append(one)
    return [(kind, group, things) for (kind, group), things in groups.items()]
