"""The interface in two languages: a complete catalog, a choice that stays, and no sentence that is in none."""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from babel import dates
from babel.messages.catalog import Catalog
from babel.messages.frontend import CommandLineInterface
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import insert, select, update
from werkzeug.test import TestResponse

from accounts.models import PersonRow
from labs.jobs import worker_of
from publisher import outbox, postroom
from publisher.models import DeliveryRow, SubscriberRow
from web import languages

Token = Callable[[FlaskClient], str]

PO = Path("web/translations/bg/LC_MESSAGES/messages.po")
PLACES = re.compile(r"%\(\w+\)[ds]|%%")


def _read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale="bg")


def _forms(text: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


BULGARIAN = _read(PO)
MESSAGES = [message for message in BULGARIAN if message.id]


@pytest.fixture
def extracted(tmp_path: Path) -> Catalog:
    """The messages of the sources, found by the very command that `make translations` runs."""
    command = re.search(r"pybabel (.* extract (?:.*\\\n)*.*)", Path("Makefile").read_text("utf-8"))[1]
    pot = tmp_path / "messages.pot"
    command = command.replace("\\\n", " ").replace("$(VENV)/messages.pot", str(pot))
    CommandLineInterface().run(["pybabel", *shlex.split(command)])
    return _read(pot)


def test_the_catalog_has_every_message_of_the_sources_and_no_other(extracted: Catalog) -> None:
    assert {message.id for message in extracted} == {message.id for message in BULGARIAN}


def _is_sound(source: str, text: str) -> bool:
    """Return whether a text says something, with the places of its source and no markup: it may stand in attributes."""
    return (
        bool(text.strip())
        and sorted(PLACES.findall(text)) == sorted(PLACES.findall(source))
        and not set('"<>&') & set(text)
    )


def test_every_message_is_translated_with_its_places() -> None:
    pairs = [(message, _forms(message.id), _forms(message.string)) for message in MESSAGES]
    unsound = [
        message.id
        for message, sources, texts in pairs
        if message.fuzzy or len(sources) != len(texts) or not all(map(_is_sound, sources, texts))
    ]
    assert unsound == []


@pytest.mark.parametrize("text", ["", " ", "%(num)s урока", "%(name)d урока", "уроци", "%(num)d <b>урока</b>"])
def test_an_unsound_translation_is_found(text: str) -> None:
    assert _is_sound("%(num)d lessons", "%(num)d урока")
    assert not _is_sound("%(num)d lessons", text)


def test_the_compiled_catalog_is_that_of_the_source() -> None:
    compiled = io.BytesIO()
    write_mo(compiled, BULGARIAN)
    assert PO.with_suffix(".mo").read_bytes() == compiled.getvalue()


@pytest.mark.parametrize(
    ("asked", "language"),
    [("bg", "bg"), ("bg-BG,bg;q=0.9,en;q=0.8", "bg"), ("de, bg;q=0.5", "bg"), ("de", "en")],
)
def test_a_visitor_is_answered_in_the_language_that_the_browser_asks_for(
    visitor: FlaskClient, asked: str, language: str
) -> None:
    page = visitor.get("/", headers={"Accept-Language": asked}).text
    assert f'<html lang="{language}">' in page
    navigation = re.search(r'<nav class="site-nav".*?</nav>', page, re.DOTALL)[0]
    titles = re.findall(r">([^<>]+)</a>", navigation)
    assert (
        titles
        == {
            "en": ["Learn", "Practise", "Labs", "Talks", "Issues", "Search"],
            "bg": ["Учене", "Упражнения", "Лаборатории", "Лекции", "Броеве", "Търсене"],
        }[language]
    )


def test_an_error_is_said_in_the_readers_language(visitor: FlaskClient) -> None:
    assert "На този адрес няма нищо" in visitor.get("/nothing", headers={"Accept-Language": "bg"}).text
    refused = visitor.post("/thing", headers={"Accept-Language": "bg", "Sec-Fetch-Site": "cross-site"})
    assert "изпратен от друг сайт" in refused.text


def _choose(browser: FlaskClient, token: Token, language: str) -> int:
    return browser.post("/language", data={"csrf_token": token(browser), "language": language}).status_code


def test_a_visitor_keeps_a_language_in_a_cookie(visitor: FlaskClient, token: Token) -> None:
    assert _choose(visitor, token, "bg") == 303
    page = visitor.get("/", headers={"Accept-Language": "en"}).text
    assert '<html lang="bg">' in page
    assert 'value="bg" lang="bg" aria-pressed="true"' in page


def test_a_person_keeps_a_language_on_every_browser(site: Flask, visitor: FlaskClient, token: Token) -> None:
    visitor.post("/begin", data={"csrf_token": token(visitor)})
    _choose(visitor, token, "bg")
    assert visitor.get_cookie(languages.COOKIE) is None
    other = site.test_client()
    other.set_cookie("archway", visitor.get_cookie("archway").value)
    assert '<html lang="bg">' in other.get("/", headers={"Accept-Language": "en"}).text


@pytest.mark.parametrize("language", ["", "de", "../bg", '"><script>'])
def test_an_unknown_language_is_refused(visitor: FlaskClient, token: Token, language: str) -> None:
    assert _choose(visitor, token, language) == 400
    visitor.set_cookie(languages.COOKIE, language)
    assert '<html lang="en">' in visitor.get("/").text


# A language of which every message stands in ⟦brackets⟧ shows what the catalog does not hold.

INVENTED = "eo"
UNSPOKEN = {"code", "kbd", "time"}
"""Elements whose text is the same in every language."""
NAMES = (
    *("//a[@class='brand']", "//button[@name='language']", "//bdi", "//select[@id='zone']/option"),
    *("//select[@id='country']/option", "//select[@id='language']/option"),
    *("//*[contains(@class, 'own-words')]", "//textarea"),
)
"""What has its own words: the site, the languages, people, time zones, countries, what a reader wrote."""
SPOKEN_ATTRIBUTES = {"aria-label", "alt", "title", "placeholder"}
LESSON = "/learn/solutions-architect-associate/resilient-architectures/durable-storage"
PAGES = (
    *("/", "/learn", "/learn/solutions-architect-associate", LESSON, f"{LESSON}?marking=on", "/glossary", "/notes"),
    *("/exams", "/exams/saa-c01", "/labs", "/labs/lambda-concurrency", "/issues", "/issues/2018-01"),
    *("/issues/2018-01/tri-bilborda", "/sign-in", "/sign-up", "/no-such-page", "/search?q=queue", "/search?q=qqq"),
    *("/notebook", "/talks/2018-01", "/talks/2018-01?by=category", "/learn/offline"),
    *("/subscribe", "/subscribe/sent?channel=kindle"),
)


@pytest.fixture
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FlaskClient:
    """Somebody who reads the invented language."""
    invented = Catalog(locale=INVENTED)
    for message in MESSAGES:
        bracketed = tuple(f"⟦{text}⟧" for text in _forms(message.id))
        invented.add(message.id, bracketed[0] if isinstance(message.id, str) else bracketed)
    folder = tmp_path / "translations" / INVENTED / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "messages.mo").open("wb") as file:
        write_mo(file, invented)
    for name in ("format_date", "format_datetime"):
        _bracket(monkeypatch, name)
    monkeypatch.setattr(languages, "TRANSLATIONS", tmp_path / "translations")
    monkeypatch.setitem(languages.LANGUAGES, INVENTED, "Esperanto")
    browser: FlaskClient = request.getfixturevalue("app").test_client()
    browser.set_cookie(languages.COOKIE, INVENTED)
    return browser


def _bracket(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let a date that is written in the reader's language count as translated."""
    plain = getattr(dates, name)
    monkeypatch.setattr(dates, name, lambda *values, **named: f"⟦{plain(*values, **named)}⟧")


def _texts(element: html.HtmlElement, language: str) -> Iterator[str]:
    """Yield the interface's texts in the order of the page, and each spoken attribute between line feeds."""
    if not isinstance(element.tag, str):
        return
    around, language = language, element.get("lang", language)
    spoken = language == INVENTED
    if around != language:
        yield "\n"
    if spoken:
        for name, value in element.items():
            if name in SPOKEN_ATTRIBUTES or (name.startswith("data-") and " " in value):
                yield f"\n{value}\n"
    if element.tag in UNSPOKEN:
        return
    if spoken:
        yield element.text or ""
    for child in element:
        yield from _texts(child, language)
        if spoken:
            yield child.tail or ""


def untranslated(page: str) -> list[str]:
    """Return the words of a page that are in its language and yet in no bracket."""
    root = html.document_fromstring(page)
    for named in (one for path in NAMES for one in root.xpath(path)):
        named.set("lang", "")
    body = root.find("body")
    assert body is not None
    depth, bare = 0, ""
    for one in "".join(_texts(body, root.get("lang"))):
        depth += one == "⟦"
        if depth == 0:
            bare += one
        depth -= one == "⟧"
    return [line.strip() for line in bare.splitlines() if any(one.isalpha() for one in line)]


def test_what_is_bare_is_found() -> None:
    parts = (
        '<p>⟦Held by <b>⟦two⟧</b> brackets⟧ <b lang="en">Content</b> 12</p><a class="brand">Archway</a><code>x</code>',
        '<p lang="en">Content, but its <i lang="eo">part</i></p><p title="Hint" data-a="A sentence">⟦x⟧</p>',
    )
    assert untranslated(f'<html lang="eo"><body>{"".join(parts)}</body></html>') == ["part", "Hint", "A sentence"]


@pytest.mark.parametrize("path", PAGES)
def test_every_word_of_a_page_is_in_the_catalog(reader: FlaskClient, path: str) -> None:
    page = reader.get(path).text
    assert f'<html lang="{INVENTED}">' in page
    assert untranslated(page) == []


def _shown(reader: FlaskClient, *paths: str) -> dict[str, list[str]]:
    return {path: words for path in paths if (words := untranslated(reader.get(path).text))}


def test_every_word_of_the_notebook_is_in_the_catalog(reader: FlaskClient, post: Callable[..., TestResponse]) -> None:
    anchors = re.findall(r"at=(p-[0-9a-f]+)", reader.get(f"{LESSON}?marking=on").text)
    post(reader, "/notebook", page=LESSON, anchor=anchors[0], note="In my own words")
    post(reader, "/notebook", page=LESSON, anchor=anchors[1], note="")
    post(reader, "/feedback", page=LESSON, text="In my own words")
    assert _shown(reader, "/notebook", LESSON, f"{LESSON}?at={anchors[0]}", "/account") == {}


def test_every_word_of_an_exam_is_in_the_catalog(reader: FlaskClient, post: Callable[..., TestResponse]) -> None:
    address = post(reader, "/exams/saa-c01/attempts").headers["Location"]
    answers = {f"q{place}": "b" for place in range(1, 40)}
    post(reader, f"{address}/save", **answers, f1="on", f50="on")
    assert _shown(reader, address, f"{address}/submit", "/", "/exams", "/exams/saa-c01", "/account") == {}
    post(reader, f"{address}/submit")
    assert _shown(reader, f"{address}/report", f"{address}/review", "/exams") == {}


def test_every_word_of_a_lab_run_is_in_the_catalog(reader: FlaskClient, post: Callable[..., TestResponse]) -> None:
    address = "/labs/lambda-concurrency"
    refused = post(reader, f"{address}/runs", requests="none", seed="x", preset="y", other_reservations="z")
    assert refused.status_code == 400
    assert untranslated(refused.text) == []
    run = post(reader, f"{address}/runs", requests="100", seed="1").headers["Location"]
    other = post(reader, f"{address}/runs", seed="1").headers["Location"]
    assert _shown(reader, run, address) == {}
    post(reader, f"{other}/cancel")
    worker_of(reader.application).run_next()
    assert "⟦Measured beside published⟧" in reader.get(run).text
    assert _shown(reader, run, other, address) == {}


def test_every_word_about_an_account_is_in_the_catalog(reader: FlaskClient, post: Callable[..., TestResponse]) -> None:
    password = "a calm long sentence"
    for fields in (
        {"name": "Ada", "email": "nobody", "password": password},
        {"name": "Ada", "email": "ada@example.org", "password": "short"},
        {"name": "", "email": "ada@example.org", "password": password},
    ):
        answer = post(reader, "/sign-up", **fields)
        assert (answer.status_code, untranslated(answer.text)) == (400, [])
    answer = post(reader, "/sign-in", email="ada@example.org", password=password)
    assert (answer.status_code, untranslated(answer.text)) == (400, [])
    post(reader, "/sign-up", name="Ada", email="ada@example.org", password=password)
    assert _shown(reader, "/account", "/studio/course") == {}


def test_every_word_about_a_subscription_is_in_the_catalog(
    reader: FlaskClient, post: Callable[..., TestResponse]
) -> None:
    app = reader.application
    wish = {"email": "ada@example.org", "channel": "link", "country": "DE", "language": INVENTED}
    for wrong in ({"email": "x"}, {"channel": "fax"}, {"language": "x"}, {"channel": "kindle"}, {"country": ""}):
        answer = post(reader, "/subscribe", **{**wish, **wrong})
        assert (answer.status_code, untranslated(answer.text)) == (400, [])
    assert untranslated(post(reader, "/subscribe", **{**wish, "country": "AU"}).text) == []
    post(reader, "/subscribe", **wish)
    with app.extensions["database"].reading() as connection:
        subscriber = connection.execute(select(SubscriberRow.id)).scalar_one()
    sign = postroom.post_of(app).signer.token
    confirm, settings, leave = (
        f"/subscriptions/{sign(subscriber, purpose)}{ending}"
        for purpose, ending in (("confirm", "/confirm"), ("settings", ""), ("unsubscribe", "/unsubscribe"))
    )
    assert _shown(reader, confirm, leave, "/subscriptions/x/confirm") == {}
    post(reader, confirm)
    assert _shown(reader, settings, f"{settings}?confirmed=yes", f"{settings}?saved=yes") == {}
    assert untranslated(reader.post(leave).text) == []
    assert _shown(reader, settings) == {}
    assert untranslated(post(reader, f"{settings}/delete").text) == []


def test_every_word_of_the_operators_page_is_in_the_catalog(
    reader: FlaskClient, post: Callable[..., TestResponse]
) -> None:
    database = reader.application.extensions["database"]
    post(reader, "/sign-up", name="Ada", email="ada@example.org", password="a calm long sentence")
    now = reader.application.extensions["clock"]()
    same = {"channel": "link", "kindle": "", "domain": "example.org", "language": "en", "country": "DE", "reason": ""}
    with database.writing() as connection:
        connection.execute(update(PersonRow).values(role="admin"))
        for name in outbox.STATES:
            values = {"id": name, "email": f"{name}@example.org", "created_at": now, "changed_at": now}
            connection.execute(insert(SubscriberRow).values(**same, **values, state="active"))
    assert _shown(reader, "/publisher") == {}
    reader.get("/issues/2018-01")
    assert _shown(reader, "/publisher") == {}
    post(reader, "/publisher/issues/2018-01/send")
    with database.writing() as connection:
        for name in outbox.STATES:
            rows = update(DeliveryRow).where(DeliveryRow.subscriber_id == name)
            connection.execute(rows.values(state=name, bounce="hard" if name == "refused" else ""))
    assert "⟦no such address⟧" in reader.get("/publisher").text
    assert _shown(reader, "/publisher") == {}
