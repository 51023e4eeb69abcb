"""The studio in use: write, review, publish, drill; two authors at once; who may come in; and nothing that runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from content.workflow import Signature
from quizzes.authoring import history, store, whole_store
from quizzes.corrections import store as corrections
from quizzes.corrections.replay import Ruling
from quizzes.pool import questions
from quizzes.routes import exams

Post = Callable[..., Any]
COURSE = "solutions-architect-associate"
ITEM = "/studio/items/caches-1"
TEXT = "## caches-1\n\nWhich cache is it, {0}?\n\n- [x] This\n  > It is.\n- [ ] That\n  > It is not.\n"


@pytest.fixture
def ina(promote: Callable[[str], FlaskClient]) -> FlaskClient:
    return promote("ina")


@pytest.fixture
def written(ina: FlaskClient, post: Post) -> FlaskClient:
    """Ina, who has written the first item of a bank."""
    assert post(ina, "/studio/banks", title="Caches", course=COURSE, pool="exam").status_code == 303
    answer = post(ina, "/studio/banks/caches/new", text=TEXT.format("friend"), do="save")
    assert answer.headers["Location"] == ITEM, answer.text
    return ina


def drilled(app: Flask) -> list[str]:
    with app.app_context():
        return [exams().items[name].question.stem for name in ("caches-1",) if name in exams().items]


def step(post: Post, browser: FlaskClient, do: str, **fields: object) -> int:
    revision = re.search(r'name="revision" value="(\d+)"', browser.get(ITEM).text)
    assert revision
    code: int = post(browser, f"{ITEM}/step", do=do, **{"revision": revision[1], **fields}).status_code
    return code


def test_a_colleague_reviews_the_author_publishes_and_learners_drill(
    app: Flask, written: FlaskClient, promote: Callable[[str], FlaskClient], client: FlaskClient, post: Post
) -> None:
    colleague = promote("colin")
    assert step(post, written, "ask") == 303
    assert "caches-1" in colleague.get("/studio/reviews").text
    assert step(post, written, "approve") == 409
    assert step(post, colleague, "return") == 422
    assert step(post, colleague, "return", text="Say which cache.") == 303
    assert "Say which cache." in written.get(ITEM).text
    assert step(post, written, "ask") == 303
    assert step(post, colleague, "approve") == 303
    assert drilled(app) == []
    assert step(post, written, "publish") == 303
    assert drilled(app) == ["Which cache is it, friend?"]
    answer = post(client, f"/drills/{COURSE}", question="caches-1", answer="a")
    assert "It is not." in answer.text
    assert 'href=""' not in answer.text


def test_learners_keep_what_was_published_until_the_new_text_is_and_none_of_what_is_retired(
    app: Flask, written: FlaskClient, post: Post
) -> None:
    step(post, written, "publish")
    post(written, ITEM, text=TEXT.format("foe"), revision="1", do="save")
    assert drilled(app) == ["Which cache is it, friend?"]
    step(post, written, "publish")
    assert drilled(app) == ["Which cache is it, foe?"]
    step(post, written, "retire")
    assert drilled(app) == []


def test_an_item_without_a_task_is_in_no_exams_pool(app: Flask, written: FlaskClient, post: Post) -> None:
    with app.app_context():
        before = len(questions(exams().banks, COURSE))
    step(post, written, "publish")
    with app.app_context():
        assert len(questions(exams().banks, COURSE)) == before
    fields = "**Task** 1.1 · **Difficulty** easy\n\nWhich"
    post(written, ITEM, text=TEXT.format("friend").replace("Which", fields), revision="1", do="save")
    step(post, written, "publish")
    with app.app_context():
        assert len(questions(exams().banks, COURSE)) == before + 1


def test_another_process_learns_of_a_publication(app: Flask, written: FlaskClient, post: Post) -> None:
    assert drilled(app) == []
    known = app.extensions["published"]
    step(post, written, "publish")
    drilled(app)
    # A process that has not seen the publication still holds what it knew before.
    app.extensions["published"] = known
    assert drilled(app) == ["Which cache is it, friend?"]


def test_a_new_title_of_a_bank_reaches_every_process(app: Flask, written: FlaskClient, post: Post) -> None:
    step(post, written, "publish")
    drilled(app)
    database = app.extensions["database"]
    with database.writing() as connection:
        bank = store.find_bank(connection, "caches")
        whole_store.keep_bank(connection, bank, "Caches of the house", bank.cases)
    with app.app_context():
        assert "Caches of the house" in [bank.title for bank in exams().banks]


def test_where_a_review_is_required_a_draft_is_not_published(app: Flask, written: FlaskClient, post: Post) -> None:
    app.extensions["settings"] = replace(app.extensions["settings"], review="required")
    assert step(post, written, "publish") == 409
    assert drilled(app) == []


def test_the_second_of_two_authors_is_shown_both_texts(written: FlaskClient, post: Post) -> None:
    assert post(written, ITEM, text=TEXT.format("first"), revision="1", do="save").status_code == 303
    answer = post(written, ITEM, text=TEXT.format("second"), revision="1", do="save")
    assert answer.status_code == 409
    assert '<del dir="auto">first</del>' in answer.text
    assert '<ins dir="auto">second</ins>' in answer.text
    assert "Which cache is it, first?" in written.get(ITEM).text


def test_a_decision_on_a_text_that_has_changed_is_refused(app: Flask, written: FlaskClient, post: Post) -> None:
    post(written, ITEM, text=TEXT.format("first"), revision="1", do="save")
    assert step(post, written, "publish", revision="1") == 409
    assert drilled(app) == []


def test_an_old_text_comes_back_as_a_new_draft_and_the_history_keeps_all(written: FlaskClient, post: Post) -> None:
    post(written, ITEM, text=TEXT.format("foe"), revision="1", do="save")
    page = written.get(f"{ITEM}/history").text
    assert '<del dir="auto">friend</del><ins dir="auto">foe</ins>' in page
    post(written, f"{ITEM}/restore", restore="1", revision="2")
    assert "Which cache is it, friend?" in written.get(ITEM).text
    assert written.get(f"{ITEM}/history?from=2&to=3").text.count("version ") >= 3
    assert written.get(f"{ITEM}/history?from=8&to=9").status_code == 404


def test_a_text_with_faults_is_kept_and_not_published(app: Flask, written: FlaskClient, post: Post) -> None:
    assert post(written, ITEM, text="## caches-1\n\nHalf a", revision="1", do="save").status_code == 303
    assert "Half a" in written.get(ITEM).text
    assert step(post, written, "publish") == 409


def test_a_courses_question_is_copied_as_a_draft_that_tells_its_source(
    app: Flask, written: FlaskClient, post: Post
) -> None:
    with app.app_context():
        source = next(item.question for bank in exams().banks for item in bank.items if item.question.lesson)
    answer = post(written, "/studio/banks/caches/copy", question=source.id)
    page = written.get(answer.headers["Location"]).text
    assert f"caches-{source.id}" in page
    assert "copied it from" in page
    assert post(written, "/studio/banks/caches/copy", question="nothing-1").status_code == 404


@pytest.mark.parametrize(
    "payload",
    ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", "</textarea><script>"],
)
def test_a_preview_shows_markup_as_text(written: FlaskClient, post: Post, payload: str) -> None:
    text = TEXT.format("friend").replace("Which", f"{payload} which").replace("- [x] This", f"- [x] This {payload}")
    for page in (
        post(written, "/studio/preview/caches", text=text, question="caches-1").text,
        post(written, ITEM, text=text, revision="1", do="preview").text,
    ):
        main = page.partition("<main")[2] or page
        assert "<script" not in main
        assert "<img" not in main
        assert 'href="javascript' not in main


@pytest.mark.parametrize("address", ["/studio", "/studio/banks/caches", ITEM, f"{ITEM}/history", "/studio/reviews"])
def test_the_studio_is_for_instructors(
    written: FlaskClient, people: Callable[[str], FlaskClient], client: FlaskClient, address: str
) -> None:
    assert written.get(address).status_code == 200
    assert people("lena").get(address).status_code == 403
    assert "/sign-in" in client.get(address).headers["Location"]


@pytest.mark.parametrize("address", [ITEM, f"{ITEM}/step", f"{ITEM}/restore", "/studio/preview/caches"])
def test_learners_change_nothing(
    written: FlaskClient, people: Callable[[str], FlaskClient], post: Post, address: str
) -> None:
    answer = post(people("lena"), address, text="mine", revision="1", do="publish")
    assert answer.status_code == 403
    assert written.post(address, data={"text": "mine"}).status_code == 403


def test_what_is_drawn_of_a_corrected_item_is_the_version_that_was_published(
    app: Flask, written: FlaskClient, post: Post
) -> None:
    assert step(post, written, "publish") == 303
    with app.extensions["database"].writing() as connection:
        draft = store.find_draft(connection, "caches-1")
        assert draft is not None
        (version,) = corrections.versions(connection, "caches-1")
        by = Signature(None, app.extensions["clock"]())
        corrections.apply(connection, version, Ruling("key", frozenset("b")), [], ("So.", by))
        drawn = [item.fingerprint() for bank in history.published(connection) for item in bank.items]
    assert drawn == [draft.fingerprint]
