"""The pages that belong to no room: home, the choice of a theme, the style sheet, and what machines ask for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import update
from werkzeug.wrappers import Response as Answer

from accounts.models import PersonRow
from accounts.sessions import current_person
from config import Settings
from db import database
from web import assets, cookies, languages
from web.clock import now
from web.offers import NextStep, offers

THEMES = ("auto", "light", "dark")
THEME_COOKIE = "theme"
ROBOTS = """\
User-agent: *
Disallow: /account
Disallow: /attempts/
Disallow: /assignments
Disallow: /first-admin/
Disallow: /join/
Disallow: /publisher
Disallow: /studio/
Disallow: /subscriptions/
"""

routes = Blueprint("web", __name__, template_folder="templates", static_folder="static", static_url_path="/static/web")


@routes.get("/")
def home() -> str:
    """Show a visitor the doors, and a person what to do next."""
    person, register = current_person(), offers()
    return render_template(
        "web/home.html",
        doors=sorted((door(person) for door in register.doors), key=lambda door: door.order),
        step=most_urgent(step(person) for step in register.next_steps),
        domains=[domain for progress in register.progress for domain in progress(person)],
        covers=[cover for show in register.covers if (cover := show())],
    )


def most_urgent(steps: Iterable[NextStep | None]) -> NextStep | None:
    """Return the step with the lowest urgency number; of equals, the first."""
    return min((step for step in steps if step), key=lambda step: step.urgency, default=None)


@routes.post("/theme")
def choose_theme() -> Answer:
    """Keep the theme with the person, or in a cookie for a visitor, and show the page again."""
    choices = ", ".join(THEMES)
    refusal = _("The theme is one of %(choices)s; go back and choose one.", choices=choices)
    return _keep_choice("theme", THEME_COOKIE, THEMES, refusal)


@routes.post("/language")
def choose_language() -> Answer:
    """Keep the interface's language in the same way."""
    choices = ", ".join(languages.LANGUAGES)
    refusal = _("The language is one of %(choices)s; go back and choose one.", choices=choices)
    return _keep_choice("language", languages.COOKIE, tuple(languages.LANGUAGES), refusal)


def _keep_choice(name: str, cookie: str, choices: tuple[str, ...], refusal: str) -> Answer:
    choice = request.form.get(name, "")
    if choice not in choices:
        abort(400, refusal)
    answer, person = redirect(_page_before(), 303), current_person()
    if person is None:
        cookies.keep(answer, cookie, choice)
        return answer
    with database().writing() as connection:
        connection.execute(update(PersonRow).where(PersonRow.id == person.id).values({name: choice}))
    cookies.forget(answer, cookie)
    return answer


def current_theme() -> str:
    """Return the theme of this request: the person's own choice, else this browser's, else ``auto``."""
    person = current_person()
    if person is not None and person.theme != "auto":
        return person.theme
    kept = cookies.kept(THEME_COOKIE)
    return kept if kept in THEMES else "auto"


@routes.get(f"/static/web/{assets.STYLESHEET}")
def stylesheet() -> Answer:
    """Serve the sheets of web/static/css as one."""
    answer = Response(assets.stylesheet(), content_type="text/css; charset=utf-8")
    answer.add_etag()
    return answer.make_conditional(request)


@routes.get("/robots.txt")
def robots() -> Response:
    """Ask crawlers to leave out what belongs to people."""
    return Response(ROBOTS, content_type="text/plain; charset=utf-8")


@routes.get("/.well-known/security.txt")
def security_contact() -> Response:
    """Say where holes are reported (RFC 9116), if the operator said so."""
    settings: Settings = current_app.extensions["settings"]
    if not settings.security_contact:
        abort(404)
    expires = (now() + timedelta(days=180)).strftime("%Y-%m-%dT%H:%M:%SZ")
    lines = (f"Contact: {settings.security_contact}", f"Expires: {expires}", "Preferred-Languages: en, bg", "")
    return Response("\n".join(lines), content_type="text/plain; charset=utf-8")


@routes.get("/favicon.ico")
def favicon() -> Response:
    """Serve the mark to what asks at the old address."""
    return routes.send_static_file("favicon.svg")


def _page_before() -> str:
    """Return the path of the page that sent the form, on this site only."""
    before = urlsplit(request.referrer or "")
    if before.netloc != request.host:
        return url_for("web.home")
    # A path that begins with two slashes would name another site.
    path = "/" + before.path.lstrip("/\\")
    return f"{path}?{before.query}" if before.query else path
