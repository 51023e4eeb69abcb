"""What readers keep and send: their notebook, their remarks on a page, and where instructors answer them."""

from __future__ import annotations

from flask import abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from accounts.sessions import current_person, ensure_person, require_role
from content import feedback, marks
from content.blueprint import find_page, library, routes, shelf
from content.marks import LONGEST_NOTE
from db import database
from web.clock import now


@routes.get("/notebook")
def notebook() -> str:
    """Show a reader's bookmarks, notes and remarks."""
    person = current_person()
    return render_template(
        "content/notebook.html",
        marks=marks.of_person(database(), person.id) if person else [],
        remarks=feedback.of_person(database(), person.id) if person else [],
        pages={page.address: page for page in library().pages()},
    )


@routes.post("/notebook")
def keep_mark() -> Answer:
    """Bookmark a paragraph, write a note on it, or forget both; then show the paragraph again."""
    address, anchor = request.form.get("page", ""), request.form.get("anchor", "")
    if request.form.get("do") == "remove":
        marks.remove(database(), ensure_person().id, address, anchor)
        from_notebook = request.form.get("from") == "notebook"
        return redirect(url_for("content.notebook") if from_notebook else _place(address, anchor), 303)
    page = find_page(address)
    mark = page.rendered.find_mark(anchor) if page else None
    if page is None or mark is None:
        abort(404, _("This paragraph has been rewritten; go back and reload the page. Copy your note before you do."))
    note = request.form.get("note", "").strip()
    if len(note) > LONGEST_NOTE:
        abort(413, _("A note has at most %(count)d characters; go back and shorten it.", count=LONGEST_NOTE))
    marks.keep(database(), ensure_person().id, address, mark, note=note, now=now())
    return redirect(_place(address, anchor), 303)


@routes.post("/feedback")
def send_feedback() -> Answer:
    """Keep a remark on a page for the instructors."""
    address, text = request.form.get("page", ""), request.form.get("text", "").strip()
    if find_page(address) is None:
        abort(404, _("The page that you write about is no longer there; go back and copy your words."))
    if not text:
        abort(400, _("There is nothing in the remark yet; go back and write what is unclear or wrong."))
    if len(text) > feedback.LONGEST:
        abort(413, _("A remark has at most %(count)d characters; go back and shorten it.", count=feedback.LONGEST))
    feedback.write(database(), ensure_person().id, address, text, now())
    return redirect(url_for("content.notebook", _anchor="remarks"), 303)


@routes.get("/studio/course")
def studio() -> str:
    """Show instructors the faults of the files and what readers wrote."""
    require_role("instructor")
    return render_template(
        "content/studio.html",
        errors=shelf().errors(),
        root=shelf().root.parent,
        remarks=feedback.waiting(database()),
        pages={page.address: page for page in library().pages()},
    )


@routes.post("/studio/course/<int:feedback_id>")
def settle_feedback(feedback_id: int) -> Answer:
    """Close a remark, with an answer or without."""
    require_role("instructor")
    if not feedback.settle(database(), feedback_id, request.form.get("answer", "").strip(), now()):
        abort(409, _("This remark has been settled already, or there is none of that number."))
    return redirect(url_for("content.studio", _anchor="remarks"), 303)


def _place(address: str, anchor: str) -> str:
    """Return the address of a paragraph on this site; anything that is no page leads to the notebook."""
    return f"{address}#{anchor}" if find_page(address) else url_for("content.notebook")
