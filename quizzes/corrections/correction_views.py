"""Pages of key-change replay: what another key would do to every attempt, and the correction itself."""

from __future__ import annotations

from dataclasses import dataclass

from flask import abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Answer

from accounts import store as people
from accounts.sessions import require_role
from content.workflow import Signature
from db import database, in_turns
from quizzes import display
from quizzes.answers import clean
from quizzes.corrections import replay, store
from quizzes.corrections.replay import Balance, Effect, Ruling
from quizzes.corrections.store import Version
from quizzes.grading import HIGHEST
from quizzes.questions import Item
from quizzes.routes import exams, routes
from web.clock import now

KINDS = ("key", "accept", "drop")
SHOWN = 200
"""So many changed attempts the page lists; the figures above them count all."""


@dataclass(frozen=True)
class ShownVersion:
    """A version with its text, its options as (letter, XHTML, whether it is right now), and its closed attempts."""

    version: Version
    stem: str
    options: tuple[tuple[str, str, bool], ...]
    accepted: str
    attempts: int


@dataclass(frozen=True)
class Trial:
    """A ruling that is being weighed: what it would do, and the attempts that it would change, with names."""

    ruling: Ruling
    balance: Balance
    changed: tuple[tuple[str, Effect], ...]


@routes.get("/studio/replay")
def corrections() -> str:
    """List every correction, the newest first: the audit of keys."""
    require_role("instructor")
    with database().reading() as connection:
        made = store.corrections(connection)
        names = people.names(connection, (one.person_id for one in made))
        waiting = len(store.disputes(connection, still_open=True))
    return render_template("quizzes/corrections.html", made=made[::-1], names=names, waiting=waiting)


@routes.get("/studio/replay/<question_id>")
def replay_question(question_id: str) -> str:
    """Show every version of a question with its key, and offer another one for each."""
    require_role("instructor")
    return _page(question_id)


@routes.post("/studio/replay/<question_id>")
def weigh(question_id: str) -> Answer | str | tuple[str, int]:
    """Show what a ruling would do to every attempt, or, with the figures that were seen, apply it."""
    person = require_role("instructor")
    version = _version(question_id, request.form.get("version", ""))
    ruling, fault = _ruling(version.item)
    if ruling is None:
        return _page(question_id, fault=fault), 400
    reason = request.form.get("reason", "").strip()
    if "apply" not in request.form:
        with database().reading() as connection:
            trial = _trial(connection, version, ruling)
        return _page(question_id, version, trial)
    if not reason or len(reason) > 2000:
        with database().reading() as connection:
            trial = _trial(connection, version, ruling)
        fault = _("Say in at most 2000 characters why the key is corrected; learners and the next issue read it.")
        return _page(question_id, version, trial, fault=fault), 400
    with database().writing() as connection:
        in_turns(connection, store.RULINGS)
        effects = _effects(connection, version, ruling)
        if request.form.get("seen") != _figures(replay.balance(effects)):
            trial = _trial(connection, version, ruling)
            fault = _("An attempt was closed since you looked; these are the figures now.")
            return _page(question_id, version, trial, fault=fault), 409
        store.apply(connection, version, ruling, effects, (reason, Signature(person.id, now())))
    return redirect(url_for("quizzes.replay_question", question_id=question_id), 303)


def _page(question_id: str, chosen: Version | None = None, trial: Trial | None = None, *, fault: str = "") -> str:
    with database().reading() as connection:
        versions = store.versions(connection, question_id)
        if not versions:
            abort(404, _("There is no such question; open it from its statistics or from a dispute."))
        shown = [_shown(connection, one) for one in versions]
        made = store.corrections(connection, question_id)
        names = people.names(connection, (one.person_id for one in made))
    # The version that learners get now comes first, then those that were answered most.
    current = exams().items.get(question_id)
    newest = current.fingerprint() if current else ""
    shown.sort(key=lambda one: (one.version.fingerprint != newest, -one.attempts))
    return render_template(
        "quizzes/replay.html",
        question_id=question_id,
        versions=shown,
        newest=newest,
        made=made[::-1],
        names=names,
        chosen=chosen,
        trial=trial,
        seen=_figures(trial.balance) if trial else "",
        most=SHOWN,
        form=request.form,
        fault=fault,
    )


def _version(question_id: str, fingerprint: str) -> Version:
    with database().reading() as connection:
        found = {one.fingerprint: one for one in store.versions(connection, question_id)}
    if fingerprint not in found:
        abort(404, _("There is no such version of this question; load the page again."))
    return found[fingerprint]


def _ruling(item: Item) -> tuple[Ruling | None, str]:
    """Return what the form says, or a sentence that says what is wrong with it."""
    kind = request.form.get("kind", "")
    if kind not in KINDS:
        return None, _("Choose what shall happen to the key.")
    if kind == "drop":
        return Ruling("drop"), ""
    if item.question.kind == "choice":
        letters = {one.letter for one in item.question.options}
        correct = frozenset(request.form.getlist("correct")) & letters
        if not correct or correct == letters:
            return None, _("Tick the options that are right: one at least, and not all.")
    else:
        text = clean(request.form.get("answer", "").strip())
        if not text or len(text) > 200:
            return None, _("Give the answer that is right, in at most 200 characters.")
        correct = frozenset({text})
    now_right = replay.ruled(item, None).key.correct
    if kind == "key" and correct == now_right:
        return None, _("This is the key already; tick another one.")
    return Ruling("key" if kind == "key" else "accept", correct), ""


def _effects(connection: Connection, version: Version, ruling: Ruling) -> list[Effect]:
    found: list[Effect] = []
    by_exam: dict[str, list[replay.Case]] = {}
    for case in store.cases(connection, version.fingerprint):
        by_exam.setdefault(case.exam, []).append(case)
    for slug, cases in by_exam.items():
        exam = exams().find(slug)
        cut = exam.cut if exam else HIGHEST
        found += replay.effects(cases, version.item, (version.ruling, ruling), cut)
    return found


def _trial(connection: Connection, version: Version, ruling: Ruling) -> Trial:
    effects = _effects(connection, version, ruling)
    changed = [one for one in effects if one.before != one.after]
    names = people.names(connection, (one.person_id for one in changed[:SHOWN]))
    listed = tuple((names.get(one.person_id, ""), one) for one in changed[:SHOWN])
    return Trial(ruling, replay.balance(effects), listed)


def _figures(balance: Balance) -> str:
    """Return the figures as the form carries them back, so that only what was seen is applied."""
    return f"{balance.attempts}-{balance.gain}-{balance.lose}-{balance.pass_now}-{balance.fail_now}"


def _shown(connection: Connection, version: Version) -> ShownVersion:
    item = replay.ruled(version.item, version.ruling)
    shown = display.check(item)
    options = tuple((one.letter, one.html, one.letter in item.key.correct) for one in shown.options)
    accepted = " / ".join(sorted(item.key.correct)) if item.question.kind != "choice" else ""
    return ShownVersion(version, shown.stem, options, accepted, len(store.cases(connection, version.fingerprint)))
