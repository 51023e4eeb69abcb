"""The room's blueprint, and what all its pages ask for: the exams with their banks, the library, an answer sent."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from flask import Blueprint as Routes
from flask import current_app, g
from sqlalchemy import Connection

from content.library import Library
from db import Database
from labs.experiments import Evidence
from quizzes import blueprint, pool
from quizzes.answers import clean
from quizzes.authoring import history, quiz, store
from quizzes.blueprint import Blueprint
from quizzes.questions import MAXIMUM_ANSWER, Bank
from quizzes.sittings import Exams

ROOT = Path(__file__).parent

routes = Routes(
    "quizzes", __name__, template_folder="templates", static_folder="static", static_url_path="/static/quizzes"
)


def exams() -> Exams:
    """Return the exams and banks: the shipped ones (or those that were set), and what the studio has published.

    Other processes publish too, so the database is asked, once a request, whether anything has changed.
    """
    if "exams" not in g:
        g.exams = _with_studio(shipped())
    found: Exams = g.exams
    return found


def shipped() -> Exams:
    """Return the exams and banks of the files, read once a process, unless others were set."""
    if "exams" not in current_app.extensions:
        current_app.extensions["exams"] = _shipped()
    found: Exams = current_app.extensions["exams"]
    return found


def _with_studio(files: Exams) -> Exams:
    """Return the exams with the studio's banks, which are read again only after a publication."""
    database: Database = current_app.extensions["database"]
    with database.asking() as connection:
        state = history.state(connection)
    known = current_app.extensions.get("published")
    if known is None or known[0] != state or known[1] is not files:
        known = current_app.extensions["published"] = _read_studio(database, files)
    found: Exams = known[2]
    return found


def _read_studio(database: Database, files: Exams) -> tuple[tuple[int, ...], Exams, Exams]:
    """Return the exams of the files with those of the studio, after its state and the files of which they are."""
    with database.reading() as connection:
        state = history.state(connection)
        public = history.published(connection)
        own = _own_exams(connection, public)
    blueprints = (*files.blueprints, *(exam for exam, _bank in own))
    return state, files, Exams(blueprints, (*files.banks, *public), {exam.slug: bank for exam, bank in own})


def _own_exams(connection: Connection, public: tuple[Bank, ...]) -> list[tuple[Blueprint, Bank]]:
    """Return the exams that are banks of the studio, those too that are offered no longer, each with its bank."""
    published = {bank.slug: bank for bank in public}
    return [
        (quiz.blueprint_of(bank, items, course), items)
        for bank in store.banks(connection)
        if bank.minutes is not None and (course := library().find_course(bank.course)) is not None
        for items in [published.get(bank.slug) or Bank(bank.slug, bank.title, bank.course, bank.pool, ())]
    ]


def library() -> Library:
    """Return the course, as it is on disk now."""
    found: Library = current_app.extensions["library"].current()
    return found


def evidence() -> Evidence:
    """Return what the labs' experiments have found."""
    found: Evidence = current_app.extensions["evidence"]
    return found


def answer_sent(text: object) -> str:
    """Return an answer as it came, without control characters; raise ValueError where it is no text or too long."""
    if not isinstance(text, str) or len(text) > MAXIMUM_ANSWER:
        raise ValueError("An answer is a text of at most 200 characters.")
    return clean(text)


@cache
def _shipped() -> Exams:
    return Exams(blueprint.load(ROOT / "exams"), pool.load(ROOT / "banks")[0])
