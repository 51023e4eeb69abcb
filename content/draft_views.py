"""The studio's pages for lessons and notes: the editor with its preview, reviews, publication, and history."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import abort, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response as Answer

from accounts import store as people
from accounts.people import Person
from accounts.sessions import require_role
from content import archive, diff, drafts, pages, presence, workflow
from content.blueprint import library, routes, shelf
from content.cli import unknown_embeds
from content.drafts import PageDraft
from content.errors import ContentError
from content.library import KINDS
from content.pages import Page
from content.render import MAXIMUM_BYTES
from content.workflow import Said, Signature
from db import database
from web.clock import now

MAXIMUM_REMARK = 4000
_FIRST_NOTE = """\
---
title: {title}
summary: One sentence that says what the note tells.
kind: {kind}
---

The first paragraph.
"""


@dataclass(frozen=True)
class Checked:
    """A text as a page of the library, or None where no page can be made of it, and what is wrong with it."""

    page: Page | None
    faults: list[ContentError]


@routes.get("/studio/pages")
def studio_pages_list() -> str:
    """List every page of the content with the state of its draft, and offer to begin a note."""
    return _home(require_role("instructor"))


@routes.post("/studio/pages")
def begin_note() -> Answer | tuple[str, int]:
    """Begin a note, or say why it cannot be."""
    person = require_role("instructor")
    form = request.form
    title, kind = " ".join(form.get("title", "").split()), form.get("kind", "")
    slug = re.sub(r"[^a-z0-9]+", "-", form.get("slug", "").strip().casefold()).strip("-")
    path = drafts.note_path(form.get("month", "").strip(), slug)
    if path is None or not 0 < len(title) <= 200 or kind not in KINDS:
        return _home(
            person, _("Give the note a title, a month as in 2018-03, an address in Latin letters, and its kind.")
        ), 422
    try:
        if _file_text(path):
            return _home(person, _("There is a note at this address; choose another.")), 422
        with database().writing() as connection:
            text = _FIRST_NOTE.format(title=_quoted(title), kind=kind)
            drafts.begin(connection, path, text, "", signature(person))
    except IntegrityError:
        return _home(person, _("There is a note at this address; choose another.")), 422
    return redirect(url_for("content.edit_page", path=path), 303)


@routes.get("/studio/pages/edit/<path:path>")
def edit_page(path: str) -> str:
    """Show a page in the editor, with its preview, what is wrong with it, and what was said of it."""
    person = require_role("instructor")
    draft = _read(path)
    return _editor(person, path, draft, draft.text if draft else _file_text(path))


@routes.post("/studio/pages/edit/<path:path>")
def save_page(path: str) -> Answer | str | tuple[str, int]:
    """Keep a text, only show it, or keep it and ask for a review; never over what somebody else has written."""
    person = require_role("instructor")
    text, action = sent_text(), request.form.get("do", "")
    draft = _read(path)
    if action == "preview":
        return _editor(person, path, draft, text)
    if len(text.encode()) > MAXIMUM_BYTES:
        return _editor(person, path, draft, text, _("The text is too long; divide it into two pages.")), 422
    if not _keep(person, path, text, ask=action == "ask"):
        fault = _("Somebody else has changed this page meanwhile. Nothing is lost: both texts are below.")
        return _editor(person, path, _read(path), text, fault), 409
    return redirect(url_for("content.edit_page", path=path), 303)


@routes.post("/studio/pages/preview/<path:path>")
def preview_page(path: str) -> str:
    """Show a text as readers would see it, what is wrong with it, and who else edits it; nothing is kept of it."""
    person = require_role("instructor")
    _read(path)
    checked, editing = _check(path, sent_text()), note_editor(person, f"page/{path}")
    return render_template("content/studio_page_preview.html", checked=checked, editing=editing, alone=True)


@routes.post("/studio/pages/step/<path:path>")
def take_page_step(path: str) -> Answer:
    """Comment on a page, approve it, send it back, publish it, or give readers its file's text again."""
    person = require_role("instructor")
    action = request.form.get("do", "")
    if action in {"comment", "return"} and not said("").text:
        abort(422, _("Write what you mean in the field above the button; go back, your page is as it was."))
    seen = _required(path)
    checked = _check(path, seen.text)
    with database().writing() as connection:
        draft = drafts.find(connection, path) or seen
        if not draft.revision == seen.revision == request.form.get("revision", 0, int):
            abort(409, _("The page has been changed since you looked at it; open it again and read the new text."))
        if action == "accept":
            drafts.accept_file(connection, draft, drafts.digest(_file_text(path)))
        elif action not in workflow.actions(_situation(person, draft, checked)):
            abort(409, _("This is not possible as the page stands now; open it again to see what is."))
        elif not drafts.step(connection, draft, action, said(draft.text), signature(person)):
            abort(409, _("The page has been changed since you looked at it; open it again and read the new text."))
    shelf().look_again()
    return redirect(url_for("content.edit_page", path=path, _anchor="remarks"), 303)


@routes.get("/studio/pages/history/<path:path>")
def page_history(path: str) -> str:
    """Show a page's texts: who wrote them, when, and what differs between two of them."""
    require_role("instructor")
    draft = _required(path)
    with database().reading() as connection:
        revisions = drafts.revisions(connection, draft)
        names = people.names(connection, (one.person_id for one in revisions))
    texts = {0: _file_text(path), **{one.revision: one.text for one in revisions}}
    newer = request.args.get("to", draft.revision, int)
    older = request.args.get("from", newer - 1, int)
    if newer not in texts or older not in texts:
        abort(404, _("The page has no such version; its history lists those it has."))
    return render_template(
        "content/studio_page_history.html",
        draft=draft,
        revisions=revisions,
        names=names,
        older=older,
        newer=newer,
        lines=diff.lines(texts[older], texts[newer]),
    )


@routes.post("/studio/pages/restore/<path:path>")
def restore_page(path: str) -> Answer:
    """Make an old text the page's draft again; those since stay in its history."""
    person = require_role("instructor")
    draft = _required(path)
    with database().writing() as connection:
        texts = {one.revision: one.text for one in drafts.revisions(connection, draft)}
        wanted = texts.get(request.form.get("restore", 0, int))
        if wanted is None:
            abort(404, _("The page has no such version; its history lists those it has."))
        kept = drafts.edit(connection, draft, wanted, request.form.get("revision", 0, int), signature(person))
    if not kept:
        abort(409, _("The page has been changed since you looked at it; open it again and read the new text."))
    return redirect(url_for("content.edit_page", path=path), 303)


def _home(person: Person, fault: str = "") -> str:
    with database().reading() as connection:
        written = drafts.every(connection)
        editing = editors(connection, person)
    shown = {_name(page.path): page for page in library().pages()}
    only = [one for path, one in written.items() if path not in shown]
    return render_template(
        "content/studio_pages.html",
        library=library(),
        drafts=written,
        name=_name,
        only=only,
        kinds=KINDS,
        month=now().strftime("%Y-%m"),
        fault=fault,
        editing=editing,
        words=_words(),
    )


def _editor(person: Person, path: str, draft: PageDraft | None, text: str, fault: str = "") -> str:
    checked, file_text = _check(path, text), _file_text(path)
    kept = draft.text if draft else file_text
    with database().reading() as connection:
        remarks = drafts.remarks(connection, draft) if draft else []
        names = people.names(connection, (one.person_id for one in remarks))
    moved = draft is not None and draft.origin != drafts.digest(file_text)
    return render_template(
        "content/studio_page.html",
        path=path,
        draft=draft,
        text=text,
        fault=fault,
        checked=checked,
        has_file=bool(file_text),
        origin=drafts.digest(file_text),
        changes=diff.lines(kept, text) if kept != text else [],
        moved=diff.lines(file_text, kept) if moved else [],
        remarks=remarks,
        names=names,
        actions=workflow.actions(_situation(person, draft, checked)) if draft else (),
        maximum=MAXIMUM_BYTES,
        editing=note_editor(person, f"page/{path}"),
        words=_words(),
    )


def _keep(person: Person, path: str, text: str, *, ask: bool) -> bool:
    """Store a page's text; return False where somebody else has begun or changed its draft."""
    revision, by = request.form.get("revision", 0, int), signature(person)
    try:
        with database().writing() as connection:
            draft = drafts.find(connection, path)
            if draft is None:
                drafts.begin(connection, path, text, request.form.get("origin", "")[:64], by)
            elif text != draft.text and not drafts.edit(connection, draft, text, revision, by):
                return False
            draft = drafts.find(connection, path)
            if ask and draft is not None and draft.state == "draft":
                drafts.step(connection, draft, "ask", Said(), by)
    except IntegrityError:
        return False
    return True


def _check(path: str, text: str) -> Checked:
    """Return a text as a page, with every fault that it would have or bring to other pages."""
    place = shelf().root / path
    found, errors = shelf().trial(place, text)
    page = next((one for one in found.pages() if one.path == place), None)
    if page is not None and not text.endswith(page.body):
        # No page can be made of this text; what stands there is the file's.
        page = None
    if page is not None:
        errors += [*unknown_embeds(page, text), *archive.faults(place, text)]
    return Checked(page, sorted(set(errors), key=lambda one: (one.path != place, one.line, one.column)))


def _situation(person: Person, draft: PageDraft, checked: Checked) -> workflow.Situation:
    return workflow.Situation(
        state=draft.state,
        is_author=draft.person_id == person.id,
        sound=checked.page is not None and not checked.faults,
        review_required=current_app.extensions["settings"].review == "required",
    )


def _read(path: str) -> PageDraft | None:
    """Return the draft of a page, None where it has none yet; answer that there is no such page."""
    with database().reading() as connection:
        draft = drafts.find(connection, path)
    if draft is None and str(shelf().root / path) not in shelf().texts().stamps:
        abort(404, _("There is no such page; the studio lists those there are."))
    return draft


def _required(path: str) -> PageDraft:
    draft = _read(path)
    if draft is None:
        abort(404, _("The page has no draft yet; keep a text of it first."))
    return draft


def _file_text(path: str) -> str:
    """Return the text of a page's file, empty where it has none."""
    place: Path = shelf().root / path
    return pages.text_of(place)[0] if place.is_file() else ""


def _name(path: Path) -> str:
    return path.relative_to(shelf().root).as_posix()


def sent_text() -> str:
    """Return the text of an editor's form, with the line ends that texts have here."""
    return request.form.get("text", "").replace("\r\n", "\n").strip() + "\n"


def _quoted(title: str) -> str:
    """Return a title as front matter has it, whatever characters it holds."""
    return "'" + title.replace("'", "''") + "'"


def note_editor(person: Person, place: str) -> list[str]:
    """Note that a person edits a text, and return the names of those who do so too."""
    found = presence.note(database(), place, signature(person))
    with database().reading() as connection:
        return list(people.names(connection, found).values())


def editors(connection: Connection, person: Person) -> dict[str, list[str]]:
    """Return the names of those who edit a text now, besides this person, by the text's place."""
    found = presence.others(connection, person.id, now())
    names = people.names(connection, (one for ids in found.values() for one in ids))
    return {place: [names[one] for one in ids if one in names] for place, ids in found.items()}


def said(draft: str) -> Said:
    """Return what the form of a review sent, on a line of the draft's text or on the whole."""
    text = request.form.get("text", "").strip()[:MAXIMUM_REMARK]
    return Said(text, workflow.line_of(draft, request.form.get("line", "")))


def signature(person: Person) -> Signature:
    """Return a person's signature at this moment."""
    return Signature(person.id, now())


def _words() -> dict[str, Any]:
    """Return what states and decisions are called in the reader's language."""
    return {
        "draft": _("draft"),
        "review": _("in review"),
        "approved": _("approved"),
        "published": _("published"),
        "retired": _("taken back"),
        "comment": _("wrote"),
        "ask": _("asked for a review"),
        "approve": _("approved it"),
        "return": _("sent it back"),
        "publish": _("published it"),
        "retire": _("took it back from readers"),
    }
