"""Mastery: a task's questions and its labs' tasks together."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select

from accounts.models import PersonRow
from content import library
from labs.models import RunRow
from quizzes import mastery
from quizzes.mastery import Mastery

ADDRESS = "/drills/architectures?task=2.2"
RULE = "You have mastered the share of a task's questions that you last answered right, and of its lab's tasks"


@pytest.mark.parametrize(
    ("one", "percent"),
    [
        (Mastery(0, 0), 0),
        (Mastery(5, 10), 50),
        (Mastery(5, 10, 0, 10), 25),
        (Mastery(5, 10, 10, 10), 75),
        (Mastery(199, 200, 1, 1), 99),
        (Mastery(10, 10, 11, 11), 100),
    ],
)
def test_the_percent_is_of_questions_and_lab_tasks_together(one: Mastery, percent: int) -> None:
    assert one.percent == percent


def test_a_lab_teaches_the_task_of_the_lessons_that_lead_into_it() -> None:
    taught = mastery.taught_by_labs(library.load(Path("content"))[0])
    assert taught["architectures", "2.2"] == ("lambda-concurrency",)
    assert taught["architectures", "1.3"] == ("stepfunctions-etl",)
    assert "lambda-concurrency" in taught["solutions-architect-associate", "2.3"]
    assert ("security-specialty", "1.1") not in taught


def _line(client: FlaskClient) -> str:
    """Return what the drills say of task 2.2 of the architectures, without tags."""
    page = client.get("/drills").text
    found = re.search(r'architectures\?task=2\.2".*?</li>', page, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", "", found[0]).split()) if found else ""


def test_a_run_that_meets_a_task_counts_and_so_does_a_right_answer(
    app: Flask, people: Callable[[str], FlaskClient], post: Callable[..., object]
) -> None:
    client = people("ada")
    assert RULE in client.get("/drills").text
    before = _line(client)
    assert "0 of 11 in the lab" in before
    assert "0 percent mastered" in before
    with app.extensions["database"].writing() as connection:
        person = connection.execute(select(PersonRow.id).where(PersonRow.name == "ada")).scalar_one()
        met = ({"half_is_refused": True, "kill_switch": False}, {"half_is_refused": True, "kill_switch": True}, None)
        for checks in (*met, {"gone_by_now": True}):
            run = {"person_id": person, "lab": "lambda-concurrency", "parameters": {}, "seed": 1, "state": "done"}
            moment = datetime(2018, 2, 12, tzinfo=UTC)
            connection.execute(insert(RunRow).values(**run, created_at=moment, checks=checks))
    after = _line(client)
    assert "2 of 11 in the lab" in after
    assert "0 percent mastered" not in after
    assert "0 of 11 in the lab" in _line(people("bob")), "a stranger's runs are not hers"
