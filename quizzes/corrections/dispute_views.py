"""Pages of disputes: a learner objects to an item of a closed attempt, an instructor answers, the learner reads it."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as Answer

from accounts.people import Person
from accounts.sessions import current_person, require_role
from content.workflow import Signature
from db import database
from quizzes import store as attempts
from quizzes.authoring.authoring_views import shown_of
from quizzes.corrections import store
from quizzes.corrections.store import Dispute, Rescore
from quizzes.routes import routes
from quizzes.sittings import Sitting
from web.clock import now
from web.offers import NextStep

LONGEST_REASON = 2000
LONGEST_SOURCE = 500
VERDICTS = ("upheld", "declined")


@routes.post("/attempts/<int:attempt_id>/disputes")
def dispute(attempt_id: int) -> Answer:
    """Keep a learner's objection to one item of their closed attempt."""
    person, place = current_person(), request.form.get("place", 0, int)
    with database().reading() as connection:
        attempt = attempts.find_attempt(connection, attempt_id, person.id) if person else None
        if attempt is None or attempt.clock.closed_at is None or not 1 <= place <= len(attempt.form):
            abort(404, _("There is no such question to object to; open the review of your attempt."))
        fingerprint = attempt.form[place - 1][0]
        question_id = attempts.load_items(connection, [fingerprint])[0].question.id
    reason, source = request.form.get("reason", "").strip(), request.form.get("source", "").strip()
    if not reason or len(reason) > LONGEST_REASON or len(source) > LONGEST_SOURCE:
        abort(400, _("Say in at most 2000 characters why you think the key is wrong; the source may have 500."))
    objection = Dispute(
        *(0, attempt_id, place, attempt.person_id, fingerprint, question_id, reason, source, now(), "", "", None)
    )
    with database().writing() as connection:
        store.object_to(connection, objection)
    return redirect(f"{url_for('quizzes.review', attempt_id=attempt_id)}#question-{place}", 303)


@routes.get("/studio/disputes")
def disputes() -> str:
    """List what learners object to, the oldest that waits first."""
    require_role("instructor")
    with database().reading() as connection:
        return render_template("quizzes/disputes.html", disputes=store.disputes(connection), verdicts=verdict_names())


@routes.get("/studio/disputes/<int:dispute_id>")
def one_dispute(dispute_id: int) -> str:
    """Show an objection with the item it is about, and its answer or the form for one."""
    require_role("instructor")
    return _page(dispute_id)


@routes.post("/studio/disputes/<int:dispute_id>")
def answer_dispute(dispute_id: int) -> Answer | str | tuple[str, int]:
    """Keep the answer to an objection; its learner reads it in their review."""
    person = require_role("instructor")
    verdict, text = request.form.get("verdict", ""), request.form.get("answer", "").strip()
    if verdict not in VERDICTS or not text or len(text) > LONGEST_REASON:
        fault = _("Choose whether the learner is right, and say why in at most 2000 characters.")
        return _page(dispute_id, fault), 400
    with database().writing() as connection:
        kept = store.answer(connection, dispute_id, verdict, text, Signature(person.id, now()))
    if not kept:
        return _page(dispute_id, _("Somebody has answered this meanwhile; their answer stands.")), 409
    return redirect(url_for("quizzes.one_dispute", dispute_id=dispute_id), 303)


def told(sitting: Sitting) -> dict[str, Any]:
    """Return what the review tells of corrections and disputes; reading it counts as knowing it."""
    attempt = sitting.attempt
    with database().reading() as connection:
        known = store.disputes_of(connection, attempt.id)
        questions = {item.question.id for item in sitting.items}
        fingerprints = {fingerprint for fingerprint, _order in attempt.form}
        made = [one for one in store.corrections(connection) if one.question_id in questions]
    corrected = {one.fingerprint: one for one in made if one.fingerprint in fingerprints}
    by_place = {
        place: corrected[fingerprint]
        for place, (fingerprint, _order) in enumerate(attempt.form, 1)
        if fingerprint in corrected
    }
    _read(attempt.id, attempt.person_id)
    return {"disputes": known, "corrected": by_place, "verdicts": verdict_names()}


def rescores(attempt_id: int) -> list[Rescore]:
    """Return what corrections did to an attempt of this person; reading it counts as knowing it."""
    person = current_person()
    if person is None:
        return []
    with database().reading() as connection:
        found = [one for one in store.rescores(connection, person.id) if one.attempt_id == attempt_id]
    if found:
        _read(attempt_id, person.id)
    return found


def next_step(person: Person | None) -> NextStep | None:
    """Tell a learner whose score changed, or whose objection was answered, where to read it."""
    if person is None:
        return None
    with database().reading() as connection:
        changed = store.rescores(connection, person.id, unseen=True)
        answered = store.answered_disputes(connection, person.id)
    if changed:
        one = changed[0]
        text = _("It was %(before)d and is %(after)d now.", before=one.before, after=one.after)
        address = url_for("quizzes.report", attempt_id=one.attempt_id)
        return NextStep(2, _("A corrected key has changed your score"), text, address, _("See the report"))
    if answered:
        title = ngettext("Your objection was answered", "%(num)d of your objections were answered", len(answered))
        place = answered[0].place
        address = f"{url_for('quizzes.review', attempt_id=answered[0].attempt_id)}#question-{place}"
        return NextStep(2, title, verdict_names()[answered[0].verdict], address, _("Read the answer"))
    return None


def verdict_names() -> dict[str, str]:
    """Return what the verdicts are called in the reader's language."""
    return {"": _("waits for an answer"), "upheld": _("the learner is right"), "declined": _("the key stands")}


def _read(attempt_id: int, person_id: int) -> None:
    """Remember that its learner has read what there is to know; nothing is written where that is so already."""
    with database().reading() as connection:
        changed = {one.attempt_id for one in store.rescores(connection, person_id, unseen=True)}
        answered = {one.attempt_id for one in store.answered_disputes(connection, person_id)}
    if attempt_id in changed | answered:
        with database().writing() as connection:
            store.mark_seen(connection, person_id, attempt_id, now())


def _page(dispute_id: int, fault: str = "") -> str:
    with database().reading() as connection:
        found = store.find_dispute(connection, dispute_id)
        if found is None:
            abort(404, _("There is no such dispute; the list shows those that there are."))
        item = attempts.load_items(connection, [found.fingerprint])[0]
    return render_template(
        "quizzes/dispute.html",
        dispute=found,
        **shown_of(item),
        verdicts=verdict_names(),
        form=request.form,
        fault=fault,
    )
