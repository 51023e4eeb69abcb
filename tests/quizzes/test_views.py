"""A sitting over HTTP: what is saved, what counts, what never leaks, and whose it is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from quizzes.routes import exams
from tests.conftest import MovableClock
from tests.quizzes.conftest import Learner
from web.schedule import sweep

Begin = Callable[..., Learner]


def test_the_drawn_exam_has_65_items_by_weight(begin: Begin) -> None:
    sitting = begin().sitting()
    assert Counter(item.question.domain for item in sitting.items) == {1: 22, 2: 16, 3: 17, 4: 6, 5: 4}


def test_it_answers_a_save_with_exactly_what_it_stores(begin: Begin) -> None:
    learner = begin()
    reply = learner.answer(7, "b", flagged=True).get_json()
    assert reply["stored"] == [{"place": 7, "revision": 1, "answer": "b", "flagged": True, "late": False}]
    assert reply["deadline"] - reply["now"] == 130 * 60 * 1000
    page = learner.client.get(learner.address).text
    assert 'aria-label="Question 7, answered, flagged"' in page


def test_an_older_change_never_overwrites_a_newer_one(begin: Begin) -> None:
    learner = begin()
    newer = {"place": 1, "revision": 5, "answer": "a", "flagged": False, "stamp": None}
    older = {"place": 1, "revision": 4, "answer": "b", "flagged": True, "stamp": None}
    for change in (newer, older, older, newer):
        stored = learner.send(change).get_json()["stored"]
    assert stored == [{"place": 1, "revision": 5, "answer": "a", "flagged": False, "late": False}]


def test_many_changes_travel_together(begin: Begin) -> None:
    learner = begin()
    changes = [{"place": n, "revision": 1, "answer": "a", "flagged": False, "stamp": None} for n in range(1, 66)]
    assert len(learner.send(*changes).get_json()["stored"]) == 65


def test_of_two_changes_of_one_answer_the_newer_is_stored_and_told(begin: Begin) -> None:
    learner = begin()
    changes = [{"place": 1, "revision": n, "answer": "ab"[n - 1], "flagged": False, "stamp": None} for n in (1, 2)]
    stored = learner.send(*changes).get_json()["stored"]
    assert [(one["revision"], one["answer"]) for one in stored] == [(2, "b")]
    assert learner.sitting().kept()[1].answer == "b"


def test_an_answer_given_in_time_counts_for_sixty_seconds_and_a_late_one_is_kept_unscored(
    begin: Begin, clock: MovableClock
) -> None:
    learner = begin()
    end = learner.sitting().attempt.clock.deadline
    stamp = int(end.timestamp() * 1000) - 5_000
    clock.now = end
    clock.advance(seconds=30)
    assert learner.answer(1, learner.key(1), stamp=stamp).get_json()["stored"][0]["late"] is False
    assert learner.answer(2, learner.key(2), stamp=stamp + 10_000).get_json()["stored"][0]["late"] is True
    clock.advance(seconds=31)
    assert learner.answer(3, learner.key(3), stamp=stamp).get_json()["stored"][0]["late"] is True
    report = learner.client.get(f"{learner.address}/report").text
    assert "You answered 1 of 65 questions right" in report
    assert learner.client.get(f"{learner.address}/review").text.count("An answer came after the end") == 2


def test_a_late_change_leaves_the_answer_in_time_standing(begin: Begin, clock: MovableClock) -> None:
    learner = begin()
    learner.answer(1, learner.key(1))
    clock.advance(hours=3)
    learner.answer(1, "")
    assert learner.sitting().scored()[1] == learner.key(1)


def test_an_attempt_that_nobody_submits_closes_itself_with_what_was_saved(
    app: Flask, begin: Begin, clock: MovableClock
) -> None:
    learner = begin()
    learner.answer(1, learner.key(1))
    clock.advance(minutes=130, seconds=59)
    sweep(app)
    assert learner.sitting().attempt.clock.closed_at is None
    clock.advance(seconds=2)
    sweep(app)
    attempt = learner.sitting().attempt
    assert attempt.clock.closed_at == attempt.clock.deadline
    assert attempt.scaled == 114


def test_submitting_twice_changes_nothing(begin: Begin, clock: MovableClock) -> None:
    learner = begin()
    learner.submit()
    first = learner.sitting().attempt
    clock.advance(minutes=5)
    assert learner.submit().status_code == 303
    assert learner.sitting().attempt == first


def test_the_report_shows_domains_and_tasks_and_the_review_every_rationale(begin: Begin) -> None:
    learner = begin()
    for place in range(1, 66):
        learner.answer(place, learner.key(place))
    assert learner.submit().headers["Location"].endswith("/report")
    report = learner.client.get(f"{learner.address}/report").text
    assert ">1000<" in report
    tasks = {item.question.task for item in learner.sitting().items}
    assert report.count('<th scope="row">') == 5 + len(tasks)
    review = learner.client.get(f"{learner.address}/review").text
    options = sum(len(item.question.options) for item in learner.sitting().items)
    assert review.count('class="rationale"') == options
    assert review.count("Read the section that teaches this") == 65


def test_the_report_tells_by_task_which_sections_to_read(begin: Begin) -> None:
    learner = begin()
    items = learner.sitting().items
    for place, item in enumerate(items, 1):
        if item.question.task != "1.2":
            learner.answer(place, learner.key(place))
    learner.submit()
    report = learner.client.get(f"{learner.address}/report").text
    table = report[report.index("By task") :]
    wrong = [item for item in items if item.question.task == "1.2"]
    assert f"0 of {len(wrong)}" in table
    assert set(re.findall(r'href="(/learn/[^"]+)"', table)) == {item.question.lesson for item in wrong}


def test_links_of_the_review_lead_to_sections_that_exist(begin: Begin) -> None:
    learner = begin()
    learner.submit()
    links = set(re.findall(r'href="(/learn/[^"]+#[^"]+)"', learner.client.get(f"{learner.address}/review").text))
    for link in links:
        address, _, anchor = link.partition("#")
        assert f'id="{anchor}"' in learner.client.get(address).text, link


def test_more_time_can_be_asked_for(begin: Begin) -> None:
    clock = begin(time="2").sitting().attempt.clock
    assert (clock.deadline - clock.started_at).total_seconds() == 260 * 60


def test_a_form_can_be_asked_for_by_its_number(begin: Begin) -> None:
    first, second, other = begin(form="7").sitting(), begin(form="7").sitting(), begin(form="8").sitting()
    assert first.attempt.form == second.attempt.form != other.attempt.form


@pytest.mark.parametrize("fields", [{"form": "x"}, {"form": "-1"}, {"form": str(2**31)}, {"time": "0.5"}])
def test_a_start_that_cannot_be_read_makes_no_attempt(
    client: FlaskClient, csrf: Callable[[FlaskClient], str], fields: dict[str, str]
) -> None:
    answer = client.post("/exams/saa-c01/attempts", data={"csrf_token": csrf(client), **fields})
    assert answer.status_code == 400
    assert "Sign in" in client.get("/exams").text


def test_without_scripts_the_form_saves_and_asks_before_it_submits(begin: Begin) -> None:
    learner = begin()
    fields = {"csrf_token": learner.token, "q1": "a", "f2": "on", "then": "submit"}
    answer = learner.client.post(f"{learner.address}/save", data=fields)
    assert answer.headers["Location"].endswith("/submit")
    assert "1 of 65 questions are answered, 1 flagged" in learner.client.get(answer.headers["Location"]).text
    assert learner.sitting().attempt.clock.closed_at is None


@pytest.mark.parametrize(
    "body",
    [
        7,
        {},
        {"responses": 7},
        {"responses": [{}]},
        {"responses": [{"place": "x"}]},
        {"responses": [7]},
        [1],
        {"responses": [{"place": 1, "revision": 1, "answer": "a", "flagged": False, "stamp": 10**30}]},
        {"responses": [{"place": 1, "revision": 1, "answer": "a" * 201, "flagged": False}]},
        {"responses": [{"place": 1, "revision": 1, "answer": ["a"], "flagged": False}]},
    ],
)
def test_a_body_that_cannot_be_read_is_refused_in_a_sentence(begin: Begin, body: object) -> None:
    learner = begin()
    answer = learner.client.post(f"{learner.address}/responses", json=body, headers={"X-CSRF-Token": learner.token})
    assert answer.status_code == 400
    assert "reload the page" in answer.get_json()["error"]


def test_places_outside_the_form_and_control_characters_are_dropped(begin: Begin) -> None:
    learner = begin()
    learner.answer(66, "a")
    learner.answer(0, "a")
    assert learner.answer(1, "\x00b").status_code == 400
    stored = learner.answer(1, "\x01b\n").get_json()["stored"]
    assert stored[0]["answer"] == "b"
    assert len(learner.sitting().responses) == 1


def test_a_guests_attempt_is_kept_at_sign_up(begin: Begin, post: Callable[..., object]) -> None:
    learner = begin()
    learner.answer(1, "a")
    post(learner.client, "/sign-up", name="Ada", email="ada@example.org", password="a calm long sentence")
    assert 'aria-label="Question 1, answered"' in learner.client.get(learner.address).text


def test_items_of_lessons_are_never_drawn(app: Flask) -> None:
    with app.app_context():
        checks = set(exams().checks)
        drawn = {
            question
            for bank in exams().banks
            if bank.pool == "exam"
            for question in (i.question.id for i in bank.items)
        }
    assert checks
    assert not checks & drawn


def test_a_check_answers_at_once_and_only_when_asked(
    app: Flask, client: FlaskClient, csrf: Callable[[FlaskClient], str]
) -> None:
    with app.app_context():
        item = next(iter(exams().checks.values()))
    letters = sorted(item.key.correct)
    data = {"csrf_token": csrf(client), "answer": letters}
    assert "✓ right" in client.post(f"/checks/{item.question.id}", data=data).text
    reply = client.post(f"/checks/{item.question.id}", data=data, headers={"Accept": "application/json"}).get_json()
    assert reply["correct"] is True
    assert [line["letter"] for line in reply["lines"] if line["correct"]] == letters


def test_the_key_of_an_exam_item_cannot_be_asked_for_as_a_check(
    app: Flask, client: FlaskClient, csrf: Callable[[FlaskClient], str]
) -> None:
    with app.app_context():
        item = next(item for bank in exams().banks if bank.pool == "exam" for item in bank.items)
    answer = client.post(f"/checks/{item.question.id}", data={"csrf_token": csrf(client), "answer": "a"})
    assert answer.status_code == 404


def _state(learner: Learner, version: object = -1) -> Any:
    return learner.client.get(f"{learner.address}/responses", query_string={"version": version})


def test_a_page_is_told_what_was_answered_elsewhere_and_only_when_something_was(begin: Callable[..., Learner]) -> None:
    learner = begin()
    empty = _state(learner).json
    assert empty["stored"] == []
    learner.answer(3, "b")
    state = _state(learner, empty["version"]).json
    assert [(one["place"], one["answer"]) for one in state["stored"]] == [(3, "b")]
    assert _state(learner, state["version"]).json["stored"] == []
    learner.answer(3, "", flagged=True)
    assert _state(learner, state["version"]).json["stored"][0]["flagged"]
    learner.submit()
    assert _state(learner, state["version"]).json["closed"]


def test_nobody_watches_somebody_elses_attempt(begin: Callable[..., Learner], app: Flask) -> None:
    learner = begin()
    other = app.test_client()
    other.get("/sign-in")
    assert other.get(f"{learner.address}/responses?version=-1").status_code == 404
    assert _state(learner, "x").status_code == 400


def test_an_attempt_without_a_limit_runs_on(begin: Callable[..., Learner], clock: MovableClock) -> None:
    learner = begin(time="none")
    clock.advance(days=40)
    assert learner.answer(1, "a").json["stored"][0]["late"] is False
    assert "no time limit" in learner.client.get(learner.address).text


def test_the_next_attempts_ask_nothing_of_the_last_three(begin: Callable[..., Learner], client: FlaskClient) -> None:
    seen: set[str] = set()
    for _ in range(4):
        learner = begin(client)
        asked = {item.question.id for item in learner.sitting().items}
        assert not asked & seen
        seen |= asked
        learner.submit()
    assert len(seen) == 260


def test_a_form_asked_for_by_its_number_is_the_same_for_everybody(begin: Callable[..., Learner]) -> None:
    one, other = begin(form="7"), begin(form="7")
    assert [item.question.id for item in one.sitting().items] == [item.question.id for item in other.sitting().items]
    one.submit()
    assert "SAA-C01, form 7" in one.client.get(f"{one.address}/report").text


def test_a_form_drawn_around_what_was_seen_has_no_number(begin: Callable[..., Learner], client: FlaskClient) -> None:
    begin(client).submit()
    learner = begin(client)
    learner.submit()
    assert "a form drawn for you" in client.get(f"{learner.address}/report").text


def test_a_plain_form_leaves_what_another_device_answered_and_says_so(begin: Begin) -> None:
    learner = begin()
    page = learner.client.get(learner.address).text
    shown = dict(re.findall(r'name="(r\d+)" value="(\d+)"', page))
    learner.answer(3, "b")
    form = {"csrf_token": learner.token, **shown, "q1": "a", "then": "submit"}
    answer = learner.client.post(f"{learner.address}/save", data=form, follow_redirects=True)
    assert "Question 3 was answered elsewhere; the newer answer is shown." in answer.text
    assert {one.place: one.answer for one in learner.sitting().responses} == {1: "a", 3: "b"}
    del form["r3"]
    learner.client.post(f"{learner.address}/save", data=form)
    assert {one.place: one.answer for one in learner.sitting().responses} == {1: "a", 3: ""}


@pytest.mark.parametrize(("days", "renewed"), [(10, False), (60, True)])
def test_a_guests_visit_does_not_end_within_an_exam(
    begin: Begin, clock: MovableClock, days: int, renewed: bool
) -> None:
    learner = begin()
    clock.advance(days=days)
    answer = learner.client.post("/exams/saa-c01/attempts", data={"csrf_token": learner.token})
    assert ("Set-Cookie" in answer.headers) is renewed
    assert learner.client.get(answer.headers["Location"]).status_code == 200
    clock.advance(days=31)
    assert learner.client.get(answer.headers["Location"]).headers["Location"].endswith("/report")
