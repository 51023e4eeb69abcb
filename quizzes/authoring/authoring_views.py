"""The studio's pages for questions: banks, the editor with its preview, reviews, publication, and history."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from flask import abort, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response as Answer

from accounts import store as people
from accounts.people import Person
from accounts.sessions import require_role
from content import diff, drafts, workflow
from content.blueprint import shelf
from content.draft_views import editors, note_editor, said, signature
from content.workflow import Said
from db import database, in_turns
from quizzes import display
from quizzes.authoring import checking, history, item_form, item_form_views, quiz, store
from quizzes.authoring.checking import Checked, Surroundings
from quizzes.authoring.item_form_views import KEEPING, Sent
from quizzes.authoring.store import Draft, StudioBank
from quizzes.formats import markdown
from quizzes.questions import POOLS, Item
from quizzes.routes import exams, library, routes, shipped

_FIRST_TEXT = """\
## {id}

Ask one thing here?

- [x] The right option
  > Why it is right.
- [ ] A wrong one
  > Why it is wrong.
"""


@routes.get("/studio")
def studio() -> str:
    """Show the studio's banks with what is in them, and offer to begin one."""
    person = require_role("instructor")
    return _home(person)


@routes.post("/studio/banks")
def begin_bank() -> Answer | tuple[str, int]:
    """Begin a bank, or say why it cannot be."""
    person = require_role("instructor")
    form = request.form
    title, course, pool = form.get("title", "").strip(), form.get("course", ""), form.get("pool", "exam")
    slug = re.sub(r"[^a-z0-9]+", "-", title.casefold()).strip("-")[:80]
    if not slug or len(title) > checking.MAXIMUM_TITLE or library().find_course(course) is None or pool not in POOLS:
        return _home(person, _("Give the bank a title in Latin letters or figures, and choose its course.")), 422
    try:
        with database().writing() as connection:
            store.create_bank(connection, StudioBank(0, slug, title, course, pool, "", 0), signature(person))
    except IntegrityError:
        return _home(person, _("There is a bank of this name; give yours another title.")), 422
    return redirect(url_for("quizzes.studio_bank", slug=slug), 303)


@routes.get("/studio/banks/<slug>")
def studio_bank(slug: str) -> str:
    """List the items of a bank, and offer to write one or to copy one of a file."""
    person = require_role("instructor")
    with database().reading() as connection:
        bank = find_bank(connection, slug)
        written = store.drafts(connection, bank.id)
        editing = editors(connection, person)
    beside = around(bank, "any")
    faults = {
        one.question_id: len(checking.check(one.text, replace(beside, question_id=one.question_id)).faults)
        for one in written
    }
    return render_template(
        "quizzes/studio_bank.html",
        bank=bank,
        exam=quiz.slug_of(bank),
        drafts=written,
        faults=faults,
        editing=editing,
        words=words(),
    )


@routes.route("/studio/banks/<slug>/new", methods=["GET", "POST"])
def new_item(slug: str) -> Answer | str | tuple[str, int]:
    """Write an item: show its form, or keep it as a draft."""
    person = require_role("instructor")
    with database().reading() as connection:
        bank = find_bank(connection, slug)
        count = len(store.drafts(connection, bank.id))
    if request.method == "GET":
        return _editor(person, bank, None, _first(f"{bank.slug}-{count + 1}"))
    sent = item_form_views.sent()
    if request.form.get("do", "save") not in KEEPING:
        return _editor(person, bank, None, sent)
    checked = checking.check(sent.text, around(bank))
    if not sent.is_whole:
        return _editor(person, bank, None, sent, _not_whole()), 422
    if checked.item is None or checked.faults:
        fault = _("A new item is kept once it can be read; this text stays here until then.")
        return _editor(person, bank, None, sent, fault), 422
    return _keep_new(person, bank, checked, sent)


@routes.post("/studio/banks/<slug>/copy")
def copy_item(slug: str) -> Answer:
    """Copy an item of a course's file into a bank, as a draft of its own with a new id."""
    person = require_role("instructor")
    source = shipped().items.get(request.form.get("question", "").strip())
    if source is None:
        abort(404, _("No course has a question of this id; its bank's file and the review of an exam tell it."))
    question = source.question
    # The case stays in its own bank; here the item tells it itself.
    stem = f"{question.stimulus}\n\n{question.stem}" if question.case else question.stem
    copied = replace(source, question=replace(question, stem=stem, case="", stimulus=""))
    text = markdown.write_item(copied).partition("\n")[2]
    with database().writing() as connection:
        bank = find_bank(connection, slug)
        in_turns(connection, f"copies into bank {bank.id}")
        name = _free_id(connection, f"{bank.slug}-{source.question.id}")
        store.add_texts(connection, bank.id, [(name, f"## {name}\n{text}")], signature(person))
        history.note_source(connection, _draft(connection, name)[0], source.question.id, signature(person))
    return redirect(url_for("quizzes.studio_item", question_id=name), 303)


@routes.get("/studio/items/<question_id>")
def studio_item(question_id: str) -> str:
    """Show an item in the editor, with its preview, what is wrong with it, and what was said of it."""
    person = require_role("instructor")
    with database().reading() as connection:
        draft, bank = _draft(connection, question_id)
    return _editor(person, bank, draft, Sent(draft.text))


@routes.post("/studio/items/<question_id>")
def save_item(question_id: str) -> Answer | str | tuple[str, int]:
    """Keep a text, only show it, or keep it and ask for a review; never over what somebody else has written."""
    person = require_role("instructor")
    sent, revision = item_form_views.sent(), request.form.get("revision", 0, int)
    with database().reading() as connection:
        draft, bank = _draft(connection, question_id)
    if request.form.get("do", "save") not in KEEPING:
        return _editor(person, bank, draft, sent)
    if not sent.is_whole:
        return _editor(person, bank, draft, sent, _not_whole()), 422
    with database().writing() as connection:
        kept = sent.text == draft.text or history.edit(connection, draft, sent.text, revision, signature(person))
        draft, bank = _draft(connection, question_id)
        if kept and request.form.get("do") == "ask" and draft.state == "draft":
            history.step(connection, draft, "ask", Said(), signature(person))
    if not kept:
        fault = _("Somebody else has changed this item meanwhile. Nothing is lost: both texts are below.")
        return _editor(person, bank, draft, sent, fault), 409
    return redirect(url_for("quizzes.studio_item", question_id=question_id), 303)


@routes.post("/studio/preview/<slug>")
def preview_item(slug: str) -> str:
    """Show a text as learners would see it, what is wrong with it, and who else edits it; nothing is kept of it."""
    person = require_role("instructor")
    sent, question_id = item_form_views.sent(), request.form.get("question", "")
    with database().reading() as connection:
        bank = find_bank(connection, slug)
        draft = store.find_draft(connection, question_id)
    checked = checking.check(sent.text, around(bank, question_id))
    return render_template(
        "quizzes/studio_preview.html",
        checked=checked,
        text=sent.text,
        alone=True,
        editing=_editing(person, draft),
        **shown_of(checked.item),
        **(item_form_views.shown(bank, sent.form, checked) if sent.form else {}),
    )


@routes.post("/studio/items/<question_id>/step")
def take_step(question_id: str) -> Answer:
    """Comment on an item, approve it, send it back, publish or retire it."""
    person = require_role("instructor")
    action = request.form.get("do", "")
    if action in {"comment", "return"} and not said("").text:
        abort(422, _("Write what you mean in the field above the button; go back, your page is as it was."))
    with database().writing() as connection:
        draft, bank = _draft(connection, question_id)
        checked = checking.check(draft.text, around(bank, question_id))
        if action not in workflow.actions(_situation(connection, person, draft, checked)):
            abort(409, _("This is not possible as the item stands now; open its page again to see what is."))
        done = draft.revision == request.form.get("revision", 0, int) and (
            history.publish(connection, draft, checked.item, signature(person))
            if action == "publish" and checked.item is not None
            else history.step(connection, draft, action, said(draft.text), signature(person))
        )
    if not done:
        abort(409, _("The item has been changed since you looked at it; open its page again and read the new text."))
    return redirect(url_for("quizzes.studio_item", question_id=question_id, _anchor="remarks"), 303)


@routes.get("/studio/items/<question_id>/history")
def item_history(question_id: str) -> str:
    """Show an item's texts: who wrote them, when, and what differs between two of them."""
    require_role("instructor")
    with database().reading() as connection:
        draft, bank = _draft(connection, question_id)
        revisions = history.revisions(connection, draft)
        names = people.names(connection, (one.person_id for one in revisions))
    texts = {one.revision: one.text for one in revisions}
    newer = request.args.get("to", draft.revision, int)
    older = request.args.get("from", newer - 1, int)
    if newer not in texts or (older and older not in texts):
        abort(404, _("The item has no such version; its history lists those it has."))
    return render_template(
        "quizzes/studio_history.html",
        draft=draft,
        bank=bank,
        revisions=revisions,
        names=names,
        older=older,
        newer=newer,
        lines=diff.lines(texts.get(older, ""), texts[newer]),
    )


@routes.post("/studio/items/<question_id>/restore")
def restore(question_id: str) -> Answer:
    """Make an old text the item's draft again; those since stay in its history."""
    person = require_role("instructor")
    with database().writing() as connection:
        draft, _bank_of_it = _draft(connection, question_id)
        texts = {one.revision: one.text for one in history.revisions(connection, draft)}
        wanted = texts.get(request.form.get("restore", 0, int))
        if wanted is None:
            abort(404, _("The item has no such version; its history lists those it has."))
        kept = history.edit(connection, draft, wanted, request.form.get("revision", 0, int), signature(person))
    if not kept:
        abort(409, _("The item has been changed since you looked at it; open its page again and read the new text."))
    return redirect(url_for("quizzes.studio_item", question_id=question_id), 303)


@routes.get("/studio/reviews")
def reviews() -> str:
    """List what waits for a review: what others wrote, and one's own."""
    person = require_role("instructor")
    with database().reading() as connection:
        waiting = [one for one in history.entries(connection) if one.state in {"review", "approved"}]
        pages = [one for one in drafts.every(connection).values() if one.state in {"review", "approved"}]
        names = people.names(connection, [one.person_id for one in waiting] + [one.person_id for one in pages])
    return render_template(
        "quizzes/studio_reviews.html",
        waiting=waiting,
        pages=pages,
        shown={page.path.relative_to(shelf().root).as_posix(): page for page in library().pages()},
        names=names,
        me=person.id,
        words=words(),
    )


def _home(person: Person, fault: str = "") -> str:
    with database().reading() as connection:
        banks, entries = store.banks(connection), history.entries(connection)
        pages = drafts.every(connection).values()
    counts = Counter((one.bank, one.state) for one in entries)
    public = Counter(one.bank for one in entries if one.public)
    authors = [one.person_id for one in entries if one.state == "review"]
    authors += [one.person_id for one in pages if one.state == "review"]
    return render_template(
        "quizzes/studio_home.html",
        banks=banks,
        counts=counts,
        public=public,
        waiting=sum(one != person.id for one in authors),
        courses=library().courses,
        pools=POOLS,
        fault=fault,
        words=words(),
    )


def _editor(person: Person, bank: StudioBank, draft: Draft | None, sent: Sent, fault: str = "") -> str:
    text, as_form = sent.text, item_form_views.view() == "form"
    form = (sent.form or item_form.of_text(text)) if as_form else None
    checked = checking.check(text, around(bank, draft.question_id if draft else ""))
    with database().reading() as connection:
        remarks = history.remarks(connection, draft) if draft else []
        names = people.names(connection, (one.person_id for one in remarks))
        situation = _situation(connection, person, draft, checked) if draft else None
        others = store.drafts(connection, bank.id)
    editing = _editing(person, draft)
    return render_template(
        "quizzes/studio_item.html",
        bank=bank,
        draft=draft,
        text=text,
        fault=fault,
        changes=diff.lines(draft.text, text) if draft and draft.text != text else [],
        remarks=remarks,
        names=names,
        actions=workflow.actions(situation) if situation else (),
        others=others,
        words=words(),
        review=current_app.extensions["settings"].review,
        checked=checked,
        editing=editing,
        focus=sent.focus,
        unshowable=as_form and form is None,
        **shown_of(checked.item),
        **(item_form_views.shown(bank, form, checked) if form else {}),
    )


def _first(question_id: str) -> Sent:
    """Return what a new item begins with: an example to write over, or empty fields."""
    if item_form_views.view() == "text":
        return Sent(_FIRST_TEXT.format(id=question_id))
    form = item_form.begin(question_id)
    return Sent(item_form.write(form), form)


def _editing(person: Person, draft: Draft | None) -> list[str]:
    """Note that a person edits an item, if it is there, and return the names of those who do so too."""
    return note_editor(person, f"item/{draft.question_id}") if draft else []


def _not_whole() -> str:
    sentence: str = _(
        "Nothing was kept: in some field a line begins with what has a meaning in an item, as “## ”, “- [ ] ”, “1. ” "
        "or “**Answer**”. Begin it with a word."
    )
    return sentence


def shown_of(item: Item | None) -> dict[str, object]:
    """Return what an instructor is shown of an item: as learners see it, its key, and what there is to say of it."""
    return {
        "shown": display.check(item) if item else None,
        "lines": display.review(item, "") if item else (),
        "explanation": display.explanation(item) if item else "",
        "today": display.today(item) if item else "",
    }


def _keep_new(person: Person, bank: StudioBank, checked: Checked, sent: Sent) -> Answer | tuple[str, int]:
    if checked.item is None:
        raise ValueError("Only an item that can be read is kept as a new one.")
    name = checked.item.question.id
    try:
        with database().writing() as connection:
            store.add_texts(connection, bank.id, [(name, sent.text)], signature(person))
            if request.form.get("do") == "ask":
                history.step(connection, _draft(connection, name)[0], "ask", Said(), signature(person))
    except IntegrityError:
        return _editor(person, bank, None, sent, _("Another item has this id; choose one of its own.")), 422
    return redirect(url_for("quizzes.studio_item", question_id=name), 303)


def around(bank: StudioBank, question_id: str = "") -> Surroundings:
    """Return what an item of a bank is checked against: one that has the id, or, without an id, a new one."""
    course = library().find_course(bank.course)
    lessons = [lesson for _module, lesson in course.lessons()] if course else []
    return Surroundings(
        course=bank.course,
        cases=checking.cases(bank.cases),
        lessons={f"{one.page.address}#{part.anchor}" for one in lessons for part in one.page.sections},
        tasks={task.code for module in course.modules for task in module.tasks} if course else set(),
        taken=exams().items.keys() if not question_id else shipped().items.keys(),
        question_id=question_id,
    )


def _situation(connection: Connection, person: Person, draft: Draft, checked: Checked) -> workflow.Situation:
    return workflow.Situation(
        state=draft.state,
        is_author=history.author(connection, draft) == person.id,
        sound=checked.item is not None and not checked.faults,
        review_required=current_app.extensions["settings"].review == "required",
    )


def find_bank(connection: Connection, slug: str) -> StudioBank:
    """Return the studio's bank of that slug, or answer that there is none."""
    bank = store.find_bank(connection, slug)
    if bank is None:
        abort(404, _("The studio has no such bank; its first page lists them."))
    return bank


def _draft(connection: Connection, question_id: str) -> tuple[Draft, StudioBank]:
    draft = store.find_draft(connection, question_id)
    if draft is None:
        abort(404, _("The studio has no such item; its banks list those they have."))
    bank = next(one for one in store.banks(connection) if one.id == draft.bank_id)
    return draft, bank


def _free_id(connection: Connection, name: str) -> str:
    """Return the name, or the name with the first number that makes it free."""
    number, free = 1, name
    while store.find_draft(connection, free) is not None:
        number += 1
        free = f"{name}-{number}"
    return free


def words() -> dict[str, str]:
    """Return what states, pools and decisions are called in the reader's language."""
    return {
        "draft": _("draft"),
        "review": _("in review"),
        "approved": _("approved"),
        "published": _("published"),
        "retired": _("retired"),
        "exam": _("exams and drills"),
        "check": _("checks in lessons"),
        "pilot": _("tried out in exams, unscored"),
        "comment": _("wrote"),
        "copy": _("copied it from"),
        "ask": _("asked for a review"),
        "approve": _("approved it"),
        "return": _("sent it back"),
        "publish": _("published it"),
        "retire": _("retired it"),
    }
