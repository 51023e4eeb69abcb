"""Subscribing in a browser: nothing begins without a confirmed address, and every link does one thing."""

from __future__ import annotations

import re
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from werkzeug.test import TestResponse

from accounts.limits import limiter
from publisher import countries, outbox, postroom, store, subscribers
from publisher.models import DeliveryRow, SubscriberRow
from tests.conftest import MovableClock
from web import schedule

Post = Callable[..., TestResponse]
WISH = {"email": "ada@example.org", "channel": "link", "language": "en", "country": "DE"}


def mails(app: Flask, recipient: str = "") -> list[EmailMessage]:
    """Send what is due, and return the mails that were written so far, by number."""
    with app.app_context():
        postroom.sender_of(app).run()
    folder = Path(app.extensions["settings"].instance) / "outbox"
    files = sorted(folder.glob("*.eml"), key=lambda path: int(path.name.partition(".")[0]))
    found = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in files]
    return [one for one in found if recipient in str(one["To"])]


def links(mail: EmailMessage) -> list[str]:
    """Return the paths of the links in a mail's text."""
    text = mail.get_body().get_content()
    return re.findall(r"http://127\.0\.0\.1:8000(/\S+)", text)


@pytest.fixture
def subscribe(app: Flask, client: FlaskClient, post: Post) -> Callable[..., str]:
    """Return a function that subscribes somebody, confirms it, and returns the path of their settings."""

    def go(**wish: str) -> str:
        given = {**WISH, **wish}
        post(client, "/subscribe", **given)
        return post(client, links(mails(app, given["email"])[-1])[0]).headers["Location"].partition("?")[0]

    return go


@pytest.fixture
def send(app: Flask, client: FlaskClient) -> Callable[[], int]:
    """Return a function that queues January for all who subscribe."""

    def go() -> int:
        client.get("/issues/2018-01")
        with app.extensions["database"].writing() as connection:
            book = store.find(connection, "2018-01")
            now = app.extensions["clock"]()
            return outbox.enqueue(app.extensions["database"], connection, "2018-01", book.sha256, now)

    return go


def state(app: Flask, email: str = "ada@example.org") -> str | None:
    with app.extensions["database"].reading() as connection:
        return connection.scalar(select(SubscriberRow.state).where(SubscriberRow.email == email))


def test_a_subscription_begins_by_a_button_behind_a_link(app: Flask, client: FlaskClient, post: Post) -> None:
    answer = post(client, "/subscribe", **WISH)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/subscribe/sent?channel=link")
    assert "Look into your mailbox" in client.get(answer.headers["Location"]).text
    [letter] = mails(app)
    [link] = links(letter)
    assert (str(letter["To"]), letter["List-Unsubscribe"]) == ("ada@example.org", None)
    assert "Begin the subscription" in client.get(link).text
    assert state(app) == "pending"
    settings = post(client, link).headers["Location"]
    assert state(app) == "active"
    assert "You are subscribed." in client.get(settings).text
    assert post(client, link).headers["Location"] == settings


def test_an_unconfirmed_address_gets_no_issue_and_is_forgotten(
    app: Flask, client: FlaskClient, post: Post, clock: MovableClock, send: Callable[[], int]
) -> None:
    post(client, "/subscribe", **WISH)
    [letter] = mails(app)
    assert send() == 0
    clock.advance(days=6)
    schedule.sweep(app)
    assert state(app) == "pending"
    clock.advance(days=1)
    schedule.sweep(app)
    assert state(app) is None
    assert "subscribe again if you like" in client.get(links(letter)[0]).text


def test_a_stranger_learns_nothing_of_who_subscribes(
    app: Flask, client: FlaskClient, post: Post, subscribe: Callable[..., str], clock: MovableClock
) -> None:
    subscribe()
    clock.advance(hours=1)
    known = post(client, "/subscribe", **WISH, kindle="eve@kindle.com")
    unknown = post(client, "/subscribe", **{**WISH, "email": "eve@example.org"})
    assert (known.status_code, known.headers["Location"]) == (unknown.status_code, unknown.headers["Location"])
    assert [one["Subject"] for one in mails(app, "ada@")] == ["Confirm your subscription", "Your subscription"]
    with app.extensions["database"].reading() as connection:
        assert connection.scalar(select(SubscriberRow.channel).where(SubscriberRow.email == WISH["email"])) == "link"


def test_a_mailbox_cannot_be_flooded_through_the_form(
    app: Flask, client: FlaskClient, post: Post, clock: MovableClock
) -> None:
    for _ in range(3):
        post(client, "/subscribe", **WISH)
    first = mails(app)
    assert len(first) == 1
    clock.advance(minutes=14)
    post(client, "/subscribe", **WISH)
    assert [one["Message-ID"] for one in mails(app)] == [first[0]["Message-ID"]]
    clock.advance(minutes=2)
    post(client, "/subscribe", **WISH)
    assert len({one["Message-ID"] for one in mails(app)}) == 2


def test_one_visitor_cannot_sign_up_without_end(client: FlaskClient, post: Post) -> None:
    limiter.enabled = True
    try:
        limiter.reset()
        statuses = [post(client, "/subscribe", **WISH).status_code for _ in range(61)]
    finally:
        limiter.reset()
        limiter.enabled = False
    assert statuses.count(429) == 1


@pytest.mark.parametrize(("country", "words"), [("AU", "every issue can be downloaded"), ("ZZ", "can be downloaded")])
def test_where_there_is_no_subscription_the_issues_are_offered_and_nothing_is_kept(
    app: Flask, client: FlaskClient, post: Post, country: str, words: str
) -> None:
    client.get("/issues/2018-01")
    page = post(client, "/subscribe", **{**WISH, "country": country}).text
    assert words in page
    assert 'href="/issues/2018-01.epub"' in page
    assert state(app) is None


def test_where_there_is_neither_the_page_says_so(
    app: Flask, client: FlaskClient, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = dict(countries.load())
    rules["AU"] = countries.Country("AU", "none", rules["AU"].zone)
    monkeypatch.setattr(countries, "load", lambda: rules)
    page = post(client, "/subscribe", **{**WISH, "country": "AU"}).text
    assert "neither a subscription nor a download" in page
    assert ".epub" not in page


@pytest.mark.parametrize("field", ["email", "kindle"])
def test_a_hostile_address_is_refused_and_shown_as_text(
    app: Flask, client: FlaskClient, post: Post, field: str
) -> None:
    hostile = '"><script>alert(1)</script>@example.org'
    answer = post(client, "/subscribe", **{**WISH, "channel": "kindle", field: hostile})
    assert answer.status_code == 400
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert state(app) is None


def test_a_header_in_an_address_is_refused_with_a_sentence(app: Flask, client: FlaskClient, post: Post) -> None:
    answer = post(client, "/subscribe", **{**WISH, "email": "ada@example.org\r\nBcc: eve@example.org"})
    assert answer.status_code == 400
    assert "Enter an e-mail address" in answer.text
    assert mails(app) == []


def test_one_click_unsubscribes_without_cookies_and_takes_back_what_is_queued(
    app: Flask, subscribe: Callable[..., str], send: Callable[[], int]
) -> None:
    subscribe()
    assert send() == 1
    [mail] = mails(app, "ada@")[1:]
    address = re.search(r"<(?:https?://[^/]+)(/\S+)>", mail["List-Unsubscribe"])[1]
    with app.extensions["database"].writing() as connection:
        connection.execute(update(DeliveryRow).where(DeliveryRow.occasion == "2018-01").values(state="queued"))
    stranger = app.test_client(use_cookies=False)
    assert stranger.get(address).status_code == 200
    assert state(app) == "active"
    for _ in range(2):
        headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://mail.example.com"}
        answer = stranger.post(address, data={"List-Unsubscribe": "One-Click"}, headers=headers)
        assert answer.status_code == 200
        assert "You are unsubscribed" in answer.text
    assert state(app) == "stopped"
    before = len(mails(app))
    with app.extensions["database"].writing() as connection:
        found = connection.execute(
            select(DeliveryRow.state, DeliveryRow.failure).where(DeliveryRow.occasion == "2018-01")
        )
        assert found.one() == ("refused", outbox.LEFT)
        connection.execute(update(DeliveryRow).values(state="queued"))
    assert len(mails(app)) == before


@pytest.mark.parametrize("token", [".", "x", "x.y", "0123456789abcdef01234567." + "0" * 32])
@pytest.mark.parametrize("page", ["", "/confirm", "/unsubscribe", "/data.json", "/2018-01.epub"])
def test_a_forged_link_is_not_found(client: FlaskClient, token: str, page: str) -> None:
    assert client.get(f"/subscriptions/{token}{page}").status_code == 404
    if page == "/unsubscribe":
        assert client.post(f"/subscriptions/{token}{page}").status_code == 404


def test_a_link_is_good_for_its_purpose_alone(app: Flask, client: FlaskClient, subscribe: Callable[..., str]) -> None:
    settings = subscribe()
    subscriber = settings.rpartition("/")[2].partition(".")[0]
    sign = postroom.post_of(app).signer.token
    assert client.get(f"/subscriptions/{sign(subscriber, 'settings')}").status_code == 200
    assert client.get(f"/subscriptions/{sign(subscriber, 'unsubscribe')}").status_code == 404
    assert client.post(f"/subscriptions/{sign(subscriber, 'settings')}/unsubscribe").status_code == 404
    client.get("/issues/2018-01"), client.get("/issues/2018-02")
    assert client.get(f"/subscriptions/{sign(subscriber, '2018-01')}/2018-01.epub").status_code == 200
    assert client.get(f"/subscriptions/{sign(subscriber, '2018-01')}/2018-02.epub").status_code == 404


def test_settings_can_be_changed_and_a_wrong_one_loses_nothing(
    app: Flask, client: FlaskClient, post: Post, subscribe: Callable[..., str]
) -> None:
    settings = subscribe()
    wrong = post(client, settings, **{**WISH, "channel": "kindle", "kindle": "ada@example.org"})
    assert (wrong.status_code, "ends in kindle.com" in wrong.text) == (400, True)
    assert 'value="ada@example.org"' in wrong.text
    abroad = post(client, settings, **{**WISH, "country": "AU"})
    assert (abroad.status_code, "Choose your country" in abroad.text) == (400, True)
    right = post(
        client, settings, **{**WISH, "channel": "kindle", "kindle": "ada@kindle.com", "email": "eve@example.org"}
    )
    assert right.status_code == 303
    with app.extensions["database"].reading() as connection:
        row = connection.execute(select(SubscriberRow.email, SubscriberRow.kindle, SubscriberRow.domain)).one()
    assert row == ("ada@example.org", "ada@kindle.com", "kindle.com")


def test_one_can_take_ones_data_and_have_it_deleted(
    app: Flask, client: FlaskClient, post: Post, subscribe: Callable[..., str], send: Callable[[], int]
) -> None:
    settings = subscribe()
    send()
    mails(app)
    told = client.get(f"{settings}/data.json").get_json()
    assert (told["email"], told["state"]) == ("ada@example.org", "active")
    assert [(one["occasion"], one["state"]) for one in told["mails"]] == [("confirm", "sent"), ("2018-01", "sent")]
    assert "Your data is deleted" in post(client, f"{settings}/delete").text
    with app.extensions["database"].reading() as connection:
        for table in ("publisher_subscriber", "publisher_delivery"):
            assert connection.scalar(text(f"SELECT count(*) FROM {table}")) == 0
    assert client.get(settings).status_code == 404


def test_who_left_comes_back_by_the_settings_or_by_the_form(
    app: Flask, client: FlaskClient, post: Post, subscribe: Callable[..., str], clock: MovableClock
) -> None:
    settings = subscribe()
    leave = re.search(r'href="(/subscriptions/[^"]+/unsubscribe)"', client.get(settings).text)[1]
    client.post(leave)
    assert "You have unsubscribed." in client.get(settings).text
    post(client, settings, **WISH)
    assert state(app) == "active"
    client.post(leave)
    clock.advance(hours=1)
    assert subscribe() == settings
    assert state(app) == "active"


def test_who_complained_gets_no_mail_through_the_form_again(
    app: Flask, client: FlaskClient, post: Post, subscribe: Callable[..., str], clock: MovableClock
) -> None:
    settings = subscribe()
    subscriber = settings.rpartition("/")[2].partition(".")[0]
    with app.extensions["database"].writing() as connection:
        subscribers.stop(connection, subscriber, "complaint", clock())
        subscribers.stop(connection, subscriber, "left", clock())
    clock.advance(days=1)
    assert post(client, "/subscribe", **WISH).headers["Location"] == "/subscribe/sent?channel=link"
    assert len(mails(app)) == 1
    assert state(app) == "stopped"


def test_no_get_of_the_room_changes_anything(
    app: Flask, client: FlaskClient, subscribe: Callable[..., str], send: Callable[[], int], promote: object
) -> None:
    settings = subscribe()
    send()
    mails(app)
    subscriber = settings.rpartition("/")[2].partition(".")[0]
    sign = postroom.post_of(app).signer.token
    purposes = {"confirm": "confirm", "leave": "unsubscribe", "book": "2018-01"}
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.partition(".")[0] in {"subscriptions", "post"}]
    gets = [rule for rule in rules if "GET" in rule.methods]
    before = _everything(app)
    with app.test_request_context():
        paths = []
        for rule in gets:
            token = sign(subscriber, purposes.get(rule.endpoint.partition(".")[2], "settings"))
            values = {"token": token, "month": "2018-01", "delivery": 1}
            paths.append(url_for(rule.endpoint, **{name: values[name] for name in rule.arguments}))
    assert len(paths) >= 9
    admin = _admin(app, promote)
    assert [(path, admin.get(path).status_code) for path in paths] == [(path, 200) for path in paths]
    assert _everything(app) == before


def _admin(app: Flask, promote: Callable[[str], FlaskClient]) -> FlaskClient:
    browser = promote("ina")
    with app.extensions["database"].writing() as connection:
        connection.execute(text("UPDATE accounts_person SET role = 'admin' WHERE name = 'ina'"))
    return browser


def _everything(app: Flask) -> list[list[tuple[object, ...]]]:
    tables = ("publisher_subscriber", "publisher_delivery", "publisher_pace")
    with app.extensions["database"].reading() as connection:
        return [
            [tuple(row) for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1"))] for table in tables
        ]
