"""The page of a whole bank as one Markdown text: edited, checked, compared with colleagues' work, and kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response as Answer

from accounts.people import Person
from accounts.sessions import require_role
from content import diff
from content.draft_views import sent_text, signature
from content.errors import ContentError
from db import database
from quizzes.authoring import store, whole, whole_store
from quizzes.authoring.authoring_views import around, find_bank, shown_of
from quizzes.authoring.checking import Checked
from quizzes.authoring.store import Draft, StudioBank
from quizzes.authoring.whole import Parts, Piece, Plan
from quizzes.authoring.whole_store import ChangedMeanwhileError
from quizzes.routes import routes


@dataclass(frozen=True)
class Desk:
    """A bank as it is now, with what a new item of it must not be called."""

    bank: StudioBank
    drafts: list[Draft]
    elsewhere: list[str]


@dataclass(frozen=True)
class Sent:
    """A text that came, taken apart, with its findings and what keeping it would change."""

    text: str
    parts: Parts
    checked: dict[Piece, Checked]
    plan: Plan
    bank_changed: bool
    """Whether the text has another title or other cases than the bank."""
    bank_stale: bool
    """Whether they differ because somebody else has changed them, and the text's author has not."""
    bank_conflict: bool
    """Whether both have changed them."""

    @property
    def touched(self) -> list[Piece]:
        """The items that keeping the text would store."""
        return [*self.plan.new, *(piece for _draft, piece in self.plan.changed)]

    @property
    def sound(self) -> list[Piece]:
        """Those of them that have no fault."""
        lines = {one.line for one in self.parts.faults}
        twice = {piece.heading for piece in self.parts.items if piece.line in lines}
        return [one for one in self.touched if not self.checked[one].faults and one.heading not in twice]

    @property
    def faulty(self) -> bool:
        """Whether something that would be stored has a fault."""
        return bool(self.parts.faults) or len(self.sound) < len(self.touched)


@dataclass(frozen=True)
class Page:
    """What the page of a text shows besides the text: a sentence, conflicts, and what it remembers of the bank."""

    marked: str
    digest: str
    fault: str = ""
    done: str = ""
    whole_preview: bool = False
    offer_sound: bool = False
    conflicts: list[dict[str, Any]] = field(default_factory=list)


@routes.get("/studio/banks/<slug>/text")
def bank_text(slug: str) -> str:
    """Show a bank as one Markdown text."""
    require_role("instructor")
    desk = _read_desk(slug)
    return _show(desk, whole.write(desk.bank, desk.drafts), _now(desk))


@routes.post("/studio/banks/<slug>/text")
def save_bank_text(slug: str) -> Answer | str | tuple[str, int]:
    """Keep a text where it has no faults, or its sound items alone; never over what somebody else has written."""
    person = require_role("instructor")
    text, action = sent_text(), request.form.get("do", "")
    desk = _read_desk(slug)
    remembered = Page(request.form.get("base", ""), request.form.get("bank", ""), whole_preview=action == "preview")
    if action in {"preview", "back"}:
        return _show(desk, text, remembered)
    if len(text) > whole.MAXIMUM_CHARACTERS:
        return _show(desk, text, replace(remembered, fault=_("The text is too long; divide the bank into two."))), 422
    try:
        return _keep(person, slug, text, remembered, only_sound=action == "good")
    except (ChangedMeanwhileError, IntegrityError):
        fault = _("Somebody else was keeping this bank at the same moment. Nothing of yours was kept; keep it again.")
        return _show(_read_desk(slug), text, replace(remembered, fault=fault)), 409


@routes.post("/studio/banks/<slug>/text/preview")
def preview_bank_text(slug: str) -> str:
    """Show what is wrong with a bank's text, and the item where the caret stands; nothing is kept."""
    require_role("instructor")
    desk, text = _read_desk(slug), sent_text()
    return render_template("quizzes/studio_bank_preview.html", **_seen(desk, text, request.form.get("line", 1, int)))


def _keep(person: Person, slug: str, text: str, page: Page, *, only_sound: bool) -> Answer | str | tuple[str, int]:
    with database().writing() as connection:
        desk = _desk(connection, slug)
        sent = _take(connection, desk, text, page)
        if sent.plan.conflicts or sent.bank_conflict:
            return _show_conflicts(desk, sent), 409
        if sent.faulty and not only_sound:
            fault = _("Nothing was kept: mend the faults below, or keep what has none.")
            return _show(desk, text, replace(page, fault=fault, offer_sound=True)), 422
        plan = sent.plan.only(sent.sound) if only_sound else sent.plan
        if {one.question_id for one in plan.gone} - set(request.form.get("retire", "").split()):
            return render_template("quizzes/studio_bank_confirm.html", bank=desk.bank, text=text, page=page, plan=plan)
        whole_store.keep(connection, desk.bank, plan, signature(person))
        if sent.bank_changed and not sent.bank_stale and not sent.parts.faults:
            whole_store.keep_bank(connection, desk.bank, sent.parts.fields["title"], sent.parts.cases_text)
    if not (only_sound and sent.faulty):
        return redirect(url_for("quizzes.bank_text", slug=slug), 303)
    after = _read_desk(slug)
    count = len(sent.sound)
    done = ngettext("%(num)d item was kept as a draft.", "%(num)d items were kept as drafts.", count)
    merged = whole.merged(text, sent.parts, sent.plan, after.bank if sent.bank_stale else None)
    return _show(after, merged, replace(_now(after), done=done, offer_sound=True))


def _take(connection: Connection, desk: Desk, text: str, page: Page) -> Sent:
    """Take a text apart and compare it with the bank, as it is and as it was when the text was begun."""
    parts = whole.split(text, desk.bank)
    mine = whole_store.digest(parts.fields["title"], parts.cases_text)
    theirs = whole_store.digest(desk.bank.title, desk.bank.cases)
    return Sent(
        text=text,
        parts=parts,
        checked=_check(desk, parts),
        plan=whole.plan(parts, desk.drafts, whole_store.base(connection, desk.drafts, page.marked)),
        bank_changed=mine != theirs,
        bank_stale=mine != theirs and mine == page.digest,
        bank_conflict=len({mine, theirs, page.digest}) == 3,
    )


def _show_conflicts(desk: Desk, sent: Sent) -> str:
    """Show the text with both writings of what somebody else has changed too; keeping it again is then a decision."""
    conflicts = [
        {
            "name": draft.question_id,
            "gone": piece is None,
            "retired": draft.state == "retired",
            "lines": diff.lines(draft.text, piece.text) if piece else [],
        }
        for draft, piece in sent.plan.conflicts
    ]
    if sent.bank_conflict:
        mine = f"{sent.parts.fields['title']}\n\n{sent.parts.cases_text}"
        conflicts.insert(0, {"name": "", "lines": diff.lines(f"{desk.bank.title}\n\n{desk.bank.cases}", mine)})
    fault = _("Somebody else has changed this bank meanwhile. Nothing is lost and nothing was kept: see below.")
    merged = whole.merged(sent.text, sent.parts, sent.plan, desk.bank if sent.bank_stale else None)
    return _show(desk, merged, replace(_now(desk), fault=fault, conflicts=conflicts))


def _show(desk: Desk, text: str, page: Page) -> str:
    return render_template(
        "quizzes/studio_bank_text.html",
        bank=desk.bank,
        text=text,
        page=page,
        unkept=bool(page.fault or page.done) or text != whole.write(desk.bank, desk.drafts),
        apart=[one for one in desk.drafts if one.state != "retired" and not whole.is_whole(one)],
        maximum=whole.MAXIMUM_CHARACTERS,
        **_seen(desk, text, None if page.whole_preview else 1),
    )


def _seen(desk: Desk, text: str, line: int | None) -> dict[str, Any]:
    """Return what the preview shows: findings, and the item at a line of the text, or all without one."""
    parts = whole.split(text, desk.bank)
    checked = _check(desk, parts)
    pieces = parts.items if line is None else list(_at_line(parts.items, line))
    return {
        "faults": _sorted([*parts.faults, *(fault for one in checked.values() for fault in one.faults)]),
        "advice": _sorted([advice for one in checked.values() for advice in one.advice]),
        "previews": [(one.heading, shown_of(checked[one].item)) for one in pieces],
    }


def _at_line(pieces: Sequence[Piece], line: int) -> Iterator[Piece]:
    """Yield the item in which a line stands, or the first."""
    before = [one for one in pieces if one.line <= line]
    yield from (before[-1:] or pieces[:1])


def _sorted(found: list[ContentError]) -> list[ContentError]:
    return sorted(found, key=lambda one: (one.line, one.column))


def _check(desk: Desk, parts: Parts) -> dict[Piece, Checked]:
    known = [one.question_id for one in desk.drafts]
    return whole.check(parts, around(desk.bank, "any"), known, desk.elsewhere)


def _read_desk(slug: str) -> Desk:
    with database().reading() as connection:
        return _desk(connection, slug)


def _desk(connection: Connection, slug: str) -> Desk:
    bank = find_bank(connection, slug)
    return Desk(bank, store.drafts(connection, bank.id), whole_store.elsewhere(connection, bank))


def _now(desk: Desk) -> Page:
    return Page(whole_store.mark(desk.drafts), whole_store.digest(desk.bank.title, desk.bank.cases))
