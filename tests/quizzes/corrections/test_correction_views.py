"""A learner objects, an instructor answers and corrects the key, and everybody whom it concerns is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from quizzes.corrections import store
from quizzes.models import AttemptRow
from quizzes.questions import Item


@pytest.fixture
def ada(promote: Callable[[str], FlaskClient]) -> FlaskClient:
    return promote("Ada")


def place_of_a_choice(learner: object) -> int:
    items: tuple[Item, ...] = learner.sitting().items  # type: ignore[attr-defined]
    return next(n for n, one in enumerate(items, 1) if one.question.type == "multiple-choice")


def wrong(item: Item) -> str:
    return next(one.letter for one in item.question.options if one.letter not in item.key.correct)


@pytest.fixture
def closed(people: Callable[[str], FlaskClient], begin: Callable[..., object]) -> object:
    """Ben's closed attempt, in which one place was answered otherwise than the key says."""
    learner = begin(people("Ben"), form="7")
    place = place_of_a_choice(learner)
    learner.answer(place, wrong(learner.sitting().items[place - 1]))  # type: ignore[attr-defined]
    learner.submit()  # type: ignore[attr-defined]
    learner.place = place  # type: ignore[attr-defined]
    return learner


def scaled(app: Flask, attempt_id: int) -> int:
    with app.extensions["database"].reading() as connection:
        found: int = connection.execute(select(AttemptRow.scaled).where(AttemptRow.id == attempt_id)).scalar_one()
    return found


def weigh(ada: FlaskClient, post: Callable[..., TestResponse], closed: object, **fields: object) -> TestResponse:
    item = closed.sitting().items[closed.place - 1]  # type: ignore[attr-defined]
    sent = {"version": closed.sitting().attempt.form[closed.place - 1][0], "kind": "key", **fields}  # type: ignore[attr-defined]
    return post(ada, f"/studio/replay/{item.question.id}", **sent)


def test_a_correction_is_seen_before_it_is_made_and_told_after(
    app: Flask, ada: FlaskClient, post: Callable[..., TestResponse], closed: object
) -> None:
    answer = wrong(closed.sitting().items[closed.place - 1])  # type: ignore[attr-defined]
    before = scaled(app, closed.attempt_id)  # type: ignore[attr-defined]
    page = weigh(ada, post, closed, correct=answer).text
    assert "Of 1 closed attempts, 1 gain and 0 lose" in page
    assert "Ben" in page
    assert scaled(app, closed.attempt_id) == before  # type: ignore[attr-defined]
    seen = {"correct": answer, "apply": "1", "seen": "1-1-0-0-0"}
    assert weigh(ada, post, closed, **seen).status_code == 400
    assert weigh(ada, post, closed, reason="The guide says so.", **seen).status_code == 303
    after = scaled(app, closed.attempt_id)  # type: ignore[attr-defined]
    assert after > before
    assert closed.sitting().report().scaled == after  # type: ignore[attr-defined]
    ben = closed.client  # type: ignore[attr-defined]
    assert "A corrected key has changed your score" in ben.get("/").text
    assert f"from {before} to {after}" in ben.get(f"{closed.address}/report").text  # type: ignore[attr-defined]
    assert "A corrected key has changed your score" not in ben.get("/").text
    assert "The guide says so." in ben.get(f"{closed.address}/review").text  # type: ignore[attr-defined]
    assert "The guide says so." in ada.get("/studio/replay").text


def test_figures_that_are_no_longer_true_are_shown_anew(
    ada: FlaskClient, post: Callable[..., TestResponse], closed: object
) -> None:
    answer = wrong(closed.sitting().items[closed.place - 1])  # type: ignore[attr-defined]
    stale = weigh(ada, post, closed, correct=answer, apply="1", reason="So.", seen="0-0-0-0-0")
    assert stale.status_code == 409
    assert "these are the figures now" in stale.text


def test_a_question_that_counts_in_no_score_is_left_out_of_reports(
    app: Flask, ada: FlaskClient, post: Callable[..., TestResponse], closed: object
) -> None:
    total = closed.sitting().report().total  # type: ignore[attr-defined]
    weigh(ada, post, closed, kind="drop", apply="1", reason="Two are right.", seen="1-0-0-0-0")
    report = closed.sitting().report()  # type: ignore[attr-defined]
    assert (report.total, report.scaled) == (total - 1, scaled(app, closed.attempt_id))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"kind": "burn"}, "Choose what shall happen"), ({"correct": "z"}, "Tick the options"), ({}, "Tick the options")],
)
def test_a_ruling_that_makes_no_sense_is_refused(
    ada: FlaskClient, post: Callable[..., TestResponse], closed: object, fields: dict[str, str], words: str
) -> None:
    answer = weigh(ada, post, closed, **fields)
    assert (answer.status_code, words in answer.text) == (400, True)


def test_an_objection_is_answered_and_the_answer_read(
    ada: FlaskClient, post: Callable[..., TestResponse], closed: object
) -> None:
    ben, address = closed.client, closed.address  # type: ignore[attr-defined]
    sent = {"place": closed.place, "reason": "The <b>guide</b> differs.", "source": "page 3"}  # type: ignore[attr-defined]
    assert post(ben, f"{address}/disputes", **sent).status_code == 303
    post(ben, f"{address}/disputes", **{**sent, "reason": "The guide differs, on page 3."})
    assert ada.get("/studio/disputes").text.count("waits for an answer") == 1
    page = ada.get("/studio/disputes/1").text
    assert "The guide differs, on page 3." in page
    assert post(ada, "/studio/disputes/1", verdict="upheld").status_code == 400
    assert post(ada, "/studio/disputes/1", verdict="upheld", answer="It does; the key follows.").status_code == 303
    assert post(ada, "/studio/disputes/1", verdict="declined", answer="No.").status_code == 409
    assert "Your objection was answered" in ben.get("/").text
    assert "It does; the key follows." in ben.get(f"{address}/review").text
    assert "Your objection was answered" not in ben.get("/").text


def test_nobody_objects_to_an_attempt_of_somebody_else_or_one_that_runs(
    people: Callable[[str], FlaskClient],
    post: Callable[..., TestResponse],
    closed: object,
    begin: Callable[..., object],
) -> None:
    eve = people("Eve")
    assert post(eve, f"{closed.address}/disputes", place=1, reason="Mine.").status_code == 404  # type: ignore[attr-defined]
    running = begin(eve)
    assert post(eve, f"{running.address}/disputes", place=1, reason="Mine.").status_code == 404  # type: ignore[attr-defined]
    for page in ("/studio/replay", "/studio/replay/saa-1-001", "/studio/disputes", "/studio/disputes/1"):
        assert eve.get(page).status_code == 403


def test_a_drill_marks_by_the_corrected_key(
    app: Flask,
    ada: FlaskClient,
    post: Callable[..., TestResponse],
    closed: object,
    people: Callable[[str], FlaskClient],
) -> None:
    item = closed.sitting().items[closed.place - 1]  # type: ignore[attr-defined]
    answer = wrong(item)
    weigh(ada, post, closed, correct=answer, apply="1", reason="So.", seen="1-1-0-0-0")
    eve = people("Eve")
    page = post(eve, f"/drills/{item.question.course}", question=item.question.id, answer=answer)
    assert 'class="tag good">✓ right' in page.text
    with app.extensions["database"].reading() as connection:
        assert [one.ruling.kind for one in store.corrections(connection)] == ["key"]
