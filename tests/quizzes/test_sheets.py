"""Sheets: written at the close, the same when written from the attempt again, and gone with the person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from flask import Flask
from sqlalchemy import delete, select

from accounts.models import PersonRow
from content.workflow import Signature
from db import Database
from quizzes import sheets, statistics_store
from quizzes.corrections import store as corrections
from quizzes.corrections.replay import Ruling
from quizzes.models import AttemptRow, SheetRow, VersionNumberRow
from quizzes.statistics import FULL, RESPONSE
from quizzes.statistics_store import is_due
from tests.conftest import MovableClock
from tests.quizzes.conftest import Learner
from web.schedule import sweep

Begin = Callable[..., Learner]
NOW = datetime(2018, 2, 12, tzinfo=UTC)


@pytest.fixture
def database(app: Flask) -> Database:
    return app.extensions["database"]


def rows(database: Database) -> list[SheetRow]:
    with database.reading() as connection:
        return connection.execute(select(SheetRow).order_by(SheetRow.attempt_id)).all()


def sat(begin: Begin, clock: MovableClock, **fields: str) -> Learner:
    """Begin an attempt with the first place right after 40 s and the second wrong after 5 more."""
    learner = begin(**fields)
    clock.advance(seconds=40)
    learner.answer(1, learner.key(1))
    clock.advance(seconds=5)
    wrong = next(one.letter for one in learner.sitting().items[1].question.options if one.letter not in learner.key(2))
    learner.answer(2, wrong)
    return learner


def test_a_close_writes_what_counted_how_long_it_took_and_what_was_right(
    begin: Begin, database: Database, clock: MovableClock
) -> None:
    learner = sat(begin, clock)
    learner.submit()
    (row,) = rows(database)
    data = np.frombuffer(row.data, RESPONSE)
    assert (len(data), row.exam, row.right, row.scored) == (65, "saa-c01", 1, 65)
    assert data["credit"][:3].tolist() == [FULL, 0, 0]
    assert data["seconds"][:3].tolist() == [40, 5, 0]
    assert data["chosen"][0] == sum(1 << "abcdefgh".index(letter) for letter in learner.key(1))
    assert data["chosen"][2] == 0
    with database.reading() as connection:
        names = dict(connection.execute(select(VersionNumberRow.number, VersionNumberRow.fingerprint)).all())
    assert [names[number] for number in data["version"]] == [name for name, _ in learner.sitting().attempt.form]


def test_an_answer_that_came_too_late_is_on_no_sheet(begin: Begin, database: Database, clock: MovableClock) -> None:
    learner = sat(begin, clock)
    clock.advance(hours=3)
    learner.answer(3, learner.key(3))
    learner.client.get(f"{learner.address}/report")
    assert np.count_nonzero(np.frombuffer(rows(database)[0].data, RESPONSE)["chosen"]) == 2


def test_an_attempt_without_an_answer_counts_nowhere(begin: Begin, database: Database) -> None:
    begin().submit()
    with database.reading() as connection:
        assert sheets.counts(connection) == {}
        assert statistics_store.compute(connection, "saa-c01", NOW) is None
    assert len(rows(database)) == 1


def test_sheets_of_attempts_from_before_are_written_once_and_are_the_same(
    begin: Begin, app: Flask, database: Database, clock: MovableClock
) -> None:
    sat(begin, clock).submit()
    sat(begin, clock).submit()
    before = rows(database)
    with database.writing() as connection:
        sheets.forget(connection, "saa-c01")
    assert rows(database) == []
    sweep(app)
    assert rows(database) == before
    assert sheets.file_missing(database) == 0


def rule(database: Database, learner: Learner, place: int, ruling: Ruling) -> None:
    """Correct the key of the item at a place, as another process does."""
    item = learner.sitting().items[place - 1]
    with database.writing() as connection:
        name = learner.sitting().attempt.form[place - 1][0]
        version = next(one for one in corrections.versions(connection, item.question.id) if one.fingerprint == name)
        corrections.apply(connection, version, ruling, [], ("So.", Signature(None, NOW)))


def test_a_corrected_key_is_on_the_sheets_of_those_who_were_asked(
    begin: Begin, app: Flask, database: Database, clock: MovableClock
) -> None:
    learner, other = sat(begin, clock, form="7"), sat(begin, clock, form="7")
    learner.submit()
    other.submit()
    sweep(app)
    answered = learner.sitting().scored()[2]
    rule(database, learner, 2, Ruling("key", frozenset(answered)))
    assert rows(database) == []
    sweep(app)
    assert [row.right for row in rows(database)] == [2, 2]
    assert np.frombuffer(rows(database)[0].data, RESPONSE)["credit"][:2].tolist() == [FULL, FULL]
    # An attempt in which the version does not stand keeps its sheet.
    elsewhere = sat(begin, clock, form="8")
    elsewhere.submit()
    before = [row for row in rows(database) if row.attempt_id == elsewhere.attempt_id]
    asked = {item.question.id for item in elsewhere.sitting().items}
    place = next(n for n, item in enumerate(learner.sitting().items, 1) if item.question.id not in asked)
    rule(database, learner, place, Ruling("drop"))
    assert rows(database) == before


def test_a_dropped_item_is_unscored_on_sheets_from_before_and_after(
    begin: Begin, app: Flask, database: Database, clock: MovableClock
) -> None:
    before, after = sat(begin, clock, form="7"), sat(begin, clock, form="7")
    before.submit()
    rule(database, before, 1, Ruling("drop"))
    after.submit()
    sweep(app)
    assert [(row.right, row.scored) for row in rows(database)] == [(0, 64), (0, 64)]
    assert len({row.form for row in rows(database)}) == 1


def test_statistics_that_a_correction_overtakes_are_outdated(
    begin: Begin, database: Database, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner, other = sat(begin, clock, form="7"), sat(begin, clock, form="8")
    learner.submit()
    other.submit()
    asked = {item.question.id for item in other.sitting().items}
    place = next(n for n, item in enumerate(learner.sitting().items, 1) if item.question.id not in asked)
    # The correction comes when the missing sheets are written, before those that there are are read.
    with monkeypatch.context() as patch:
        patch.setattr(sheets, "file_missing", lambda _database: rule(database, learner, place, Ruling("drop")))
        results = statistics_store.refresh(database, "saa-c01", NOW)
    assert results.sheets == 1
    with database.reading() as connection:
        assert statistics_store.is_outdated(connection, results)
    assert statistics_store.sweep(database, NOW) == ["saa-c01"]
    with database.reading() as connection:
        results = statistics_store.load(connection, "saa-c01")
        assert (results.sheets, statistics_store.is_outdated(connection, results)) == (2, False)


def test_a_form_by_its_number_is_one_form_however_often_it_is_sat(
    begin: Begin, database: Database, clock: MovableClock
) -> None:
    for number in ("7", "7", "8"):
        sat(begin, clock, form=number).submit()
    first, second, third = rows(database)
    assert first.form == second.form != third.form
    with database.reading() as connection:
        assert sheets.commonest_form(connection, "saa-c01") == (first.form, 2)


def test_a_person_who_is_deleted_leaves_no_sheet(begin: Begin, database: Database, clock: MovableClock) -> None:
    sat(begin, clock).submit()
    with database.writing() as connection:
        owner = connection.execute(select(AttemptRow.person_id)).scalar_one()
        connection.execute(delete(PersonRow).where(PersonRow.id == owner))
    assert rows(database) == []


def test_what_was_sent_together_has_no_time_of_its_own() -> None:
    moments = [(1, NOW + timedelta(seconds=30)), (2, NOW + timedelta(seconds=30)), (3, NOW + timedelta(days=2))]
    assert sheets.seconds(NOW, moments) == {1: 30, 2: 0, 3: 65_535}


@pytest.mark.parametrize(
    ("computed", "counted", "present", "outdated", "due"),
    [
        (None, 0, 1, False, True),
        (None, 0, 0, False, False),
        (NOW - timedelta(minutes=59), 5, 6, False, False),
        (NOW - timedelta(minutes=60), 5, 6, False, True),
        (NOW - timedelta(days=9), 6, 6, False, False),
        (NOW - timedelta(minutes=1), 6, 6, True, True),
    ],
)
def test_statistics_are_computed_when_attempts_were_closed_at_most_once_an_hour_and_when_a_key_was_corrected(
    computed: datetime | None, counted: int, present: int, outdated: bool, due: bool
) -> None:
    assert is_due(computed, counted, present, NOW, outdated=outdated) is due


def test_the_kept_statistics_are_those_that_were_computed(
    begin: Begin, database: Database, clock: MovableClock
) -> None:
    sat(begin, clock).submit()
    computed = statistics_store.refresh(database, "saa-c01", NOW)
    with database.reading() as connection:
        assert statistics_store.load(connection, "saa-c01") == computed
    assert len(computed.versions) == 65
