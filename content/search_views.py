"""The search page, and the index kept up with what there is to read."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask, current_app, render_template, request
from sqlalchemy.exc import OperationalError

from content import search, upkeep
from content.blueprint import library, routes, shelf
from content.library import Library
from content.pages import Page
from content.search import Document
from db import database
from web.offers import offers

LIMIT = 20
LONGEST_QUERY = 200


@routes.get("/search")
def search_page() -> str:
    """Show the passages that match a query, the best first."""
    words = request.args.get("q", "").strip()[:LONGEST_QUERY]
    hits: list[search.Hit] = []
    if words:
        refresh()
        with database().reading() as connection:
            hits = search.find(connection, words, LIMIT)
    return render_template("content/search.html", words=words, hits=hits, limit=LIMIT)


def refresh(_app: Flask | None = None) -> None:
    """Bring the index and the kept states up to the library where that has changed since this process last looked.

    Before the first request this reads everything; the shelf logs what is wrong with it.
    """
    found = library()
    if current_app.extensions.get("indexed") is found:
        return
    wanted = list(documents(found))
    try:
        with database().reading() as connection:
            stale = search.stale(connection, wanted)
        if stale:
            with database().writing() as connection:
                search.index(connection, wanted)
        upkeep.keep(database(), shelf().root, shelf().sound_texts())
    except OperationalError:
        # A search in an older state is worth more than none; the next sweep tries again.
        current_app.logger.warning("The search index could not be brought up to date; the database is busy.")
        return
    current_app.extensions["indexed"] = found


def documents(found: Library) -> Iterator[Document]:
    """Yield everything there is to find: the library's pages, and what other rooms offer."""
    for course in found.courses:
        yield _document(course.page, "")
        for module in course.modules:
            yield _document(module.overview, course.page.title)
            for lesson in module.lessons:
                yield _document(lesson.page, f"{course.page.title} · {module.overview.title}")
    for schedule in found.schedules:
        yield _document(schedule.page, "Talks")
    for one in found.startups:
        yield _document(one.page, "Startups")
    for note in found.notes:
        yield _document(note.page, f"Notes · {note.month}")
    if found.glossary:
        yield _document(found.glossary.page, "")
    for offer in offers().documents:
        yield from (Document(one.address, one.title, one.place, one.language, one.sections) for one in offer())


def _document(page: Page, place: str) -> Document:
    return Document(page.address, page.title, place, page.language, page.sections)
