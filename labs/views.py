"""Pages of the labs: the catalog, a lab with its parameters, a run with its live progress and its findings."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Answer

from accounts.people import Person
from accounts.sessions import current_person, ensure_person
from accounts.work import Assignable, Effort, Work
from content import render
from db import database
from labs import cli, comparison, display, documents, experiments, jobs, registry, sentences, store
from labs.experiments import Evidence, ExperimentError
from labs.models import RunRow
from labs.parameters import LANGUAGES, Parameter
from labs.registry import Lab
from labs.runner import Event
from labs.sentences import Mark, Sentence
from labs.servers import SERVERS
from labs.tables import THICK, WORDS, tables
from web.bell import bell
from web.clock import now
from web.lifecycle import lifecycle
from web.offers import Door, Exercise, Findable, offers
from web.queues import Queue, queues

GREATEST_SEED = 2**31 - 1
PAUSE = 500
"""Milliseconds after which a page asks for a run's new events again."""

routes = Blueprint(
    "labs", __name__, template_folder="templates", static_folder="static", static_url_path="/static/labs"
)


def init_app(app: Flask) -> None:
    """Register the pages, the command line, the worker and what the room offers to others."""
    app.extensions["labs"] = registry.load()[0]
    app.extensions["evidence"] = Evidence(app.extensions["labs"], experiments.load(experiments.EVIDENCE))
    app.register_blueprint(routes)
    app.cli.add_command(cli.group)
    register = offers(app)
    register.doors.append(_door)
    register.embeds["lab"] = _embed
    register.embeds["measured"] = _measured
    register.exercises["lab"] = _exercises
    register.documents.append(_findable)
    register.work["lab"] = Work(_assignable, _efforts)
    register.activity.append(store.last_runs)
    lifecycle(app).prepare.append(_report_faults)
    lifecycle(app).workers.append(jobs.worker_of)
    lifecycle(app).adopt.append(store.adopt)
    lifecycle(app).expire.append(store.forget_events)
    queues(app).append(Queue("labs", RunRow.state, "queued", RunRow.created_at))


def catalog() -> tuple[Lab, ...]:
    """Return the application's labs, as they were on disk when it was made."""
    found: tuple[Lab, ...] = current_app.extensions["labs"]
    return found


@routes.get("/labs")
def index() -> str:
    """List the labs."""
    return render_template("labs/labs.html", labs=catalog())


@routes.get("/labs.json")
def describe() -> Answer:
    """Answer what a program needs to know of every lab, as JSON."""
    return jsonify([documents.describe(one, _ready()) for one in catalog()])


@routes.get("/labs/<slug>")
def lab(slug: str) -> str:
    """Show a lab; its form has the parameters of ?run=N, if one is given, and those in the address, by name."""
    found = _lab(slug)
    given, marks = found.with_examples(request.args), dict[str, Sequence[Mark]]()
    if "run" in given:
        run = _own_run(slug, request.args.get("run", 0, type=int))
        given = {**_texts(found, run.parameters), "seed": str(run.seed), **given}
        marks = _marks(found, _events(run))
    return _lab_page(found, given, {}, marks)


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
    told = {name: sentences.fault(one, given[name], faults[name]) for name, one in _by_name(found, faults)}
    seed = _seed(request.form.get("seed", "").strip())
    if seed is None:
        sentence = _("seed accepts a whole number from 0 to %(most)d, or nothing for a new one.", most=GREATEST_SEED)
        told["seed"] = sentence
    if told or seed is None:
        marks = {name: [sentences.mark(fault)] for name, fault in faults.items() if fault.line}
        return _lab_page(found, request.form, told, marks), 400
    person = ensure_person()
    try:
        with database().writing() as connection:
            run_id = store.create(connection, person.id, store.Order(slug, values, seed), now())
    except store.TooManyRunsError:
        abort(429, _("%(count)d of your runs are waiting; let one end, or cancel one.", count=store.MOST_OPEN))
    bell().ring(jobs.TOPIC)
    return redirect(url_for("labs.show", slug=slug, run_id=run_id), 303)


@routes.get("/labs/<slug>/runs/<int:run_id>")
def show(slug: str, run_id: int) -> str:
    """Show a run: live while it is open, its findings beside the published figures once it is done."""
    found, run = _lab(slug), _own_run(slug, run_id)
    events = _events(run)
    measured = {name: one["value"] for name, one in run.findings.items()}
    published = [table for table in found.published if set(table.figures) & set(measured)]
    return render_template(
        "labs/run.html",
        lab=found,
        run=run,
        reason=sentences.reason(run.reason),
        situation=_situation(found),
        changed=display.changed,
        texts={**_texts(found, run.parameters), "seed": str(run.seed)},
        marks=_marks(found, events),
        passed={name for name, passed in run.checks.items() if passed},
        drawing=display.drawing(found, {**display.last_metrics(events), **measured}),
        published=published,
        rows=display.rows(run.findings, published),
        matrices=display.matrices_of(run.findings),
        histograms=display.histograms({"": run.findings}, published),
        chart=display.time_chart(found, {"": events}) if run.findings else None,
        tables=tables({"": run.findings}),
        charts=display.time_charts(found, {"": events}) if run.findings else [],
        label=display.label,
        pause=PAUSE,
        wide=display.WIDTH,
        tall=display.HEIGHT,
        words=WORDS,
        thick=THICK,
    )


@routes.get("/labs/<slug>/runs/<int:run_id>.json")
def document(slug: str, run_id: int) -> Answer:
    """Answer a run as JSON: what ``flask labs run --json`` prints, and how the run ended."""
    run = _own_run(slug, run_id)
    answer = jsonify(
        id=run.id,
        state=run.state,
        reason=run.reason,
        created_at=run.created_at.isoformat(),
        **documents.document(_result(slug, run)),
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


@routes.get("/labs/<slug>/runs/<int:run_id>.csv")
def table(slug: str, run_id: int) -> Answer:
    """Answer a run as a CSV file."""
    text = documents.table(_result(slug, _own_run(slug, run_id)))
    name = f"attachment; filename={slug}-{run_id}.csv"
    return Answer(
        text, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": name, "Cache-Control": "no-store"}
    )


@routes.get("/labs/<slug>/compare")
def compare(slug: str) -> str:
    """Show two of one's runs side by side: ?run=A&run=B, as the boxes of the history send them."""
    found = _lab(slug)
    chosen = sorted(set(request.args.getlist("run", type=int)))
    if len(chosen) != 2:
        abort(400, _("Tick two of your runs to compare them."))
    runs = [_own_run(slug, number) for number in chosen]
    return render_template(
        "labs/compare.html",
        lab=found,
        runs=runs,
        settings=comparison.settings(found, *runs),
        pairs=[*comparison.answers(*runs), *comparison.pairs(*runs)],
        histograms=display.histograms({_("Run %(number)d", number=run.id): run.findings for run in runs}),
        chart=display.time_chart(found, {f"#{run.id}": _events(run) for run in runs}),
        tables=tables({_("Run %(number)d", number=run.id): run.findings for run in runs}),
        charts=display.time_charts(found, {f"#{run.id}": _events(run) for run in runs}),
        wide=display.WIDTH,
        tall=display.HEIGHT,
        words=WORDS,
        thick=THICK,
    )


@routes.get("/labs/<slug>/runs/<int:run_id>/events")
def events(slug: str, run_id: int) -> Answer:
    """Answer the events after ?after=N and the run's state, as JSON; polled by the run's page.

    Who accepts an event stream gets one that ends at once: its reader asks again with Last-Event-ID, as the standard
    has it, and no thread of the server is held.
    """
    # The state is read first: a run that is over by then has stored all its events.
    run = _own_run(slug, run_id)
    after = _whole(request.args.get("after", request.headers.get("Last-Event-ID", "")))
    with database().reading() as connection:
        numbered = store.events_after(connection, run_id, after)
    last = numbered[-1][0] if numbered else after
    state = {"state": run.state, "open": run.open, "reason": run.reason, "last": last}
    if request.accept_mimetypes.best_match(["application/json", "text/event-stream"]) == "text/event-stream":
        answer = Answer(_stream(numbered, state), content_type="text/event-stream")
    else:
        answer = jsonify(**state, events=[event for _, event in numbered])
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


def _lab_page(
    found: Lab, given: Mapping[str, str], faults: Mapping[str, str], marks: Mapping[str, Sequence[Mark]]
) -> str:
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
        marks=marks,
        open_all=bool(changed & advanced),
        open_groups={one.group for one in found.parameters if one.name in changed and not one.advanced},
        passed={name for run in runs for name, passed in run.checks.items() if passed},
        runs=runs,
        brief=_brief(found),
        drawing=display.drawing(found, {}),
        animation=display.animation(found),
        changed=display.changed,
        greatest_seed=GREATEST_SEED,
        languages_of=LANGUAGES,
        servers=SERVERS,
        ready=_ready(),
    )


def _ready() -> tuple[str, ...]:
    """Return the names of the real servers that a run can start here; what is installed meanwhile counts at once."""
    return jobs.servers_of(current_app.extensions["settings"])


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


def _by_name(found: Lab, names: Iterable[str]) -> list[tuple[str, Parameter]]:
    return [(one.name, one) for one in found.parameters if one.name in names]


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else 0


def _stream(numbered: Sequence[tuple[int, Event]], state: Mapping[str, object]) -> str:
    """Return events as an event stream whose ids are their numbers; the state comes last, without one."""
    blocks = [f"id: {number}\ndata: {json.dumps(event)}\n\n" for number, event in numbered]
    return "".join([f"retry: {PAUSE}\n", *blocks, f"event: state\ndata: {json.dumps(state)}\n\n"])


def _events(run: store.StoredRun) -> list[Event]:
    with database().reading() as connection:
        return [event for _number, event in store.events_after(connection, run.id, 0)]


def _result(slug: str, run: store.StoredRun) -> documents.Result:
    return documents.Result(_lab(slug), run.parameters, run.seed, run.findings, run.checks)


def _marks(found: Lab, events: Iterable[Event]) -> dict[str, Sequence[Mark]]:
    """Return what the lab found wrong in the texts of a run, by parameter, in the order of the lines."""
    marks: dict[str, list[Mark]] = {one.name: [] for one in found.parameters if one.is_text}
    for event in events:
        if event["kind"] == "fault" and event["parameter"] in marks:
            mark = Mark(event["line"], event["column"], Sentence(event["sentence"], "en"))
            marks[event["parameter"]].append(mark)
    return {name: sorted(some, key=lambda one: (one.line, one.column)) for name, some in marks.items() if some}


def _situation(found: Lab) -> Markup:
    """Return the first section of the brief, without its heading, for the report on paper."""
    _before, _heading, rest = found.brief.partition("\n")
    return Markup(_rendered(rest.partition("\n## ")[0]))  # noqa: S704 (the renderer's output, as the brief's)


def _report_faults(app: Flask) -> None:
    for fault in registry.load()[1]:
        app.logger.warning("%s", fault)


def _door(_person: Person | None) -> Door:
    """Lead to the shortest lab, for most people the first that they run."""
    first = min(catalog(), key=lambda one: one.minutes, default=None)
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


def _measured(reference: str) -> Markup | None:
    """Return the figures that a lesson cites of a run, or None where the evidence has no such run."""
    try:
        experiment, words = experiments.parse_citation(reference)
    except ExperimentError:
        return None
    evidence: Evidence = current_app.extensions["evidence"]
    run = evidence.cite(experiment, words)
    return None if run is None else Markup(render_template("labs/measured.html", run=run))  # noqa: S704 (our template)


def _exercises(person: Person | None) -> dict[str, Exercise]:
    """Return every lab by its slug, with how many of its tasks this person's runs have met."""
    passed: dict[str, set[str]] = {}
    if person is not None:
        with database().reading() as connection:
            passed = store.passed_checks(connection, person.id)
    return {
        one.slug: Exercise(
            one.title,
            url_for("labs.lab", slug=one.slug, _anchor="tasks-title"),
            len(passed.get(one.slug, set()) & {task.check for task in one.tasks}),
            len(one.tasks),
        )
        for one in catalog()
    }


def _assignable() -> list[Assignable]:
    """Return every lab that has tasks, which can be assigned."""
    return [Assignable(one.slug, one.title, url_for("labs.lab", slug=one.slug)) for one in catalog() if one.tasks]


def _efforts(connection: Connection, labs: Sequence[str], people: Sequence[int]) -> list[Effort]:
    """Return each run with the share of the lab's tasks that it and the runs before it have met."""
    tasks = {one.slug: {task.check for task in one.tasks} for one in catalog()}
    met: dict[tuple[int, str], set[str]] = {}
    efforts = []
    for run in store.runs_by(connection, labs, people):
        own, all_tasks = met.setdefault((run.person_id, run.lab), set()), tasks.get(run.lab, set())
        own |= {name for name, passed in (run.checks or {}).items() if passed} & all_tasks
        percent = 100 * len(own) // len(all_tasks) if all_tasks else 0
        done = run.ended_at if percent == 100 else None
        efforts.append(Effort(run.person_id, run.lab, run.created_at, done, percent))
    return efforts
