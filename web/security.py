"""What protects every request: the visit cookie, form tokens, and the headers of every answer.

A visit is a random id in a cookie. The accounts room keeps the SHA-256 of an id that belongs to a person; an id
that no row knows is simply a visitor. The form token is an HMAC of the id, so it needs no storage and dies with it.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, request
from flask_babel import gettext as _

from config import Settings

TOKEN_FIELD = "csrf_token"  # noqa: S105 (a field's name)
TOKEN_HEADER = "X-CSRF-Token"  # noqa: S105 (a header's name)
LOG = logging.getLogger("archway.security")
"""Where what an operator looks for after an attack becomes a line."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_VISIT = "archway"
_LIFETIME = 60 * 60 * 24 * 90
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""What is no text: PostgreSQL refuses NUL, and half a pair of surrogates cannot be written as UTF-8."""

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        # Registering a service worker is the one thing of ours that Trusted Types asks about.
        "trusted-types sw",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


View = TypeVar("View", bound=Callable[..., Any])


def note(event: str, person_id: int | None = None) -> None:
    """Log what an operator looks for after an attack; of a person only the number, of a request only its route."""
    rule = request.url_rule.rule if request.url_rule else "no route"
    refused = "refused" in event
    LOG.log(logging.WARNING if refused else logging.INFO, "%s: person %s at %s", event, person_id or "unknown", rule)


def signed(view: View) -> View:
    """Let a view take posts without a form token, from anywhere: its address itself is signed, as RFC 8058 needs."""
    view.signed_address = True  # type: ignore[attr-defined]  # (a function may carry a mark)
    return view


def init_app(app: Flask) -> None:
    """Check every unsafe request and set the headers of every answer."""
    app.before_request(_check_origin_and_token)
    app.before_request(_check_texts)
    app.after_request(_set_headers)
    app.jinja_env.globals["csrf_token"] = csrf_token


def visit_id() -> str:
    """Return the id of this visit, made anew if the browser sent none; the answer then sets the cookie."""
    if "visit" not in g:
        sent = request.cookies.get(cookie_name(_VISIT), "")
        g.visit = sent if len(sent) == 43 else _new_visit()
    visit: str = g.visit
    return visit


def sent_visit_id() -> str | None:
    """Return the id that the browser sent, or None; never makes one."""
    sent = request.cookies.get(cookie_name(_VISIT), "")
    return sent if len(sent) == 43 else None


def rotate_visit() -> str:
    """Give this visit a new id, as after signing in, and return it."""
    g.visit = _new_visit()
    return visit_id()


def visit_hash(visit: str) -> str:
    """Return what the database may know of a visit's id."""
    return hashlib.sha256(visit.encode()).hexdigest()


def csrf_token() -> str:
    """Return the token that this visit's forms carry; a page with many forms computes it once."""
    visit = visit_id()
    if g.get("token_visit") != visit:
        g.token_visit, g.token = visit, _token_of(visit)
    token: str = g.token
    return token


def cookie_name(name: str) -> str:
    """Return a cookie's whole name; the prefix __Host- binds it to this host, and needs HTTPS."""
    return f"__Host-{name}" if _settings().https else name


def _new_visit() -> str:
    g.new_visit = True
    return secrets.token_urlsafe(32)


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _token_of(visit: str) -> str:
    return hmac.new(_settings().secret_key.encode(), b"csrf:" + visit.encode(), hashlib.sha256).hexdigest()


def _check_origin_and_token() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    if request.method in _SAFE or getattr(view, "signed_address", False):
        return
    origin = request.headers.get("Origin")
    foreign = request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}
    if foreign or (origin is not None and urlsplit(origin).netloc != request.host):
        note("form of another site refused")
        abort(403, _("This form was sent from another site; open the page here and try again."))
    visit = sent_visit_id()
    sent = request.headers.get(TOKEN_HEADER) or request.form.get(TOKEN_FIELD, "")
    if visit is None or not hmac.compare_digest(sent.encode(), _token_of(visit).encode()):
        abort(403, _("This form has grown too old; go back, reload the page and send it again."))


def _check_texts() -> None:
    """Refuse a request with characters that no database stores, so that no view has to think of them."""
    if any(map(_UNSTORABLE.search, _sent_texts())):
        abort(400, _("What was sent has characters that cannot be stored; remove them and send it again."))


def _sent_texts() -> Iterator[str]:
    yield request.path
    for fields in (request.args, request.form):
        for name, values in fields.lists():
            yield from (name, *values)
    for file in request.files.values():
        yield file.filename or ""
    if request.is_json:
        yield from _texts_of(_sent_json())


def _sent_json() -> Any:
    try:
        return request.get_json(silent=True)
    except RecursionError:
        abort(400, _("What was sent is nested too deep to be read; send it in a simpler form."))


def _texts_of(value: Any) -> Iterator[str]:
    """Yield the texts of a JSON value, unless nothing in it can hide what it is: only escapes can."""
    waiting = [value] if b"\\u" in request.get_data() else []
    while waiting:
        match waiting.pop():
            case str() as text:
                yield text
            case list() as values:
                waiting += values
            case dict() as fields:
                waiting += [*fields, *fields.values()]


def _set_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if _settings().https:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    if "new_visit" in g:
        secure = _settings().https
        response.set_cookie(
            cookie_name(_VISIT), g.visit, max_age=_LIFETIME, secure=secure, httponly=True, samesite="Lax", path="/"
        )
    if g.get("person") is not None and response.mimetype not in {"text/css", "text/javascript"}:
        # What is shown to somebody stays in no cache, so that nobody after them finds it by the browser's own ways.
        response.headers.setdefault("Cache-Control", "no-store")
    elif response.mimetype == "text/html" or "new_visit" in g:
        response.headers.setdefault("Cache-Control", "private, no-cache")
    return response
