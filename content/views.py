"""Pages of the course: courses, modules and lessons, the talks and their calendar, the startups."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from accounts.people import Person
from accounts.sessions import current_person, ensure_person
from content import calendar, cli, progress, render
from content.library import Course, Lesson, Module, Schedule
from content.shelf import Shelf
from db import database
from web.clock import now
from web.lifecycle import lifecycle
from web.offers import Door, NextStep, Progress, offers

ROOT = Path(__file__).parent

routes = Blueprint("content", __name__, template_folder="templates")


def init_app(app: Flask) -> None:
    """Register the pages, the command line and what the room offers to others."""
    app.extensions["library"] = _shipped()
    app.register_blueprint(routes)
    app.cli.add_command(cli.group)
    register = offers(app)
    register.doors.append(_door)
    register.next_steps.append(_next_step)
    register.progress.append(_progress)
    lifecycle(app).prepare.append(_report_faults)
    lifecycle(app).adopt.append(progress.adopt)


@cache
def _shipped() -> Shelf:
    return Shelf(ROOT)


def shelf() -> Shelf:
    """Return the application's library in memory."""
    found: Shelf = current_app.extensions["library"]
    return found


@routes.get("/learn")
def courses() -> str:
    """List the courses."""
    return render_template("content/courses.html", courses=shelf().current().courses, notes=shelf().current())


@routes.get("/learn/<course_slug>")
def course(course_slug: str) -> str:
    """Show a course with its modules and lessons."""
    found = _course(course_slug)
    return render_template(
        "content/course.html",
        course=found,
        rendered=shelf().rendered(found.page, f"/learn/{course_slug}/"),
        finished=_finished(),
        key=progress.lesson_key,
    )


@routes.get("/learn/<course_slug>/<module_slug>/")
def module(course_slug: str, module_slug: str) -> str:
    """Show what a domain asks, and its lessons."""
    found, part = _module(course_slug, module_slug)
    return render_template(
        "content/module.html",
        course=found,
        module=part,
        rendered=shelf().rendered(part.overview, f"/learn/{course_slug}/{module_slug}/"),
        finished=_finished(),
        key=progress.lesson_key,
    )


@routes.get("/learn/<course_slug>/<module_slug>/<lesson_slug>")
def lesson(course_slug: str, module_slug: str, lesson_slug: str) -> str:
    """Show a lesson with its checks and labs in place."""
    found, part, one = _lesson(course_slug, module_slug, lesson_slug)
    return render_template(
        "content/lesson.html",
        course=found,
        module=part,
        lesson=one,
        rendered=shelf().rendered(one.page, f"/learn/{course_slug}/{module_slug}/"),
        embeds=offers().embeds,
        neighbours=progress.neighbours(found, one),
        finished=_finished(),
        key=progress.lesson_key,
    )


@routes.post("/learn/<course_slug>/<module_slug>/<lesson_slug>/finished")
def finish(course_slug: str, module_slug: str, lesson_slug: str) -> Answer:
    """Keep that the lesson was read, and go on to the next one."""
    found, part, one = _lesson(course_slug, module_slug, lesson_slug)
    progress.finish(database(), ensure_person().id, progress.lesson_key(found, part, one), now())
    following = progress.neighbours(found, one).next
    if following is None:
        return redirect(url_for("content.course", course_slug=course_slug), 303)
    return redirect(_lesson_address(found, *following), 303)


@routes.get("/talks")
def talks() -> Answer:
    """Lead to the newest schedule."""
    schedules = shelf().current().schedules
    if not schedules:
        abort(404, "There is no schedule of talks yet.")
    return redirect(url_for("content.schedule", month=schedules[-1].month), 302)


@routes.get("/talks/<month>")
def schedule(month: str) -> str:
    """Show a month's talks by day."""
    found = _schedule(month)
    days: dict[object, list[object]] = {}
    for talk in found.talks:
        days.setdefault(talk.start.date(), []).append(talk)
    intro = render.render(found.page.body.partition("\n## ")[0], found.page.folder)
    return render_template("content/schedule.html", schedule=found, days=days, intro=intro)


@routes.get("/talks/<month>.ics")
def schedule_calendar(month: str) -> Response:
    """Serve a month's talks as a calendar one can import or subscribe to."""
    found = _schedule(month)
    return _calendar(calendar.to_icalendar(found, found.talks, request.host), f"talks-{month}.ics")


@routes.get("/talks/<month>/<talk_slug>.ics")
def talk_calendar(month: str, talk_slug: str) -> Response:
    """Serve one talk as a calendar."""
    found = _schedule(month)
    chosen = [talk for talk in found.talks if talk.slug == talk_slug]
    if not chosen:
        abort(404, "There is no such talk in this month's schedule.")
    return _calendar(calendar.to_icalendar(found, chosen, request.host), f"{talk_slug}.ics")


@routes.get("/startups")
def startups() -> Answer:
    """Lead to the newest round of startups."""
    rounds = shelf().current().startups
    if not rounds:
        abort(404, "There is no round of startups yet.")
    return redirect(url_for("content.startup_round", month=rounds[-1].month), 302)


@routes.get("/startups/<month>")
def startup_round(month: str) -> str:
    """Show a month's startups."""
    found = next((one for one in shelf().current().startups if one.month == month), None)
    if found is None:
        abort(404, "There is no round of startups for this month.")
    return render_template("content/startups.html", round=found, rendered=shelf().rendered(found.page))


def _calendar(data: bytes, name: str) -> Response:
    answer = Response(data, content_type="text/calendar; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _course(slug: str) -> Course:
    found = shelf().current().find_course(slug)
    if found is None:
        abort(404, "There is no course at this address; the courses are listed under Learn.")
    return found


def _module(course_slug: str, module_slug: str) -> tuple[Course, Module]:
    found = _course(course_slug)
    part = next((one for one in found.modules if one.slug == module_slug), None)
    if part is None:
        abort(404, "This course has no such domain; its page lists them.")
    return found, part


def _lesson(course_slug: str, module_slug: str, lesson_slug: str) -> tuple[Course, Module, Lesson]:
    found, part = _module(course_slug, module_slug)
    one = next((one for one in part.lessons if one.slug == lesson_slug), None)
    if one is None:
        abort(404, "This domain has no such lesson; its page lists them.")
    return found, part, one


def _schedule(month: str) -> Schedule:
    found = next((one for one in shelf().current().schedules if one.month == month), None)
    if found is None:
        abort(404, "There is no schedule of talks for this month.")
    return found


def _lesson_address(found: Course, part: Module, one: Lesson) -> str:
    return url_for("content.lesson", course_slug=found.slug, module_slug=part.slug, lesson_slug=one.slug)


def _finished() -> set[str]:
    person = current_person()
    return progress.finished_lessons(database(), person.id) if person else set()


def _report_faults(app: Flask) -> None:
    for error in app.extensions["library"].errors():
        app.logger.error("%s", error)


def _door(_person: Person | None) -> Door:
    lessons = [one for found in shelf().current().courses for one in found.lessons()]
    minutes = sum(one.minutes for _, one in lessons)
    return Door(
        1,
        "Learn",
        "Read a course that teaches every task of the exam, with checks in the text.",
        f"{len(lessons)} lessons, {minutes // 60} hours of reading" if minutes >= 120 else f"{len(lessons)} lessons",
        url_for("content.courses"),
        "Open the courses",
    )


def _next_step(person: Person | None) -> NextStep | None:
    if person is None:
        return None
    finished = progress.finished_lessons(database(), person.id)
    for found in shelf().current().courses:
        following = progress.next_unfinished(found, finished)
        if following is not None:
            part, one = following
            title = f"Continue with “{one.page.title}”" if finished else f"Start with “{one.page.title}”"
            text = f"{part.overview.title}, {one.minutes} minutes."
            return NextStep(5, title, text, _lesson_address(found, part, one), "Read the lesson")
    return None


def _progress(person: Person | None) -> list[Progress]:
    finished = progress.finished_lessons(database(), person.id) if person else set()
    return [
        Progress(
            part.overview.title,
            url_for("content.module", course_slug=found.slug, module_slug=part.slug),
            sum(progress.lesson_key(found, part, one) in finished for one in part.lessons),
            len(part.lessons),
        )
        for found in shelf().current().courses[:1]
        for part in found.modules
    ]
