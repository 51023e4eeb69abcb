"""The room's blueprint, and what all its pages ask for: the exams with their banks, the library, an answer sent."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from flask import Blueprint as Routes
from flask import current_app

from content.library import Library
from labs.experiments import Evidence
from quizzes import blueprint, pool
from quizzes.answers import clean
from quizzes.questions import MAXIMUM_ANSWER
from quizzes.sittings import Exams

ROOT = Path(__file__).parent

routes = Routes(
    "quizzes", __name__, template_folder="templates", static_folder="static", static_url_path="/static/quizzes"
)


def exams() -> Exams:
    """Return the application's exams and banks; the shipped ones, read once a process, unless others were set."""
    if "exams" not in current_app.extensions:
        current_app.extensions["exams"] = _shipped()
    found: Exams = current_app.extensions["exams"]
    return found


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
