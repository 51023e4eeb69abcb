"""Checks in lessons: an item as a lesson embeds it, and its answer at once."""

from __future__ import annotations

from functools import lru_cache

from flask import abort, current_app, jsonify, render_template, request
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response as Answer

from content import render
from db import database
from quizzes import answers, display, grading, proofs
from quizzes.corrections import store as corrections
from quizzes.questions import Item
from quizzes.routes import evidence, exams, routes
from web.languages import current_language
from web.security import csrf_token

_TOKEN = "the-form-token"  # noqa: S105 (the place for one)


@routes.post("/checks/<question_id>")
def answer_check(question_id: str) -> Answer | str:
    """Mark an item that stands in a lesson, at once and with its rationales."""
    item = _item(question_id)
    if item is None:
        abort(404, _("There is no such question in any lesson."))
    answer = answers.from_form(item.question, request.form, "answer")
    with database().reading() as connection:
        item = next(corrections.ruled_items(connection, [item]))
    lines = display.review(item, answer)
    correct = grading.mark(item, answer).correct
    proof = proofs.proven(item, evidence())
    if request.accept_mimetypes.best == "application/json":
        told = [
            {
                "letter": line.letter,
                "correct": line.correct,
                "expected": line.expected,
                "reason": render.plain_text(item.key.rationale(line.letter)),
            }
            for line in lines
        ]
        return jsonify(
            correct=correct, answered=bool(answer), lines=told, experiments=[one.address for _name, one in proof]
        )
    return render_template(
        "quizzes/check_answer.html",
        item=item,
        shown=display.check(item),
        lines=lines,
        correct=correct,
        explanation=display.explanation(item),
        proof=proof,
    )


def _item(question_id: str) -> Item | None:
    return exams().checks.get(question_id)


def embed(question_id: str) -> Markup | None:
    """Return an item as a lesson embeds it, or None where no lesson has it."""
    item = _item(question_id)
    if item is None:
        return None
    return Markup(_html(item, current_language()).replace(_TOKEN, csrf_token()))  # noqa: S704 (our template)


@lru_cache(maxsize=2048)
def _html(item: Item, language: str) -> str:
    """Return a check as a lesson shows it, in the reader's language, with a place for the form token."""
    template = current_app.jinja_env.get_template("quizzes/check.html")
    return template.render(item=item, shown=display.check(item), language=language, token=_TOKEN)
