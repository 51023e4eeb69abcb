"""The pages of the digest: the list, an issue, its articles, the book and its cover, and the schedule behind them."""

from __future__ import annotations

import io
import re
import threading
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from content.library import KINDS
from publisher import package, store
from publisher.issue import Section
from publisher.views import _section_title, newest_cover
from tests.conftest import MovableClock
from web import schedule


def test_the_list_shows_the_issues_that_are_due_newest_first(client: FlaskClient, clock: MovableClock) -> None:
    assert re.findall(r'<a href="/issues/(2018-\d\d)">', client.get("/issues").text) == ["2018-02", "2018-01"]
    clock.now = datetime(2018, 1, 31, tzinfo=UTC)
    assert re.findall(r'<a href="/issues/(2018-\d\d)">', client.get("/issues").text) == ["2018-01"]
    clock.now = datetime(2017, 12, 31, tzinfo=UTC)
    assert "The first issue appears here" in client.get("/issues").text


def test_an_issue_offers_its_articles_its_book_and_an_honest_way_to_get_it_monthly(client: FlaskClient) -> None:
    page = client.get("/issues/2018-01").text
    for address in (
        "/issues/2018-01/lambda-concurrency",
        "/issues/2018-01.epub",
        "/talks/2018-01",
        "/startups/2018-02",
    ):
        assert f'href="{address}"' in page
    assert 'href="/subscribe"' in page
    assert page.count("<h1") == 1
    assert "Dear reader" in page


def test_an_article_is_read_in_its_language_and_leads_to_the_next(client: FlaskClient) -> None:
    page = client.get("/issues/2018-01/kolektivno-upravlenie").text
    assert 'lang="bg"' in page
    assert 'href="/issues/2018-01/tri-bilborda"' in page
    assert page.count("<h1") == 1


@pytest.mark.parametrize(
    "address",
    [
        "/issues/2018-01/nothing",
        "/issues/2018-03",
        "/issues/2030-01.epub",
        "/issues/2018-13/cover.jpg",
        "/issues/x.epub",
    ],
)
def test_what_is_not_there_is_not_found(client: FlaskClient, address: str) -> None:
    assert client.get(address).status_code == 404


def test_an_issue_is_not_there_before_its_day(client: FlaskClient, clock: MovableClock) -> None:
    clock.now = datetime(2018, 2, 1, 5, 59, tzinfo=UTC)
    assert client.get("/issues/2018-02.epub").status_code == 404
    clock.now = datetime(2018, 2, 1, 6, 0, tzinfo=UTC)
    assert client.get("/issues/2018-02.epub").status_code == 200


def test_anyone_may_download_the_book_under_its_name(client: FlaskClient) -> None:
    answer = client.get("/issues/2018-01.epub")
    assert answer.content_type == "application/epub+zip"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="archway-2018-01.epub"'
    assert package.entries(answer.data)["mimetype"] == b"application/epub+zip"
    assert client.head("/issues/2018-01.epub").content_length == len(answer.data)


def test_a_reader_that_has_the_book_gets_only_its_confirmation(client: FlaskClient) -> None:
    first = client.get("/issues/2018-01.epub")
    tag, weak = first.get_etag()
    assert (len(tag or ""), weak) == (64, False)
    again = client.get("/issues/2018-01.epub", headers={"If-None-Match": f'"{tag}"'})
    assert (again.status_code, again.data, again.get_etag()[0]) == (304, b"", tag)
    assert client.get("/issues/2018-01.epub", headers={"If-None-Match": '"other"'}).status_code == 200


def test_the_cover_is_a_small_jpeg(client: FlaskClient) -> None:
    answer = client.get("/issues/2018-01/cover.jpg")
    with Image.open(io.BytesIO(answer.data)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (640, 1024))
    tag = answer.headers["ETag"]
    assert client.get("/issues/2018-01/cover.jpg", headers={"If-None-Match": tag}).status_code == 304


def test_no_page_of_the_digest_holds_a_key(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        banks = app.extensions["banks"]()
    reasons = [reason for bank in banks for item in bank.items for _, reason in item.key.rationales]
    assert len(reasons) > 20
    for address in ("/issues", "/issues/2018-01", "/issues/2018-01/lambda-concurrency"):
        page = client.get(address).text
        assert not [reason for reason in reasons if reason in page]


def test_a_book_prints_no_item_of_an_exam(client: FlaskClient, app: Flask) -> None:
    book = b"".join(package.entries(client.get("/issues/2018-01.epub").data).values()).decode("utf-8", "ignore")
    with app.app_context():
        exam = [item.question.stem for bank in app.extensions["banks"]() if bank.pool == "exam" for item in bank.items]
    assert len(exam) > 5
    assert not [stem for stem in exam if stem.split("\n")[0] in book]


def test_the_home_page_is_offered_the_newest_issue_that_was_built(app: Flask, client: FlaskClient) -> None:
    with app.test_request_context():
        assert newest_cover() is None
    client.get("/issues/2018-01.epub")
    client.get("/issues/2018-02.epub")
    with app.test_request_context():
        found = newest_cover()
    assert found is not None
    assert (found.month, found.title) == ("2018-02", "Archway Monthly, February 2018")
    assert (found.address, found.cover) == ("/issues/2018-02", "/issues/2018-02/cover.jpg")


def test_an_issue_with_a_faulty_choice_says_so_without_a_trace(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("choices")
    (folder / "2018-01.toml").write_text('articles = ["nowhere"]')
    monkeypatch.setattr("publisher.sources.CHOICES", folder)
    answer = client.get("/issues/2018-01")
    assert answer.status_code == 503
    assert "nowhere" not in answer.text


def test_the_schedule_builds_what_is_due_at_its_first_tick(app: Flask) -> None:
    states: list[str] = []
    schedule.start(app)
    for _ in range(300):
        with app.extensions["database"].reading() as connection:
            states = [run.state for run in store.runs(connection)]
        if states == ["done", "done"]:
            break
        threading.Event().wait(0.1)
    assert states == ["done", "done"]
    with app.extensions["database"].reading() as connection:
        assert [one.month for one in store.published(connection)] == ["2018-02", "2018-01"]


def test_an_embed_is_shown_where_another_room_offers_it(client: FlaskClient, app: Flask) -> None:
    notes = app.extensions["library"].current().notes
    with_embeds = [note for note in notes if re.search(r"^:::(lab|quiz) ", note.page.body, re.MULTILINE)]
    for note in with_embeds:
        assert client.get(f"/issues/{note.month}/{note.slug}").status_code == 200


def test_a_page_names_sections_and_months_in_the_readers_language(app: Flask, client: FlaskClient) -> None:
    with app.test_request_context():
        assert [_section_title(Section(title, ())) for title in KINDS.values()] == list(KINDS.values())
    page = client.get("/issues/2018-01/lambda-concurrency", headers={"Accept-Language": "bg"}).text
    assert "януари 2018" in page
    assert "Технически документи" in client.get("/issues/2018-01", headers={"Accept-Language": "bg"}).text
