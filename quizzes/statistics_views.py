"""Pages of statistics for instructors: exams, the items of one with their chart, an item; nothing shows a person."""

from __future__ import annotations

from flask import Flask, Response, abort, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as Answer

from accounts.sessions import require_role
from db import Database, database
from quizzes import display, sheets, statistics_export, statistics_store, store
from quizzes import statistics_display as drawn
from quizzes.blueprint import Blueprint
from quizzes.corrections import store as corrections
from quizzes.flags import ENOUGH_FOR_DISCRIMINATION, ENOUGH_FOR_FACILITY, flags
from quizzes.routes import exams, routes
from quizzes.statistics_store import FEWEST_ON_A_FORM, Results, VersionStatistics
from quizzes.statistics_words import action, sentence
from web.clock import now

FILED_IN_A_SWEEP = 2000


def sweep(app: Flask) -> None:
    """Write sheets that are missing; once there are none, compute the statistics that are due."""
    kept: Database = app.extensions["database"]
    with kept.reading() as connection:
        newest = corrections.newest(connection)
    # A close writes its sheet, so once none is missing this process need not look again until a correction.
    if app.extensions.get("sheets_filed") != newest:
        if sheets.file_missing(kept, FILED_IN_A_SWEEP) >= FILED_IN_A_SWEEP:
            return
        app.extensions["sheets_filed"] = newest
    statistics_store.sweep(kept, app.extensions["clock"]())


@routes.get("/studio/statistics")
def statistics() -> str:
    """List the exams with what their answers tell."""
    require_role("instructor")
    with database().reading() as connection:
        present = sheets.counts(connection)
        found = {exam.slug: statistics_store.load(connection, exam.slug) for exam in exams().blueprints}
        outdated = {slug for slug, one in found.items() if one and statistics_store.is_outdated(connection, one)}
    rows = {slug: _rows(exams().find(slug), results) for slug, results in found.items() if results}
    return render_template(
        "quizzes/statistics.html",
        exams=exams().blueprints,
        present=present,
        found=found,
        rows=rows,
        outdated=outdated and _outdated(),
    )


@routes.get("/studio/statistics/<slug>")
def exam_statistics(slug: str) -> str:
    """Show the statistics of an exam, and its items as a chart and a table."""
    require_role("instructor")
    exam = _exam(slug)
    with database().reading() as connection:
        results = statistics_store.load(connection, slug)
        present = sheets.counts(connection).get(slug, 0)
        outdated = results is not None and statistics_store.is_outdated(connection, results)
    every = _rows(exam, results)
    banks = [bank.title for bank in exams().banks if any(row.bank == bank.title for row in every)]
    banks += [""] if any(not row.bank for row in every) else []
    bank, sort = request.args.get("bank", ""), request.args.get("sort", "flags")
    if (bank and bank not in banks) or sort not in drawn.SORTS:
        abort(404, _("There is no such list of items; open the exam's statistics and choose from there."))
    shown = drawn.ordered([row for row in every if bank in ("", row.bank)], sort)
    return render_template(
        "quizzes/statistics_exam.html",
        exam=exam,
        results=results,
        present=present,
        outdated=outdated and _outdated(),
        rows=shown,
        dots=drawn.dots(shown),
        banks={name: [row for row in every if row.bank == name] for name in banks},
        bank=bank,
        sort=sort,
        drawn=drawn,
        sentence=sentence,
        enough=(ENOUGH_FOR_FACILITY, ENOUGH_FOR_DISCRIMINATION, FEWEST_ON_A_FORM),
    )


@routes.post("/studio/statistics/<slug>")
def compute_statistics(slug: str) -> Answer:
    """Compute the statistics of an exam now."""
    require_role("instructor")
    exam = _exam(slug)
    statistics_store.refresh(database(), exam.slug, now())
    return redirect(url_for("quizzes.exam_statistics", slug=slug), 303)


@routes.get("/studio/statistics/<slug>/items/<question_id>")
def item_statistics(slug: str, question_id: str) -> str:
    """Show what the answers say of an item, by option and by version."""
    require_role("instructor")
    exam, (results, outdated) = _exam(slug), _results(slug)
    versions = results.by_question().get(question_id, [])
    shown = _shown(versions, question_id)
    with database().reading() as connection:
        item = store.load_items(connection, [shown.fingerprint])[0]
    texts = {option.letter: option.html for option in display.check(item).options}
    options = drawn.option_rows(shown, texts)
    return render_template(
        "quizzes/statistics_item.html",
        exam=exam,
        item=display.check(item),
        question=item.question,
        outdated=outdated and _outdated(),
        version=shown,
        lines=display.review(item, ""),
        flags=[(sentence(flag), action(flag)) for flag in flags(shown, _seconds_an_item(exam))],
        options=options,
        curves=drawn.curves(options),
        changes=drawn.changes(versions),
        drawn=drawn,
        without=_alpha_without(results, shown),
        alpha=results.form.alpha if results.form else None,
        enough=(ENOUGH_FOR_FACILITY, ENOUGH_FOR_DISCRIMINATION),
        fair=_seconds_an_item(exam),
        ways={
            _("Edit the item"): _if_served(f"/studio/items/{question_id}"),
            _("Change the key"): _if_served(f"/studio/replay/{question_id}"),
        },
    )


@routes.get("/studio/statistics/<slug>/items.csv")
def statistics_csv(slug: str) -> Answer:
    """Give the statistics of every version and option as CSV."""
    require_role("instructor")
    text = statistics_export.as_csv(_up_to_date(slug), _seconds_an_item(_exam(slug)))
    return _file(text.encode(), "text/csv", f"{slug}-items.csv")


@routes.get("/studio/statistics/<slug>/usage-data.xml")
def usage_data(slug: str) -> Answer:
    """Give the statistics as the usage data of QTI 3."""
    require_role("instructor")
    context = url_for("quizzes.exam", slug=_exam(slug).slug, _external=True)
    return _file(
        statistics_export.as_usage_data(_up_to_date(slug), context), "application/xml", f"{slug}-usage-data.xml"
    )


def _file(content: bytes, mimetype: str, name: str) -> Answer:
    answer = Response(content, mimetype=mimetype)
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


def _exam(slug: str) -> Blueprint:
    found = exams().find(slug)
    if found is None:
        abort(404, _("There is no exam at this address; the exams are listed under Practise."))
    return found


def _results(slug: str) -> tuple[Results, bool]:
    """Return the newest statistics of an exam, and whether a correction has outdated them."""
    _exam(slug)
    with database().reading() as connection:
        results = statistics_store.load(connection, slug)
        if results is None:
            abort(404, _("Nothing has been computed for this exam yet; do that on the page of its statistics."))
        return results, statistics_store.is_outdated(connection, results)


def _up_to_date(slug: str) -> Results:
    """Return statistics for a file, which could not say that they are outdated."""
    results, outdated = _results(slug)
    if outdated:
        abort(409, _outdated())
    return results


def _outdated() -> str:
    sentence: str = _(
        "A key has been corrected since these figures were computed. They will be computed again by themselves; "
        "“Compute now” on the exam's page does it at once."
    )
    return sentence


def _rows(exam: Blueprint | None, results: Results | None) -> list[drawn.Row]:
    return drawn.rows(results, exams(), _seconds_an_item(exam)) if exam and results else []


def _shown(versions: list[VersionStatistics], question_id: str) -> VersionStatistics:
    """Return the version asked for, else the present one if it was answered, else the newest that was."""
    wanted, present = request.args.get("version", ""), exams().present.get(question_id, "")
    named = [one for one in versions if wanted and one.fingerprint.startswith(wanted)]
    found = named if wanted else [one for one in versions if one.fingerprint == present] or versions
    if not found:
        abort(404, _("Nobody has answered this item in this exam yet."))
    return found[0]


def _alpha_without(results: Results, version: VersionStatistics) -> float | None:
    """Return the reliability that the commonest form would have without this item, if it is on it."""
    if results.form is None or version.fingerprint not in results.form_items:
        return None
    return results.form.without[results.form_items.index(version.fingerprint)]


def _seconds_an_item(exam: Blueprint) -> float:
    return 60 * exam.minutes / exam.items


def _if_served(address: str) -> str:
    """Return the address if this site has a page at it."""
    try:
        current_app.url_map.bind("").match(address, method="GET")
    except HTTPException:
        return ""
    return address
