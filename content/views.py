"""Pages one reads: courses, modules and lessons, notes, startups, the glossary, and a course on paper or offline."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from itertools import count, groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, abort, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Answer

from accounts.people import Person
from accounts.sessions import current_person, ensure_person
from accounts.work import Assignable, Effort, Work
from content import (
    cli,
    draft_views,
    drafts,
    feedback,
    glossary,
    marks,
    progress,
    search,
    search_views,
    study_views,
    talk_views,
    upkeep,
)
from content.blueprint import find_page, library, routes, shelf
from content.glossary import Glossary
from content.library import Course, Lesson, Module
from content.marks import OwnMark
from content.pages import PICTURE_TYPES, PICTURES_AT, Page, picture_path
from content.render import Embed, Mark, Rendered
from content.shelf import Shelf
from db import database
from web.clock import now
from web.lifecycle import lifecycle
from web.offers import Door, NextStep, Progress, StudioPage, offers

ROOT = Path(__file__).parent
VIEWS = (draft_views, search_views, study_views, talk_views)
"""Imported for the pages that they add to the room's blueprint."""
_ID = re.compile(r' id="(?!note(?:ref)?-[0-9a-f]{6}-)[^"]*"')


@dataclass(frozen=True)
class Margin:
    """What stands beside the text of a page: the reader's own marks, and whether there is a pen at each paragraph."""

    own: dict[str, OwnMark]
    marking: bool
    at: str

    def lost(self, page: Page) -> list[OwnMark]:
        """Return the marks whose paragraph has been rewritten since."""
        return [one for one in self.own.values() if page.rendered.find_mark(one.anchor) is None]


def init_app(app: Flask) -> None:
    """Register the pages, the command line and what the room offers to others."""
    put_up(app, _shipped())
    app.register_blueprint(routes)
    app.cli.add_command(cli.group)
    register = offers(app)
    register.doors.append(_door)
    register.next_steps.append(_next_step)
    register.progress.append(_progress)
    register.studio += [
        lambda: StudioPage(7, _("The course"), "/studio/course"),
        lambda: StudioPage(7, _("Lessons and notes"), "/studio/pages"),
    ]
    register.work["lesson"] = Work(_assignable, _efforts, repeatable=False)
    register.activity.append(progress.last_finished)
    lifecycle(app).prepare.append(search_views.refresh)
    lifecycle(app).sweep.append(search_views.refresh)
    lifecycle(app).rebuilt |= search.TABLES
    lifecycle(app).adopt += [progress.adopt, marks.adopt, feedback.adopt]


def put_up(app: Flask, found: Shelf) -> None:
    """Let the application read from a shelf, which in turn may ask its database what a faulty file last was."""
    found.recall_from(partial(upkeep.recall, app.extensions["database"], found.root))
    found.lay_from(drafts.Overlay(app.extensions["database"], found.root))
    app.extensions["library"] = found


@cache
def _shipped() -> Shelf:
    return Shelf(ROOT)


@routes.get("/learn")
def courses() -> str:
    """List the courses, and what there is to read beside them."""
    return render_template("content/courses.html", library=library(), finished=_finished(), key=progress.lesson_key)


@routes.get("/learn/<course_slug>")
def course(course_slug: str) -> str:
    """Show a course with its modules and lessons."""
    found = _course(course_slug)
    return render_template("content/course.html", course=found, finished=_finished(), key=progress.lesson_key)


@routes.get("/learn/<course_slug>/print")
def printed_course(course_slug: str) -> str:
    """Show a whole course on one page, for paper."""
    return render_template("content/print.html", course=_course(course_slug), text=_printed)


@routes.get("/learn/<course_slug>/<module_slug>/")
def module(course_slug: str, module_slug: str) -> str:
    """Show what a domain asks, and its lessons."""
    found, part = _module(course_slug, module_slug)
    return render_template(
        "content/module.html",
        course=found,
        module=part,
        parts=_parts(part.overview, None),
        finished=_finished(),
        key=progress.lesson_key,
    )


@routes.get("/learn/<course_slug>/<module_slug>/<lesson_slug>")
def lesson(course_slug: str, module_slug: str, lesson_slug: str) -> str:
    """Show a lesson with its checks and labs in place, and the reader's notes on the margin."""
    found, part, one = _lesson(course_slug, module_slug, lesson_slug)
    return render_template(
        "content/lesson.html",
        course=found,
        module=part,
        lesson=one,
        neighbours=progress.neighbours(found, one),
        read=progress.read_slugs(found, part, _finished()),
        **_read(one.page),
    )


@routes.post("/learn/<course_slug>/<module_slug>/<lesson_slug>/finished")
def finish(course_slug: str, module_slug: str, lesson_slug: str) -> Answer:
    """Keep that the lesson was read, and go on to the next one."""
    found, part, one = _lesson(course_slug, module_slug, lesson_slug)
    progress.finish(database(), ensure_person().id, progress.lesson_key(found, part, one), now())
    following = progress.neighbours(found, one).next
    if following is None:
        return redirect(found.page.address, 303)
    return redirect(following[1].page.address, 303)


@routes.get("/notes")
def notes() -> str:
    """List the notes, the newest month first."""
    months: dict[str, list[Any]] = {}
    for one in reversed(library().notes):
        months.setdefault(one.month, []).append(one)
    return render_template("content/notes.html", months=months)


@routes.get("/notes/<name>")
def note(name: str) -> str:
    """Show a note."""
    page = find_page(f"/notes/{name}")
    if page is None:
        abort(404, _("There is no such note; they are listed under Notes."))
    return render_template("content/note.html", **_read(page))


@routes.get("/startups")
def startups() -> Answer:
    """Lead to the newest round of startups."""
    rounds = library().startups
    if not rounds:
        abort(404, _("There is no round of startups yet."))
    return redirect(rounds[-1].page.address, 302)


@routes.get("/startups/<month>")
def startup_round(month: str) -> str:
    """Show a month's startups."""
    page = find_page(f"/startups/{month}")
    if page is None:
        abort(404, _("There is no round of startups for this month."))
    return render_template("content/note.html", **_read(page))


@routes.get("/glossary")
def terms() -> str:
    """Show every term with its definition."""
    found = library().glossary
    if found is None:
        abort(404, _("There is no glossary yet."))
    return render_template("content/glossary.html", glossary=found)


@routes.get("/learn/offline")
def offline() -> str:
    """Show what stands in for a page that was not kept, when there is no connection."""
    return render_template("content/offline.html")


@routes.get("/learn/pictures/<path:name>")
def picture(name: str) -> Response:
    """Serve a picture that lies beside a page; browsers ask each time whether it is still the same."""
    path = picture_path(shelf().root, PICTURES_AT + quote(name))
    if path is None or not path.is_file():
        abort(404, _("There is no such picture."))
    answer = send_file(path, mimetype=PICTURE_TYPES[path.suffix])
    answer.headers["Cache-Control"] = "public, no-cache"
    return answer


@routes.get("/sw.js")
def service_worker() -> Response:
    """Serve the service worker from the top, so that it may answer for the lessons."""
    answer = Response((ROOT / "static" / "service-worker.js").read_bytes(), mimetype="text/javascript")
    answer.headers["Cache-Control"] = "no-cache"
    return answer


def _read(page: Page) -> dict[str, Any]:
    """Return what a template needs to show a page that one may mark."""
    person = current_person()
    own = marks.of_page(database(), person.id, page.address) if person else {}
    margin = Margin(own, request.args.get("marking") == "on", request.args.get("at", ""))
    return {"page": page, "margin": margin, "parts": _parts(page, margin), "lost": margin.lost(page)}


def _parts(page: Page, margin: Margin | None) -> Iterator[Markup]:
    """Yield a page piece by piece: terms explained, embeds shown, the reader's marks behind their paragraphs."""
    embeds = offers().embeds
    marked = margin is not None and bool(margin.marking or margin.own or margin.at)
    for part in _explained(page.rendered, library().glossary, marked=marked):
        if isinstance(part, Markup):
            yield part
        elif isinstance(part, Embed):
            yield embeds[part.kind](part.reference) or Markup()
        elif margin is not None and (margin.marking or part.anchor in margin.own or part.anchor == margin.at):
            own = margin.own.get(part.anchor)
            yield Markup(render_template("content/mark.html", page=page, mark=part, own=own, margin=margin))  # noqa: S704 (our template)


@lru_cache(maxsize=4096)
def _explained(rendered: Rendered, words: Glossary | None, *, marked: bool) -> tuple[Markup | Embed | Mark, ...]:
    """Return a page's parts with their terms explained; without marks, what they part is joined again."""
    numbers = count(1)
    parts: list[Markup | Embed | Mark] = []
    for text, others in groupby(
        rendered.parts, lambda part: isinstance(part, str) or (isinstance(part, Mark) and not marked)
    ):
        if text:
            joined = "".join(part for part in others if isinstance(part, str))
            parts.append(Markup(glossary.explain(joined, words, numbers)))  # noqa: S704 (the renderer's output)
        else:
            parts += [part for part in others if not isinstance(part, str)]
    return tuple(parts)


def _printed(page: Page) -> Markup:
    """Return a page's text without embeds, and without ids, which would repeat among many pages on one."""
    return Markup(_ID.sub("", page.rendered.html))  # noqa: S704 (the renderer's output)


def _course(slug: str) -> Course:
    found = library().find_course(slug)
    if found is None:
        abort(404, _("There is no course at this address; the courses are listed under Learn."))
    return found


def _module(course_slug: str, module_slug: str) -> tuple[Course, Module]:
    found = _course(course_slug)
    part = next((one for one in found.modules if one.slug == module_slug), None)
    if part is None:
        abort(404, _("This course has no such part; its page lists them."))
    return found, part


def _lesson(course_slug: str, module_slug: str, lesson_slug: str) -> tuple[Course, Module, Lesson]:
    found, part = _module(course_slug, module_slug)
    one = next((one for one in part.lessons if one.slug == lesson_slug), None)
    if one is None:
        abort(404, _("There is no such lesson here; the page of its part lists them."))
    return found, part, one


def _finished() -> set[str]:
    person = current_person()
    return progress.finished_lessons(database(), person.id) if person else set()


def _door(_person: Person | None) -> Door:
    lessons = [one for found in library().courses for _part, one in found.lessons()]
    return Door(
        1,
        _("Learn"),
        _("Read a course that teaches every task of its exam, with checks in the text."),
        ngettext("%(num)d lesson", "%(num)d lessons", len(lessons))
        + ", "
        + ngettext("%(num)d hour of reading", "%(num)d hours of reading", _hours(lessons)),
        url_for("content.courses"),
        _("Open the courses"),
    )


def _hours(lessons: Iterable[Lesson]) -> int:
    return max(1, sum(one.minutes for one in lessons) // 60)


def _next_step(person: Person | None) -> NextStep | None:
    if person is None:
        return None
    finished = progress.finished_lessons(database(), person.id)
    for found in _courses_begun(finished):
        following = progress.next_unfinished(found, finished)
        if following is not None:
            part, one = following
            title = _("Continue with “%(title)s”") if finished else _("Start with “%(title)s”")
            minutes = ngettext("%(num)d minute", "%(num)d minutes", one.minutes)
            return NextStep(
                5,
                Markup(title) % {"title": _in_own_language(one.page)},  # noqa: S704 (a sentence of ours)
                Markup("{}, {}.").format(_in_own_language(part.overview), minutes),
                one.page.address,
                _("Read the lesson"),
            )
    return None


def _in_own_language(page: Page) -> Markup:
    """Return a page's title for a sentence whose language may be another."""
    return Markup('<span lang="{}">{}</span>').format(page.language, page.title)


def _courses_begun(finished: set[str]) -> list[Course]:
    """Return the courses, those in which a lesson was finished first."""
    begun = {key.partition("/")[0] for key in finished}
    return sorted(library().courses, key=lambda one: (one.slug not in begun, not one.exam, one.slug))


def _progress(person: Person | None) -> list[Progress]:
    """Return how far the reader is in the course begun last, or in the first that leads to an exam."""
    finished = progress.finished_lessons(database(), person.id) if person else set()
    return [
        Progress(
            part.overview.title,
            part.overview.address,
            sum(progress.lesson_key(found, part, one) in finished for one in part.lessons),
            len(part.lessons),
        )
        for found in _courses_begun(finished)[:1]
        for part in found.modules
    ]


def _assignable() -> list[Assignable]:
    """Return every lesson, which can be assigned."""
    return [
        Assignable(
            progress.lesson_key(found, part, one),
            one.page.title,
            one.page.address,
            found.page.title,
            one.page.language,
        )
        for found in library().courses
        for part, one in found.lessons()
    ]


def _efforts(connection: Connection, lessons: Sequence[str], people: Sequence[int]) -> list[Effort]:
    """Return who has read which lesson: it is done as soon as it is begun, and has no score."""
    return [Effort(person, lesson, at, at) for person, lesson, at in progress.finishes(connection, lessons, people)]
