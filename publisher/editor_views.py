"""The editor's pages: what an issue prints, a look at its draft, and its approval."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, abort, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from accounts.limits import limiter
from accounts.sessions import require_role
from config import Settings
from db import database
from publisher import editing, epub, feeds, issue, lateness, mails, postroom, sources, store
from publisher.epub import Edition
from publisher.issue import Choice, IssueError, MonthError
from publisher.package import PackageError
from publisher.store import Draft, Published
from publisher.subscriptions import SubscriptionError, clean_address
from web.clock import now

routes = Blueprint("editor", __name__)


@dataclass(frozen=True)
class Planned:
    """A month in the editor's list: when it is due, its book if one was built, and whether there is a draft."""

    month: str
    name: str
    due: bool
    book: Published | None
    revision: int


@routes.get("/studio/issues")
def issues() -> str:
    """List every month that has something to print, the newest first."""
    require_role("instructor")
    months = sources.months()
    due = [month for month in months if issue.due_at(month) <= now()]
    with database().reading() as connection:
        books = {book.month: book for book in store.published(connection)}
        revisions = store.revisions(connection)
        late = lateness.find(connection, due, now(), sources.is_public)
    planned = [
        Planned(month, issue.month_name(month), month in due, books.get(month), revisions.get(month, 0))
        for month in reversed(months)
    ]
    return render_template("publisher/studio_issues.html", planned=planned, late=late)


@routes.get("/studio/issues/<month>")
def edit(month: str) -> str:
    """Show the form of a month's draft."""
    require_role("instructor")
    _check(month)
    try:
        draft, fault = sources.draft(month), ""
    except IssueError as error:
        draft, fault = Draft(Choice(""), 0), str(error)
    return _form(month, draft, fault)


@routes.post("/studio/issues/<month>")
def save(month: str) -> Answer | str:
    """Keep a draft, or show it again where it cannot be kept."""
    person = require_role("instructor")
    _check(month)
    form = request.form
    sent = editing.Sent(
        order=tuple(form.getlist("order")),
        printed=frozenset(form.getlist("printed")),
        letter=form.get("letter", ""),
        startups=form.get("startups", ""),
        corrections=form.get("corrections", ""),
        move=form.get("move", ""),
    )
    before = Choice(_("The editor's page"))
    draft = Draft(editing.read(sent, sources.candidates(month), before), form.get("revision", 0, int))
    try:
        sources.compose(month, draft.choice)
    except IssueError as error:
        return _form(month, draft, str(error))
    with database().writing() as connection:
        kept = store.save_draft(connection, month, draft, person.id, now())
    if not kept:
        fault = _("Somebody else has changed this issue meanwhile. Copy your letter, then load the page again.")
        return _form(month, draft, fault)
    return redirect(url_for("editor.edit", month=month), 303)


@routes.get("/studio/issues/<month>/book/<path:name>")
def document(month: str, name: str) -> Response:
    """Show one file of the draft as it stands in the book."""
    require_role("instructor")
    _check(month)
    try:
        found = sources.compose(month)
        if name == epub.COVER:
            return Response(epub.covers(found)[0], content_type="image/jpeg")
        files = {one.name: one for one in epub.documents(found)}
    except IssueError as error:
        abort(409, str(error))
    if name not in files:
        abort(404, _("The draft has no such page; its contents list those it has."))
    return Response(files[name].data, content_type=files[name].media_type)


@routes.get("/studio/issues/<month>.epub")
def book(month: str) -> Response:
    """Serve the draft as a book."""
    require_role("instructor")
    _check(month)
    answer = Response(_build(month).epub, content_type=feeds.TYPES["epub"])
    answer.headers["Content-Disposition"] = f'attachment; filename="archway-{month}-draft.epub"'
    return answer


@routes.get("/studio/issues/<month>/publish")
def look(month: str) -> str:
    """Show what would be published, and what is."""
    require_role("instructor")
    _check(month)
    return _look(month, _build(month))


@routes.post("/studio/issues/<month>/publish")
def publish(month: str) -> Answer | str:
    """Approve the very book that the editor has looked at, and put it in place of an earlier build."""
    person = require_role("instructor")
    _check(month)
    edition = _build(month)
    if edition.sha256 != request.form.get("sha256"):
        return _look(month, edition, _("The draft has changed since you looked; this is how it is now."))
    with database().writing() as connection:
        store.save(database(), connection, edition, now())
        store.approve(database(), connection, edition, person.id, now())
    return redirect(url_for("editor.look", month=month), 303)


@routes.post("/studio/issues/<month>/proof")
@limiter.limit("12/hour")
def proof(month: str) -> Answer | str:
    """Send the draft to the editor's own address at once, and say where it went or why it did not."""
    person = require_role("instructor")
    _check(month)
    edition = _build(month)
    try:
        recipient = clean_address(person.email or "")
    except SubscriptionError:
        return _look(month, edition, _("No mail can be sent to your account's address; download the draft instead."))
    outcome = postroom.send_now(current_app, mails.proof(postroom.post_of(current_app), recipient, edition, now()))
    if outcome.kind != "sent":
        return _look(month, edition, _("The proof was not sent: %(reply)s", reply=outcome.reply))
    return redirect(url_for("editor.look", month=month, proof="sent"), 303)


def _check(month: str) -> None:
    try:
        issue.check_month(month)
    except MonthError:
        abort(404, _("There is no such month; the studio lists those with something to print."))
    if month not in sources.months():
        abort(404, _("There is no such month; the studio lists those with something to print."))


def _build(month: str) -> Edition:
    try:
        return sources.build(month)
    except (IssueError, PackageError) as error:
        abort(409, str(error))


def _form(month: str, draft: Draft, fault: str) -> str:
    return render_template(
        "publisher/studio_issue.html",
        month=month,
        name=issue.month_name(month),
        draft=draft,
        fault=fault,
        kinds=editing.rows(sources.candidates(month), draft.choice),
        rounds=[one.month for one in sources.library().startups],
        month_name=issue.month_name,
    )


def _look(month: str, edition: Edition, fault: str = "") -> str:
    settings: Settings = current_app.extensions["settings"]
    with database().reading() as connection:
        public = store.find(connection, month)
    return render_template(
        "publisher/studio_publish.html",
        month=month,
        name=issue.month_name(month),
        edition=edition,
        public=public,
        due=issue.due_at(month),
        recipient=require_role("instructor").email,
        folder="" if settings.smtp_url else postroom.way_out(settings),
        fault=fault,
    )
