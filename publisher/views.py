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
from publisher import (
    cli,
    delivery_cli,
    editor_views,
    epub,
    feeds,
    issue,
    operator_views,
    outbox,
    pages,
    postroom,
    schedule,
    sources,
    store,
    subscriber_views,
    subscribers,
)
from publisher.feeds import Catalogue, Entry
from publisher.issue import Issue, IssueError, Section
from publisher.models import DeliveryRow, RunRow
from publisher.package import PackageError
from publisher.store import Published
from web.clock import now
from web.lifecycle import lifecycle
from web.offers import StudioPage, offers
from web.queues import Queue, queues

blueprint = Blueprint(
    "publisher", __name__, template_folder="templates", static_folder="static", static_url_path="/static/publisher"
)


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
    app.register_blueprint(editor_views.routes)
    app.cli.add_command(cli.group)
    offers(app).covers.append(newest_cover)
    offers(app).studio.append(lambda: StudioPage(8, _("Issues"), "/studio/issues"))
    lifecycle(app).prepare.append(_report_faults)
    lifecycle(app).sweep.append(schedule.sweep)
    _init_post(app)


def _init_post(app: Flask) -> None:
    """Register what has to do with subscribing and sending."""
    subscriber_views.init_app(app)
    operator_views.init_app(app)
    delivery_cli.init_app(app)
    lifecycle(app).prepare.append(postroom.report_faults)
    lifecycle(app).workers.append(postroom.Worker)
    lifecycle(app).sweep.append(postroom.sweep)
    lifecycle(app).expire.append(outbox.forget_letters)
    lifecycle(app).claims.append(subscribers.theirs)
    queues(app).append(Queue("mail", DeliveryRow.state, "queued", DeliveryRow.due_at))
    queues(app).append(Queue("issues", RunRow.state, "waiting", RunRow.due_at))


@blueprint.get("/issues")
def issues() -> str:
    """List the public issues, the newest first."""
    public = [sources.in_print(book) for book in public_books()]
    return render_template("publisher/issues.html", issues=public, month_name=_month_name)


@blueprint.get("/issues/<month>")
def contents(month: str) -> str:
    """Show an issue's cover and contents, and the ways to read it."""
    book = _published(month)
    found = _issue(book)
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
    found = _published(month)
    if request.if_none_match.contains(found.sha256):
        answer = Response(status=304)
    else:
        with database().reading() as connection:
            answer = Response(store.epub(connection, month), content_type=feeds.TYPES["epub"])
        answer.headers["Content-Disposition"] = f'attachment; filename="archway-{month}.epub"'
    return _cached(answer, found.sha256)


@blueprint.get("/issues/<month>/cover.jpg")
def cover(month: str) -> Response:
    """Serve the cover in a size for pages."""
    _published(month)
    with database().reading() as connection:
        data = store.cover(connection, month)
    answer = _cached(Response(data, content_type="image/jpeg"), hashlib.sha256(data).hexdigest())
    answer.make_conditional(request)
    return answer


@blueprint.get("/issues/<month>/<slug>")
def article(month: str, slug: str) -> str:
    """Show one article of an issue."""
    found = _issue(_published(month))
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


@blueprint.get("/feed.atom")
def atom() -> Response:
    """Serve the feed that news readers and podcast programs subscribe to."""
    return _feed(feeds.atom(_catalogue()), feeds.TYPES["atom"])


@blueprint.get("/opds")
def opds() -> Response:
    """Serve the catalogue for reading programs, in OPDS 1.2."""
    return _feed(feeds.opds(_catalogue()), feeds.TYPES["opds"])


@blueprint.get("/opds/v2")
def opds2() -> Response:
    """Serve the catalogue in OPDS 2.0."""
    return _feed(feeds.opds2(_catalogue()), feeds.TYPES["opds2"])


def newest_cover() -> Cover | None:
    """Return the newest public issue that was built, or None."""
    with database().reading() as connection:
        found = next(filter(sources.is_public, store.published(connection)), None)
    if found is None:
        return None
    address = url_for("publisher.contents", month=found.month)
    return Cover(found.month, found.title, address, url_for("publisher.cover", month=found.month))


def public_books() -> list[Published]:
    """Return the books of the public issues, the newest first, without those whose editor must mend them first."""
    books = (_find(month) for month in reversed(_due()))
    return [book for book in books if book and sources.is_public(book)]


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
    return schedule.due_months(sources.months(), now())


def _issue(book: Published) -> Issue:
    """Return what is in a book, for its pages."""
    try:
        return sources.in_print(book)
    except IssueError:
        current_app.logger.exception("The issue of %s cannot be shown.", book.month)
        abort(503, _("This issue cannot be shown before its editor mends it; the server's log says where."))


def _published(month: str) -> Published:
    """Return the book of a public issue."""
    if month not in _due():
        abort(404, _("There is no issue for this month; the issues there are stand under Issues."))
    found = _find(month)
    if found is None:
        abort(503, _("This issue cannot be built before its editor mends it; the server's log says where."))
    if not sources.is_public(found):
        abort(404, _("There is no issue for this month; the issues there are stand under Issues."))
    return found


def _find(month: str) -> Published | None:
    """Return a due month's book; one that the schedule has not come to is built for whoever asks first."""
    with database().reading() as connection:
        found = store.find(connection, month)
    if found is not None:
        return found
    try:
        edition = sources.build(month)
    except (IssueError, PackageError):
        current_app.logger.exception("The issue of %s cannot be built.", month)
        return None
    with database().writing() as connection:
        store.save(database(), connection, edition, now())
        return store.find(connection, month)


def _catalogue() -> Catalogue:
    """Return what all feeds tell; they are in English, as the issues are."""
    return Catalogue(
        identifier=f"urn:uuid:{epub.SERIES_ID}",
        title=issue.SERIES,
        subtitle="Architecture in the cloud, once a month.",
        author=epub.PUBLISHER,
        home=url_for("publisher.issues", _external=True),
        atom=url_for("publisher.atom", _external=True),
        opds=url_for("publisher.opds", _external=True),
        opds2=url_for("publisher.opds2", _external=True),
        made=now(),
        entries=[_entry(book) for book in public_books()],
    )


def _entry(book: Published) -> Entry:
    found = _issue(book)
    return Entry(
        identifier=epub.identifier(book.month),
        title=book.title,
        summary=pages.description(found),
        languages=epub.languages(found),
        issued=issue.due_at(book.month),
        updated=book.built_at,
        page=url_for("publisher.contents", month=book.month, _external=True),
        book=url_for("publisher.book", month=book.month, _external=True),
        cover=url_for("publisher.cover", month=book.month, _external=True),
        size=book.size,
        sha256=book.sha256,
        position=float(epub.position(book.month)),
    )


def _feed(content: str, media_type: str) -> Response:
    """Serve a feed; who has this very one gets only its confirmation."""
    answer = _cached(Response(content, content_type=media_type), hashlib.sha256(content.encode()).hexdigest())
    answer.make_conditional(request)
    return answer


def _cached(answer: Response, tag: str) -> Response:
    """Let caches keep the answer but ask each time whether it still holds."""
    answer.set_etag(tag)
    answer.headers["Cache-Control"] = "public, no-cache"
    return answer


def _report_faults(app: Flask) -> None:
    """Log every issue that cannot be composed, so that an editor's slip is seen at the start."""
    known = sources.months()
    for month in sorted({*known, *(Path(path).stem for path in sources.CHOICES.glob("*.toml"))}):
        try:
            sources.compose(month)
        except IssueError as error:
            app.logger.error("%s", error)  # noqa: TRY400 (the sentence is all there is to know)
