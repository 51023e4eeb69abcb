"""Two tabs and two browsers on one attempt, over a network that delays, doubles and loses: nobody loses in silence."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask

from db import Database
from quizzes import store
from quizzes.models import ResponseRow
from tests.quizzes.conftest import Learner

PLACES = range(1, 66)
Change = dict[str, Any]


@dataclass
class Page:
    """What the page's scripts know and do, without a browser around them."""

    learner: Learner
    shown: dict[int, str] = field(default_factory=dict)
    gave: dict[int, str] = field(default_factory=dict)
    told: set[int] = field(default_factory=set)
    revisions: dict[int, int] = field(default_factory=dict)
    waiting: dict[int, Change] = field(default_factory=dict)

    def choose(self, place: int, letters: str) -> None:
        revision = self.revisions[place] = self.revisions.get(place, 0) + 1
        change = {"place": place, "revision": revision, "answer": letters, "flagged": False, "stamp": None}
        self.waiting[place] = change
        self.shown[place] = self.gave[place] = letters

    def send(self, changes: list[Change]) -> list[Change]:
        return self.learner.send(*changes).json["stored"]

    def receive(self, stored: list[Change]) -> None:
        for one in stored:
            place = one["place"]
            if place in self.waiting and one["revision"] >= self.waiting[place]["revision"]:
                del self.waiting[place]
            self.revisions[place] = max(one["revision"], self.revisions.get(place, 0))
            older = one["revision"] < self.revisions[place]
            if place not in self.waiting and not older and self.shown.get(place, "") != one["answer"]:
                self.shown[place] = one["answer"]
                self.told.add(place)

    def watch(self) -> None:
        self.receive(self.learner.client.get(f"{self.learner.address}/responses?version=-1").json["stored"])


@dataclass
class Network:
    """Messages underway, in no order; some arrive twice, and some answers to them are lost."""

    dice: random.Random
    underway: list[tuple[Page, list[Change]]] = field(default_factory=list)
    newest: dict[int, tuple[int, str]] = field(default_factory=dict)
    """What should be stored: the highest revision that arrived at each place, the first to arrive of equal ones."""

    def post(self, page: Page) -> None:
        self.underway.append((page, list(page.waiting.values())))

    def deliver_some(self) -> None:
        while len(self.underway) > self.dice.randrange(6):
            number = self.dice.randrange(len(self.underway))
            message = self.underway[number] if self.dice.random() < 0.2 else self.underway.pop(number)
            self._deliver(*message, answered=self.dice.random() < 0.7)

    def deliver_all(self, pages: list[Page]) -> None:
        while self.underway:
            self._deliver(*self.underway.pop(), answered=False)
        for page in pages:
            self._deliver(page, list(page.waiting.values()), answered=True)
        for page in pages:
            page.watch()

    def _deliver(self, page: Page, changes: list[Change], *, answered: bool) -> None:
        stored = page.send(changes)
        for one in changes:
            if one["revision"] > self.newest.get(one["place"], (0, ""))[0]:
                self.newest[one["place"]] = (one["revision"], one["answer"])
        if answered:
            page.receive(stored)


def _sit(app: Flask, learner: Learner, seed: int) -> list[str]:
    """Give 130 answers on four pages in an order by chance; return what went wrong."""
    dice = random.Random(seed)
    other = app.test_client()
    other.set_cookie("archway", learner.client.get_cookie("archway").value)
    second = Learner(app, other, learner.token, learner.attempt_id)
    pages = [Page(learner), Page(learner), Page(second), Page(second)]
    network = Network(dice)
    for place in dice.sample([*PLACES, *PLACES], 130):
        page = dice.choice(pages)
        page.choose(place, dice.choice("abcd"))
        network.post(page)
        if dice.random() < 0.1:
            page.watch()
        network.deliver_some()
    network.deliver_all(pages)
    assert any(page.told for page in pages)
    stored = {one.place: one.answer for one in learner.sitting().responses}
    return _faults(pages, {place: letters for place, (_, letters) in network.newest.items()}, stored)


def _faults(pages: list[Page], expected: dict[int, str], stored: dict[int, str]) -> list[str]:
    """Return where something else is stored or shown than won, and who was not told of it."""
    found = [f"{place} is stored wrong" for place in PLACES if stored.get(place) != expected[place]]
    for number, page in enumerate(pages):
        found += [f"page {number} shows another {place}" for place in PLACES if page.shown[place] != stored[place]]
        lost = {place for place, letters in page.gave.items() if stored[place] != letters}
        found += [f"page {number} was not told of {place}" for place in lost - page.told]
    return found


def _last_to_arrive_wins(database: Database) -> Any:
    statement = database.upsert(ResponseRow)
    written = ("revision", "answer", "flagged", "answered_at", "received_at")
    return statement.on_conflict_do_update(
        index_elements=[ResponseRow.attempt_id, ResponseRow.place, ResponseRow.late],
        set_={name: statement.excluded[name] for name in written},
    )


def test_the_last_accepted_revision_wins_everywhere(
    app: Flask, begin: Callable[..., Learner], sized: Callable[..., int]
) -> None:
    for seed in range(1, sized(3, 50) + 1):
        assert _sit(app, begin(), seed) == [], seed


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_control_without_the_revision_rule_an_older_answer_overwrites_a_newer_one(
    app: Flask, begin: Callable[..., Learner], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(store, "_newer_response", _last_to_arrive_wins)
    assert any("stored wrong" in fault for fault in _sit(app, begin(), seed))
