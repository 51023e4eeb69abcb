"""What readers keep and send: marks on paragraphs, notes, remarks, and whose they are."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient

from content.render import Mark

LESSON = "/learn/solutions-architect-associate/resilient-architectures/durable-storage"
Post = Callable[..., object]
People = Callable[[str], FlaskClient]


def _anchor(app: Flask, index: int = 0) -> str:
    pages = app.extensions["library"].current().pages()
    page = next(page for page in pages if page.address == LESSON)
    return [part.anchor for part in page.rendered.parts if isinstance(part, Mark)][index]


def _note(post: Post, browser: FlaskClient, anchor: str, note: str, **fields: str) -> object:
    return post(browser, "/notebook", page=LESSON, anchor=anchor, note=note, do="keep", **fields)


def test_a_note_stands_under_its_paragraph_and_in_the_notebook(app: Flask, client: FlaskClient, post: Post) -> None:
    anchor = _anchor(app)
    answer = _note(post, client, anchor, "Ask Tom about <this>.")
    assert answer.headers["Location"] == f"{LESSON}#{anchor}"
    page = client.get(LESSON).text
    after = page.partition(f'id="{anchor}"')[2]
    assert "Ask Tom about &lt;this&gt;." in after.partition("</aside>")[0]
    assert "Ask Tom about &lt;this&gt;." in client.get("/notebook").text


def test_without_words_it_is_a_bookmark_and_can_be_removed(app: Flask, client: FlaskClient, post: Post) -> None:
    anchor = _anchor(app)
    _note(post, client, anchor, "")
    assert "Your bookmark" in client.get(LESSON).text
    post(client, "/notebook", page=LESSON, anchor=anchor, do="remove")
    assert "Your bookmark" not in client.get(LESSON).text


def test_a_second_note_takes_the_first_ones_place(app: Flask, client: FlaskClient, post: Post) -> None:
    anchor = _anchor(app)
    _note(post, client, anchor, "first thought")
    _note(post, client, anchor, "second thought")
    page = client.get("/notebook").text
    assert "second thought" in page
    assert "first thought" not in page


def test_the_pen_stands_at_every_paragraph_only_when_asked_for(client: FlaskClient) -> None:
    assert "Note or bookmark" not in client.get(LESSON).text
    page = client.get(f"{LESSON}?marking=on").text
    links = re.findall(r'href="([^"]*at=p-[^"]*)"', page)
    assert len(links) > 15
    form = client.get(links[3].replace("&amp;", "&").partition("#")[0]).text
    assert form.count('name="note"') == 1


def test_marks_are_ones_own(app: Flask, people: People, post: Post) -> None:
    ada, bob = people("ada"), people("bob")
    _note(post, ada, _anchor(app), "a secret of Ada's")
    for browser in (bob, app.test_client()):
        assert "a secret of" not in browser.get(LESSON).text
        assert "a secret of" not in browser.get("/notebook").text
    post(bob, "/notebook", page=LESSON, anchor=_anchor(app), do="remove")
    assert "a secret of" in ada.get("/notebook").text


def test_a_guests_marks_come_along_but_never_replace_the_accounts(app: Flask, people: People, post: Post) -> None:
    _note(post, people("ada"), _anchor(app), "of the account")
    guest = app.test_client()
    _note(post, guest, _anchor(app), "of the guest")
    _note(post, guest, _anchor(app, 1), "another of the guest")
    post(guest, "/sign-in", email="ada@example.org", password="a calm long sentence")
    page = guest.get("/notebook").text
    assert "of the account" in page
    assert "another of the guest" in page
    assert ">of the guest<" not in page


def test_a_note_whose_paragraph_was_rewritten_is_not_lost(app: Flask, client: FlaskClient, post: Post) -> None:
    anchor = _anchor(app)
    _note(post, client, anchor, "still worth having")
    with app.extensions["database"].writing() as connection:
        connection.exec_driver_sql("UPDATE content_mark SET anchor = 'p-0000000000'")
    assert "paragraphs that have been rewritten" in client.get(LESSON).text
    assert "still worth having" in client.get(LESSON).text
    assert "rewritten since" in client.get("/notebook").text


def test_a_mark_on_nothing_is_refused_in_a_sentence(client: FlaskClient, post: Post) -> None:
    answer = post(client, "/notebook", page=LESSON, anchor="p-nothing", note="words", do="keep")
    assert answer.status_code == 404
    assert "has been rewritten" in answer.text
    assert post(client, "/notebook", page="//evil.example/", anchor="x", do="remove").headers["Location"] == "/notebook"
    assert _note(post, client, "p-nothing", "x" * 5000).status_code in {404, 413}


def test_a_remark_reaches_the_instructors_and_its_answer_the_reader(
    app: Flask, client: FlaskClient, promote: People, people: People, post: Post
) -> None:
    assert post(client, "/feedback", page=LESSON, text="  ").status_code == 400
    assert post(client, "/feedback", page="/nowhere", text="words").status_code == 404
    post(client, "/feedback", page=LESSON, text="The table leaves <b>me</b> puzzled.")
    assert "the instructors have it" in client.get("/notebook").text
    assert people("bob").get("/studio/course").status_code == 403
    instructor = promote("ina")
    studio = instructor.get("/studio/course").text
    assert "The table leaves &lt;b&gt;me&lt;/b&gt; puzzled." in studio
    address = re.search(r'action="(/studio/course/\d+)"', studio)
    assert address
    assert post(client, address[1], answer="mine").status_code in {302, 303, 403}
    post(instructor, address[1], answer="It is mended.")
    assert "It is mended." in client.get("/notebook").text
    assert "puzzled" not in instructor.get("/studio/course").text
    assert post(instructor, address[1], answer="twice").status_code == 409


def test_removing_from_the_notebook_leads_back_there_and_nowhere_else(
    app: Flask, client: FlaskClient, post: Post
) -> None:
    anchor = _anchor(app)
    _note(post, client, anchor, "")
    fields = {"page": LESSON, "anchor": anchor, "do": "remove"}
    assert post(client, "/notebook", **fields, **{"from": "notebook"}).headers["Location"] == "/notebook"
    assert post(client, "/notebook", **fields, back="https://evil.example/").headers["Location"].startswith(LESSON)
