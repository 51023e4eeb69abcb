"""A sitting in the test's hands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from quizzes import sittings, store
from quizzes.questions import Item
from quizzes.routes import exams
from quizzes.sittings import Sitting


@dataclass
class Learner:
    """A learner in the middle of an exam: sends changes as the page does."""

    app: Flask
    client: FlaskClient
    token: str
    attempt_id: int
    revisions: dict[int, int] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"/attempts/{self.attempt_id}"

    def send(self, *responses: dict[str, object]) -> TestResponse:
        return self.client.post(
            f"{self.address}/responses", json={"responses": list(responses)}, headers={"X-CSRF-Token": self.token}
        )

    def answer(self, place: int, letters: str, *, flagged: bool = False, stamp: int | None = None) -> TestResponse:
        revision = self.revisions[place] = self.revisions.get(place, 0) + 1
        return self.send({"place": place, "revision": revision, "answer": letters, "flagged": flagged, "stamp": stamp})

    def submit(self) -> TestResponse:
        return self.client.post(f"{self.address}/submit", data={"csrf_token": self.token})

    def sitting(self) -> Sitting:
        with self.app.app_context(), self.app.extensions["database"].reading() as connection:
            statement = store._ATTEMPT.where(store.AttemptRow.id == self.attempt_id)
            attempt = store._attempt(connection.execute(statement).one())
            return sittings.load(connection, exams(), attempt)

    def key(self, place: int) -> str:
        return "".join(sorted(self.sitting().items[place - 1].key.correct))


@pytest.fixture
def begin(app: Flask, csrf: Callable[[FlaskClient], str]) -> Callable[..., Learner]:
    """Return a function that starts a practice exam in a browser of its own."""

    def start(browser: FlaskClient | None = None, exam: str = "saa-c01", **fields: str) -> Learner:
        browser = browser or app.test_client()
        answer = browser.post(f"/exams/{exam}/attempts", data={"csrf_token": csrf(browser), **fields})
        assert answer.status_code == 303, answer.text
        # Starting made the visitor a guest, so the visit and its token are new.
        return Learner(app, browser, csrf(browser), int(answer.headers["Location"].rsplit("/", 1)[1]))

    return start


def other_key(item: Item) -> Item:
    """Return an item with another key of the same shape, and other reasons."""
    key, question = item.key, item.question
    letters = [option.letter for option in question.options]
    if question.kind == "choice":
        turned = dict(zip(letters, letters[1:] + letters[:1], strict=True))
        correct = frozenset(turned[letter] for letter in key.correct)
    elif question.kind == "ordering":
        correct = frozenset({key.answer[::-1]})
    elif question.kind == "matching":
        correct = frozenset(
            {"".join(letter + numeral for letter, numeral in zip(letters, reversed(key.answer[1::2]), strict=True))}
        )
    else:
        correct = frozenset({"7"})
    assert correct != key.correct
    return replace(
        item, key=replace(key, correct=correct, rationales=tuple((one, "!") for one, _ in key.rationales), today="!")
    )
