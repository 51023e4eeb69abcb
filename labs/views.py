"""Pages of the labs: the catalog, a lab with its parameters, a run with its live progress and its findings."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from functools import lru_cache

from flask import (
    Blueprint,
    Flask,
    abort,
    current_app,
    jsonify,
    redirect,
    render_template,
    request,
    send_from_directory,
    url_for,
)
from flask_babel import get_locale
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response as Answer

from accounts.people import Person
from accounts.sessions import current_person, ensure_person
from content import render
from db import database
from labs import cli, display, jobs, registry, store
from labs.parameters import Parameter
from labs.registry import Lab
from web.clock import now
from web.lifecycle import lifecycle
from web.offers import Door, Findable, offers

GREATEST_SEED = 2**31 - 1

routes = Blueprint(
    "labs", __name__, template_folder="templates", static_folder="static", static_url_path="/static/labs"
)


def init_app(app: Flask) -> None:
    """Register the pages, the command line, the worker and what the room offers to others."""
    app.extensions["labs"] = registry.load()[0]
    app.register_blueprint(routes)
    app.cli.add_command(cli.group)
    app.cli.add_command(cli.worker)
    register = offers(app)
    register.doors.append(_door)
    register.embeds["lab"] = _embed
    register.documents.append(_findable)
    lifecycle(app).prepare.append(_report_faults)
    lifecycle(app).start.append(jobs.start_worker)
    lifecycle(app).adopt.append(store.adopt)


def catalog() -> tuple[Lab, ...]:
    """Return the application's labs, as they were on disk when it was made."""
    found: tuple[Lab, ...] = current_app.extensions["labs"]
    return found


@routes.get("/labs")
def index() -> str:
    """List the labs."""
    return render_template("labs/labs.html", labs=catalog())


@routes.get("/labs/<slug>")
def lab(slug: str) -> str:
    """Show a lab; parameters in the address are put into its form, so that a run can be changed and run again."""
    return _lab_page(_lab(slug), request.args, {})


@routes.get("/labs/<slug>/animation.<any(js, json):kind>")
def animation(slug: str, kind: str) -> Answer:
    """Send the script of a lab's animation, or what it plays; its page asks each time whether they are new."""
    found = _lab(slug)
    if not found.animation:
        abort(404, _("This lab has no animation."))
    return send_from_directory(found.folder, f"animation.{kind}", max_age=0)


@routes.post("/labs/<slug>/runs")
def start(slug: str) -> Answer | tuple[str, int]:
    """Queue a run; a visitor becomes a guest whose runs are kept."""
    found = _lab(slug)
    given = {one.name: request.form[one.name] for one in found.parameters if one.name in request.form}
    values, faults = found.read(given)
    faults = {one.name: _fault(one, given[one.name]) for one in found.parameters if one.name in faults}
    seed = _seed(request.form.get("seed", "").strip())
    if seed is None:
        sentence = _("seed accepts a whole number from 0 to %(most)d, or nothing for a new one.", most=GREATEST_SEED)
        faults["seed"] = sentence
    if faults or seed is None:
        return _lab_page(found, request.form, faults), 400
    person = ensure_person()
    try:
        with database().writing() as connection:
            run_id = store.create(connection, person.id, store.Order(slug, values, seed), now())
    except store.TooManyRunsError:
        abort(429, _("%(count)d of your runs are waiting; let one end, or cancel one.", count=store.MOST_OPEN))
    return redirect(url_for("labs.show", slug=slug, run_id=run_id), 303)


@routes.get("/labs/<slug>/runs/<int:run_id>")
def show(slug: str, run_id: int) -> str:
    """Show a run: live while it is open, its findings beside the published figures once it is done."""
    found, run = _lab(slug), _own_run(slug, run_id)
    with database().reading() as connection:
        events = [event for _, event in store.events_after(connection, run_id, 0)]
    measured = {name: one["value"] for name, one in run.findings.items()}
    published = [table for table in found.published if set(table.figures) & set(measured)]
    return render_template(
        "labs/run.html",
        lab=found,
        run=run,
        reason=_reason(run.reason),
        changed=display.changed,
        texts={**_texts(found, run.parameters), "seed": str(run.seed)},
        passed={name for name, passed in run.checks.items() if passed},
        drawing=display.drawing(found, {**display.last_metrics(events), **measured}),
        published=published,
        rows=display.rows(run.findings, published),
        histograms=display.histograms(run.findings, published),
        chart=display.time_chart(found, events) if run.findings else None,
        wide=display.WIDTH,
        tall=display.HEIGHT,
    )


@routes.get("/labs/<slug>/runs/<int:run_id>/events")
def events(slug: str, run_id: int) -> Answer:
    """Answer the events after ?after=N and the run's state, as JSON; polled by the run's page."""
    # The state is read first: a run that is over by then has stored all its events.
    run = _own_run(slug, run_id)
    after = max(0, request.args.get("after", 0, type=int))
    with database().reading() as connection:
        numbered = store.events_after(connection, run_id, after)
    last = numbered[-1][0] if numbered else after
    answer = jsonify(
        state=run.state, open=run.open, reason=run.reason, last=last, events=[event for _, event in numbered]
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


@routes.post("/labs/<slug>/runs/<int:run_id>/cancel")
def cancel(slug: str, run_id: int) -> Answer:
    """Cancel a run that waits, or ask its worker to; one that has ended stays as it is."""
    _own_run(slug, run_id)
    with database().writing() as connection:
        store.request_cancel(connection, run_id, now())
    return redirect(url_for("labs.show", slug=slug, run_id=run_id), 303)


def _lab(slug: str) -> Lab:
    found = registry.find(catalog(), slug)
    if found is None:
        abort(404, _("There is no lab at this address; the labs are listed under Labs."))
    return found


def _own_run(slug: str, run_id: int) -> store.StoredRun:
    person = current_person()
    with database().reading() as connection:
        run = store.find(connection, run_id, person.id, slug) if person else None
    if run is None:
        abort(404, _("There is no such run among yours; sign in with the account that started it."))
    return run


def _lab_page(found: Lab, given: Mapping[str, str], faults: dict[str, str]) -> str:
    person = current_person()
    with database().reading() as connection:
        runs = store.runs_of(connection, person.id, found.slug) if person else []
    defaults = _texts(found, found.defaults())
    texts = {name: given.get(name, default) for name, default in {**defaults, "seed": ""}.items()}
    advanced = {one.name for one in found.parameters if one.advanced} | {"seed"}
    changed = {name for name in texts if texts[name] != defaults.get(name, "") or name in faults}
    return render_template(
        "labs/lab.html",
        lab=found,
        texts=texts,
        faults=faults,
        open_all=bool(changed & advanced),
        open_groups={one.group for one in found.parameters if one.name in changed and not one.advanced},
        passed={name for run in runs for name, passed in run.checks.items() if passed},
        runs=runs,
        brief=_brief(found),
        drawing=display.drawing(found, {}),
        animation=display.animation(found),
        changed=display.changed,
        greatest_seed=GREATEST_SEED,
    )


@lru_cache(maxsize=64)
def _rendered(text: str) -> str:
    return render.render(text).html


def _brief(found: Lab) -> Markup:
    return Markup(_rendered(found.brief))  # noqa: S704 (the renderer's output, which holds no HTML of its source)


def _texts(found: Lab, values: Mapping[str, object]) -> dict[str, str]:
    """Return the values as the texts that a form sends."""
    return {one.name: one.show(values[one.name]) for one in found.parameters if one.name in values}  # type: ignore[arg-type]  # what was stored had been read by the parameter


def _seed(text: str) -> int | None:
    """Return the seed that was given, a new one for an empty text, or None for anything else."""
    if not text:
        return secrets.randbelow(GREATEST_SEED)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= GREATEST_SEED else None


def _fault(one: Parameter, text: str) -> str:
    """Say in the reader's language what ``ParameterError`` says in English."""
    words: str = _(
        "%(name)s is “%(text)s”; it accepts %(accepts)s.", name=one.name, text=text[:60], accepts=_accepts(one)
    )
    return words


def _accepts(one: Parameter) -> str:
    """Say in the reader's language what ``Parameter.accepts`` says in English."""
    figures = ",g" if one.kind == "number" else ",.0f"
    values = {"unit": one.unit, "least": format(one.minimum, figures), "most": format(one.maximum, figures)}
    words: str = {
        ("integer", True): _("a whole number of %(unit)s from %(least)s to %(most)s", **values),
        ("integer", False): _("a whole number from %(least)s to %(most)s", **values),
        ("number", True): _("a number of %(unit)s from %(least)s to %(most)s", **values),
        ("number", False): _("a number from %(least)s to %(most)s", **values),
        ("integers", True): _("whole numbers of %(unit)s up to %(most)s, with commas between them", **values),
        ("integers", False): _("whole numbers up to %(most)s, with commas between them", **values),
    }.get((one.kind, bool(one.unit)), (" " + _("or") + " ").join(one.choices))
    if one.optional or one.kind == "integers":
        words = _("%(accepts)s, or nothing for %(empty)s", accepts=words, empty=one.empty)
    return words


def _reason(sentence: str) -> dict[str, str] | None:
    """Return why a run ended, and the language of that; what only the lab can say stays in its own words."""
    for words, pattern in _REASONS:
        found = pattern.fullmatch(sentence)
        if found:
            return {"text": _(words, **found.groupdict()), "language": str(get_locale())}
    return {"text": sentence, "language": "en"} if sentence else None


def _stored(words: str) -> tuple[str, re.Pattern[str]]:
    """Return a sentence as the catalog of translations has it, and what finds it and its numbers in the database."""
    return words, re.compile(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>-?[\\d,]+)", re.escape(words)))


_REASONS = (
    _stored("Cancelled before it began."),
    _stored("The run was cancelled."),
    _stored("The server stopped twice during this run; run it again with the same seed."),
    _stored("The run was stopped after %(seconds)s s, the longest that one may take; ask less of it."),
    _stored("The run needed more than %(memory)s MiB of memory and was stopped; ask less of it."),
    _stored("The lab ended without its findings (status %(status)s)."),
    _stored("The run was left before its end."),
    _stored("The run reported more than %(events)s events or %(memory)s MiB and was stopped."),
)


def _report_faults(app: Flask) -> None:
    for fault in registry.load()[1]:
        app.logger.warning("%s", fault)


def _door(_person: Person | None) -> Door:
    first = next(iter(catalog()), None)
    return Door(
        3,
        _("Run a lab"),
        _("Set the parameters of an architecture, run it here, and compare it with published figures."),
        first.fact if first else _("no lab is in the catalog yet"),
        url_for("labs.lab", slug=first.slug) if first else url_for("labs.index"),
        _("Open the lab") if first else _("See the labs"),
        "en" if first else "",
    )


def _findable() -> Iterator[Findable]:
    for one in catalog():
        found = tuple(render.sections(render.parse(one.brief)))
        yield Findable(f"/labs/{one.slug}", one.title, "Labs", "en", found)


def _embed(slug: str) -> Markup | None:
    found = registry.find(catalog(), slug)
    if found is None:
        return None
    return Markup(render_template("labs/embed.html", lab=found))  # noqa: S704 (our template)
