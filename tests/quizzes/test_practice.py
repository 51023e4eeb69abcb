"""Drills over HTTP: what is asked, what is never asked, and what is kept of the answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from db import database
from quizzes.models import PracticeRow
from quizzes.routes import exams

Post = Callable[..., object]
START = datetime(2018, 2, 12, 9, 0, tzinfo=UTC)
COURSE = "solutions-architect-associate"


def _asked(page: str) -> str:
    found = re.search(r'name="question" value="([^"]+)"', page)
    assert found
    return found[1]


def test_a_drill_asks_tells_why_and_leads_on(app: Flask, client: FlaskClient, post: Post) -> None:
    address = f"/drills/{COURSE}?task=1.2"
    page = client.get(address).text
    first = _asked(page)
    with app.test_request_context():
        item = exams().items[first]
    assert item.question.task == "1.2"
    assert item.key.rationales[0][1][:30] not in page
    key = "".join(sorted(item.key.correct))
    answer = post(client, address, question=first, answer=list(key)).text
    assert "✓ right" in answer
    assert "Next question" in answer
    assert _asked(client.get(address).text) != first


def test_a_drill_by_tag_asks_items_with_that_tag(app: Flask, client: FlaskClient) -> None:
    page = client.get("/drills").text
    tag, count = re.findall(
        rf'href="/drills/{COURSE}\?tag=([a-z0-9-]+)" lang="en">[^<]+</a> <span class="meta">(\d+)', page
    )[0]
    with app.test_request_context():
        tagged = {
            one for one, item in exams().items.items() if tag in item.question.tags and item.question.course == COURSE
        }
    assert len(tagged) == int(count) >= 3
    assert _asked(client.get(f"/drills/{COURSE}?tag={tag}").text) in tagged
    assert client.get(f"/drills/{COURSE}?tag=no-such-tag").status_code == 404


def test_a_drill_gives_partial_credit_and_keeps_it(app: Flask, client: FlaskClient, post: Post) -> None:
    with app.test_request_context():
        items = [item for item in exams().items.values() if item.question.course == COURSE]
        item = next(one for one in items if one.question.type == "multiple-response")
    half = min(item.key.correct)
    answer = post(client, f"/drills/{COURSE}", question=item.question.id, answer=half).text
    assert "✗ not right" in answer
    assert "50 percent of the credit" in answer
    with app.app_context(), database().reading() as connection:
        row = connection.execute(select(PracticeRow.answer, PracticeRow.correct, PracticeRow.credit)).one()
    assert tuple(row) == (half, False, 0.5)


def test_a_mistake_comes_again_until_it_is_answered_right(app: Flask, client: FlaskClient, post: Post) -> None:
    mistakes = f"/drills/{COURSE}?only=mistakes"
    assert "Nothing to ask" in client.get(mistakes).text
    asked = _asked(client.get(f"/drills/{COURSE}").text)
    with app.test_request_context():
        item = exams().items[asked]
    wrong = next(option.letter for option in item.question.options if option.letter not in item.key.correct)
    assert "✗ not right" in post(client, f"/drills/{COURSE}", question=asked, answer=wrong).text
    assert "1 mistake again" in client.get("/drills").text
    assert _asked(client.get(mistakes).text) == asked
    post(client, mistakes, question=asked, answer=sorted(item.key.correct))
    assert "Nothing to ask" in client.get(mistakes).text


def test_what_was_left_open_in_an_exam_is_a_mistake_once_it_is_over(begin: Callable[..., object], app: Flask) -> None:
    learner = begin()
    learner.answer(1, learner.key(1))
    first = learner.sitting().items[0].question.id
    page = learner.client.get(f"/drills/{COURSE}?only=mistakes").text
    assert "Nothing to ask" in page
    learner.submit()
    assert "64 mistakes again" in learner.client.get("/drills").text
    assert first not in learner.client.get(f"/drills/{COURSE}?only=mistakes").text


def test_no_drill_tells_the_key_of_a_running_exam(begin: Callable[..., object], post: Post) -> None:
    learner = begin()
    inside = {item.question.id for item in learner.sitting().items}
    for _ in range(3):
        asked = _asked(learner.client.get(f"/drills/{COURSE}").text)
        assert asked not in inside
        post(learner.client, f"/drills/{COURSE}", question=asked, answer="a")
    answer = post(learner.client, f"/drills/{COURSE}", question=min(inside), answer="a")
    assert answer.status_code == 404


def test_checks_of_lessons_are_not_drilled(client: FlaskClient, post: Post) -> None:
    assert post(client, f"/drills/{COURSE}", question="saa-check-101", answer="a").status_code == 404


def test_an_empty_answer_is_asked_again_and_a_wrong_address_is_said(client: FlaskClient, post: Post) -> None:
    asked = _asked(client.get("/drills/today").text)
    assert post(client, "/drills/today", question=asked).headers["Location"] == "/drills/today"
    assert client.get(f"/drills/{COURSE}?task=9.9").status_code == 404
    assert client.get(f"/drills/{COURSE}?domain=x").status_code == 404
    assert client.get("/drills/no-course").status_code == 404


def test_a_guests_drills_come_along(client: FlaskClient, post: Post, people: Callable[[str], FlaskClient]) -> None:
    people("ada")
    asked = _asked(client.get(f"/drills/{COURSE}?task=1.1").text)
    post(client, f"/drills/{COURSE}?task=1.1", question=asked, answer="a")
    post(client, "/sign-in", email="ada@example.org", password="a calm long sentence")
    assert _asked(client.get(f"/drills/{COURSE}?task=1.1").text) != asked
