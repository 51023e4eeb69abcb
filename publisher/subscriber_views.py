"""Pages for readers: subscribe, confirm, change, take one's data, unsubscribe; all but the first by signed address."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from babel import Locale
from flask import Blueprint, Flask, Response, abort, current_app, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from accounts.limits import limiter
from accounts.sessions import current_person
from db import database
from publisher import appendix, countries, issue, postroom, sources, store, subscribers
from publisher.countries import OTHER, CountriesError, Country
from publisher.mails import EPUB_TYPE
from publisher.store import Published
from publisher.subscribers import Subscriber
from publisher.subscriptions import SubscriptionError, read_wish
from quizzes.questions import Item
from web.bell import bell
from web.clock import now
from web.languages import LANGUAGES, current_language
from web.security import signed

PERSONAL = timedelta(days=60)
"""How long a link gives the reader's own appendix; after it, the book that everybody has."""

blueprint = Blueprint("subscriptions", __name__)


def init_app(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(blueprint)


@blueprint.get("/subscribe")
def subscribe() -> str:
    """Offer the form."""
    return _form({"language": current_language(), "channel": "link"})


@blueprint.post("/subscribe")
@limiter.limit("60/hour")
def sign_up() -> Answer | tuple[str, int] | str:
    """Queue the letter that asks for confirmation; whoever the address belongs to, the answer is the same."""
    rule = _countries().get(request.form.get("country", ""))
    if rule is not None and rule.offer != "subscription":
        return _instead(rule)
    try:
        wish = read_wish(request.form, LANGUAGES, _countries())
    except SubscriptionError as error:
        return _form(request.form, _(str(error))), 400
    subscribers.sign_up(database(), wish, now())
    bell().ring(postroom.TOPIC)
    return redirect(url_for("subscriptions.sent", channel=wish.channel), 303)


@blueprint.get("/subscribe/sent")
def sent() -> str:
    """Say what happens next."""
    kindle = request.args.get("channel") == "kindle"
    return render_template("publisher/subscription_sent.html", kindle=kindle, sender=_sender())


@blueprint.get("/subscriptions/<token>/confirm")
def confirm(token: str) -> str:
    """Offer to begin; opening the link alone changes nothing, since mail scanners open links too."""
    found = _subscriber(token, "confirm")
    return render_template("publisher/subscription_confirm.html", token=token, subscriber=found)


@blueprint.post("/subscriptions/<token>/confirm")
def begin(token: str) -> Answer:
    """Begin the subscription and lead to its settings."""
    found = _subscriber(token, "confirm")
    with database().writing() as connection:
        if not subscribers.confirm(connection, found.id, now()):
            abort(409, _("This subscription has ended; subscribe again and use the new link."))
    return redirect(_settings_address(found.id), 303)


@blueprint.get("/subscriptions/<token>")
def settings(token: str) -> str:
    """Show what somebody gets, and the ways to change it and to leave."""
    return _settings(token, _subscriber(token, "settings"))


@blueprint.post("/subscriptions/<token>")
def save(token: str) -> Answer | tuple[str, int]:
    """Keep other settings; who has left comes back by it."""
    found = _subscriber(token, "settings")
    try:
        wish = read_wish({**request.form.to_dict(), "email": found.email}, LANGUAGES, _offered())
    except SubscriptionError as error:
        return _settings(token, found, request.form, _(str(error))), 400
    # Who is not signed in may keep an appendix or end it, but cannot begin one.
    own = (found.person_id or _account()) if "appendix" in request.form else None
    with database().writing() as connection:
        subscribers.change(connection, found.id, wish, now())
        subscribers.wish_appendix(connection, found.id, own, now())
    return redirect(url_for("subscriptions.settings", token=token, saved="yes"), 303)


@blueprint.get("/subscriptions/<token>/data.json")
def data(token: str) -> Response:
    """Give somebody all that is kept about them."""
    found = _subscriber(token, "settings")
    with database().reading() as connection:
        answer = jsonify(subscribers.export(connection, found))
    answer.headers["Content-Disposition"] = 'attachment; filename="archway-subscription.json"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.post("/subscriptions/<token>/delete")
def delete(token: str) -> str:
    """Forget somebody."""
    found = _subscriber(token, "settings")
    with database().writing() as connection:
        subscribers.forget(connection, found.id)
    return render_template("publisher/subscription_deleted.html")


@blueprint.get("/subscriptions/<token>/unsubscribe")
def leave(token: str) -> str:
    """Offer to unsubscribe; opening the link alone changes nothing."""
    _holder(token, "unsubscribe")
    return render_template("publisher/subscription_leave.html", token=token, left=False)


@blueprint.post("/subscriptions/<token>/unsubscribe")
@signed
def unsubscribe(token: str) -> str:
    """Unsubscribe at once, as RFC 8058 asks: without cookies, without a question, and again if asked again."""
    subscriber = _holder(token, "unsubscribe")
    with database().writing() as connection:
        subscribers.stop(connection, subscriber, "left", now())
    return render_template("publisher/subscription_leave.html", token=token, left=True)


@blueprint.get("/subscriptions/<token>/<month>.epub")
def book(token: str, month: str) -> Response:
    """Serve an issue by the link in its mail."""
    subscriber = _holder(token, month)
    with database().reading() as connection:
        found = store.find(connection, month)
        if found is None:
            abort(404, _("There is no issue for this month; the issues there are stand under Issues."))
        data, reader = store.epub(connection, month), subscribers.find(connection, subscriber)
    own = _own_questions(reader, found)
    answer = Response(appendix.personalise(data, own), content_type=EPUB_TYPE)
    answer.headers["Content-Disposition"] = f'attachment; filename="archway-{month}.epub"'
    answer.headers["Cache-Control"] = "private, no-cache"
    if own:
        answer.add_etag()
    else:
        answer.set_etag(found.sha256)
    answer.make_conditional(request)
    return answer


def _own_questions(reader: Subscriber | None, book: Published) -> tuple[Item, ...]:
    """Return what a reader's link adds to the book: nothing once the link is old, or for who has left."""
    if reader is None or reader.state != "active" or not reader.person_id:
        return ()
    fresh = now() - max(issue.due_at(book.month), book.built_at) <= PERSONAL
    return sources.own_questions(reader.person_id, book.month) if fresh else ()


def _form(values: Mapping[str, str], error: str | None = None) -> str:
    names = _country_names()
    return render_template(
        "publisher/subscribe.html", values=values, error=error, countries=names, languages=LANGUAGES, sender=_sender()
    )


def _settings(token: str, found: Subscriber, values: Mapping[str, str] | None = None, error: str | None = None) -> str:
    given = values or {name: getattr(found, name) for name in ("channel", "kindle", "language", "country")}
    offered = {code: name for code, name in _country_names().items() if code in _offered()}
    return render_template(
        "publisher/subscription.html",
        token=token,
        subscriber=found,
        values=given,
        error=error,
        countries=offered,
        languages=LANGUAGES,
        sender=_sender(),
        account=_account(),
        leave=url_for("subscriptions.leave", token=postroom.post_of(current_app).signer.token(found.id, "unsubscribe")),
    )


def _instead(rule: Country) -> str:
    """Say what readers in a country without a subscription can have; nothing about them is kept."""
    with database().reading() as connection:
        issues = store.published(connection) if rule.offer == "single" else []
    return render_template("publisher/subscription_instead.html", rule=rule, issues=issues)


def _countries() -> Mapping[str, Country]:
    try:
        return countries.load()
    except CountriesError as error:
        current_app.logger.error("%s", error)  # noqa: TRY400 (the sentence is all there is to know)
        abort(503)


def _account() -> int | None:
    """Return the account of whoever is looking; a guest has none."""
    person = current_person()
    return person.id if person and not person.is_guest else None


def _offered() -> set[str]:
    return {code for code, rule in _countries().items() if rule.offer == "subscription"}


def _country_names() -> dict[str, str]:
    """Return the countries by code, in the reader's language and in its order, all others at the end."""
    territories = Locale.parse(current_language()).territories
    names = {code: territories.get(code, code) for code in _countries() if code != OTHER}
    return {**dict(sorted(names.items(), key=lambda item: item[1])), OTHER: _("Another country")}


def _holder(token: str, purpose: str) -> str:
    """Return whose signed address this is; refuse a forged one."""
    subscriber = postroom.post_of(current_app).signer.subscriber(token, purpose)
    if subscriber is None:
        abort(404, _("This link is not whole; open it from the mail once more."))
    return subscriber


def _subscriber(token: str, purpose: str) -> Subscriber:
    with database().reading() as connection:
        found = subscribers.find(connection, _holder(token, purpose))
    if found is None:
        abort(404, _("Nothing is kept under this link any more; subscribe again if you like."))
    return found


def _settings_address(subscriber: str) -> str:
    token = postroom.post_of(current_app).signer.token(subscriber, "settings")
    return url_for("subscriptions.settings", token=token, confirmed="yes")


def _sender() -> str:
    sender: str = current_app.extensions["settings"].mail_from
    return sender
