"""The instructors' pages of a cohort: who is in it, who may come in, and who teaches it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import format_datetime
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from accounts import assignment_store, cohort_store, cohorts, roster
from accounts.cohorts import Cohort, CohortError, Member
from accounts.credentials import CredentialError, normalise_email
from accounts.people import Person
from accounts.sessions import require_role
from db import database
from web.clock import now

routes = Blueprint(
    "cohorts", __name__, template_folder="templates", static_folder="static", static_url_path="/static/cohorts"
)
Page = str | tuple[str, int]


@routes.get("/studio/cohorts")
def index() -> str:
    """List the cohorts that this person teaches; for an admin, all of them."""
    return _index(require_role("instructor"), {})


@routes.post("/studio/cohorts")
def create() -> Answer | Page:
    """Make a cohort whose instructor is this person."""
    person = require_role("instructor")
    try:
        title, zone = _title_and_zone()
    except CohortError as error:
        return _index(person, request.form, _(str(error))), 400
    with database().writing() as connection:
        cohort_id = cohort_store.create(connection, title, zone, person.id, now())
    return redirect(url_for("cohorts.show", cohort_id=cohort_id), 303)


@routes.get("/studio/cohorts/<int:cohort_id>")
def show(cohort_id: int) -> str:
    """Show a cohort: its assignments, its people and the ways in."""
    return _page(taught(cohort_id))


@routes.post("/studio/cohorts/<int:cohort_id>")
def change(cohort_id: int) -> Answer | Page:
    """Change a cohort's title and zone, or put it away and take it out again."""
    cohort = taught(cohort_id)
    do = request.form.get("do", "change")
    try:
        title, zone = _title_and_zone() if do == "change" else (cohort.title, cohort.zone)
    except CohortError as error:
        return _page(cohort, _(str(error))), 400
    with database().writing() as connection:
        cohort_store.change(connection, cohort_id, title, zone)
        if do in {"archive", "restore"}:
            cohort_store.archive(connection, cohort_id, now() if do == "archive" else None)
    return redirect(url_for("cohorts.show", cohort_id=cohort_id), 303)


@routes.post("/studio/cohorts/<int:cohort_id>/instructors")
def add_instructor(cohort_id: int) -> Answer | Page:
    """Let another instructor teach the cohort too."""
    cohort = taught(cohort_id)
    unknown = _("No instructor has this address; an admin gives people the role “instructor”.")
    try:
        email = normalise_email(request.form.get("email", ""))
    except CredentialError as error:
        return _page(cohort, _(str(error))), 400
    with database().writing() as connection:
        if not cohort_store.add_instructor(connection, cohort_id, email, now()):
            return _page(cohort, unknown), 400
    return redirect(url_for("cohorts.show", cohort_id=cohort_id, _anchor="people"), 303)


@routes.post("/studio/cohorts/<int:cohort_id>/people/<int:person_id>/remove")
def remove(cohort_id: int, person_id: int) -> Answer:
    """Take somebody out of the cohort; what they did stays theirs."""
    taught(cohort_id)
    member(cohort_id, person_id)
    leave(cohort_id, person_id)
    person = require_role("instructor")
    if person.id == person_id and not person.may("admin"):
        return redirect(url_for("cohorts.index"), 303)
    return redirect(url_for("cohorts.show", cohort_id=cohort_id, _anchor="people"), 303)


@routes.post("/studio/cohorts/<int:cohort_id>/links")
def make_link(cohort_id: int) -> Page:
    """Make a link that leads in, and show it this once."""
    cohort = taught(cohort_id)
    try:
        ends = cohorts.link_end(now(), request.form.get("days", ""))
        uses = cohorts.read_uses(request.form.get("uses", ""))
    except CohortError as error:
        return _page(cohort, _(str(error))), 400
    with database().writing() as connection:
        token = cohort_store.make_link(connection, cohort_id, uses, now(), ends)
    return _page(cohort, made=url_for("accounts.join", token=token, _external=True))


@routes.post("/studio/cohorts/<int:cohort_id>/links/<int:link_id>/revoke")
def revoke(cohort_id: int, link_id: int) -> Answer:
    """End a link."""
    taught(cohort_id)
    with database().writing() as connection:
        cohort_store.revoke(connection, cohort_id, link_id, now())
    return redirect(url_for("cohorts.show", cohort_id=cohort_id, _anchor="links"), 303)


@routes.get("/studio/cohorts/<int:cohort_id>/invite")
def invitation(cohort_id: int) -> str:
    """Ask for a list of people."""
    return render_template("accounts/invite.html", cohort=taught(cohort_id), text="", roster=None, days="30")


@routes.post("/studio/cohorts/<int:cohort_id>/invite")
def invite(cohort_id: int) -> Page:
    """Check a list; on the second form, invite the people of its sound lines, each by a link of their own."""
    cohort = taught(cohort_id)
    text, days = _list_sent(), request.form.get("days", "")
    found = _read(cohort_id, text)
    page = {"cohort": cohort, "text": text, "roster": found, "days": days}
    try:
        ends = cohorts.link_end(now(), days)
    except CohortError as error:
        return render_template("accounts/invite.html", **page, error=_(str(error))), 400
    if request.form.get("do") != "invite" or not found.people:
        return render_template("accounts/invite.html", **page), 400 if found.faults else 200
    with database().writing() as connection:
        made = cohort_store.invite(connection, cohort_id, found.people, now(), ends)
    addressed = [(one, url_for("accounts.join", token=token, _external=True)) for one, token in made]
    return render_template("accounts/invited.html", cohort=cohort, made=addressed, left_out=len(found.faults))


def taught(cohort_id: int) -> Cohort:
    """Return the cohort of this number if this person teaches it; to others it is as absent as one that never was."""
    person = require_role("learner")
    with database().reading() as connection:
        found = cohort_store.find_taught(connection, cohort_id, person) if person.may("instructor") else None
    if found is None:
        abort(404, _("There is no such cohort among those that you teach."))
    return found


def member(cohort_id: int, person_id: int) -> Member:
    """Return somebody of a cohort."""
    with database().reading() as connection:
        everybody = cohort_store.members(connection, cohort_id)
    found = next((one for one in everybody if one.person_id == person_id), None)
    if found is None:
        abort(404, _("There is nobody of that number in this cohort; they may have left."))
    return found


def leave(cohort_id: int, person_id: int) -> None:
    """Take somebody out of a cohort, unless nobody would be left to teach it."""
    with database().writing() as connection:
        if not cohort_store.remove(connection, cohort_id, person_id):
            abort(409, _("A cohort keeps at least one instructor; add another one first, or archive the cohort."))


def told(moment: datetime | None, zone: str) -> str:
    """Return a moment in words, in a zone that is named with it; a dash for none."""
    if moment is None:
        return "–"
    return f"{format_datetime(moment.astimezone(ZoneInfo(zone)), 'd MMM y, HH:mm', rebase=False)} ({zone})"


def _title_and_zone() -> tuple[str, str]:
    form = request.form
    return cohorts.clean_title(form.get("title", "")), cohorts.check_zone(form.get("zone", ""))


def _index(person: Person, values: object, error: str = "") -> str:
    with database().reading() as connection:
        listed = cohort_store.taught_by(connection, person)
    zones = sorted(available_timezones())
    return render_template("accounts/cohorts.html", listed=listed, values=values, error=error, zones=zones)


def _page(cohort: Cohort, error: str = "", made: str = "") -> str:
    with database().reading() as connection:
        return render_template(
            "accounts/cohort.html",
            cohort=cohort,
            error=error,
            made=made,
            members=cohort_store.members(connection, cohort.id),
            links=cohort_store.links(connection, cohort.id),
            assignments=assignment_store.of_cohort(connection, cohort.id),
            zones=sorted(available_timezones()),
            values=request.form,
            now=now(),
            told=told,
        )


def _list_sent() -> str:
    """Return the list that was sent: the file, if one was chosen, else what stands in the form."""
    file = request.files.get("file")
    data = file.read(roster.LONGEST + 1) if file else b""
    return data.decode("utf-8", "replace") if data else request.form.get("people", "")[: roster.LONGEST + 1]


def _read(cohort_id: int, text: str) -> roster.Roster:
    with database().reading() as connection:
        members = {one.email for one in cohort_store.members(connection, cohort_id)}
        invited = {one.email for one in cohort_store.links(connection, cohort_id) if one.is_open(now())}
    return roster.read(text, members, invited)
