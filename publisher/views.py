"""Pages of the digest: the list of issues, an issue's contents, its articles, its cover and the book itself."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, current_app, render_template, request, url_for
from flask_babel import format_date
from flask_babel import gettext as _

from content import render
from content.render import Embed, Mark
from db import database
from publisher import cli, issue, pages, schedule, sources, store
from publisher.issue import Issue, IssueError, Section
from publisher.package import PackageError
from publisher.store import Published
from web.clock import now
from web.lifecycle import lifecycle
from web.offers import offers

blueprint = Blueprint(
    "publisher", __name__, template_folder="templates", static_folder="static", static_url_path="/static/publisher"
)
EPUB_TYPE = "application/epub+zip"


@dataclass(frozen=True)
class Cover:
    """The newest issue as the home page shows it."""

    month: str
    title: str
    address: str
    cover: str


def init_app(app: Flask) -> None:
    """Register the pages, the command line, the schedule and what the room offers to others."""
    app.register_blueprint(blueprint)
    app.cli.add_command(cli.group)
    offers(app).covers.append(newest_cover)
    lifecycle(app).prepare.append(_report_faults)
    lifecycle(app).sweep.append(schedule.sweep)


@blueprint.get("/issues")
def issues() -> str:
    """List the issues, the newest first."""
    due = [_issue(month) for month in reversed(_due())]
    return render_template("publisher/issues.html", issues=due, month_name=_month_name)


@blueprint.get("/issues/<month>")
def contents(month: str) -> str:
    """Show an issue's cover and contents, and the ways to read it."""
    found = _issue(month)
    book = _published(month)
    return render_template(
        "publisher/issue.html",
        issue=found,
        book=book,
        letter=render.render(found.letter).html,
        description=pages.description(found),
        section_title=_section_title,
    )


@blueprint.get("/issues/<month>.epub")
def book(month: str) -> Response:
    """Serve the book; whoever has this very build gets only its confirmation."""
    _issue(month)
    found = _published(month)
    if request.if_none_match.contains(found.sha256):
        answer = Response(status=304)
    else:
        with database().reading() as connection:
            answer = Response(store.epub(connection, month), content_type=EPUB_TYPE)
        answer.headers["Content-Disposition"] = f'attachment; filename="archway-{month}.epub"'
    return _cached(answer, found.sha256)


@blueprint.get("/issues/<month>/cover.jpg")
def cover(month: str) -> Response:
    """Serve the cover in a size for pages."""
    _issue(month)
    _published(month)
    with database().reading() as connection:
        data = store.cover(connection, month)
    answer = _cached(Response(data, content_type="image/jpeg"), hashlib.sha256(data).hexdigest())
    answer.make_conditional(request)
    return answer


@blueprint.get("/issues/<month>/<slug>")
def article(month: str, slug: str) -> str:
    """Show one article of an issue."""
    found = _issue(month)
    articles = found.articles
    place = next((index for index, note in enumerate(articles) if note.slug == slug), None)
    if place is None:
        abort(404, _("This issue has no such article; its page lists them."))
    page = articles[place].page
    return render_template(
        "publisher/article.html",
        issue=found,
        name=_month_name(month),
        section=_section_title(next(one for one in found.sections if articles[place] in one.notes)),
        page=page,
        parts=[_part(part) for part in page.rendered.parts],
        following=articles[place + 1] if place + 1 < len(articles) else None,
    )


def newest_cover() -> Cover | None:
    """Return the newest issue that was built, or None."""
    with database().reading() as connection:
        found = next(iter(store.published(connection)), None)
    if found is None:
        return None
    address = url_for("publisher.contents", month=found.month)
    return Cover(found.month, found.title, address, url_for("publisher.cover", month=found.month))


def _month_name(month: str) -> str:
    """Return a month in words in the reader's language; the issue's own name is that of the book."""
    year, number = issue.check_month(month)
    words: str = format_date(date(year, number, 1), "LLLL y")
    return words


def _section_title(section: Section) -> str:
    """Return what a kind of articles is called in the reader's language; in the book it has its English name."""
    titles: dict[str, str] = {
        "Technical whitepapers": _("Technical whitepapers"),
        "Reference architectures": _("Reference architectures"),
        "New solutions and implementation guides": _("New solutions and implementation guides"),
        "Training and certification opportunities": _("Training and certification opportunities"),
        "Industry trends": _("Industry trends"),
    }
    return titles[section.title]


def _part(part: str | Embed | Mark) -> str:
    if isinstance(part, Embed):
        show = offers().embeds.get(part.kind)
        return str((show(part.reference) if show else None) or "")
    return part if isinstance(part, str) else ""


def _due() -> tuple[str, ...]:
    return schedule.due_months(issue.months(sources.library()), now())


def _issue(month: str) -> Issue:
    if month not in _due():
        abort(404, _("There is no issue for this month; the issues there are stand under Issues."))
    try:
        return sources.compose(month)
    except IssueError:
        current_app.logger.exception("The issue of %s cannot be shown.", month)
        abort(503, _("This issue cannot be shown before its editor mends it; the server's log says where."))


def _published(month: str) -> Published:
    """Return a due issue; one that the schedule has not come to is built for whoever asks first."""
    with database().reading() as connection:
        found = store.find(connection, month)
    if found is not None:
        return found
    try:
        edition = sources.build(month)
    except (IssueError, PackageError):
        current_app.logger.exception("The issue of %s cannot be built.", month)
        abort(503, _("This issue cannot be built before its editor mends it; the server's log says where."))
    with database().writing() as connection:
        store.save(database(), connection, edition, now())
    with database().reading() as connection:
        built = store.find(connection, month)
    if built is None:
        raise LookupError(month)
    return built


def _cached(answer: Response, tag: str) -> Response:
    """Let caches keep the answer but ask each time whether it still holds."""
    answer.set_etag(tag)
    answer.headers["Cache-Control"] = "public, no-cache"
    return answer


def _report_faults(app: Flask) -> None:
    """Log every issue that cannot be composed, so that an editor's slip is seen at the start."""
    known = issue.months(sources.library())
    for month in sorted({*known, *(Path(path).stem for path in sources.CHOICES.glob("*.toml"))}):
        try:
            sources.compose(month)
        except IssueError as error:
            app.logger.error("%s", error)  # noqa: TRY400 (the sentence is all there is to know)
