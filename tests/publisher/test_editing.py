"""The editor: the form's rules, its pages for those who may, a draft two people change, and an approval by the hash."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from accounts.limits import limiter
from accounts.models import PersonRow
from app import create_app
from config import Settings
from content.library import Library
from publisher import editing, package
from publisher.editing import Sent
from publisher.issue import Choice
from tests.conftest import MovableClock
from tests.publisher.smtp_sink import listening

Post = Callable[..., Any]
Promote = Callable[[str], FlaskClient]
ALL = ("first", "nasty", "rtl", "second")


def sent(**changes: object) -> Sent:
    return replace(Sent(ALL, frozenset(ALL), "", "", ""), **changes)  # type: ignore[arg-type]


def titles(page: str) -> list[str]:
    return re.findall(r'name="order" value="([^"]+)"', page)


@pytest.fixture
def editor(promote: Promote) -> FlaskClient:
    return promote("ina")


@pytest.fixture
def form(editor: FlaskClient) -> Callable[..., dict[str, Any]]:
    """Return a function that fills in the form of January as its page has it, with changes."""

    def fill(**changes: Any) -> dict[str, Any]:
        page = editor.get("/studio/issues/2018-01").text
        order = titles(page)
        revision = re.search(r'name="revision" value="(\d+)"', page)
        assert revision
        return {
            "order": order,
            "printed": order,
            "letter": "Dear reader.",
            "startups": "2018-02",
            "corrections": "",
            "revision": revision[1],
            **changes,
        }

    return fill


def test_rows_stand_by_kind_and_say_who_is_first_and_last(library: Library) -> None:
    notes = editing.candidates(library, "2018-01")
    rows = editing.rows(notes, Choice("", articles=("second",), leave_out=("nasty",)))
    assert [(row.note.slug, row.printed, row.first, row.last) for row in rows["Industry trends"]] == [
        ("second", True, True, False),
        ("nasty", False, False, True),
    ]


@pytest.mark.parametrize(
    ("move", "order"),
    [
        ("up second", ("first", "second", "rtl", "nasty")),
        ("down nasty", ("first", "second", "rtl", "nasty")),
        ("up nasty", ALL),
        ("down second", ALL),
        ("up first", ALL),
        ("up nowhere", ALL),
        ("sideways nasty", ALL),
    ],
)
def test_an_article_moves_within_its_kind_and_nowhere_else(library: Library, move: str, order: tuple[str, ...]) -> None:
    notes = editing.candidates(library, "2018-01")
    assert editing.read(sent(move=move), notes, Choice("")).articles == order


def test_a_form_that_does_not_know_an_article_does_not_leave_it_out(library: Library) -> None:
    notes = editing.candidates(library, "2018-01")
    old = editing.read(sent(order=("nasty", "gone"), printed=frozenset()), notes, Choice(""))
    assert old.leave_out == ("nasty",)
    assert set(old.articles) == set(ALL)


def test_texts_lose_the_line_ends_of_forms(library: Library) -> None:
    notes = editing.candidates(library, "2018-01")
    found = editing.read(sent(letter=" A\r\n\r\nB \r\n", corrections="One.\r\n\r\n\r\nTwo.\r\n"), notes, Choice(""))
    assert (found.letter, found.corrections) == ("A\n\nB", ("One.", "Two."))


def test_an_editor_orders_drops_and_writes_and_reads_the_draft_before_anybody(
    editor: FlaskClient, client: FlaskClient, post: Post, form: Callable[..., dict[str, Any]]
) -> None:
    published = client.get("/issues/2018-01.epub").data
    values = form(letter="A <new> letter.", corrections="We were *wrong*.")
    values["printed"] = [slug for slug in values["order"] if slug != "big-data-courses"]
    assert post(editor, "/studio/issues/2018-01", **values).status_code == 303
    page = editor.get("/studio/issues/2018-01").text
    assert "A &lt;new&gt; letter." in page
    assert 'value="big-data-courses">' in page
    contents = editor.get("/studio/issues/2018-01/book/nav.xhtml")
    assert contents.content_type.startswith("application/xhtml+xml")
    assert "article-big-data-courses.xhtml" not in contents.text
    assert "We were <em>wrong</em>" in editor.get("/studio/issues/2018-01/book/corrections.xhtml").text
    assert editor.get("/studio/issues/2018-01/book/cover.jpg").data.startswith(b"\xff\xd8")
    draft = package.entries(editor.get("/studio/issues/2018-01.epub").data)
    assert b"A &lt;new&gt; letter." in draft["EPUB/letter.xhtml"]
    # Readers still have the book that was built before.
    assert client.get("/issues/2018-01.epub").data == published
    assert "Dear reader" in client.get("/issues/2018-01").text


def test_the_book_that_was_looked_at_is_the_one_that_is_published(
    editor: FlaskClient, client: FlaskClient, post: Post, form: Callable[..., dict[str, Any]]
) -> None:
    client.get("/issues/2018-01.epub")
    post(editor, "/studio/issues/2018-01", **form(letter="The first draft."))
    seen = re.search(r'name="sha256" value="(\w{64})"', editor.get("/studio/issues/2018-01/publish").text)
    assert seen
    post(editor, "/studio/issues/2018-01", **form(letter="Changed by a colleague."))
    refused = post(editor, "/studio/issues/2018-01/publish", sha256=seen[1])
    assert "The draft has changed since you looked" in refused.text
    assert "Changed by a colleague" not in client.get("/issues/2018-01").text
    now_seen = re.search(r'name="sha256" value="(\w{64})"', refused.text)
    assert now_seen
    assert post(editor, "/studio/issues/2018-01/publish", sha256=now_seen[1]).status_code == 303
    assert "Changed by a colleague" in client.get("/issues/2018-01").text
    assert "this very book, approved" in editor.get("/studio/issues/2018-01/publish").text


def proofs(settings: Settings) -> list[EmailMessage]:
    paths = sorted((settings.instance / "outbox").glob("proof-*.eml"))
    return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths]


def test_an_editor_sends_the_draft_to_themselves_as_often_as_they_like(
    editor: FlaskClient, post: Post, form: Callable[..., dict[str, Any]], settings: Settings
) -> None:
    post(editor, "/studio/issues/2018-01", **form(letter="Only a draft."))
    for _ in range(2):
        answer = post(editor, "/studio/issues/2018-01/proof")
    page = editor.get(answer.location).text
    assert "The proof was written to a file" in page
    assert str(settings.instance / "outbox") in page
    first, second = proofs(settings)
    assert (first["To"], first["Subject"]) == ("ina@example.org", "Proof: Archway Monthly, January 2018")
    assert first["Message-ID"] != second["Message-ID"]
    [book] = first.iter_attachments()
    assert (book.get_content_type(), book.get_filename()) == ("application/epub+zip", "archway-2018-01-proof.epub")
    assert b"Only a draft." in package.entries(book.get_content())["EPUB/letter.xhtml"]


def test_an_editor_is_told_why_a_proof_did_not_go(editor: FlaskClient, app: Flask, post: Post) -> None:
    with listening() as sink:
        url = f"smtp://127.0.0.1:{sink.port}"
    app.extensions["settings"] = replace(app.extensions["settings"], smtp_url=url)
    assert "The proof was not sent: ConnectionRefusedError" in post(editor, "/studio/issues/2018-01/proof").text


def test_a_proof_goes_out_by_the_server_that_is_set(editor: FlaskClient, app: Flask, post: Post) -> None:
    with listening() as sink:
        url = f"smtp://127.0.0.1:{sink.port}"
        app.extensions["settings"] = replace(app.extensions["settings"], smtp_url=url)
        answer = post(editor, "/studio/issues/2018-01/proof")
    assert sink.recipients() == ["ina@example.org"]
    assert "is on its way to" in editor.get(answer.location).text


def test_proofs_are_for_instructors_and_not_without_end(
    people: Callable[[str], FlaskClient], editor: FlaskClient, post: Post
) -> None:
    assert post(people("bob"), "/studio/issues/2018-01/proof").status_code == 403
    limiter.enabled = True
    try:
        limiter.reset()
        statuses = [post(editor, "/studio/issues/2018-13/proof").status_code for _ in range(13)]
    finally:
        limiter.reset()
        limiter.enabled = False
    assert statuses == [404] * 12 + [429]


def test_two_editors_are_told_and_neither_is_overwritten(
    editor: FlaskClient, promote: Promote, post: Post, form: Callable[..., dict[str, Any]]
) -> None:
    mine, theirs = form(letter="Mine."), form(letter="Theirs.")
    other = promote("olga")
    assert post(other, "/studio/issues/2018-01", **theirs).status_code == 303
    answer = post(editor, "/studio/issues/2018-01", **mine)
    assert "Somebody else has changed this issue meanwhile" in answer.text
    assert "Mine." in answer.text
    assert "Theirs." in editor.get("/studio/issues/2018-01").text
    later = form(letter="A third.", revision="1")
    assert post(other, "/studio/issues/2018-01", **later).status_code == 303
    assert "meanwhile" in post(editor, "/studio/issues/2018-01", **later).text


def test_what_cannot_be_printed_is_told_and_not_kept(
    editor: FlaskClient, post: Post, form: Callable[..., dict[str, Any]]
) -> None:
    answer = post(editor, "/studio/issues/2018-01", **form(startups="1999-01", letter="Not lost."))
    assert "There are no startups of “1999-01”" in answer.text
    assert "Not lost." in answer.text
    assert "Not lost." not in editor.get("/studio/issues/2018-01").text


def test_where_approval_is_asked_for_an_issue_is_public_only_by_its_approved_hash(
    settings: Settings, clock: MovableClock, post: Post
) -> None:
    app = create_app(replace(settings, approval=True))
    app.extensions["clock"] = clock
    app.testing = True
    app.config["RATELIMIT_ENABLED"] = False
    reader = app.test_client()
    for address in ("/issues/2018-01", "/issues/2018-01.epub", "/issues/2018-01/cover.jpg"):
        assert reader.get(address).status_code == 404
    assert "2018-01" not in reader.get("/opds").text + reader.get("/issues").text
    editor = promote_on(app, post)
    seen = re.search(r'name="sha256" value="(\w{64})"', editor.get("/studio/issues/2018-01/publish").text)
    assert seen
    post(editor, "/studio/issues/2018-01/publish", sha256=seen[1])
    assert reader.get("/issues/2018-01.epub").status_code == 200
    assert reader.get("/issues/2018-02.epub").status_code == 404
    clock.now = datetime(2018, 1, 1, 5, tzinfo=UTC)
    assert reader.get("/issues/2018-01.epub").status_code == 404
    app.extensions["database"].engine.dispose()


def promote_on(app: Flask, post: Post) -> FlaskClient:
    browser = app.test_client()
    post(browser, "/sign-up", name="ina", email="ina@example.org", password="a calm long sentence")
    with app.extensions["database"].writing() as connection:
        connection.execute(update(PersonRow).values(role="instructor"))
    return browser


@pytest.mark.parametrize("address", ["", "/2018-01", "/2018-01.epub", "/2018-01/publish", "/2018-01/book/nav.xhtml"])
def test_the_editors_pages_are_for_instructors(people: Callable[[str], FlaskClient], address: str) -> None:
    assert people("bob").get(f"/studio/issues{address}").status_code == 403


@pytest.mark.parametrize("address", ["/2018-03", "/x", "/2018-01/book/nowhere.xhtml", "/2018-13.epub"])
def test_what_is_not_there_is_not_found(editor: FlaskClient, address: str) -> None:
    assert editor.get(f"/studio/issues{address}").status_code == 404
