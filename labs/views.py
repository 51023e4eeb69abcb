"""Pages of the labs: the catalog, a lab with its parameters, a run with its live progress and its findings."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from functools import lru_cache

from flask import Blueprint, Flask, abort, current_app, jsonify, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as Answer

from accounts.people import Person
from accounts.sessions import current_person, ensure_person
from content import render
from db import database
from labs import cli, display, jobs, registry, store
from labs.registry import Lab
from web.clock import now
from web.lifecycle import lifecycle
from web.offers import Door, Findable, offers

GREATEST_SEED = 2**31 - 1
NOT_YOURS = "There is no such run among yours; sign in with the account that started it."

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


@routes.post("/labs/<slug>/runs")
def start(slug: str) -> Answer | tuple[str, int]:
    """Queue a run; a visitor becomes a guest whose runs are kept."""
    found = _lab(slug)
    given = {one.name: request.form[one.name] for one in found.parameters if one.name in request.form}
    values, faults = found.read(given)
    seed = _seed(request.form.get("seed", "").strip())
    if seed is None:
        faults["seed"] = f"seed accepts a whole number from 0 to {GREATEST_SEED}, or nothing for a new one."
    if faults or seed is None:
        return _lab_page(found, request.form, faults), 400
    person = ensure_person()
    try:
        with database().writing() as connection:
            run_id = store.create(connection, person.id, store.Order(slug, values, seed), now())
    except store.TooManyRunsError as error:
        abort(429, str(error))
    return redirect(url_for("labs.show", slug=slug, run_id=run_id), 303)


@routes.get("/labs/<slug>/runs/<int:run_id>")
def show(slug: str, run_id: int) -> str:
    """Show a run: live while it is open, its findings beside the published figures once it is done."""
    found, run = _lab(slug), _own_run(slug, run_id)
    with database().reading() as connection:
        events = [event for _, event in store.events_after(connection, run_id, 0)]
    measured = {name: one["value"] for name, one in run.findings.items()}
    return render_template(
        "labs/run.html",
        lab=found,
        run=run,
        changed=display.changed,
        texts={**_texts(found, run.parameters), "seed": str(run.seed)},
        passed={name for name, passed in run.checks.items() if passed},
        drawing=display.drawing(found, {**display.last_metrics(events), **measured}),
        rows=display.rows(run.findings, found.published),
        histograms=display.histograms(run.findings, found.published),
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
        abort(404, "There is no lab at this address; the labs are listed under Labs.")
    return found


def _own_run(slug: str, run_id: int) -> store.StoredRun:
    person = current_person()
    with database().reading() as connection:
        run = store.find(connection, run_id, person.id, slug) if person else None
    if run is None:
        abort(404, NOT_YOURS)
    return run


def _lab_page(found: Lab, given: Mapping[str, str], faults: dict[str, str]) -> str:
    person = current_person()
    with database().reading() as connection:
        runs = store.runs_of(connection, person.id, found.slug) if person else []
    defaults = _texts(found, found.defaults())
    texts = {name: given.get(name, default) for name, default in {**defaults, "seed": ""}.items()}
    advanced = {one.name for one in found.parameters if one.advanced} | {"seed"}
    return render_template(
        "labs/lab.html",
        lab=found,
        texts=texts,
        faults=faults,
        open_all=any(texts[name] != defaults.get(name, "") or name in faults for name in advanced),
        passed={name for run in runs for name, passed in run.checks.items() if passed},
        runs=runs,
        brief=_brief(found),
        drawing=display.drawing(found, {}),
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


def _report_faults(app: Flask) -> None:
    for fault in registry.load()[1]:
        app.logger.warning("%s", fault)


def _door(_person: Person | None) -> Door:
    first = next(iter(catalog()), None)
    return Door(
        3,
        "Run a lab",
        "Set the parameters of an architecture, run it here, and compare it with published figures.",
        first.fact if first else "no lab is in the catalog yet",
        url_for("labs.lab", slug=first.slug) if first else url_for("labs.index"),
        "Open the lab" if first else "See the labs",
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
