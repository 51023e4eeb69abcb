"""Errors as people meet them: what happened, what is safe and what to do; never a traceback."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from flask import Flask, Response, current_app, g, jsonify, make_response, redirect, render_template, request
from flask_babel import gettext as _
from flask_limiter import RateLimitExceeded
from sqlalchemy.exc import DataError, OperationalError
from werkzeug.exceptions import BadRequest, HTTPException, ServiceUnavailable, default_exceptions
from werkzeug.wrappers import Response as Answer

from accounts.sessions import SignInRequired
from web import requests, security
from web.logs import kind_of


@dataclass(frozen=True)
class Explanation:
    """What an error page says: a title, what happened, what is safe, what to do."""

    title: str
    happened: str
    safe: str
    advice: str


def init_app(app: Flask) -> None:
    """Answer every error with a page, or with JSON where the request speaks JSON."""
    app.register_error_handler(SignInRequired, _ask_to_sign_in)
    app.register_error_handler(OperationalError, _answer_database_trouble)
    app.register_error_handler(DataError, _answer_unfit_values)
    app.register_error_handler(OverflowError, _answer_unfit_values)
    # Flask logs an unexpected exception with its traceback and hands it to this handler as InternalServerError.
    app.register_error_handler(HTTPException, _answer)


def explain(code: int, sentence: str | None = None) -> Explanation:
    """Return what to say of a status code; ``sentence`` is what the view said happened, if it said something."""
    known = _explanations().get(code)
    if known is None:
        unanswered = _("The request could not be answered.")
        known = Explanation(HTTPStatus(code).phrase, unanswered, "", _("Go back and try again."))
    # A view's sentence already says what to do.
    return Explanation(known.title, sentence, known.safe, "") if sentence else known


def _explanations() -> dict[int, Explanation]:
    stored = _("What the pages before this one called saved is saved.")
    nothing = _("Nothing was changed.")
    return {
        400: Explanation(
            _("This could not be read"),
            _("Something in the form or the address is not as the page expects it."),
            nothing,
            _("Go back, check what you entered and send it again."),
        ),
        403: Explanation(
            _("This is not open to you"),
            _("The page belongs to somebody else, or to another role."),
            nothing,
            _("Go back, or sign in with the account that may see it."),
        ),
        404: Explanation(
            _("There is nothing at this address"),
            _("The address may be old or mistyped."),
            stored,
            _("Choose from the navigation above, or begin at the home page."),
        ),
        405: Explanation(
            _("This address only takes a form"),
            _("It was opened as a page, or a form was sent to a page that takes none."),
            nothing,
            _("Go back to the page with the form and send it from there."),
        ),
        409: Explanation(
            _("This cannot be done as things stand"),
            _("Something else has to happen first."),
            stored,
            _("Go back and reload the page to see how things stand."),
        ),
        413: Explanation(
            _("That is too large"),
            _("What was sent is larger than this page accepts."),
            _("Nothing of it was stored."),
            _("Send a smaller file or a shorter text."),
        ),
        429: Explanation(
            _("That was too often"),
            _("More came from here in a short time than one person sends."),
            stored,
            _("Wait a few minutes, then try again."),
        ),
        500: Explanation(
            _("Something went wrong here"),
            _("The fault is on this side; the operator's log has the details."),
            stored,
            _("Try once more; if it happens again, tell the operator what you did and when."),
        ),
        503: Explanation(
            _("The site cannot take this just now"),
            _("The database is away, busy, full or closed for writing."),
            _("Nothing was half stored.") + " " + stored,
            _("Wait a few seconds, then send it again; if it stays so, tell the operator."),
        ),
    }


def _answer(error: HTTPException) -> Response:
    code = error.code or 500
    if code >= 500:
        # Looking for the person, whose language this is to be said in, may be just what failed.
        g.setdefault("person", None)
    _note_refusal(code)
    words = explain(code, _own_sentence(error, code))
    if _speaks_json():
        answer = make_response(jsonify(error=words.happened), code)
    else:
        answer = make_response(
            render_template("web/error.html", code=code, words=words, number=requests.number()), code
        )
    for name, value in error.get_headers():
        if name != "Content-Type":
            answer.headers[name] = value
    return answer


def _note_refusal(code: int) -> None:
    """Note what no page of ours leads to: too much, too often, or what is not there, or not theirs, for a person."""
    person = g.get("person")
    if code in {400, 413, 429} or (code == 404 and person is not None and request.view_args):
        security.note(f"request refused with {code}", person.id if person else None)


def _own_sentence(error: HTTPException, code: int) -> str | None:
    """Return the sentence a view gave to ``abort``; None where it is only a library's own."""
    standard = default_exceptions.get(code, HTTPException).description
    ours = code < 500 and error.description != standard and not isinstance(error, RateLimitExceeded)
    return error.description if ours else None


def _answer_database_trouble(error: OperationalError) -> Response:
    if not _is_passing(error):
        raise error
    current_app.logger.error("The database refused a request: %s", kind_of(error))
    return _answer(ServiceUnavailable(retry_after=2))


def _is_passing(error: OperationalError) -> bool:
    """Return whether the database is in trouble that will pass, rather than asked for something it cannot do.

    PostgreSQL calls nothing else an operational error: it is down, starting or full, or two waited for each other.
    """
    return not isinstance(error.orig, sqlite3.Error) or any(
        word in str(error.orig) for word in ("locked", "full", "readonly")
    )


def _answer_unfit_values(_error: DataError | OverflowError) -> Response:
    """Refuse a text or a number larger than its column, which each database says in its own way."""
    return _answer(BadRequest())


def _ask_to_sign_in(_error: SignInRequired) -> Answer | tuple[Response, int]:
    if _speaks_json():
        return jsonify(error=_("Sign in, then try again.")), 401
    if request.method not in {"GET", "HEAD"}:
        return redirect("/sign-in", 303)
    return redirect(f"/sign-in?next={quote(request.full_path.rstrip('?'))}", 303)


def _speaks_json() -> bool:
    accepted = request.accept_mimetypes
    return request.is_json or accepted["application/json"] > accepted["text/html"]
