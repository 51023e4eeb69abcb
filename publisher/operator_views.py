"""The operator's page: what is due, being sent, sent, uncertain and failed; and the buttons that need a person."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Flask, Response, abort, current_app, jsonify, redirect, render_template, url_for
from flask_babel import format_date
from flask_babel import gettext as _
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Answer

from accounts.sessions import require_role
from config import Settings
from db import database
from publisher import issue, lateness, outbox, overview, postroom, sources, store, subscribers
from publisher.outbox import STATES
from publisher.overview import Tally
from publisher.progress import Stage
from web.bell import bell
from web.clock import now

blueprint = Blueprint("post", __name__)


@dataclass(frozen=True)
class Row:
    """A month: its scheduled build, and how many readers wait for it to be sent."""

    month: str
    due_at: datetime
    state: str
    failure: str
    built: bool
    readers: int
    late: bool
    """Whether it came due too long ago to go out by itself, so that a person decides."""
    stage: Stage | None
    mails: Tally | None
    """Its mails, while some of them are still to be sent."""


def init_app(app: Flask) -> None:
    """Register the page."""
    app.register_blueprint(blueprint)


@blueprint.get("/publisher")
def show() -> str:
    """Show how things stand."""
    require_role("admin")
    settings: Settings = current_app.extensions["settings"]
    with database().reading() as connection:
        tallies = overview.tallies(connection)
        runs = _rows(connection, tallies)
        uncertain = overview.troubles(connection, "uncertain")
        return render_template(
            "publisher/operator.html",
            readers=subscribers.counts(connection),
            way_out=postroom.way_out(settings),
            server=settings.smtp_url,
            tallies=tallies,
            going=_going(runs, tallies),
            states=STATES,
            width=overview.WIDTH,
            uncertain=uncertain,
            open_uncertain=sum(one.repeatable for one in uncertain),
            refused=overview.troubles(connection, "refused"),
            runs=runs,
            occasion_name=_occasion_name,
            state_name=_state_name,
            bounce_name=_bounce_name,
            run_name=_run_name,
            stage_name=_stage_name,
            mails_sent=_mails_sent,
        )


@blueprint.get("/publisher/progress")
def progress() -> Response:
    """Give the numbers to the page's script."""
    require_role("admin")
    with database().reading() as connection:
        tallies = overview.tallies(connection)
        runs = _rows(connection, tallies)
    told: list[dict[str, Any]] = [
        {"occasion": one.occasion, "counts": one.counts, "segments": [asdict(part) for part in one.segments()]}
        for one in tallies
    ]
    answer = jsonify(going=_going(runs, tallies), tallies=told, issues=[_progress_of(one) for one in runs])
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.post("/publisher/issues/<month>/send")
def send(month: str) -> Answer:
    """Queue an issue for all who subscribe and have not got it."""
    require_role("admin")
    with database().writing() as connection:
        found = store.find(connection, month)
        if found is None:
            abort(409, _("This issue is not built yet; build it first."))
        if not sources.is_public(found):
            abort(409, _("This issue waits for an editor's approval."))
        outbox.enqueue(database(), connection, month, found.sha256, now())
    bell().ring(postroom.TOPIC)
    return redirect(url_for("post.show"), 303)


@blueprint.post("/publisher/deliveries/<int:delivery>/again")
def again(delivery: int) -> Answer:
    """Queue one mail that failed or is uncertain once more, with the book as it is now."""
    require_role("admin")
    with database().writing() as connection:
        if not outbox.again(connection, delivery, now()):
            abort(409, _("This mail was sent, or waits to be sent; reload the page to see how things stand."))
    bell().ring(postroom.TOPIC)
    return redirect(url_for("post.show"), 303)


def _going(runs: list[Row], tallies: list[Tally]) -> bool:
    """Return whether anything is under way, so that the page is worth following."""
    return any(one.open for one in tallies) or any(one.state in {"due", "running"} for one in runs)


def _progress_of(row: Row) -> dict[str, Any]:
    """Return what the page's script shows of an issue: words beside a share from 0 to 1, where there is one."""
    return {
        "month": row.month,
        "state": row.state,
        "name": _run_name(row.state),
        "build": {"share": row.stage.share, "words": _stage_name(row.stage)} if row.stage else None,
        "mails": {"share": row.mails.share, "words": _mails_sent(row.mails)} if row.mails else None,
    }


def _rows(connection: Connection, tallies: list[Tally]) -> list[Row]:
    """Return the months that have a scheduled build or a book, the newest first."""
    built = {one.month for one in store.published(connection)}
    runs = {run.month: run for run in store.runs(connection)}
    mails = {one.occasion: one for one in tallies if one.open}
    rows = []
    for month in sorted(built | set(runs), reverse=True):
        run = runs.get(month)
        state = overview.state_of(run, now()) if run else "done"
        readers = sum(overview.waiting(connection, month).values()) if month in built else 0
        due_at, failure = (run.due_at, run.failure) if run else (issue.due_at(month), "")
        late = now() - due_at > lateness.TIMELY
        stage = run.stage if run and state == "running" else None
        rows.append(Row(month, due_at, state, failure, month in built, readers, late, stage, mails.get(month)))
    return rows


def _occasion_name(occasion: str) -> str:
    letters: dict[str, str] = {"confirm": _("Letters: confirm"), "settings": _("Letters: settings")}
    if occasion in letters:
        return letters[occasion]
    words: str = format_date(issue.due_at(occasion).date(), "LLLL y")
    return words


def _state_name(state: str) -> str:
    names: dict[str, str] = {
        "queued": _("queued"),
        "sending": _("being sent"),
        "sent": _("sent"),
        "refused": _("failed"),
        "uncertain": _("uncertain"),
    }
    return names[state]


def _bounce_name(bounce: str) -> str:
    names: dict[str, str] = {"hard": _("no such address"), "soft": _("came back"), "complaint": _("complaint")}
    return names[bounce]


def _run_name(state: str) -> str:
    names: dict[str, str] = {
        "done": _("done"),
        "running": _("running"),
        "due": _("due"),
        "missed": _("missed"),
    }
    return names[state]


def _stage_name(stage: Stage) -> str:
    done, total = stage.done, stage.total
    names: dict[str, str] = {
        "collecting": _("collecting what is new"),
        "cover": _("drawing the cover"),
        "documents": _("writing: %(done)d of %(total)d documents", done=done, total=total),
        "packing": _("packing: %(done)d of %(total)d books", done=done, total=total),
        "checking": _("checking the book"),
        "keeping": _("keeping the book"),
    }
    return names[stage.name]


def _mails_sent(tally: Tally) -> str:
    words: str = _("%(done)d of %(total)d mails", done=tally.total - tally.open, total=tally.total)
    return words
