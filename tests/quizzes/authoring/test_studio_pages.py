"""The studio's form, who is editing what, remarks on lines, pages in reviews, and banks that are sat as exams."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from quizzes.routes import exams
from tests.conftest import MovableClock
from tests.quizzes.authoring.test_authoring_views import COURSE, ITEM, TEXT, step

Post = Callable[..., Any]
PAGE = "/studio/pages/edit/notes/2018-01-tri-bilborda.md"
FIELDS = {
    "id": "caches-1",
    "stem": "Which cache is it?",
    "rows": "2",
    "option-1": "This",
    "right-1": "yes",
    "reason-1": "It is.",
    "option-2": "That",
}


@pytest.fixture
def ina(promote: Callable[[str], FlaskClient], post: Post) -> FlaskClient:
    """Ina, who has begun a bank."""
    browser = promote("ina")
    assert post(browser, "/studio/banks", title="Caches", course=COURSE, pool="exam").status_code == 303
    return browser


@pytest.fixture
def written(ina: FlaskClient, post: Post) -> FlaskClient:
    """Ina, who has written the first item of the bank, which exams may ask."""
    text = TEXT.format("friend").replace("Which", "**Task** 1.1 · **Difficulty** easy\n\nWhich")
    assert post(ina, "/studio/banks/caches/new", text=text, do="save").status_code == 303
    return ina


def markdown_of(browser: FlaskClient) -> str:
    found = re.search(r'<textarea id="text"[^>]*>\n(.*?)</textarea>', browser.get(f"{ITEM}?as=text").text, re.DOTALL)
    assert found
    return found[1]


def test_a_form_is_kept_as_the_same_item_and_another_author_is_told(ina: FlaskClient, post: Post) -> None:
    answer = post(ina, "/studio/banks/caches/new", **FIELDS, kind="choice", do="save")
    assert answer.headers["Location"] == ITEM, answer.text
    text = markdown_of(ina)
    assert text == "## caches-1\n\nWhich cache is it?\n\n- [x] This\n  &gt; It is.\n- [ ] That\n"
    assert 'value="This"' in ina.get(f"{ITEM}?as=form").text
    # The view that was chosen last is the one in which the next item opens.
    assert 'name="option-1"' in ina.get(ITEM).text
    changed = {**FIELDS, "option-2": "Another", "revision": "1"}
    assert post(ina, ITEM, **changed, do="save").status_code == 303
    answer = post(ina, ITEM, **{**changed, "option-2": "A third"}, do="save")
    assert answer.status_code == 409
    assert 'value="A third"' in answer.text
    assert '<del dir="auto">Another</del><ins dir="auto">A third</ins>' in answer.text
    assert "- [ ] Another" in markdown_of(ina)


@pytest.mark.parametrize(
    ("sent", "shown", "focus"),
    [
        ({"do": "add"}, 'name="option-3"', "option-3"),
        ({"do": "up-2"}, 'name="option-1" value="That"', "option-1"),
        ({"do": "remove-1"}, 'name="option-1" value="That"', "option-1"),
        ({"do": "kind", "kind": "numeric"}, 'name="answer" value=""', "answer"),
        ({"do": "kind", "kind": "text"}, "one a line", "answer"),
        ({"do": "kind", "kind": "ordering"}, "Step 2", "option-1"),
        ({"do": "kind", "kind": "matching"}, 'name="partner-2"', "option-1"),
    ],
)
def test_every_button_of_the_form_works_without_a_script_and_keeps_nothing(
    written: FlaskClient, post: Post, sent: dict[str, str], shown: str, focus: str
) -> None:
    before = markdown_of(written)
    page = post(written, ITEM, **{**FIELDS, "revision": "1", **sent}).text
    assert shown in page
    assert re.findall(r'<(?:input|textarea|button)[^>]* id="([a-z0-9-]+)"[^>]*autofocus', page) == [focus]
    assert markdown_of(written) == before


def test_what_is_written_in_one_view_goes_to_the_other_unkept(written: FlaskClient, post: Post) -> None:
    text = post(written, ITEM, **{**FIELDS, "stem": "Which one?", "revision": "1"}, do="text").text
    assert "Which one?\n\n- [x] This" in text
    page = post(written, ITEM, text="## caches-1\n\nWhich now?\n\n- [ ] It\n", revision="1", do="form").text
    assert "Which now?</textarea>" in page
    assert 'name="option-1" value="It"' in page
    page = post(written, ITEM, text="## caches-1\n\nWhich now?\n\n- [ ] It\n\nstray\n", revision="1", do="form").text
    assert "cannot be shown as a form" in page
    assert "stray\n</textarea>" in page


def test_a_field_that_would_be_read_as_something_else_is_not_kept(written: FlaskClient, post: Post) -> None:
    before = markdown_of(written)
    answer = post(written, ITEM, **{**FIELDS, "stem": "Which?\n- [x] This one", "revision": "1"}, do="save")
    assert answer.status_code == 422
    assert "- [x] This one</textarea>" in answer.text
    assert markdown_of(written) == before


@pytest.mark.parametrize("payload", ['"><script>alert(1)</script>', "</textarea><img src=x onerror=alert(1)>"])
def test_a_form_shows_markup_as_text(written: FlaskClient, post: Post, payload: str) -> None:
    sent = dict.fromkeys(("stem", "option-1", "reason-1", "task", "lesson", "tags", "explanation", "today"), payload)
    for page in (
        post(written, ITEM, **{**FIELDS, **sent, "revision": "1"}, do="preview").text,
        post(written, "/studio/preview/caches", **{**FIELDS, **sent, "question": "caches-1"}).text,
    ):
        main = page.partition("<main")[2] or page
        assert "<script" not in main
        assert "<img" not in main


def test_a_finding_in_the_form_leads_to_its_field(written: FlaskClient, post: Post) -> None:
    sent = {**FIELDS, "task": "9.9", "option-2": "This", "question": "caches-1"}
    page = post(written, "/studio/preview/caches", **sent).text
    assert '<a href="#option-2">Option 2</a>' in page
    page = post(written, "/studio/preview/caches", **{**sent, "option-2": "That"}).text
    assert '<a href="#task">Domain and task</a>' in page


def test_a_finding_in_the_form_stands_at_its_field_too_and_the_summary_comes_first(
    written: FlaskClient, post: Post
) -> None:
    sent = {**FIELDS, "option-2": "This", "revision": "1"}
    page = post(written, ITEM, **sent, do="preview").text
    assert re.search(r'<section id="findings"[^>]* tabindex="-1" autofocus>', page)
    assert page.index('<a href="#option-2">') < page.index('id="stem"')
    assert re.search(r'id="option-2"[^>]* aria-describedby="found-option-2" aria-invalid="true"', page)
    assert (
        '<p class="found" id="found-option-2" data-field="option-2"><span class="bad-words" lang="en">This is' in page
    )
    # Advice is no fault of its field, and help and findings describe a field together.
    page = post(written, ITEM, **{**sent, "option-2": "That"}, do="preview").text
    assert re.search(r'id="lesson"[^>]* aria-describedby="found-lesson">', page)
    assert 'id="found-lesson" data-field="lesson"><span lang="en">Without a section' in page
    assert 'aria-describedby="tags-help found-tags"' in page
    assert 'aria-invalid="true"' not in page
    # In Markdown the same finding speaks of the line.
    assert "the same as the one at line" in post(written, ITEM, **sent, do="text").text


def test_a_torn_field_is_named(written: FlaskClient, post: Post) -> None:
    page = post(written, ITEM, **{**FIELDS, "reason-2": "**Finding** it", "revision": "1"}, do="save").text
    assert '<a href="#reason-2">Option 2: Why it is right or wrong</a>' in page
    assert "A line here begins with what has a meaning in an item" in page


def test_who_is_editing_is_told_in_the_editor_and_the_lists_for_two_minutes(
    written: FlaskClient, promote: Callable[[str], FlaskClient], post: Post, clock: MovableClock
) -> None:
    colin = promote("colin")
    for place, preview, lists in (
        (ITEM, "/studio/preview/caches", "/studio/banks/caches"),
        (PAGE, PAGE.replace("edit", "preview", 1), "/studio/pages"),
    ):
        assert "is editing this too" not in written.get(place).text
        assert "ina is editing this too" in colin.get(place).text
        assert "colin is editing this" in written.get(lists).text
        assert "colin is editing this" not in colin.get(lists).text
        # A preview tells it too, and is heard of.
        clock.advance(seconds=90)
        assert "colin is editing this too" in post(written, preview, text="…", question="caches-1").text
        clock.advance(seconds=90)
        assert "ina is editing this too" in post(colin, preview, text="…", question="caches-1").text
        clock.advance(seconds=121)
        assert "is editing this" not in written.get(lists).text


def test_a_remark_stands_with_the_line_that_it_is_on_as_it_was_then(
    written: FlaskClient, promote: Callable[[str], FlaskClient], post: Post
) -> None:
    colin = promote("colin")
    lines = re.findall(
        r'<input type="radio" name="line" value="(\d*)"[^>]*>(?: <code lang="en">(.*?)</code>)?', colin.get(ITEM).text
    )
    assert lines[0] == ("", "")
    assert ("5", "Which cache is it, friend?") in lines
    assert "" not in [words for number, words in lines if number]
    assert step(post, colin, "comment", text="Which friend?", line="5") == 303
    assert step(post, colin, "comment", text="On no line.", line="900") == 303
    post(written, ITEM, text=TEXT.format("foe"), revision="1", do="save")
    page = written.get(ITEM).text
    assert '<span class="meta">Line 5</span> <code lang="en">Which cache is it, friend?</code>' in page
    assert page.count('class="on-line"') == 1


def test_pages_in_review_stand_beside_items(
    written: FlaskClient, promote: Callable[[str], FlaskClient], post: Post
) -> None:
    text = re.search(r'<textarea id="text"[^>]*>\n(.*?)</textarea>', written.get(PAGE).text, re.DOTALL)
    assert text
    post(written, PAGE, text="---\ntitle: Mine\n---\n", revision="0", do="ask")
    step(post, written, "ask")
    colin = promote("colin")
    assert "2 texts wait for your review" in colin.get("/studio").text
    waiting = colin.get("/studio/reviews").text.partition("Yours, waiting")[0]
    assert f'href="{PAGE}"' in waiting
    assert f'href="{ITEM}"' in waiting
    own = written.get("/studio/reviews").text.partition("Yours, waiting")[2]
    assert f'href="{PAGE}"' in own


def test_a_published_bank_is_sat_as_an_exam_assigned_and_withdrawn(
    app: Flask, written: FlaskClient, client: FlaskClient, post: Post
) -> None:
    offer = "/studio/banks/caches/exam"
    assert post(written, offer, minutes="0", cut="700").status_code == 422
    assert post(written, offer, minutes="15", cut="600").status_code == 303
    # Without a published item it says what it lacks.
    assert "cannot be drawn yet" in client.get("/exams/bank-1").text
    assert step(post, written, "publish") == 303
    assert "1 question in 15 minutes: the whole bank." in client.get("/exams/bank-1").text
    assert "bank-1" in client.get("/exams").text
    started = post(client, "/exams/bank-1/attempts").headers["Location"]
    assert post(client, f"{started}/submit").status_code == 303
    # The item has no lesson to lead to; the report can be read all the same.
    assert "Caches" in client.get(f"{started}/report").text
    post(written, "/studio/cohorts", title="Winter", zone="UTC")
    assert '<option value="exam:bank-1"' in written.get("/studio/cohorts/1/assignments").text
    post(written, "/studio/cohorts/1/assignments", what="exam:bank-1", counts="best")
    assert "Caches" in written.get("/studio/cohorts/1").text
    assert post(written, offer, do="withdraw").status_code == 303
    assert "bank-1" not in client.get("/exams").text.partition("Your attempts")[0]
    assert post(client, "/exams/bank-1/attempts").status_code == 409
    assert client.get(f"{started}/report").status_code == 200
    with app.app_context():
        found = exams().find("bank-1")
        assert found is not None
        assert (found.items, found.minutes, found.cut, found.offered) == (1, 15, 600, False)


def test_another_process_learns_that_a_bank_is_offered(app: Flask, written: FlaskClient, post: Post) -> None:
    with app.app_context():
        assert exams().find("bank-1") is None
    known = app.extensions["published"]
    post(written, "/studio/banks/caches/exam", minutes="15", cut="600")
    app.extensions["published"] = known
    with app.app_context():
        assert exams().find("bank-1") is not None
