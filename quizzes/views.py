"""Pages of the quiz engine: exams, a sitting with its outbox, the report, and the review."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, NoReturn

from flask import Flask, abort, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Answer

from accounts.people import Person
from accounts.sessions import OWNER, current_person, ensure_person, renew_session, visit_values
from db import database, from_milliseconds, milliseconds
from quizzes import (
    answers,
    attempts,
    check_views,
    cli,
    cohort_views,
    display,
    practice_store,
    practice_views,
    sittings,
    statistics_views,
    store,
)
from quizzes.authoring import authoring_views, bank_text_views, quiz_views
from quizzes.blueprint import Blueprint
from quizzes.corrections import correction_views, dispute_views
from quizzes.corrections import store as corrections
from quizzes.exchange import exchange_cli, export_views, import_views
from quizzes.questions import Bank
from quizzes.routes import answer_sent, evidence, exams, library, routes, shipped
from quizzes.sittings import Sitting
from web import metrics
from web.clock import SteadyClock, now
from web.lifecycle import lifecycle
from web.offers import Door, NextStep, StudioPage, offers
from web.security import csrf_token

VIEWS = (
    *(check_views, practice_views, authoring_views, bank_text_views, quiz_views, import_views),
    *(export_views, correction_views, dispute_views, statistics_views),
)


def init_app(app: Flask) -> None:
    """Register the pages, the command line and what the room offers to others."""
    app.extensions["banks"] = _banks
    app.register_blueprint(routes)
    exchange_cli.add_to(cli.group)
    app.cli.add_command(cli.group)
    register = offers(app)
    register.doors.append(_door)
    register.next_steps += [_next_step, dispute_views.next_step]
    register.embeds["quiz"] = check_views.embed
    register.studio += [
        lambda: StudioPage(1, _("Questions"), "/studio"),
        lambda: StudioPage(2, _("Reviews"), "/studio/reviews"),
        lambda: StudioPage(3, _("Imports"), "/studio/imports"),
        lambda: StudioPage(4, _("Export"), "/studio/export"),
        lambda: StudioPage(5, _("Corrections"), "/studio/replay"),
        lambda: StudioPage(6, _("Statistics"), "/studio/statistics"),
    ]
    cohort_views.register(register)
    lifecycle(app).prepare.append(_prepare)
    lifecycle(app).sweep += [_sweep, statistics_views.sweep]
    import_views.init_app(app)
    lifecycle(app).tend.append(_follow_the_machines_time)
    lifecycle(app).adopt += [store.adopt, practice_store.adopt]


@routes.after_request
def _keep_attempts_out_of_caches(answer: Answer) -> Answer:
    """Let no browser show an attempt again from its history, where newer answers would be missing."""
    if request.path.startswith("/attempts/"):
        answer.headers["Cache-Control"] = "no-store"
    return answer


@routes.get("/exams")
def exam_index() -> str:
    """Show the exams on offer and the attempts that this person has made."""
    person = current_person()
    with database().reading() as connection:
        past = store.attempts_of(connection, person.id) if person else []
    return render_template("quizzes/exams.html", exams=exams().offered, attempts=past, find=exams().find, now=now())


@routes.get("/exams/<slug>")
def exam(slug: str) -> str:
    """Tell what an exam asks, the clock rule, and offer to start or resume it."""
    found = _exam(slug)
    person = current_person()
    with database().reading() as connection:
        past = store.attempts_of(connection, person.id, slug) if person else []
    return render_template(
        "quizzes/exam.html",
        exam=found,
        quotas=found.quotas(),
        attempts=past,
        running=[one for one in past if one.clock.is_open(now())],
        whole_bank=slug in exams().own,
        multipliers=cohort_views.times(person, slug),
        shortages=_shortages(found),
        now=now(),
    )


@routes.post("/exams/<slug>/attempts")
def start(slug: str) -> Answer:
    """Open an attempt; a visitor becomes a guest whose attempt is kept."""
    found = _exam(slug)
    if not found.offered:
        abort(409, _("This exam is not offered any more; what you began of it is still yours."))
    moment = now()
    offered = cohort_views.times(current_person(), slug)
    times = request.form.get("time", offered[0])
    if times not in offered:
        choices = ", ".join(offered)
        abort(400, _("The time can be multiplied by %(offered)s, not by %(times)s.", offered=choices, times=times))
    end = attempts.deadline(moment, found.minutes, times)
    number, person = _form_number(request.form.get("form", "")), ensure_person()
    with database().reading() as connection:
        seen = store.seen_questions(connection, person.id, slug, found.unseen_attempts)
    try:
        form = sittings.draw(exams(), found, number, seen)
    except sittings.ExamClosedError:
        abort(409, " ".join([_("This exam cannot be drawn yet."), *_shortages(found)]))
    with database().writing() as connection:
        renew_session(connection, person.id)
        attempt_id = sittings.start(connection, exams(), form, person.id, attempts.Clock(moment, end, None))
    return redirect(url_for("quizzes.sit", attempt_id=attempt_id), 303)


@routes.get("/attempts/<int:attempt_id>")
def sit(attempt_id: int) -> Answer | str:
    """Show a running attempt; a closed one leads to its report."""
    sitting = _own_sitting(attempt_id)
    if not sitting.attempt.clock.is_open(now()):
        return redirect(url_for("quizzes.report", attempt_id=attempt_id), 303)
    return render_template(
        "quizzes/sit.html",
        sitting=sitting,
        items=display.running(sitting),
        now=milliseconds(now()),
        deadline=milliseconds(sitting.attempt.clock.deadline),
        unlimited=sitting.attempt.clock.unlimited,
        guest=_person().is_guest,
        elsewhere=[place for place in request.args.getlist("elsewhere", int) if 0 < place <= len(sitting.items)],
    )


@routes.post("/attempts/<int:attempt_id>/responses")
def save(attempt_id: int) -> Answer:
    """Save changes sent by the page's outbox and answer with exactly what is stored at their places."""
    changes = _changes(request.get_json(silent=True))
    moment = now()
    saved = _save(attempt_id, changes, moment)
    if saved is None:
        _refuse()
    clock, stored = saved
    return jsonify(**_state(clock, stored, moment))


@routes.get("/attempts/<int:attempt_id>/responses")
def watch(attempt_id: int) -> Answer:
    """Tell a page what was answered in another tab or on another device since the version that it knows."""
    version = request.args.get("version", "-1")
    if not version.removeprefix("-").isdecimal() or len(version) > 15:
        abort(400, _("The answers could not be read; reload the page, they are kept in this browser."))
    moment = now()
    with database().asking() as connection:
        found = store.changed_since(connection, store.Owner(OWNER, visit_values()), attempt_id, int(version))
    if found is None:
        _refuse()
    clock, newest, stored = found
    # A sign-in in another tab gives this visit a new form token; the page goes on with it, and is not loaded again.
    return jsonify(version=newest, token=csrf_token(), **_state(clock, stored, moment))


@routes.post("/attempts/<int:attempt_id>/save")
def save_form(attempt_id: int) -> Answer:
    """Save every answer of the page sent as a plain form, for browsers without scripts.

    The form says which revision of each answer it shows; where another device has answered since, that answer stays.
    """
    sitting = _own_sitting(attempt_id)
    kept = sitting.kept()
    changes, elsewhere = [], []
    for place, item in enumerate(sitting.items, 1):
        answer = answers.from_form(item.question, request.form, f"q{place}")
        flagged = f"f{place}" in request.form
        before = kept.get(place)
        if (answer, flagged) == ((before.answer, before.flagged) if before else ("", False)):
            continue
        revision = before.revision if before else 0
        if request.form.get(f"r{place}", str(revision)) == str(revision):
            changes.append(store.Change(place, revision + 1, answer, flagged, None))
        else:
            elsewhere.append(place)
    _save(attempt_id, changes, now())
    if request.form.get("then") == "submit" and not elsewhere:
        return redirect(url_for("quizzes.confirm", attempt_id=attempt_id), 303)
    return redirect(url_for("quizzes.sit", attempt_id=attempt_id, elsewhere=elsewhere), 303)


@routes.get("/attempts/<int:attempt_id>/submit")
def confirm(attempt_id: int) -> Answer | str:
    """Ask once, with the counts, before an attempt is submitted."""
    sitting = _own_sitting(attempt_id)
    if not sitting.attempt.clock.is_open(now()):
        return redirect(url_for("quizzes.report", attempt_id=attempt_id), 303)
    return render_template("quizzes/confirm.html", sitting=sitting, items=display.running(sitting))


@routes.post("/attempts/<int:attempt_id>/submit")
def submit(attempt_id: int) -> Answer:
    """Close an attempt; a second submission changes nothing."""
    person = _person()
    moment = now()
    with database().writing() as connection:
        _attempt(connection, attempt_id, person)
        sittings.close(connection, exams(), attempt_id, moment, asked=True)
    return redirect(url_for("quizzes.report", attempt_id=attempt_id), 303)


@routes.get("/attempts/<int:attempt_id>/report")
def report(attempt_id: int) -> Answer | str:
    """Show the score of a closed attempt by domain, and what to read next."""
    sitting = _own_sitting(attempt_id)
    if sitting.attempt.clock.closed_at is None:
        return redirect(url_for("quizzes.sit", attempt_id=attempt_id), 303)
    scored = sitting.report()
    addresses = {one.lesson for one in scored.read_next}
    addresses |= {address for domain in scored.domains for task in domain.tasks for address in task.read_next}
    return render_template(
        "quizzes/report.html",
        sitting=sitting,
        report=scored,
        ruler=display.ruler(scored),
        lessons={address: _lesson_words(address) for address in addresses},
        tasks=_task_titles(sitting.blueprint.course),
        number=sittings.number_of(exams(), sitting),
        rescores=dispute_views.rescores(attempt_id),
    )


@routes.get("/attempts/<int:attempt_id>/review")
def review(attempt_id: int) -> Answer | str:
    """Show every item of a closed attempt with its key, a rationale for each option and the lesson."""
    sitting = _own_sitting(attempt_id)
    if sitting.attempt.clock.closed_at is None:
        return redirect(url_for("quizzes.sit", attempt_id=attempt_id), 303)
    return render_template(
        "quizzes/review.html",
        sitting=sitting,
        items=display.reviewed(sitting, evidence()),
        labs=practice_views.labs_by_task(),
        **dispute_views.told(sitting),
    )


def _state(clock: attempts.Clock, stored: list[store.Response], moment: datetime) -> dict[str, Any]:
    """Return what a page is told of an attempt: answers as they are stored, and the clock."""
    return {
        "stored": [
            {
                "place": one.place,
                "revision": one.revision,
                "answer": one.answer,
                "flagged": one.flagged,
                "late": one.late,
            }
            for one in stored
        ],
        "now": milliseconds(moment),
        "deadline": milliseconds(clock.deadline),
        "closed": clock.closed_at is not None,
    }


def _changes(data: Any) -> list[store.Change]:
    try:
        sent = data["responses"]
        return [
            store.Change(
                place=int(one["place"]),
                revision=int(one["revision"]),
                answer=answer_sent(one["answer"]),
                flagged=bool(one["flagged"]),
                stamp=_stamp(one.get("stamp")),
            )
            for one in sent[:200]
        ]
    except (TypeError, KeyError, ValueError, OverflowError, AttributeError):
        abort(400, _("The answers could not be read; reload the page, they are kept in this browser."))


def _form_number(text: str) -> int | None:
    """Return the number of the form asked for, or None for one by chance; refuse what is no number."""
    if not text.strip():
        return None
    text = text.strip()
    if not text.isdecimal() or len(text) > 10 or int(text) >= sittings.SEEDS:
        sentence = _(
            "A form's number is a whole number below %(most)d; leave it empty for one by chance.", most=sittings.SEEDS
        )
        abort(400, sentence)
    return int(text)


def _stamp(value: Any) -> datetime | None:
    return None if value is None else from_milliseconds(int(value))


def _exam(slug: str) -> Blueprint:
    found = exams().find(slug)
    if found is None:
        abort(404, _("There is no exam at this address; the exams are listed under Practise."))
    return found


def _shortages(found: Blueprint) -> list[str]:
    """Say for each domain with too few items how many it lacks."""
    return [
        _("The exam needs %(wanted)d pilot items and has %(found)d.", wanted=one.wanted, found=one.found)
        if one.domain is None
        else _(
            "Domain %(number)d (%(title)s) needs %(wanted)d items and has %(found)d.",
            number=one.domain.number,
            title=one.domain.title,
            wanted=one.wanted,
            found=one.found,
        )
        for one in exams().shortages(found)
    ]


def _save(
    attempt_id: int, changes: list[store.Change], moment: datetime
) -> tuple[attempts.Clock, list[store.Response]] | None:
    """Save changes and count what became of them; None where the attempt is not the sender's."""
    saved = store.save(database(), store.Owner(OWNER, visit_values()), attempt_id, changes, moment)
    if saved is None:
        metrics.count_answers(refused=len(changes))
    else:
        late = sum(one.late for one in saved[1])
        metrics.count_answers(stored=len(saved[1]) - late, late=late)
    return saved


def _refuse() -> NoReturn:
    """Answer that there is no such attempt; somebody else's is as absent as one that never was."""
    abort(404, _("There is no such attempt among yours; sign in with the account that started it."))


def _person() -> Person:
    person = current_person()
    if person is None:
        _refuse()
    return person


def _attempt(connection: Connection, attempt_id: int, person: Person) -> store.Attempt:
    attempt = store.find_attempt(connection, attempt_id, person.id)
    if attempt is None:
        _refuse()
    return attempt


def _own_sitting(attempt_id: int) -> Sitting:
    """Return this person's attempt, closed first if its time and grace are over."""
    person = _person()
    with database().reading() as connection:
        attempt = _attempt(connection, attempt_id, person)
        if not attempt.clock.is_due(now()):
            return sittings.load(connection, exams(), attempt)
    with database().writing() as connection:
        sittings.close(connection, exams(), attempt_id, now())
        return sittings.load(connection, exams(), _attempt(connection, attempt_id, person))


def _banks() -> tuple[Bank, ...]:
    """Return the banks of the files with the keys by which their items are marked now.

    An issue prints what the files have: the same month gives the same book, whatever the studio publishes.
    """
    with database().reading() as connection:
        return tuple(
            replace(bank, items=tuple(corrections.ruled_items(connection, bank.items))) for bank in shipped().banks
        )


def _lesson_words(address: str) -> dict[str, str]:
    """Return the title of the lesson at this address, that of the section if it names one, and their language."""
    path, _hash, anchor = address.removeprefix("/learn/").partition("#")
    course_slug, module_slug, lesson_slug = path.split("/")
    course = library().find_course(course_slug)
    for module, lesson in course.lessons() if course else ():
        if (module.slug, lesson.slug) == (module_slug, lesson_slug):
            section = next((one.heading for one in lesson.page.sections if one.anchor == anchor), "")
            return {"title": lesson.page.title, "section": section, "language": lesson.page.language}
    return {"title": lesson_slug.replace("-", " ").capitalize(), "section": "", "language": "en"}


def _task_titles(course_slug: str) -> dict[str, str]:
    course = library().find_course(course_slug)
    return {task.code: task.title for module in course.modules for task in module.tasks} if course else {}


def _prepare(app: Flask) -> None:
    store.sync_versions(app.extensions["database"], shipped().banks)


def _sweep(app: Flask) -> None:
    sittings.close_overdue(app.extensions["database"], exams(), app.extensions["clock"]())


def _follow_the_machines_time(app: Flask) -> None:
    """Let the clock follow a jump of the machine's time once it changes nobody's exam."""
    clock = app.extensions["clock"]
    if isinstance(clock, SteadyClock) and clock.jump and not sittings.anyone_sits(app.extensions["database"], clock()):
        clock.accept()


def _door(_person: Person | None) -> Door:
    first = exams().blueprints[0]
    return Door(
        2,
        _("Practise"),
        _("Sit a full exam drawn to the official weights. Every answer is saved as you give it."),
        ngettext("%(num)d question", "%(num)d questions", first.items)
        + ", "
        + ngettext("%(num)d minute", "%(num)d minutes", first.minutes),
        url_for("quizzes.exam", slug=first.slug),
        _("See the exam"),
    )


def _next_step(person: Person | None) -> NextStep | None:
    if person is None:
        return None
    with database().reading() as connection:
        mine = store.attempts_of(connection, person.id)
    running = next((one for one in mine if one.clock.is_open(now())), None)
    if running is not None:
        found = _exam(running.exam)
        minutes = max(0, int((running.clock.deadline - now()).total_seconds() // 60))
        address = url_for("quizzes.sit", attempt_id=running.id)
        title = _("Resume the %(code)s exam", code=found.code)
        text = ngettext("%(num)d minute is left.", "%(num)d minutes are left.", minutes)
        return NextStep(1, title, text, address, _("Resume the exam"))
    if mine:
        address = url_for("quizzes.report", attempt_id=mine[0].id)
        text = _("See where points were lost and what to read.")
        return NextStep(8, _("Look at your last exam"), text, address, _("See the report"))
    return None
