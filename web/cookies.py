"""What a browser keeps of its reader's choices, such as a theme or a time zone, for a year and for this host alone."""

from __future__ import annotations

from flask import current_app, request
from werkzeug.wrappers import Response

from web.security import cookie_name


def keep(answer: Response, name: str, choice: str) -> None:
    """Let the browser that gets an answer keep a choice."""
    _set(answer, name, choice, 31536000)


def forget(answer: Response, name: str) -> None:
    """Let the browser that gets an answer forget what it keeps."""
    _set(answer, name, "", 0)


def kept(name: str) -> str:
    """Return what the browser of this request keeps, or nothing; it may be anything that somebody sends."""
    return request.cookies.get(cookie_name(name), "")


def _set(answer: Response, name: str, choice: str, seconds: int) -> None:
    secure = current_app.extensions["settings"].https
    answer.set_cookie(cookie_name(name), choice, max_age=seconds, secure=secure, httponly=True, samesite="Lax")
