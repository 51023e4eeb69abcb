"""Pages about the way into one's own account: its password, its sessions, and the link that sets a new password."""

from __future__ import annotations

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from accounts import limits, recovery, store
from accounts.credentials import CredentialError, hash_password, password_matches
from accounts.people import Person
from accounts.sessions import SignInRequired, end_every_session, require_role, sessions_of, start_session
from db import database
from web.clock import now
from web.security import note

routes = Blueprint("access", __name__, template_folder="templates")
Page = str | tuple[str, int]


@routes.get("/account/access")
def show() -> str:
    """Show where one is signed in, and offer to change the password."""
    return _page(_owner())


@routes.post("/account/password")
@limits.limiter.limit("10 per 15 minutes", key_func=limits.person)
def change_password() -> Answer | Page:
    """Set a new password for who knows the one there is; every other session ends."""
    person = _owner()
    try:
        check_password(person)
        new = hash_password(request.form.get("new", ""), person.name, person.email or "")
    except CredentialError as error:
        return _page(person, _(str(error))), 400
    _set_password(person.id, new)
    note("password changed", person.id)
    return redirect(url_for("access.show"), 303)


@routes.post("/account/sessions")
@limits.limiter.limit("10 per 15 minutes", key_func=limits.person)
def end_others() -> Answer | Page:
    """End every session but this one, for who knows the password."""
    person = _owner()
    try:
        check_password(person)
    except CredentialError as error:
        return _page(person, _(str(error))), 400
    with database().writing() as connection:
        end_every_session(connection, person.id)
        start_session(connection, person.id)
    note("other sessions ended", person.id)
    return redirect(url_for("access.show"), 303)


@routes.get("/new-password/<token>")
def offer_password(token: str) -> str:
    """Offer to set a new password; opening the link alone changes nothing."""
    _holder(token)
    return render_template("accounts/new_password.html", token=token, error=None)


@routes.post("/new-password/<token>")
@limits.limiter.limit("30/hour")
def set_password(token: str) -> Answer | Page:
    """Set the password of whom the link is for, and sign them in here and nowhere else."""
    holder = _holder(token)
    try:
        new = hash_password(request.form.get("new", ""), holder.name, holder.email)
    except CredentialError as error:
        return render_template("accounts/new_password.html", token=token, error=_(str(error))), 400
    _set_password(holder.id, new)
    note("password recovered", holder.id)
    return redirect(url_for("access.show"), 303)


def _owner() -> Person:
    """Return who this is; a guest has no password and is asked to sign in."""
    person = require_role("learner")
    if person.is_guest:
        raise SignInRequired
    return person


def check_password(person: Person) -> None:
    """Raise CredentialError, and note it, where the form of this request lacks the person's password."""
    with database().reading() as connection:
        stored = store.find(connection, person.id)
    if not password_matches(stored.password_hash if stored else None, request.form.get("password", "")):
        note("password refused", person.id)
        raise CredentialError("This is not your password; check it and try again.")


def _set_password(person_id: int, password_hash: str) -> None:
    with database().writing() as connection:
        store.set_password(connection, person_id, password_hash)
        end_every_session(connection, person_id)
        start_session(connection, person_id)


def _holder(token: str) -> store.Account:
    person_id = recovery.person_of(token)
    with database().reading() as connection:
        found = None if person_id is None else store.find(connection, person_id)
    key = current_app.extensions["settings"].secret_key
    if found is None or not recovery.holds(key, token, found.password_hash, now()):
        abort(404, _("This link was used or has expired; ask whoever runs this site for a new one."))
    return found


def _page(person: Person, error: str | None = None) -> str:
    with database().reading() as connection:
        sessions = sessions_of(connection, person.id)
    return render_template("accounts/access.html", sessions=sessions, error=error)
