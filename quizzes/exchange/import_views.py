"""Pages of imports: send a file, see what would come of it, decide, take it over or undo that."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Flask, Response, abort, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response as Answer

from accounts.sessions import require_role
from content.workflow import Signature
from db import database
from quizzes.authoring import slugs
from quizzes.authoring import store as authoring
from quizzes.authoring.authoring_views import shown_of
from quizzes.authoring.store import StudioBank
from quizzes.exchange import known, parsing, plan, report, store
from quizzes.exchange.compare import Known
from quizzes.exchange.jobs import TOPIC, Worker
from quizzes.exchange.models import ImportRow
from quizzes.exchange.parsing import Upload
from quizzes.exchange.plan import Defaults, Row
from quizzes.exchange.store import Import, SettledError
from quizzes.exchange.wire import Compared
from quizzes.formats import registry
from quizzes.questions import DIFFICULTIES, POOLS
from quizzes.routes import exams, library, routes, shipped
from web.bell import bell
from web.clock import now
from web.lifecycle import lifecycle
from web.queues import Queue, queues

PAGE = 50
"""How many questions a page of a report shows."""
FILTERS = ("all", "cannot", "contradicted", "repeated", "lose")
POLL = 700
"""Milliseconds between two looks at a file that is being read."""


@dataclass(frozen=True)
class Shown:
    """A question of the file as the report shows it."""

    row: Row
    taken: bool
    preview: Mapping[str, object]


@dataclass(frozen=True)
class Target:
    """The bank that items go to: one of the studio's, or a new one."""

    slug: str
    title: str
    course: str
    pool: str


def init_app(app: Flask) -> None:
    """Offer the worker that reads files, and forget files that nobody wanted."""
    lifecycle(app).workers.append(worker)
    lifecycle(app).sweep.append(lambda app: store.expire(app.extensions["database"], app.extensions["clock"]()))
    lifecycle(app).expire.append(store.forget_reports)
    lifecycle(app).claims.append(store.theirs)
    queues(app).append(Queue("imports", ImportRow.state, "queued", ImportRow.created_at))


def worker(app: Flask) -> Worker:
    """Return a worker for the application's queue of files."""
    return Worker(app.extensions["database"], lambda: _known(app), app.extensions["clock"])


@routes.get("/studio/imports")
def imports() -> str:
    """Offer to send a file, and list what was imported."""
    require_role("instructor")
    with database().reading() as connection:
        past = store.newest(connection)
    return render_template("quizzes/imports.html", imports=past, formats=registry.readable(), fault="")


@routes.post("/studio/imports")
def send() -> Answer | tuple[str, int]:
    """Take a file, or a text that was pasted, and queue it."""
    person = require_role("instructor")
    upload, fault = _upload()
    if upload is None:
        with database().reading() as connection:
            past = store.newest(connection)
        return render_template("quizzes/imports.html", imports=past, formats=registry.readable(), fault=fault), 400
    with database().writing() as connection:
        import_id = store.create(connection, upload, Signature(person.id, now()))
    bell().ring(TOPIC)
    return redirect(url_for("quizzes.one_import", import_id=import_id), 303)


@routes.get("/studio/imports/<int:import_id>")
def one_import(import_id: int) -> Answer | str:
    """Show how far a file is, or what would come of it, or what has come of it."""
    require_role("instructor")
    found = _find(import_id)
    if found.state != "ready":
        answer = Response(render_template("quizzes/import.html", one=found, poll=POLL))
        if found.state in store.OPEN:
            # Without scripts the browser looks again by itself.
            answer.headers["Refresh"] = "2"
        return answer
    return _report(found)


@routes.get("/studio/imports/<int:import_id>/state")
def import_state(import_id: int) -> Response:
    """Tell a page how far the reading of its file is."""
    require_role("instructor")
    found = _find(import_id)
    return jsonify(state=found.state, step=found.step, count=found.count)


@routes.post("/studio/imports/<int:import_id>/cancel")
def cancel_import(import_id: int) -> Answer:
    """Stop the reading, and forget the file."""
    require_role("instructor")
    _find(import_id)
    with database().writing() as connection:
        store.cancel(connection, import_id, now())
    return redirect(url_for("quizzes.one_import", import_id=import_id), 303)


@routes.post("/studio/imports/<int:import_id>/choices")
def choose(import_id: int) -> Answer:
    """Keep the ticks of a page of the report and go on to another page, or take over what is ticked."""
    person = require_role("instructor")
    found, rows = _find(import_id), plan.rows(_compared(import_id))
    choices = _choices(found, rows)
    with database().writing() as connection:
        store.choose(connection, import_id, choices)
    if "apply" not in request.form:
        page = request.form.get("page", 1, int)
        return redirect(url_for("quizzes.one_import", import_id=import_id, show=_filter(), page=page), 303)
    return _apply(import_id, rows, choices, Signature(person.id, now()))


@routes.post("/studio/imports/<int:import_id>/undo")
def undo_import(import_id: int) -> Answer | str:
    """Take back what an import brought, but for what was worked on since."""
    require_role("instructor")
    found = _find(import_id)
    try:
        with database().writing() as connection:
            removed, stay = store.undo(connection, import_id, now())
    except SettledError:
        abort(409, _("This import is not there to be undone; load the page again."))
    return render_template("quizzes/import_undone.html", one=found, removed=removed, stay=stay)


@routes.get("/studio/imports/<int:import_id>/report.<kind>")
def import_report(import_id: int, kind: str) -> Response:
    """Give the report for programs, as JSON or CSV."""
    require_role("instructor")
    found, compared = _find(import_id), _compared(import_id)
    if kind == "json":
        text = json.dumps(report.as_json(found.name, compared), ensure_ascii=False, indent=1)
        answer = Response(text, mimetype="application/json")
    elif kind == "csv":
        answer = Response(report.as_csv(found.name, compared), mimetype="text/csv")
    else:
        abort(404)
    answer.headers["Content-Disposition"] = f'attachment; filename="import-{import_id}.{kind}"'
    return answer


@routes.get("/pictures/<sha256>.<ending>")
def picture(sha256: str, ending: str) -> Response:
    """Give a picture of an item."""
    with database().reading() as connection:
        found = store.find_picture(connection, sha256)
    if found is None or found.address != f"/pictures/{sha256}.{ending}":
        abort(404)
    answer = Response(found.data, mimetype=found.media_type)
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return answer


def _known(app: Flask) -> Sequence[Known]:
    with app.app_context(), database().reading() as connection:
        return known.known(shipped().banks, connection)


def _upload() -> tuple[Upload | None, str]:
    sent, pasted, name = request.files.get("file"), request.form.get("text", ""), request.form.get("format", "")
    if name and registry.find(name) not in registry.readable():
        return None, _("This format cannot be imported; choose one of the list.")
    if sent is not None and sent.filename:
        upload = Upload(sent.filename[-200:], sent.read(parsing.MOST_BYTES + 1), name)
    else:
        upload = Upload(_("pasted text"), pasted.encode(), name)
    if not upload.data.strip():
        return None, _("There is nothing in it; choose a file, or paste a text.")
    if len(upload.data) > parsing.MOST_BYTES:
        return None, _("The file is larger than %(size)d MB; split it.", size=parsing.MOST_BYTES // 1_000_000)
    return upload, ""


def _find(import_id: int) -> Import:
    with database().reading() as connection:
        found = store.find(connection, import_id)
    if found is None:
        abort(404, _("There is no such import; the list shows those that there are."))
    return found


def _compared(import_id: int) -> Compared:
    with database().reading() as connection:
        found = store.compared(connection, import_id)
    if found is None:
        abort(404, _("This import has no report, or it is no longer kept."))
    return found


def _filter() -> str:
    asked = request.values.get("show", "all")
    return asked if asked in FILTERS else "all"


def _report(found: Import, fault: str = "") -> str:
    compared = _compared(found.id)
    rows = plan.rows(compared)
    shown = [row for row in rows if _shows(_filter(), row)]
    pages = max(1, math.ceil(len(shown) / PAGE))
    page = min(max(1, request.args.get("page", 1, int)), pages)
    with database().reading() as connection:
        banks = authoring.banks(connection)
    return render_template(
        "quizzes/import_report.html",
        one=found,
        format=registry.find(compared.format),
        total=plan.total(rows),
        taken=sum(_taken(row, found.choices) for row in rows),
        counts={name: sum(_shows(name, row) for row in rows) for name in FILTERS},
        of_the_file=plan.of_the_file(compared),
        shown=[_shown(row, found.choices) for row in shown[(page - 1) * PAGE : page * PAGE]],
        show=_filter(),
        page=page,
        pages=pages,
        banks=banks,
        courses=library().courses,
        pools=POOLS,
        difficulties=DIFFICULTIES,
        form=request.form,
        fault=fault,
    )


def _shows(name: str, row: Row) -> bool:
    return {
        "all": True,
        "cannot": row.imported is None,
        "contradicted": row.contradicted,
        "repeated": row.repeated or any(one.kind in {"near", "stem"} for one in row.likenesses),
        "lose": row.loses,
    }[name]


def _taken(row: Row, choices: Mapping[str, bool]) -> bool:
    return row.imported is not None and choices.get(str(row.number), row.proposed)


def _shown(row: Row, choices: Mapping[str, bool]) -> Shown:
    return Shown(row, _taken(row, choices), shown_of(row.imported.item if row.imported else None))


def _choices(found: Import, rows: Sequence[Row]) -> dict[str, bool]:
    """Return what the author decided otherwise than was proposed, with the ticks of the page that was sent."""
    choices, ticked = dict(found.choices), set(request.form.getlist("take"))
    shown = set(request.form.getlist("shown"))
    for row in rows:
        name = str(row.number)
        if name not in shown or row.imported is None:
            continue
        choices.pop(name, None)
        if (name in ticked) != row.proposed:
            choices[name] = name in ticked
    return choices


def _apply(import_id: int, rows: Sequence[Row], choices: Mapping[str, bool], by: Signature) -> Answer:
    numbers = {row.number for row in rows if _taken(row, choices)}
    fault = _refusal(rows, numbers)
    target = None if fault else _target()
    if isinstance(target, Target):
        defaults = Defaults(target.course, request.form.get("task", "").strip(), request.form.get("difficulty", ""))
        fault = _store(import_id, target, (rows, numbers, defaults), by)
    elif not fault:
        fault = str(target)
    if fault:
        return Response(_report(_find(import_id), fault), 409)
    return redirect(url_for("quizzes.one_import", import_id=import_id), 303)


def _store(import_id: int, target: Target, chosen: tuple[Sequence[Row], set[int], Defaults], by: Signature) -> str:
    """Take the chosen rows over in one transaction; return a sentence where that is not possible."""
    rows, numbers, defaults = chosen
    try:
        with database().writing() as connection:
            taken = {*store.taken_ids(connection), *exams().items}
            items = plan.choose(rows, numbers, defaults, taken)
            store.apply(connection, import_id, _bank(connection, target, by), items, by)
    except SettledError:
        return str(_("Somebody has settled this import meanwhile; load the page again."))
    except IntegrityError:
        return str(_("Somebody has taken one of these names meanwhile; try again."))
    return ""


def _refusal(rows: Sequence[Row], numbers: set[int]) -> str:
    left = [row for row in rows if row.number not in numbers]
    if not numbers:
        return str(_("Nothing is ticked, so nothing would come."))
    if request.form.get("whole") and left:
        places = ", ".join(str(row.number) for row in left[:10]) + (" …" if len(left) > 10 else "")
        return str(_("All or nothing was asked for, and these questions would not come: %(places)s.", places=places))
    task = request.form.get("task", "").strip()
    if task and not plan.is_task(task):
        return str(_("A task is a code such as 1.2, or nothing."))
    return ""


def _target() -> Target | str:
    """Return the bank that was chosen or named, or a sentence that says what is wrong with it."""
    form = request.form
    if form.get("bank"):
        with database().reading() as connection:
            bank = authoring.find_bank(connection, form["bank"])
        return Target(bank.slug, bank.title, bank.course, bank.pool) if bank else str(_("There is no such bank."))
    title, course, pool = form.get("title", "").strip(), form.get("course", ""), form.get("pool", "exam")
    if not title or len(title) > 200:
        return str(_("Choose a bank, or give the new one a title of at most 200 characters."))
    if library().find_course(course) is None or pool not in POOLS:
        return str(_("Choose the course and the pool of the new bank."))
    return Target("", title, course, pool)


def _bank(connection: Connection, target: Target, by: Signature) -> StudioBank:
    if target.slug:
        found = authoring.find_bank(connection, target.slug)
        if found is not None:
            return found
    slug = slugs.free(target.title, [one.slug for one in authoring.banks(connection)])
    return authoring.create_bank(connection, StudioBank(0, slug, target.title, target.course, target.pool, "", 0), by)
