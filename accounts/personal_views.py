"""A person's own page: who they are, what is kept of them, the file with all of it, and the end of the account."""

from __future__ import annotations

import json

from flask import Blueprint, Response, current_app, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from accounts import limits, personal
from accounts.access_views import check_password
from accounts.credentials import CredentialError
from accounts.people import Person
from accounts.personal import LastAdminError, Subject
from accounts.sessions import end_session, require_role, role_name
from db import database
from web.lifecycle import lifecycle

routes = Blueprint("personal", __name__)


@routes.get("/account")
def account() -> str:
    """Show who one is, what is kept, and the ways out."""
    return _page(require_role("learner"))


@routes.get("/account/data.json")
def download() -> Response:
    """Give all that is kept of the person."""
    person = require_role("learner")
    with database().reading() as connection:
        kept = personal.export(connection, _subject(person), lifecycle(current_app).claims)
    answer = Response(json.dumps(kept, ensure_ascii=False, indent=1), mimetype="application/json")
    answer.headers["Content-Disposition"] = "attachment; filename=archway-account.json"
    answer.headers["Cache-Control"] = "no-store"
    return answer


@routes.post("/account/delete")
@limits.limiter.limit("10 per 15 minutes", key_func=limits.person)
def delete() -> Answer | tuple[str, int]:
    """Forget the person, who shows by the password that it is them; a guest has none."""
    person = require_role("learner")
    try:
        if not person.is_guest:
            check_password(person)
        with database().writing() as connection:
            personal.forget(connection, _subject(person), lifecycle(current_app).claims)
            end_session(connection)
    except CredentialError as error:
        return _page(person, _(str(error))), 400
    except LastAdminError:
        return _page(person, _("You are the only admin; make another one before you go.")), 400
    return redirect(url_for("web.home"), 303)


def _page(person: Person, error: str = "") -> str:
    with database().reading() as connection:
        goes, stays = personal.counts(connection, _subject(person), lifecycle(current_app).claims)
    return render_template(
        "accounts/account.html",
        person=person,
        role=role_name(person.role),
        goes=sum(goes.values()),
        stays=sum(stays.values()),
        error=error,
    )


def _subject(person: Person) -> Subject:
    """Return the person without their address: nobody has shown that it is theirs, and others' rows may have it."""
    return Subject(person.id, None)
