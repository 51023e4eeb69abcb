"""Pages of people: begin as a guest, sign up, sign in, sign out everywhere, and the first admin's link."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Flask, abort, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Answer

from accounts import (
    access_views,
    assignment_views,
    cli,
    cohort_store,
    cohort_views,
    gradebook_views,
    limits,
    personal_views,
    store,
)
from accounts.cohorts import Cohort, Link
from accounts.credentials import CredentialError, clean_name, hash_password, normalise_email, password_matches
from accounts.limits import limiter
from accounts.sessions import (
    current_person,
    end_every_session,
    end_session,
    ensure_person,
    forget_ended_sessions,
    keep_session,
    require_role,
    start_session,
)
from db import database
from web.clock import now
from web.lifecycle import lifecycle
from web.offers import StudioPage, offers
from web.security import note

routes = Blueprint("accounts", __name__, template_folder="templates")
VIEWS = (assignment_views, gradebook_views)
"""Imported for the pages that they add to the blueprint of cohorts."""


def init_app(app: Flask) -> None:
    """Register the pages and the command line."""
    _share_limits(app)
    # A limit is looked at where it stands; the library's hooks, which look for one at every request, stay out.
    app.extensions["limiter"] = {limiter}
    limiter.init_app(app)
    app.after_request(keep_session)
    app.register_blueprint(routes)
    app.register_blueprint(access_views.routes)
    app.register_blueprint(cohort_views.routes)
    app.register_blueprint(personal_views.routes)
    lifecycle(app).claims.append(cohort_store.theirs)
    lifecycle(app).expire += [forget_ended_sessions, store.forget_guests, cohort_store.forget_links]
    offers(app).studio.append(lambda: StudioPage(9, _("Cohorts"), "/studio/cohorts"))
    offers(app).next_steps.append(assignment_views.next_step)
    offers(app).exam_time.append(assignment_views.exam_time)
    app.cli.add_command(cli.group)


def _share_limits(app: Flask) -> None:
    """Let processes count rate limits together in Redis; while it does not answer, each counts for itself."""
    address: str = app.extensions["settings"].redis_url
    # The client that is installed is Valkey's, which speaks to either server.
    app.config["RATELIMIT_STORAGE_URI"] = address.replace("redis", "valkey", 1) or "memory://"
    if address:
        app.config["RATELIMIT_STORAGE_OPTIONS"] = {"socket_connect_timeout": 1, "socket_timeout": 1}
        app.config["RATELIMIT_IN_MEMORY_FALLBACK_ENABLED"] = True


@routes.post("/begin")
@limiter.limit("600/hour")
def begin() -> Answer:
    """Begin without an account."""
    ensure_person()
    return redirect(url_for("web.home"), 303)


@routes.get("/sign-up")
def sign_up() -> str:
    """Offer to make an account, or to keep a guest's work in one."""
    return render_template("accounts/sign_up.html", values={}, error=None, back=_back())


@routes.post("/sign-up")
@limiter.limit("300/hour")
def make_account() -> Answer | tuple[str, int]:
    """Make an account; a guest becomes its owner and keeps what they did."""
    try:
        new = _new_credentials()
        with database().writing() as connection:
            person_id = _keep_or_create(connection, new)
            start_session(connection, person_id)
    except (CredentialError, store.TakenError) as error:
        page = render_template("accounts/sign_up.html", values=request.form, error=_(str(error)), back=_back())
        return page, 400
    note("account made", person_id)
    return redirect(_back(), 303)


@routes.get("/sign-in")
def sign_in() -> str:
    """Ask for address and password."""
    return render_template("accounts/sign_in.html", values={}, error=None, back=_back())


@routes.post("/sign-in")
@limiter.limit("10 per 15 minutes", key_func=limits.account)
@limiter.limit("300 per 15 minutes")
def begin_session() -> Answer | tuple[str, int]:
    """Sign in; the visit gets a new id."""
    try:
        email = normalise_email(request.form.get("email", ""))
        with database().reading() as connection:
            found = store.find_by_email(connection, email)
    except CredentialError:
        found = None
    if not password_matches(found.password_hash if found else None, request.form.get("password", "")):
        note("sign-in refused", found.id if found else None)
        error = _("Address and password do not belong together; check both and try again.")
        page = render_template("accounts/sign_in.html", values=request.form, error=error, back=_back())
        return page, 400
    guest = current_person()
    with database().writing() as connection:
        start_session(connection, found.id)
        if guest is not None and guest.is_guest:
            _adopt(connection, guest.id, found.id)
    note("signed in", found.id)
    return redirect(_back(), 303)


@routes.post("/sign-out")
def sign_out() -> Answer:
    """End this session, or with ``everywhere`` each session of this person, on the server."""
    person = current_person()
    with database().writing() as connection:
        if person is not None and "everywhere" in request.form:
            end_every_session(connection, person.id)
        end_session(connection)
    note("signed out", person.id if person else None)
    return redirect(url_for("web.home"), 303)


@routes.get("/first-admin/<token>")
def first_admin(token: str) -> str:
    """Offer to make the first admin's account; opening the link alone changes nothing."""
    with database().reading() as connection:
        if not store.is_invitation(connection, token):
            abort(404, _("This link was used or replaced; start the server again to get a new one."))
    return render_template("accounts/first_admin.html", token=token, values={}, error=None)


@routes.post("/first-admin/<token>")
@limiter.limit("30/hour")
def make_first_admin(token: str) -> Answer | tuple[str, int]:
    """Use the link up and make its admin."""
    try:
        new = _new_credentials()
        with database().writing() as connection:
            if not store.use_invitation(connection, token, now()):
                abort(404, _("This link was used or replaced; start the server again to get a new one."))
            person_id = _keep_or_create(connection, new)
            store.set_role(connection, person_id, "admin")
            start_session(connection, person_id)
    except (CredentialError, store.TakenError) as error:
        page = render_template("accounts/first_admin.html", token=token, values=request.form, error=_(str(error)))
        return page, 400
    note("first admin made", person_id)
    return redirect(url_for("web.home"), 303)


@routes.get("/join/<token>")
def join(token: str) -> str:
    """Offer to join a cohort: at once to who has an account, else with one made here; opening it changes nothing."""
    link, cohort = _open_link(token)
    values = {"name": link.name, "email": link.email}
    return render_template("accounts/join.html", token=token, cohort=cohort, values=values, error=None)


@routes.post("/join/<token>")
@limiter.limit("300/hour")
def join_cohort(token: str) -> Answer | tuple[str, int]:
    """Join a cohort; who has no account yet makes one with the same form."""
    cohort = _open_link(token)[1]
    person = current_person()
    try:
        new = _new_credentials() if person is None or person.is_guest else None
        with database().writing() as connection:
            person_id = _keep_or_create(connection, new) if new else require_role("learner").id
            if not cohort_store.join(database(), connection, token, person_id, now()):
                abort(404, _("This link was used, revoked or has expired; ask your instructor for a new one."))
            if new:
                start_session(connection, person_id)
    except (CredentialError, store.TakenError) as error:
        form = {"token": token, "cohort": cohort, "values": request.form, "error": _(str(error))}
        return render_template("accounts/join.html", **form), 400
    return redirect(url_for("cohorts.mine"), 303)


def _open_link(token: str) -> tuple[Link, Cohort]:
    with database().reading() as connection:
        found = cohort_store.find_link(connection, token, now())
    if found is None:
        abort(404, _("This link was used, revoked or has expired; ask your instructor for a new one."))
    return found


def _new_credentials() -> store.Credentials:
    form = request.form
    name, email = clean_name(form.get("name", "")), normalise_email(form.get("email", ""))
    return store.Credentials(name, email, hash_password(form.get("password", ""), name, email))


def _keep_or_create(connection: Connection, new: store.Credentials) -> int:
    person = current_person()
    if person is not None and person.is_guest:
        store.keep_guest(connection, person.id, new)
        return person.id
    return store.create(connection, new, "learner", now())


def _adopt(connection: Connection, guest_id: int, person_id: int) -> None:
    """Give everything a guest did to the account they signed in to, and forget the guest."""
    store.hold(connection, guest_id)
    for adopt in lifecycle(current_app).adopt:
        adopt(connection, guest_id, person_id)
    store.forget(connection, guest_id)


def _back() -> str:
    """Return the page of this site to go on to; an address of another site leads home."""
    target = request.values.get("next", "")
    parts = urlsplit(target)
    safe = target.startswith("/") and not target.startswith("//") and not parts.netloc and not parts.scheme
    printable = target.isprintable() and "\\" not in target
    return target if safe and printable else url_for("web.home")
