"""A reader's own appendix: which questions it takes, the copy of the book that has it, and who gets that copy."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select, text, update

from accounts.models import PersonRow
from config import Settings
from db import Database, upgrade
from publisher import appendix, epub, outbox, package, postroom, schedule, sources, store, subscribers
from publisher.issue import Issue
from publisher.models import DeliveryRow, SubscriberRow
from quizzes import practice_store
from quizzes.practice import Result
from quizzes.questions import Item
from tests.conftest import MovableClock
from tests.databases import Databases
from tests.publisher.conftest import bank, checker_messages

Post = Callable[..., Any]
WEIGHTS = {("c", 1): 34, ("c", 2): 24}
MONTH = "2018-01"
READER = "0" * 24


def items_of(task: str, numbers: range) -> list[Item]:
    items = bank("exam", numbers).items
    return [replace(item, question=replace(item.question, task=task)) for item in items]


FIRST, SECOND, THIRD = items_of("1.1", range(10)), items_of("1.2", range(10, 20)), items_of("2.1", range(20, 30))


def answered(items: list[Item], right: int, wrong: int) -> dict[str, Result]:
    marks = [True] * right + [False] * wrong
    moment = datetime(2018, 1, 1, tzinfo=UTC)
    return {item.question.id: Result(item.question.id, mark, moment) for item, mark in zip(items, marks, strict=False)}


def names(items: tuple[Item, ...]) -> list[str]:
    return [item.question.id for item in items]


def test_the_weakest_tasks_take_turns_and_what_went_wrong_comes_first() -> None:
    last = answered(FIRST, 1, 3) | answered(SECOND, 2, 2) | answered(THIRD, 4, 0)
    chosen = appendix.choose([*FIRST, *SECOND, *THIRD], last, WEIGHTS, MONTH)
    assert len(chosen) == appendix.ITEMS
    assert [item.question.task for item in chosen] == ["1.1", "1.2"] * 5
    assert {one.question.id for one in chosen[0:6:2]} == {"c-1", "c-2", "c-3"}
    assert {one.question.id for one in chosen[1:5:2]} == {"c-12", "c-13"}
    assert "c-0" not in names(chosen)


def test_of_equally_weak_tasks_the_one_that_weighs_more_comes_first() -> None:
    last = answered(FIRST, 1, 2) | answered(THIRD, 1, 2)
    for weights, task in ((WEIGHTS, "1.1"), ({("c", 1): 1, ("c", 2): 2}, "2.1")):
        assert appendix.choose([*FIRST, *THIRD], last, weights, MONTH)[0].question.task == task


@pytest.mark.parametrize(("right", "wrong"), [(0, 0), (0, 2), (3, 0)])
def test_a_task_hardly_answered_or_all_right_is_not_weak(right: int, wrong: int) -> None:
    assert appendix.choose(FIRST, answered(FIRST, right, wrong), WEIGHTS, MONTH) == ()


def test_questions_of_a_running_exam_and_those_that_cannot_be_printed_stay_out() -> None:
    last = answered(FIRST, 0, 5)
    odd = replace(FIRST[1], question=replace(FIRST[1].question, kind="numeric"))
    chosen = appendix.choose([FIRST[0], odd, *FIRST[2:]], last, WEIGHTS, MONTH, {"c-0"})
    assert set(names(chosen)) == {f"c-{number}" for number in range(2, 10)}


def test_the_choice_is_the_same_each_time_and_another_next_month() -> None:
    last = answered(FIRST, 1, 3)
    january = names(appendix.choose(FIRST, last, WEIGHTS, MONTH))
    assert january == names(appendix.choose(list(reversed(FIRST)), last, WEIGHTS, MONTH))
    assert january != names(appendix.choose(FIRST, last, WEIGHTS, "2018-02"))


def test_a_copy_has_the_appendix_at_its_end_and_everything_else_as_it_was(january: Issue, tmp_path: Path) -> None:
    book = epub.build(january).epub
    copy = appendix.personalise(book, tuple(FIRST))
    before, after = package.entries(book), package.entries(copy)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"EPUB/content.opf", "EPUB/nav.xhtml", "EPUB/toc.ncx"}
    assert set(after) - set(before) == {"EPUB/appendix-quiz.xhtml", "EPUB/appendix-answers.xhtml"}
    assert next(iter(after)) == "mimetype"
    for name in ("nav.xhtml", "toc.ncx"):
        assert after[f"EPUB/{name}"].index(b"appendix-quiz.xhtml") < after[f"EPUB/{name}"].index(b"appendix-answers")
    questions, answers = (after[f"EPUB/appendix-{one}.xhtml"].decode() for one in ("quiz", "answers"))
    assert "BECAUSE" not in questions
    assert "RIGHT-BECAUSE-3" in answers
    assert 'href="appendix-answers.xhtml#answer-10"' in questions
    assert 'href="appendix-quiz.xhtml#question-10"' in answers
    assert checker_messages(copy, tmp_path) == []
    assert appendix.personalise(book, tuple(FIRST)) == copy
    assert appendix.personalise(book, ()) == book


def test_a_database_of_the_release_before_keeps_its_subscribers_and_their_mails(
    tmp_path: Path, databases: Databases
) -> None:
    database = Database(databases.address(tmp_path))
    config = Config()
    config.set_main_option("script_location", "migrations")
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0010")
        columns = "id, email, channel, kindle, domain, language, country, state, reason, created_at, changed_at"
        values = f"'{READER}', 'a@example.org', 'link', '', 'example.org', 'en', 'DE', 'active', '', 0, 0"
        connection.execute(text(f"INSERT INTO publisher_subscriber ({columns}) VALUES ({values})"))
        outbox.enqueue(database, connection, MONTH, "sha", datetime(2018, 1, 1, tzinfo=UTC))
    upgrade(database)
    with database.reading() as connection:
        assert connection.scalar(select(DeliveryRow.subscriber_id)) == READER
        found = subscribers.find(connection, READER)
    assert found
    assert found.person_id is None
    database.engine.dispose()


@pytest.fixture
def issue_of_january(app: Flask, clock: MovableClock) -> bytes:
    """Build January's issue at its hour, and return it."""
    clock.now = datetime(2018, 1, 2, tzinfo=UTC)
    with app.app_context():
        schedule.sweep(app)
        with app.extensions["database"].reading() as connection:
            return store.epub(connection, MONTH)


@pytest.fixture
def ada(app: Flask, people: Callable[[str], FlaskClient], clock: MovableClock) -> FlaskClient:
    """Return the browser of somebody with an account, a subscription, and a task in which all went wrong."""
    browser = people("ada")
    with app.app_context():
        banks = [one for one in app.extensions["banks"]() if one.pool == "exam"]
        weak = [item for item in banks[0].items if item.question.kind == "choice"][:1][0].question.task
        wrong = [item for item in banks[0].items if item.question.task == weak and item.question.kind == "choice"]
    row = {"id": READER, "email": "ada@example.org", "channel": "attachment", "kindle": "", "domain": "example.org"}
    state = {"language": "en", "country": "DE", "state": "active", "reason": ""}
    with app.extensions["database"].writing() as connection:
        person = connection.scalar(select(PersonRow.id).where(PersonRow.name == "ada"))
        assert person
        times = {"created_at": clock(), "changed_at": clock()}
        connection.execute(insert(SubscriberRow).values(**row, **state, **times))
        for item in wrong[:5]:
            practice_store.keep(connection, person, item, "", clock())
    return browser


def address(app: Flask, purpose: str, ending: str = "") -> str:
    return f"/subscriptions/{postroom.post_of(app).signer.token(READER, purpose)}{ending}"


def tick_box(app: Flask, browser: FlaskClient, post: Post, **wish: str) -> Any:
    return post(browser, address(app, "settings"), channel="attachment", language="en", country="DE", **wish)


def test_who_asks_for_an_appendix_gets_it_by_mail_and_by_link_for_a_while(
    app: Flask, ada: FlaskClient, post: Post, issue_of_january: bytes, clock: MovableClock, settings: Settings
) -> None:
    link = address(app, MONTH, f"/{MONTH}.epub")
    assert 'name="appendix" aria' in ada.get(address(app, "settings")).text
    assert app.test_client().get(link).data == issue_of_january
    wrong = post(ada, address(app, "settings"), channel="pigeon", language="en", country="DE", appendix="on")
    assert (wrong.status_code, 'name="appendix" checked' in wrong.text) == (400, True)
    assert tick_box(app, ada, post, appendix="on").status_code == 303
    assert 'name="appendix" checked' in ada.get(address(app, "settings")).text
    book = app.test_client().get(link)
    assert "EPUB/appendix-quiz.xhtml" in package.entries(book.data)
    with app.extensions["database"].writing() as connection:
        found = store.find(connection, MONTH)
        assert found
        outbox.enqueue(app.extensions["database"], connection, MONTH, found.sha256, clock())
    postroom.Worker(app).run_next()
    [path] = [one for one in (settings.instance / "outbox").glob("*.eml") if b"January" in one.read_bytes()[:400]]
    [attached] = message_from_bytes(path.read_bytes(), policy=policy.default).iter_attachments()
    assert attached.get_content() == book.data
    clock.advance(days=61)
    assert app.test_client().get(link).data == issue_of_january


def test_the_wish_ends_with_the_tick_the_data_or_the_account(app: Flask, ada: FlaskClient, post: Post) -> None:
    def person() -> int | None:
        with app.extensions["database"].reading() as connection:
            found = subscribers.find(connection, READER)
        return found.person_id if found else -1

    tick_box(app, ada, post, appendix="on")
    assert (person() or 0) > 0
    tick_box(app, ada, post)
    assert person() is None
    tick_box(app, app.test_client(), post, appendix="on")
    assert person() is None
    tick_box(app, ada, post, appendix="on")
    tick_box(app, app.test_client(), post, appendix="on")
    assert (person() or 0) > 0
    post(ada, address(app, "settings", "/delete"))
    assert person() == -1


def test_nobody_elses_link_gives_the_appendix(
    app: Flask, ada: FlaskClient, post: Post, issue_of_january: bytes
) -> None:
    tick_box(app, ada, post, appendix="on")
    link = address(app, MONTH, f"/{MONTH}.epub")
    forged = re.sub(r"[0-9a-f](?=/2018)", lambda found: "0" if found[0] != "0" else "1", link)
    assert app.test_client().get(forged).status_code == 404
    assert app.test_client().get(f"/issues/{MONTH}.epub").data == issue_of_january
    with app.extensions["database"].writing() as connection:
        connection.execute(update(SubscriberRow).values(state="stopped"))
    assert app.test_client().get(link).data == issue_of_january


def test_the_questions_come_from_what_somebody_answered(app: Flask, ada: FlaskClient) -> None:
    assert ada
    with app.app_context():
        with app.extensions["database"].reading() as connection:
            person = connection.scalar(select(PersonRow.id).where(PersonRow.name == "ada"))
        assert person
        chosen = sources.own_questions(person, MONTH)
        assert 0 < len(chosen) <= appendix.ITEMS
        assert len({item.question.task for item in chosen}) == 1
        assert sources.own_questions(person + 1, MONTH) == ()
