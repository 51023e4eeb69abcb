"""Two who write at once on PostgreSQL, the one in the middle of the other: nothing is lost, doubled or half done."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, insert, select, text

from accounts import cohort_store
from accounts.models import PersonRow
from content import search
from content.render import Section
from content.search import Document
from content.workflow import Signature
from db import Database, in_turns, upgrade
from labs import store as runs
from labs.models import RunRow
from publisher import store as issues
from publisher import subscribers
from publisher.issue import Choice
from publisher.models import SubscriberRow
from publisher.store import Draft
from publisher.subscriptions import Wish
from quizzes import cohort_store as lengthening
from quizzes import sheets
from quizzes.authoring import history
from quizzes.authoring import store as authoring
from quizzes.authoring.store import StudioBank
from quizzes.corrections import store as corrections
from quizzes.corrections.replay import Ruling
from quizzes.models import AttemptRow, SheetRow, VersionRow
from quizzes.routes import exams
from quizzes.store import sync_versions
from tests.databases import Databases
from tests.quizzes.conftest import Learner

pytestmark = pytest.mark.postgresql
NOW = datetime(2018, 2, 12, 9, tzinfo=UTC)
PASSWORD = "a calm long sentence"
WISH = Wish("ada@example.org", "link", "", "en", "DE")
Race = Callable[..., tuple[Any, Any]]
locked = pytest.mark.parametrize("locks", [True, False], ids=["as it is", "control: without locks"])


@pytest.fixture
def database(app: Flask) -> Database:
    return app.extensions["database"]


@pytest.fixture
def race(database: Database, request: pytest.FixtureRequest) -> Iterator[Race]:
    """Return a function that runs two, the second in the middle of the first, and returns what both gave or raised.

    ``at`` tells the middle: just before the first's statement that has these words, or before its ``commit``. There
    the second runs until it ends or waits for a lock.
    """
    parameters = getattr(getattr(request.node, "callspec", None), "params", {})
    if not parameters.get("locks", True):
        event.listen(database.engine, "before_cursor_execute", _without_locks, retval=True)
    with ThreadPoolExecutor(1) as thread:
        yield partial(_race, database, thread)


def _race(
    database: Database, thread: ThreadPoolExecutor, first: Callable[[], Any], second: Callable[[], Any], *, at: str
) -> tuple[Any, Any]:
    begun: list[Future[Any]] = []
    here = threading.get_ident()

    def interrupt(_connection: object, _cursor: object = None, statement: str = "commit", *_more: object) -> None:
        if threading.get_ident() == here and at in statement and not begun:
            begun.append(thread.submit(second))
            end = time.monotonic() + 60
            while not begun[0].done() and not _waits(database):
                assert time.monotonic() < end
                time.sleep(0.01)

    name = "commit" if at == "commit" else "before_cursor_execute"
    event.listen(database.engine, name, interrupt)
    itself: Future[Any] = Future()
    try:
        itself.set_result(first())
    except Exception as error:  # noqa: BLE001 (it is what the test asks for)
        itself.set_exception(error)
    event.remove(database.engine, name, interrupt)
    assert begun, "the first has no such middle"
    wait(begun, 60)
    return _outcome(itself), _outcome(begun[0])


def _outcome(future: Future[Any]) -> Any:
    return future.exception() or future.result()


def _waits(database: Database) -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with database.reading() as connection:
        return connection.execute(text(waiting)).scalar_one() > 0


def _without_locks(
    _connection: object, _cursor: object, statement: str, values: Any, *_more: object
) -> tuple[str, Any]:
    unlocked = re.sub(r" FOR (UPDATE|SHARE)( OF \w+)?", "", statement)
    return re.sub(r"pg_advisory_xact_lock(_shared)?\(", "abs(", unlocked), values


def _writing(database: Database, work: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
    def write() -> Any:
        with database.writing() as connection:
            return work(connection, *arguments)

    return write


def _count(database: Database, row: Any, *where: Any) -> int:
    with database.reading() as connection:
        return connection.execute(select(func.count()).select_from(row).where(*where)).scalar_one()


@pytest.fixture
def person(database: Database) -> Callable[[str], int]:
    """Return a function that stores somebody and returns their id."""

    def add(name: str) -> int:
        values = {"name": name, "role": "instructor", "email": f"{name}@example.org"}
        with database.writing() as connection:
            row = insert(PersonRow).values(**values, theme="auto", created_at=NOW)
            return connection.execute(row.returning(PersonRow.id)).scalar_one()

    return add


@locked
def test_an_answer_that_is_acknowledged_in_time_counts_at_the_close(
    race: Race, database: Database, begin: Callable[..., Learner], locks: bool
) -> None:
    learner = begin()
    _closed, saved = race(learner.submit, lambda: learner.answer(1, "a"), at="UPDATE quizzes_attempt")
    with database.reading() as connection:
        counted = connection.execute(select(AttemptRow.answers)).scalar_one()[0]
    acknowledged = "" if saved.json["stored"][0]["late"] else saved.json["stored"][0]["answer"]
    assert (counted == acknowledged) == locks


@locked
def test_an_attempt_that_closes_while_a_key_is_corrected_is_marked_by_the_new_key(
    race: Race,
    app: Flask,
    database: Database,
    begin: Callable[..., Learner],
    promote: Callable[[str], FlaskClient],
    csrf: Callable[[FlaskClient], str],
    locks: bool,
) -> None:
    learner, ina = begin(), promote("ina")
    items = learner.sitting().items
    place = next(place for place, item in enumerate(items, 1) if item.question.type == "multiple-choice")
    question = items[place - 1].question
    other = next(one.letter for one in question.options if one.letter not in items[place - 1].key.correct)
    learner.answer(place, other)
    address = f"/studio/replay/{question.id}"
    version = learner.sitting().attempt.form[place - 1][0]
    ruling = {"version": version, "kind": "key", "correct": other, "reason": "It was wrong."}
    token = csrf(ina)
    seen = re.search(r'name="seen" value="([^"]*)"', ina.post(address, data={"csrf_token": token, **ruling}).text)[1]
    applied = {"csrf_token": token, **ruling, "apply": "yes", "seen": seen}
    made, _closed = race(lambda: ina.post(address, data=applied), learner.submit, at="INSERT INTO quizzes_correction")
    assert made.status_code == 303
    with database.reading() as connection:
        stored = connection.execute(select(AttemptRow.scaled)).scalar_one()
    assert (stored == learner.sitting().report().scaled) == locks


@locked
def test_a_sheet_that_is_written_while_a_key_is_corrected_is_written_again(
    race: Race, database: Database, begin: Callable[..., Learner], locks: bool
) -> None:
    learner = begin()
    learner.answer(1, learner.key(1))
    learner.submit()
    item, (name, _order) = learner.sitting().items[0], learner.sitting().attempt.form[0]
    with database.writing() as connection:
        sheets.forget(connection, "saa-c01")
        version = next(one for one in corrections.versions(connection, item.question.id) if one.fingerprint == name)

    def drop() -> None:
        with database.writing() as connection:
            in_turns(connection, corrections.RULINGS)
            corrections.apply(connection, version, Ruling("drop"), [], ("Two are right.", Signature(None, NOW)))

    race(lambda: sheets.file_missing(database), drop, at="INSERT INTO quizzes_sheet")
    sheets.file_missing(database)
    with database.reading() as connection:
        scored = connection.execute(select(SheetRow.scored)).scalar_one()
    assert scored == (64 if locks else 65)


def test_of_two_who_lengthen_an_exam_the_longer_time_stays(
    race: Race, database: Database, begin: Callable[..., Learner]
) -> None:
    owner = begin().sitting().attempt.person_id
    by = [_writing(database, lengthening.lengthen, owner, {"saa-c01": 130}, times, NOW) for times in (1.5, 2)]
    race(*by, at="UPDATE quizzes_attempt")
    with database.reading() as connection:
        row = connection.execute(select(AttemptRow.started_at, AttemptRow.deadline)).one()
    assert row.deadline - row.started_at == timedelta(minutes=260)


@locked
def test_a_guests_exam_that_begins_while_they_sign_in_is_theirs_afterwards(
    race: Race,
    app: Flask,
    database: Database,
    begin: Callable[..., Learner],
    people: Callable[[str], FlaskClient],
    csrf: Callable[[FlaskClient], str],
    locks: bool,
) -> None:
    people("ada")
    learner = begin()
    tab = app.test_client()
    tab.set_cookie("archway", learner.client.get_cookie("archway").value)
    form = {"csrf_token": learner.token}
    sign_in = {**form, "email": "ada@example.org", "password": PASSWORD}
    started, _signed_in = race(
        lambda: learner.client.post("/exams/saa-c01/attempts", data=form),
        lambda: tab.post("/sign-in", data=sign_in),
        at="commit",
    )
    assert started.status_code == 303
    assert _count(database, AttemptRow) == (2 if locks else 1)


def test_of_two_who_sign_up_with_one_address_the_second_is_told(
    race: Race, app: Flask, csrf: Callable[[FlaskClient], str]
) -> None:
    def sign_up(browser: FlaskClient, token: str) -> int:
        form = {"csrf_token": token, "name": "Ada", "email": "ada@example.org", "password": PASSWORD}
        return browser.post("/sign-up", data=form).status_code

    browsers = [app.test_client() for _ in range(2)]
    by = [partial(sign_up, browser, csrf(browser)) for browser in browsers]
    assert sorted(race(*by, at="INSERT INTO accounts_person")) == [303, 400]


@locked
def test_of_two_instructors_who_remove_each_other_one_stays(
    race: Race, database: Database, person: Callable[[str], int], locks: bool
) -> None:
    ina, bob = person("ina"), person("bob")
    with database.writing() as connection:
        cohort = cohort_store.create(connection, "Winter", "UTC", ina, NOW)
        cohort_store.add_instructor(connection, cohort, "bob@example.org", NOW)
    by = [_writing(database, cohort_store.remove, cohort, one) for one in (ina, bob)]
    assert race(*by, at="DELETE FROM accounts_member") == (True, not locks)


def test_an_instructor_who_is_added_twice_at_once_is_in_once(
    race: Race, database: Database, person: Callable[[str], int]
) -> None:
    ina, _bob = person("ina"), person("bob")
    with database.writing() as connection:
        cohort = cohort_store.create(connection, "Winter", "UTC", ina, NOW)
    add = _writing(database, cohort_store.add_instructor, cohort, "bob@example.org", NOW)
    assert race(add, add, at="INSERT INTO accounts_member") == (True, True)


@locked
def test_nobody_has_more_open_runs_than_the_queue_takes(
    race: Race, database: Database, person: Callable[[str], int], locks: bool
) -> None:
    ada = person("ada")
    create = _writing(database, runs.create, ada, runs.Order("lambda-concurrency", {}, 1), NOW)
    for _ in range(runs.MOST_OPEN - 1):
        create()
    _first, second = race(create, create, at="INSERT INTO labs_run")
    assert isinstance(second, runs.TooManyRunsError) == locks
    assert _count(database, RunRow) == runs.MOST_OPEN + (not locks)


@locked
def test_two_objections_at_one_place_are_one(
    race: Race, database: Database, begin: Callable[..., Learner], csrf: Callable[[FlaskClient], str], locks: bool
) -> None:
    learner = begin()
    learner.submit()
    form = {"csrf_token": learner.token, "place": "1", "reason": "The key is wrong."}
    send = partial(learner.client.post, f"{learner.address}/disputes", data=form)
    race(send, send, at="INSERT INTO quizzes_dispute")
    assert _count(database, corrections.DisputeRow) == (1 if locks else 2)


@locked
def test_an_index_that_two_servers_write_at_once_is_whole(race: Race, database: Database, locks: bool) -> None:
    with database.writing() as connection:
        for table in ("content_words", "content_passage", "content_indexed_page"):
            connection.execute(text(f"DELETE FROM {table}"))
    page = Document("/page", "Queues", "A course", "en", (Section("queues", "Queues", "A queue keeps messages."),))
    write = _writing(database, search.index, [page])
    written = race(write, write, at="INSERT INTO content_indexed_page")
    assert (written == (1, 0)) == locks
    with database.reading() as connection:
        assert [hit.address for hit in search.find(connection, "messages")] == ["/page#queues"]


@locked
def test_of_two_servers_that_start_at_once_one_makes_the_tables(
    tmp_path: Path, databases: Databases, locks: bool
) -> None:
    database = Database(databases.address(tmp_path))
    if not locks:
        event.listen(database.engine, "before_cursor_execute", _without_locks, retval=True)
    other = [sys.executable, "-c", "import sys, db; db.upgrade(db.Database(sys.argv[1]))", database.url]
    with ThreadPoolExecutor(1) as thread:
        second = partial(subprocess.run, other, capture_output=True)
        _first, done = _race(database, thread, partial(upgrade, database), second, at="CREATE TABLE accounts_person")
    database.engine.dispose()
    assert (done.returncode == 0) == locks, done.stderr


def test_versions_that_two_servers_store_at_once_are_stored(race: Race, app: Flask, database: Database) -> None:
    with app.app_context():
        banks = exams().banks
    with database.writing() as connection:
        connection.execute(text("DELETE FROM quizzes_version"))
    store = partial(sync_versions, database, banks)
    race(store, store, at="INSERT INTO quizzes_version")
    assert _count(database, VersionRow) == len({item.fingerprint() for bank in banks for item in bank.items})


@locked
def test_an_address_that_is_confirmed_in_its_last_minute_is_not_forgotten(
    race: Race, database: Database, locks: bool
) -> None:
    subscribers.sign_up(database, WISH, NOW)
    with database.reading() as connection:
        ada = connection.execute(select(SubscriberRow.id)).scalar_one()
    confirm = _writing(database, subscribers.confirm, ada, NOW)
    forget = _writing(database, subscribers.forget_unconfirmed, NOW + subscribers.PATIENCE)
    confirmed, _forgotten = race(confirm, forget, at="commit")
    assert confirmed
    assert _count(database, SubscriberRow, SubscriberRow.state == "active") == (1 if locks else 0)


@locked
def test_a_wish_that_is_sent_again_while_it_is_confirmed_takes_nothing_back(
    race: Race, database: Database, locks: bool
) -> None:
    subscribers.sign_up(database, WISH, NOW)
    with database.reading() as connection:
        ada = connection.execute(select(SubscriberRow.id)).scalar_one()
    confirm = _writing(database, subscribers.confirm, ada, NOW)
    race(confirm, partial(subscribers.sign_up, database, WISH, NOW), at="commit")
    assert _count(database, SubscriberRow, SubscriberRow.state == "active") == (1 if locks else 0)


def test_of_two_editors_who_begin_a_draft_the_second_is_told(
    race: Race, database: Database, person: Callable[[str], int]
) -> None:
    save = _writing(database, issues.save_draft, "2018-02", Draft(Choice("An editor"), 0), person("ina"), NOW)
    assert sorted(race(save, save, at="INSERT INTO publisher_draft")) == [False, True]


@locked
def test_an_item_that_is_edited_while_its_import_is_undone_keeps_its_history(
    race: Race, database: Database, person: Callable[[str], int], locks: bool
) -> None:
    by = Signature(person("ina"), NOW)
    with database.writing() as connection:
        bank = authoring.create_bank(connection, StudioBank(0, "a", "A", "architectures", "exam", "", 0), by)
        authoring.add_texts(connection, bank.id, [("a-1", "## a-1\n")], by, import_id=1)
        draft = authoring.find_draft(connection, "a-1")
    edit = _writing(database, history.edit, draft, "## a-1\n\nNew.\n", 1, by)
    race(edit, _writing(database, authoring.remove_import, 1), at="commit")
    with database.reading() as connection:
        kept = [one.revision for one in history.revisions(connection, draft)]
    assert kept == ([2, 1] if locks else [2])


def test_a_read_sees_one_state_throughout(database: Database, person: Callable[[str], int]) -> None:
    with database.reading() as connection:
        before = connection.execute(select(func.count()).select_from(PersonRow)).scalar_one()
        person("ada")
        assert connection.execute(select(func.count()).select_from(PersonRow)).scalar_one() == before
    with database.writing() as connection:
        before = connection.execute(select(func.count()).select_from(PersonRow)).scalar_one()
        person("bob")
        assert connection.execute(select(func.count()).select_from(PersonRow)).scalar_one() > before, "the control"
