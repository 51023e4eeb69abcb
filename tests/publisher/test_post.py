"""The application's own post: the worker, the command line, the Maildir, and the operator's page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select, update
from werkzeug.test import TestResponse

import config
from publisher import claims, overview, postroom, schedule, sources, store, subscribers
from publisher.models import DeliveryRow, SubscriberRow
from publisher.outbox import DIED
from publisher.overview import Tally
from publisher.progress import STAGES, Stage
from publisher.store import Run
from tests.conftest import MovableClock
from tests.publisher.smtp_sink import Sink, listening
from tests.publisher.test_bounces import report

Post = Callable[..., TestResponse]


@pytest.fixture
def readers(app: Flask, clock: MovableClock) -> Callable[..., None]:
    """Return a function that subscribes people by name, and builds January."""

    def add(*names: str, channel: str = "link") -> None:
        same = {
            "kindle": "",
            "language": "en",
            "country": "DE",
            "state": "active",
            "reason": "",
            "domain": "example.org",
        }
        with app.extensions["database"].writing() as connection:
            for name in names:
                values = {"id": name, "email": f"{name}@example.org", "channel": channel, "created_at": clock()}
                connection.execute(insert(SubscriberRow).values(**same, **values, changed_at=clock()))
        app.test_client().get("/issues/2018-01")

    return add


@pytest.fixture
def admin(app: Flask, promote: Callable[[str], FlaskClient]) -> FlaskClient:
    browser = promote("ina")
    with app.extensions["database"].writing() as connection:
        connection.exec_driver_sql("UPDATE accounts_person SET role = 'admin' WHERE name = 'ina'")
    return browser


def run(app: Flask, *arguments: str, given: bytes = b"") -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["publisher", *arguments], input=given)
    return result.exit_code, result.output


def set_state(app: Flask, name: str, **values: object) -> int:
    with app.extensions["database"].writing() as connection:
        rows = update(DeliveryRow).where(DeliveryRow.subscriber_id == name).values(**values)
        return connection.execute(rows.returning(DeliveryRow.id)).scalar_one()


# The command line.


def test_an_issue_is_sent_once_and_a_dry_run_sends_nothing(app: Flask, readers: Callable[..., None]) -> None:
    readers("ada", "ben")
    readers("eva", channel="attachment")
    status, said = run(app, "send", "2018-01", "--dry-run")
    assert (status, said.split(" would go to ")[1]) == (0, "1 by attachment, 2 by link.\n")
    assert not (app.extensions["settings"].instance / "outbox").exists()
    assert run(app, "send", "2018-01") == (0, "2018-01 3 sent\n")
    assert len(list((app.extensions["settings"].instance / "outbox").iterdir())) == 3
    assert run(app, "send", "2018-01") == (0, "2018-01 3 sent\n")
    assert "would go to nobody" in run(app, "send", "2018-01", "--dry-run")[1]


def queued(app: Flask) -> list[tuple[str, str]]:
    with app.extensions["database"].reading() as connection:
        rows = connection.execute(select(DeliveryRow.occasion, DeliveryRow.subscriber_id).order_by(DeliveryRow.id))
        return [(row.occasion, row.subscriber_id) for row in rows]


def test_an_issue_that_came_due_goes_out_once_also_to_who_subscribes_within_a_week(
    app: Flask, clock: MovableClock, readers: Callable[..., None]
) -> None:
    clock.now = datetime(2018, 2, 1, 6, 1, tzinfo=UTC)
    readers("ada")
    with app.app_context():
        schedule.sweep(app)
        schedule.sweep(app)
        assert queued(app) == [("2018-02", "ada")]
        readers("ben")
        clock.now = datetime(2018, 2, 8, 6, 0, tzinfo=UTC)
        schedule.sweep(app)
        readers("eva")
        clock.now = datetime(2018, 2, 8, 6, 1, tzinfo=UTC)
        schedule.sweep(app)
    assert queued(app) == [("2018-02", "ada"), ("2018-02", "ben")]


def test_an_issue_that_waits_for_approval_goes_to_nobody(
    app: Flask, clock: MovableClock, readers: Callable[..., None]
) -> None:
    clock.now = datetime(2018, 2, 1, 6, 1, tzinfo=UTC)
    app.extensions["settings"] = replace(app.extensions["settings"], approval=True)
    readers("ada")
    with app.app_context():
        schedule.sweep(app)
    assert queued(app) == []
    assert "waits for an editor's approval" in run(app, "send", "2018-02")[1]


def test_a_kindle_gets_the_book_in_its_own_form(app: Flask, readers: Callable[..., None]) -> None:
    readers("ada", channel="kindle")
    readers("ben", channel="attachment")
    run(app, "send", "2018-01")
    mails = [path.read_bytes() for path in (app.extensions["settings"].instance / "outbox").iterdir()]
    books = {
        part.get_payload(decode=True)
        for mail in mails
        for part in message_from_bytes(mail).walk()
        if part.get_content_type() == "application/epub+zip"
    }
    with app.extensions["database"].reading() as connection:
        assert books == {store.epub(connection, "2018-01"), store.kindle(connection, "2018-01")}
    assert len(books) == 2


@pytest.mark.parametrize(
    ("month", "status", "sentence"), [("2018-13", 2, "“2018-13” is no month"), ("2018-02", 1, "is not built yet")]
)
def test_what_cannot_be_sent_is_one_sentence(app: Flask, month: str, status: int, sentence: str) -> None:
    code, said = run(app, "send", month)
    assert (code, sentence in said, "Traceback" in said) == (status, True, False)


def test_the_status_tells_what_became_of_the_mails(app: Flask, readers: Callable[..., None]) -> None:
    readers("ada", "ben")
    run(app, "send", "2018-01")
    set_state(app, "ben", state="uncertain")
    assert run(app, "status")[1].splitlines()[1].strip() == "1 sent, 1 uncertain"
    told = json.loads(run(app, "status", "--json")[1])
    assert (told[0]["month"], told[0]["state"], told[0]["mails"]["uncertain"]) == ("2018-01", "published", 1)
    assert told[1]["mails"] == {}


def test_a_book_that_was_built_anew_is_not_sent_in_place_of_the_one_that_was_queued(
    app: Flask, readers: Callable[..., None]
) -> None:
    readers("ada")
    run(app, "send", "2018-01")
    set_state(app, "ada", state="queued", sha256="another build")
    with app.app_context():
        postroom.sender_of(app).run()
    with app.extensions["database"].reading() as connection:
        [trouble] = overview.troubles(connection, "refused")
    assert trouble.failure == "The book of 2018-01 was built anew after this was queued; send it again."


# What comes back.


def returned(app: Flask, name: str, status: str = "5.1.1") -> bytes:
    with app.extensions["database"].reading() as connection:
        columns = (DeliveryRow.id, DeliveryRow.occasion, DeliveryRow.subscriber_id, DeliveryRow.queued_at)
        row = connection.execute(select(*columns).where(DeliveryRow.subscriber_id == name)).one()
    return report("failed", status, f"returns+{postroom.post_of(app).signer.code(*row)}@example.org")


def standing(app: Flask, name: str) -> str:
    with app.extensions["database"].reading() as connection:
        found = subscribers.find(connection, name)
        return f"{found.state} {found.reason}".strip()


def test_a_bounce_that_is_piped_in_ends_the_subscription(app: Flask, readers: Callable[..., None]) -> None:
    readers("ada")
    run(app, "send", "2018-01")
    assert run(app, "bounce", given=returned(app, "ada")) == (0, "Noted.\n")
    assert standing(app, "ada") == "stopped bounce"
    status, said = run(app, "bounce", given=b"Subject: Buy this\n\nNow!")
    assert (status, "nothing was changed" in said) == (0, True)


def test_bounces_in_a_maildir_are_taken_in_once(
    tmp_path: Path, app: Flask, clock: MovableClock, readers: Callable[..., None]
) -> None:
    readers("ada", "ben")
    run(app, "send", "2018-01")
    for name in ("new", "cur", "tmp"):
        (tmp_path / "returns" / name).mkdir(parents=True)
    (tmp_path / "returns" / "new" / "1.mail").write_bytes(returned(app, "ada"))
    (tmp_path / "returns" / "new" / "2.mail").write_bytes(b"\xff\x00 no mail at all")
    settings = config.load({"ARCHWAY_INSTANCE": str(tmp_path), "ARCHWAY_MAIL_FOLDER": str(tmp_path / "returns")})
    app.extensions["settings"] = settings
    postroom.sweep(app)
    assert (standing(app, "ada"), standing(app, "ben")) == ("stopped bounce", "active")
    assert [path.name for path in sorted((tmp_path / "returns" / "cur").iterdir())] == ["1.mail:2,S", "2.mail:2,S"]
    assert not list((tmp_path / "returns" / "new").iterdir())


def test_a_folder_that_is_no_maildir_is_named(app: Flask, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    postroom.collect(app, tmp_path / "nowhere")
    assert "ARCHWAY_MAIL_FOLDER" in caplog.text


# The whole way, through a real server.


@pytest.fixture
def sink() -> Iterator[Sink]:
    with listening() as server:
        yield server


def test_a_reader_of_a_real_server_gets_the_book_and_a_return_path(
    tmp_path: Path, sink: Sink, readers: Callable[..., None], app: Flask
) -> None:
    readers("ada", channel="attachment")
    environment = {"SMTP_URL": f"smtp://127.0.0.1:{sink.port}", "MAIL_RETURNS": "returns@example.org"}
    environment |= {"ADDRESS": "https://archway.example.org", "INSTANCE": str(tmp_path)}
    app.extensions["settings"] = config.load({f"ARCHWAY_{name}": value for name, value in environment.items()})
    assert run(app, "send", "2018-01") == (0, "2018-01 1 sent\n")
    assert sink.senders["ada@example.org"].startswith("returns+1.")
    body = sink.bodies["ada@example.org"]
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in body
    assert b"Content-Type: application/epub+zip" in body


def test_the_sweep_settles_what_a_dead_worker_left(
    app: Flask, clock: MovableClock, readers: Callable[..., None]
) -> None:
    readers("ada", channel="attachment")
    run(app, "send", "2018-01")
    set_state(app, "ada", state="sending", lease_until=clock() - timedelta(minutes=1))
    postroom.sweep(app)
    with app.extensions["database"].reading() as connection:
        [uncertain] = overview.troubles(connection, "uncertain")
    assert (uncertain.failure, uncertain.repeatable) == (DIED, True)


def test_a_fault_in_the_countries_file_stops_no_page_of_the_digest(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise postroom.CountriesError("publisher/countries.toml: DE needs an offer.")

    monkeypatch.setattr("publisher.countries.load", broken)
    postroom.report_faults(app)
    postroom.sweep(app)
    assert "countries.toml: DE needs an offer" in caplog.text
    assert client.get("/subscribe").status_code == 503
    assert client.get("/issues").status_code == 200


# The operator's page.


@pytest.mark.parametrize("address", ["/publisher", "/publisher/progress"])
def test_only_an_admin_sees_the_page(client: FlaskClient, promote: Callable[[str], FlaskClient], address: str) -> None:
    assert client.get(address).status_code == 303
    assert promote("ben").get(address).status_code == 403


def test_only_an_admin_may_send(client: FlaskClient, post: Post, promote: Callable[[str], FlaskClient]) -> None:
    for address in ("/publisher/issues/2018-01/send", "/publisher/deliveries/1/again"):
        assert post(client, address).headers["Location"] == "/sign-in"
        assert post(promote(f"ben{len(address)}"), address).status_code == 403


def test_a_person_sends_an_issue_from_the_page(
    app: Flask, admin: FlaskClient, post: Post, readers: Callable[..., None]
) -> None:
    assert "Nothing was sent yet" in admin.get("/publisher").text
    readers("ada", "ben")
    page = admin.get("/publisher").text
    assert "Send to 2 readers" in page
    assert "Too late to go out by itself: you decide." in page
    assert "nobody gets them" in page
    assert post(admin, "/publisher/issues/2018-01/send").status_code == 303
    assert admin.get("/publisher/progress").get_json()["going"] is True
    assert "progress.js" in admin.get("/publisher").text
    postroom.Worker(app).run_next()
    told = admin.get("/publisher/progress").get_json()
    assert (told["going"], told["tallies"][0]["counts"]["sent"]) == (False, 2)
    assert "nobody waits for it" in admin.get("/publisher").text
    assert post(admin, "/publisher/issues/2018-02/send").status_code == 409


def test_what_failed_and_what_is_uncertain_is_listed_with_its_sentence_and_can_be_sent_again(
    app: Flask, admin: FlaskClient, post: Post, readers: Callable[..., None]
) -> None:
    readers("ada", "ben", channel="attachment")
    run(app, "send", "2018-01")
    number = set_state(app, "ada", state="uncertain", failure=DIED)
    set_state(app, "ben", state="refused", failure="550 5.1.1 <script>nobody</script>", bounce="hard")
    page = admin.get("/publisher").text
    assert "1 mail is uncertain" in page
    assert "ended before it kept the server" in page
    assert "550 5.1.1 &lt;script&gt;nobody" in page
    assert page.count("/again") == 2
    assert post(admin, f"/publisher/deliveries/{number}/again").status_code == 303
    assert post(admin, f"/publisher/deliveries/{number}/again").status_code == 409
    with app.extensions["database"].writing() as connection:
        connection.execute(update(SubscriberRow).values(state="stopped"))
    assert "/again" not in admin.get("/publisher").text


def test_the_page_tells_which_builds_are_due_running_done_and_missed() -> None:
    due = datetime(2018, 2, 1, 6, 0, tzinfo=UTC)
    lease = due + timedelta(minutes=62)
    told = {
        (state, minutes): overview.state_of(Run("2018-02", due, state, "", lease), due + timedelta(minutes=minutes))
        for state, minutes in (("waiting", 1), ("waiting", 61), ("building", 61), ("building", 63), ("done", 61))
    }
    assert list(told.values()) == ["due", "missed", "running", "missed", "done"]


def test_a_bar_is_as_long_as_the_counts_it_stands_for() -> None:
    bar = Tally("2018-01", {"queued": 1, "sending": 0, "sent": 2, "refused": 0, "uncertain": 1}).segments()
    assert [(one.state, one.start, one.width) for one in bar if one.width] == [
        ("queued", 0, 150),
        ("sent", 150, 300),
        ("uncertain", 450, 150),
    ]


def test_no_password_of_the_server_is_shown(tmp_path: Path) -> None:
    settings = config.load(
        {"ARCHWAY_INSTANCE": str(tmp_path), "ARCHWAY_SMTP_URL": "smtp://ada:secret@mail.example.org"}
    )
    assert postroom.way_out(settings) == "smtp://mail.example.org"


def test_the_page_shows_how_far_a_build_and_a_sending_are(
    app: Flask, admin: FlaskClient, post: Post, clock: MovableClock, readers: Callable[..., None]
) -> None:
    readers("ada", "ben")
    database = app.extensions["database"]
    claims.fill(database, ["2018-02"], clock())
    claim = claims.take(database, "2018-02", "a", clock())
    assert claim is not None
    assert "progress.js" in admin.get("/publisher").text
    claims.note(database, claim, Stage("documents", 12, 31), clock())
    post(admin, "/publisher/issues/2018-01/send")
    set_state(app, "ada", state="sent")
    page = admin.get("/publisher").text
    assert '<progress max="1" value="0.398" aria-label="Build">' in page
    assert "writing: 12 of 31 documents" in page
    assert "1 of 2 mails" in page
    february, january = admin.get("/publisher/progress").get_json()["issues"]
    assert (february["state"], february["build"]["share"], february["mails"]) == ("running", 0.398, None)
    assert (january["build"], january["mails"]) == (None, {"share": 0.5, "words": "1 of 2 mails"})
    clock.advance(minutes=6)
    assert admin.get("/publisher/progress").get_json()["issues"][0]["state"] == "missed"


def test_the_stages_of_a_real_build_are_reported_in_their_order(app: Flask) -> None:
    told: list[Stage] = []
    with app.app_context():
        sources.build("2018-01", told.append)
    assert list(dict.fromkeys(one.name for one in told)) == list(STAGES[:-1])
    assert [one.share for one in told] == sorted(one.share for one in told)
    documents = [one for one in told if one.name == "documents"]
    assert [one.done for one in documents] == list(range(2, documents[0].total))
