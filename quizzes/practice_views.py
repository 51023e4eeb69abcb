"""Pages of drills: an item and its answer at once, by domain, task, tag or mistakes, and one question a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from accounts.sessions import current_person, ensure_person
from content.library import Course
from db import database
from quizzes import answers, display, grading, mastery, practice, practice_store, proofs
from quizzes.corrections import store as corrections
from quizzes.mastery import Mastery
from quizzes.practice import Result, Scope
from quizzes.questions import Item
from quizzes.routes import evidence, exams, library, routes
from web.clock import now
from web.offers import Exercise, offers


@routes.get("/drills")
def drills() -> str:
    """Offer the drills: the question of the day, one's mistakes, and every domain and task that has items."""
    withheld, last = _known()
    items, labs = _items(), labs_by_task()
    courses = [(course, rows) for course in library().courses if (rows := _rows(course, items, last, labs))]
    # Courses that lead to a vendor's exam come first.
    courses.sort(key=lambda pair: not pair[0].exam)
    scopes = [Scope(course.slug, mistakes=True) for course, _rows in courses]
    mistakes = {scope.course: len(practice.candidates(items, scope, last, withheld)) for scope in scopes}
    tags = {scope.course: practice.tags(items, scope.course) for scope in scopes}
    return render_template("quizzes/drills.html", courses=courses, mistakes=mistakes, tags=tags)


@routes.get("/drills/today")
def question_of_the_day() -> str:
    """Ask the question of the day; one that stands in a running exam waits until that is over."""
    item = practice.question_of_the_day(_items(), now().date())
    if item is None or item.question.id in _known()[0]:
        return render_template("quizzes/drill_done.html", scope=None)
    return _ask(item, url_for("quizzes.question_of_the_day"), _("Question of the day"))


@routes.post("/drills/today")
def answer_question_of_the_day() -> Answer | str:
    """Mark the question of the day."""
    return _answer(url_for("quizzes.question_of_the_day"), _("Question of the day"), None)


@routes.get("/drills/<course_slug>")
def drill(course_slug: str) -> str:
    """Ask the next item of a drill."""
    course, scope = _scope(course_slug)
    withheld, last = _known()
    item = practice.choose(practice.candidates(_items(), scope, last, withheld), last)
    if item is None:
        return render_template("quizzes/drill_done.html", scope=scope, course=course)
    return _ask(item, request.full_path.rstrip("?"), _title(course, scope))


@routes.post("/drills/<course_slug>")
def answer_drill(course_slug: str) -> Answer | str:
    """Mark an item of a drill, with the reason for every option, and lead on."""
    course, scope = _scope(course_slug)
    return _answer(request.full_path.rstrip("?"), _title(course, scope), scope)


def labs_by_task() -> dict[tuple[str, str], list[Exercise]]:
    """Return the labs that teach each task, by course and task, with how far this person has come in them."""
    labs = offers().exercises["lab"](current_person())
    taught = mastery.taught_by_labs(library())
    return {task: [labs[slug] for slug in slugs if slug in labs] for task, slugs in taught.items()}


def _ask(item: Item, address: str, title: str) -> str:
    return render_template("quizzes/drill.html", item=item, shown=display.check(item), address=address, title=title)


def _answer(address: str, title: str, scope: Scope | None) -> Answer | str:
    item = exams().items.get(request.form.get("question", ""))
    person = ensure_person()
    if item is None or item not in _items() or item.question.id in _known()[0]:
        abort(404, _("This question cannot be drilled now; it may stand in an exam that you have not submitted."))
    answer = answers.from_form(item.question, request.form, "answer")
    if not answer:
        return redirect(address, 303)
    with database().writing() as connection:
        practice_store.keep(connection, person.id, item, answer, now())
        item = next(corrections.ruled_items(connection, [item]))
    mark = grading.mark(item, answer)
    return render_template(
        "quizzes/drill_answer.html",
        item=item,
        shown=display.check(item),
        lines=display.review(item, answer),
        explanation=display.explanation(item),
        today=display.today(item),
        proof=proofs.proven(item, evidence()),
        labs=labs_by_task().get((item.question.course, item.question.task), ()),
        correct=mark.correct,
        credit=mark.credit,
        address=address if scope else None,
        title=title,
    )


def _items() -> list[Item]:
    """Return the items that can be drilled: those that exams draw, and those of courses without an exam."""
    return [item for bank in exams().banks if bank.pool == "exam" for item in bank.items]


def _known() -> tuple[set[str], dict[str, Result]]:
    """Return which questions are withheld from this person, and their last result of each."""
    person = current_person()
    if person is None:
        return set(), {}
    with database().reading() as connection:
        return practice_store.withheld(connection, person.id), practice.latest(
            practice_store.results(connection, person.id)
        )


def _rows(
    course: Course, items: list[Item], last: dict[str, Result], labs: Mapping[tuple[str, str], Sequence[Exercise]]
) -> list[dict[str, Any]]:
    """Return a course's domains that have items, with their tasks: how far each is mastered, and the labs it has."""
    rows = []
    for module in course.modules:
        tasks = [
            {
                "task": task,
                "labs": (own_labs := labs.get((course.slug, task.code), ())),
                "mastery": _mastery(own, last, own_labs),
            }
            for task in module.tasks
            if (own := [item for item in items if Scope(course.slug, task=task.code).covers(item)])
        ]
        if tasks:
            rows.append({"module": module, "tasks": tasks})
    return rows


def _mastery(items: Sequence[Item], last: Mapping[str, Result], labs: Sequence[Exercise]) -> Mastery:
    right = sum(_is_right(item, last) for item in items)
    return Mastery(right, len(items), sum(one.done for one in labs), sum(one.total for one in labs))


def _is_right(item: Item, last: Mapping[str, Result]) -> bool:
    result = last.get(item.question.id)
    return result is not None and result.correct


def _scope(course_slug: str) -> tuple[Course, Scope]:
    course = library().find_course(course_slug)
    if course is None:
        abort(404, _("There is no course at this address; the courses are listed under Learn."))
    domain, task, tag = (request.args.get(name, "") for name in ("domain", "task", "tag"))
    known = {one.code for module in course.modules for one in module.tasks}
    if (task and task not in known) or (domain and domain not in {str(one.number) for one in course.modules}):
        abort(404, _("This course has no such domain or task; choose one under Practise."))
    if tag and not any(tag in item.question.tags for item in _items() if item.question.course == course_slug):
        abort(404, _("This course has no questions with that tag; choose one under Practise."))
    return course, Scope(course_slug, int(domain or 0), task, tag, mistakes=request.args.get("only") == "mistakes")


def _title(course: Course, scope: Scope) -> str:
    if scope.mistakes:
        return str(_("Your mistakes"))
    if scope.tag:
        return scope.tag
    for module in course.modules:
        if scope.domain == module.number:
            return module.overview.title
        for task in module.tasks:
            if scope.task == task.code:
                return f"{task.code} {task.title}"
    return course.page.title
