"""Lessons and notes in the studio: written, checked as files are, published over them, and given back."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from content import search_views
from content.drafts import Overlay
from content.shelf import Shelf
from content.views import put_up

Post = Callable[..., Any]
HEAD = "---\ntitle: {title}\nsummary: S.\ntask: '1.1'\nminutes: 5\n---\n\n"
PATH = "courses/c/1-m/1-lesson.md"
EDIT, STEP = f"/studio/pages/edit/{PATH}", f"/studio/pages/step/{PATH}"
ADDRESS = "/learn/c/m/lesson"
SECOND = HEAD.format(title="Second") + "The second words.\n"


@pytest.fixture
def root(app: Flask, tmp_path: Path) -> Path:
    module = tmp_path / "content" / "courses" / "c" / "1-m"
    module.mkdir(parents=True)
    (module.parent / "course.md").write_text("---\ntitle: C\nsummary: S.\n---\n\nText.\n")
    (module / "overview.md").write_text("---\ntitle: M\nsummary: S.\ntasks: [1.1 Do]\n---\n\nText.\n")
    (module / "1-lesson.md").write_text(HEAD.format(title="First") + "The first words.\n")
    put_up(app, Shelf(tmp_path / "content"))
    return tmp_path / "content"


@pytest.fixture
def ina(root: Path, promote: Callable[[str], FlaskClient]) -> FlaskClient:
    return promote("ina")


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="(\w*)"', page)
    assert found
    return found[1]


def keep(post: Post, browser: FlaskClient, text: str, address: str = EDIT, **more: str) -> Any:
    page = browser.get(address).text
    sent = {"revision": field(page, "revision"), "origin": field(page, "origin"), "do": "save", **more}
    return post(browser, address, text=text, **sent)


def step(post: Post, browser: FlaskClient, do: str, address: str = EDIT, **more: str) -> int:
    revision = field(browser.get(address).text, "revision")
    sent = {"revision": revision, **more}
    code: int = post(browser, address.replace("/edit/", "/step/"), do=do, **sent).status_code
    return code


def test_a_published_text_takes_the_files_place_until_it_is_given_back(
    app: Flask, ina: FlaskClient, client: FlaskClient, post: Post
) -> None:
    assert "The first words." in ina.get(EDIT).text
    assert keep(post, ina, SECOND).status_code == 303
    assert "The first words." in client.get(ADDRESS).text
    assert step(post, ina, "publish") == 303
    assert "The second words." in client.get(ADDRESS).text
    with app.app_context():
        search_views.refresh(app)
    assert ADDRESS in client.get("/search?q=second").text
    assert keep(post, ina, SECOND.replace("second", "third")).status_code == 303
    assert "The second words." in client.get(ADDRESS).text
    assert step(post, ina, "retire") == 303
    assert "The first words." in client.get(ADDRESS).text


def test_the_file_is_neither_written_nor_mistaken_for_the_published_text(
    app: Flask, root: Path, ina: FlaskClient, post: Post
) -> None:
    before = (root / PATH).read_text()
    keep(post, ina, SECOND)
    step(post, ina, "publish")
    assert (root / PATH).read_text() == before
    shelf = app.extensions["library"]
    assert SECOND not in shelf.sound_texts().values()


def test_another_process_serves_what_was_published(app: Flask, root: Path, ina: FlaskClient, post: Post) -> None:
    other = Shelf(root)
    other.lay_from(Overlay(app.extensions["database"], root))
    assert [page.title for page in other.current().pages()] == ["C", "M", "First"]
    keep(post, ina, SECOND)
    step(post, ina, "publish")
    other.look_again()
    assert [page.title for page in other.current().pages()] == ["C", "M", "Second"]


@pytest.mark.parametrize(
    ("text", "place", "sentence"),
    [
        (SECOND.replace("minutes: 5", "minutes: soon"), (5, 10), "must be a whole number"),
        (SECOND.replace("'1.1'", "'1.2'"), (4, 1), "Task 1.2 is none of this module's"),
        (SECOND + "\n[there](2-gone.md)\n", (10, 9), "2-gone.md"),
        ("No front matter.\n", (1, 1), "must begin with front matter"),
        (SECOND + "\n:::quiz none-1\n", (10, 1), "There is no quiz"),
    ],
)
def test_faults_are_those_of_a_file_at_line_and_column(
    ina: FlaskClient, client: FlaskClient, post: Post, text: str, place: tuple[int, int], sentence: str
) -> None:
    page = html.unescape(post(ina, EDIT.replace("/edit/", "/preview/"), text=text).text)
    assert f'data-line="{place[0]}" data-column="{place[1]}"' in page
    assert sentence in page
    assert keep(post, ina, text).status_code == 303
    assert step(post, ina, "publish") == 409
    assert "The first words." in client.get(ADDRESS).text


def test_the_second_of_two_authors_is_shown_both_texts(ina: FlaskClient, post: Post) -> None:
    seen = {"revision": "0", "origin": field(ina.get(EDIT).text, "origin"), "do": "save"}
    assert post(ina, EDIT, text=SECOND, **seen).status_code == 303
    for revision in ("0", "1"):
        answer = post(ina, EDIT, text=SECOND.replace("second", "third"), **{**seen, "revision": revision})
        assert answer.status_code == (409 if revision == "0" else 303)
        if revision == "0":
            assert '<del dir="auto">second</del><ins dir="auto">third</ins>' in answer.text
    assert '<del dir="auto">second</del><ins dir="auto">third</ins>' in ina.get(f"/studio/pages/history/{PATH}").text


def test_a_colleague_reviews_and_nobody_their_own(
    app: Flask, ina: FlaskClient, promote: Callable[[str], FlaskClient], post: Post
) -> None:
    app.extensions["settings"] = replace(app.extensions["settings"], review="required")
    keep(post, ina, SECOND, do="ask")
    assert step(post, ina, "approve") == 409
    assert step(post, ina, "publish") == 409
    colleague = promote("colin")
    assert step(post, colleague, "return") == 422
    assert step(post, colleague, "return", text="Which words?") == 303
    assert "Which words?" in ina.get(EDIT).text
    assert step(post, ina, "ask") == 303
    assert step(post, colleague, "approve") == 303
    assert step(post, ina, "publish", revision="7") == 409
    assert step(post, ina, "publish") == 303


def test_a_file_that_changed_since_the_draft_was_begun_is_told(root: Path, ina: FlaskClient, post: Post) -> None:
    keep(post, ina, SECOND)
    told = "file has changed since this draft was begun"
    assert told not in ina.get(EDIT).text
    (root / PATH).write_text(HEAD.format(title="First") + "The mended words.\n")
    page = ina.get(EDIT).text
    assert told in page
    assert '<del dir="auto">mended</del><ins dir="auto">second</ins>' in page
    assert step(post, ina, "accept") == 303
    assert told not in ina.get(EDIT).text


def test_an_old_text_comes_back_as_a_new_draft(ina: FlaskClient, post: Post) -> None:
    keep(post, ina, SECOND)
    keep(post, ina, SECOND.replace("second", "third"))
    assert post(ina, f"/studio/pages/restore/{PATH}", restore="1", revision="2").status_code == 303
    assert "The second words." in ina.get(EDIT).text
    assert post(ina, f"/studio/pages/restore/{PATH}", restore="9", revision="3").status_code == 404


def test_a_note_without_a_file_is_begun_and_published(ina: FlaskClient, client: FlaskClient, post: Post) -> None:
    sent = {"title": "It's: new", "month": "2018-03", "slug": "A new note", "kind": "trend"}
    answer = post(ina, "/studio/pages", **sent)
    address = "/studio/pages/edit/notes/2018-03-a-new-note.md"
    assert answer.headers["Location"] == address
    assert "No fault." in ina.get(address).text
    assert client.get("/notes/2018-03-a-new-note").status_code == 404
    assert step(post, ina, "publish", address) == 303
    assert "It&#39;s: new" in client.get("/notes/2018-03-a-new-note").text
    assert step(post, ina, "retire", address) == 303
    assert client.get("/notes/2018-03-a-new-note").status_code == 404
    for wrong in ({}, {"slug": "ново"}, {"month": "2018-13"}, {"kind": "rumour"}, {"title": " "}):
        assert post(ina, "/studio/pages", **{**sent, **wrong}).status_code == 422


@pytest.mark.parametrize("path", ["../config.py", "courses/c/none.md", "courses/../../../config.py", "courses/c"])
def test_only_pages_of_the_content_are_opened(ina: FlaskClient, post: Post, path: str) -> None:
    for name in ("edit", "history"):
        assert ina.get(f"/studio/pages/{name}/{path}").status_code == 404
    assert post(ina, f"/studio/pages/edit/{path}", text=SECOND, do="save").status_code == 404


@pytest.mark.parametrize("payload", ["<script>alert(1)</script>", "[x](javascript:alert(1))", "</textarea><img src=x>"])
def test_a_preview_shows_markup_as_text(ina: FlaskClient, post: Post, payload: str) -> None:
    page = post(ina, EDIT, text=SECOND + payload, revision="0", do="preview").text.partition("<main")[2]
    assert "<script" not in page
    assert "<img" not in page
    assert 'href="javascript' not in page


@pytest.mark.parametrize("address", ["/studio/pages", EDIT, f"/studio/pages/history/{PATH}"])
def test_drafts_are_for_instructors(
    ina: FlaskClient, people: Callable[[str], FlaskClient], post: Post, address: str
) -> None:
    keep(post, ina, SECOND)
    assert ina.get(address).status_code == 200
    assert people("lena").get(address).status_code == 403


@pytest.mark.parametrize(
    "address",
    ["/studio/pages", EDIT, STEP, EDIT.replace("/edit/", "/preview/"), EDIT.replace("/edit/", "/restore/")],
)
def test_learners_change_nothing(
    ina: FlaskClient, people: Callable[[str], FlaskClient], post: Post, address: str
) -> None:
    assert post(people("lena"), address, text="mine", do="publish").status_code == 403
    assert ina.post(address, data={"text": "mine"}).status_code == 403
