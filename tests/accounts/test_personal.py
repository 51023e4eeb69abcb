"""What is kept of a person is given to them whole and forgotten whole: no table keeps name, address or number."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, LargeBinary, MetaData, String, Table, cast, delete, func, inspect, select, update

from accounts import personal
from accounts.models import PersonRow, SessionRow
from accounts.personal import LastAdminError, Subject
from content import search
from db import Base, Database
from labs.models import EventRow, RunRow
from publisher.models import DeliveryRow, SubscriberRow
from quizzes.authoring.models import DraftRow
from quizzes.exchange.models import ImportRow
from quizzes.models import AttemptRow, ResponseRow, SheetRow
from tests.conftest import MovableClock
from tests.rows import fill
from web import retention
from web.lifecycle import lifecycle

NAME, EMAIL = "Zlatozara Quellmeier", "zlatozara@quellmeier.example"
HER = Subject(2, EMAIL)
TABLES = [table for table in Base.metadata.sorted_tables if table.name not in search.TABLES]
KNOWS_THE_NAME = {"name": NAME, "email": EMAIL, "kindle": EMAIL}


@pytest.fixture
def filled(app: Flask) -> Database:
    """A database with three rows in each table; the second is hers, or was written by her, and says who she is."""
    database: Database = app.extensions["database"]
    schema = MetaData()
    for table in TABLES:
        table.to_metadata(schema)
    with database.writing() as connection:
        for table in reversed(TABLES):
            connection.execute(delete(table))
        fill(connection, schema)
        for table in TABLES:
            told = {name: value for name, value in KNOWS_THE_NAME.items() if name in table.columns}
            if told and (table.name == "accounts_person" or _keys(table)):
                second = _keys(table)[0] if _keys(table) else "id"
                connection.execute(update(table).where(table.c[second] == 2).values(told))
    return database


def _keys(table: Table) -> list[str]:
    """Return the columns that hold a person's number."""
    return [key.parent.name for key in table.foreign_keys if key.column.table.name == "accounts_person"]


def _rows(connection: Connection) -> dict[str, int]:
    """Return how many rows each table has."""
    statements = {table.name: select(func.count()).select_from(table) for table in TABLES}
    return {name: connection.execute(statement).scalar_one() for name, statement in statements.items()}


def _traces(connection: Connection) -> list[str]:
    """Return where a table still knows her."""
    found = []
    for table in TABLES:
        for column in table.columns:
            if column.name in _keys(table) or (table.name, column.name) == ("accounts_person", "id"):
                known = column == HER.id
            elif isinstance(column.type, LargeBinary):
                continue
            else:
                known = cast(column, String).contains("uellmeier")
            if connection.execute(select(func.count()).select_from(table).where(known)).scalar_one():
                found.append(f"{table.name}.{column.name}")
    return found


def test_nothing_knows_the_person_who_was_forgotten(app: Flask, filled: Database) -> None:
    with filled.writing() as connection:
        before = _traces(connection)
        personal.forget(connection, HER, lifecycle(app).claims)
        assert _traces(connection) == []
    assert {f"{table.name}.{key}" for table in TABLES for key in _keys(table)} <= set(before), "each was there before"
    assert "publisher_subscriber.email" in before


def test_the_control_without_the_rooms_claims_traces_are_left(app: Flask, filled: Database) -> None:
    with filled.writing() as connection:
        personal.forget(connection, HER, ())
        assert {"accounts_link.email", "publisher_subscriber.email", "quizzes_import.name"} <= set(_traces(connection))


def test_what_others_have_stays(app: Flask, filled: Database) -> None:
    with filled.writing() as connection:
        personal.forget(connection, HER, lifecycle(app).claims)
        assert min(_rows(connection).values()) == 2
        assert connection.execute(select(DraftRow.person_id).order_by(DraftRow.id)).scalars().all() == [1, None, None]


def test_the_count_says_what_goes(app: Flask, filled: Database) -> None:
    with filled.writing() as connection:
        goes, stays = personal.counts(connection, HER, lifecycle(app).claims)
        before = _rows(connection)
        personal.forget(connection, HER, lifecycle(app).claims)
        after = _rows(connection)
    assert goes == {name: before[name] - after[name] for name in before if before[name] != after[name]}
    assert "quizzes_draft" in stays


def test_every_column_that_holds_a_person_is_a_key() -> None:
    """Otherwise nobody would find it."""
    for table in TABLES:
        held = {one.name for one in table.columns if one.name.endswith(("person_id", "_by"))}
        assert held <= set(_keys(table)), table.name


def test_what_goes_with_an_attempt_is_found_by_an_index(app: Flask) -> None:
    """Without one, a table of all learners is read whole for each attempt that goes."""
    inspector = inspect(app.extensions["database"].engine)
    for table in TABLES:
        first = {index["column_names"][0] for index in inspector.get_indexes(table.name)}
        first.add(inspector.get_pk_constraint(table.name)["constrained_columns"][0])
        keys = {key.parent.name for key in table.foreign_keys if key.column.table.name == "quizzes_attempt"}
        assert keys <= first, table.name


def test_the_only_admin_stays(app: Flask, filled: Database) -> None:
    with filled.writing() as connection:
        connection.execute(update(PersonRow).where(PersonRow.id == 2).values(role="admin"))
        with pytest.raises(LastAdminError, match="only admin"):
            personal.forget(connection, HER, lifecycle(app).claims)


def test_a_learner_takes_everything_along(app: Flask, filled: Database) -> None:
    with filled.reading() as connection:
        kept = personal.export(connection, HER, lifecycle(app).claims)
    assert kept["accounts_person"][0]["email"] == EMAIL
    assert "password_hash" not in kept["accounts_person"][0]
    assert kept["quizzes_response"][0]["attempt_id"] == 2
    assert {"publisher_delivery", "labs_event", "quizzes_draft", "content_mark"} <= set(kept)
    assert {len(found) for found in kept.values()} == {1}
    assert json.loads(json.dumps(kept)) == kept


def test_a_person_leaves_by_their_own_page(
    app: Flask, people: Callable[[str], FlaskClient], post: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    ada, bob = people("ada"), people("bob")
    post(ada, "/exams/saa-c01/attempts")
    assert "Download what is kept of you" in ada.get("/account").text
    file = ada.get("/account/data.json")
    assert file.headers["Content-Disposition"] == "attachment; filename=archway-account.json"
    assert len(file.get_json()["quizzes_attempt"]) == 1
    refused = post(ada, "/account/delete", password="not her password")
    assert (refused.status_code, "This is not your password" in refused.text) == (400, True)
    assert caplog.messages[-1] == "password refused: person 1 at /account/delete"
    assert post(ada, "/account/delete", password="a calm long sentence").status_code == 303
    assert ada.get("/account").status_code == 303, "signed out"
    with app.extensions["database"].reading() as connection:
        assert connection.execute(select(PersonRow.name)).scalars().all() == ["bob"]
        assert connection.execute(select(func.count()).select_from(AttemptRow)).scalar_one() == 0
    assert bob.get("/account").status_code == 200
    known = {"email": "ada@example.org", "password": "a calm long sentence"}
    assert post(app.test_client(), "/sign-in", **known).status_code == 400


# Its rows have numbers of their own, with which PostgreSQL would begin again.
@pytest.mark.sqlite
def test_who_signs_up_with_anothers_address_learns_and_ends_nothing_of_theirs(
    app: Flask, filled: Database, people: Callable[[str], FlaskClient], post: Callable[..., Any]
) -> None:
    with filled.writing() as connection:
        connection.execute(update(SubscriberRow).where(SubscriberRow.id.endswith("1")).values(email="eve@example.org"))
    eve = people("eve")
    assert set(eve.get("/account/data.json").get_json()) == {"accounts_person", "accounts_session"}
    post(eve, "/account/delete", password="a calm long sentence")
    assert _count(app, SubscriberRow) == 3
    assert _count(app, PersonRow) == 3


def test_an_operator_exports_and_deletes(app: Flask, people: Callable[[str], FlaskClient]) -> None:
    people("ada")
    run = app.test_cli_runner().invoke
    exported = run(args=["accounts", "export", "ADA@example.org"])
    assert json.loads(exported.stdout)["accounts_person"][0]["name"] == "ada"
    assert run(args=["accounts", "delete", "ada@example.org"], input="n\n").exit_code == 1
    unknown = run(args=["accounts", "delete", "nobody@example.org"]).output
    assert unknown == "Error: There is no account with the address nobody@example.org.\n", "and nothing is asked"
    assert "accounts_person: 1 deleted" in run(args=["accounts", "delete", "ada@example.org", "--yes"]).output
    gone = run(args=["accounts", "export", "ada@example.org"])
    assert (gone.exit_code, gone.stderr) == (1, "Error: There is no account with the address ada@example.org.\n")


def _count(app: Flask, row: type[Base]) -> int:
    with app.extensions["database"].reading() as connection:
        return connection.execute(select(func.count()).select_from(row)).scalar_one()


def test_a_guest_who_is_gone_is_forgotten_after_a_year_and_one_who_may_come_back_is_not(
    app: Flask, clock: MovableClock, post: Callable[..., Any]
) -> None:
    for _ in range(3):
        post(app.test_client(), "/exams/saa-c01/attempts")
    clock.advance(days=366)
    with app.extensions["database"].writing() as connection:
        alive = update(SessionRow).where(SessionRow.person_id == 2)
        connection.execute(alive.values(expires_at=clock() + timedelta(days=1)))
    retention.sweep(app)
    with app.extensions["database"].reading() as connection:
        assert connection.execute(select(PersonRow.id)).scalars().all() == [2]
        assert connection.execute(select(AttemptRow.person_id)).scalars().all() == [2]
        assert connection.execute(select(SessionRow.person_id)).scalars().all() == [2]


def test_what_is_old_goes_and_what_is_needed_stays(app: Flask, filled: Database, clock: MovableClock) -> None:
    old, new = datetime(2017, 1, 1, tzinfo=UTC), datetime(2018, 2, 1, tzinfo=UTC)
    with filled.writing() as connection:
        connection.execute(update(RunRow).values(ended_at=new))
        connection.execute(update(RunRow).where(RunRow.id == 1).values(ended_at=old))
        connection.execute(update(ImportRow).values(state="applied", report=b"x", changed_at=new))
        connection.execute(update(ImportRow).where(ImportRow.id == 1).values(changed_at=old))
        connection.execute(update(DeliveryRow).values(state="sent", occasion="confirm", changed_at=old))
        connection.execute(update(DeliveryRow).where(DeliveryRow.id == 1).values(occasion="2016-12"))
    retention.sweep(app)
    with filled.reading() as connection:
        assert connection.execute(select(EventRow.run_id).order_by(EventRow.run_id)).scalars().all() == [2, 3]
        assert _count(app, RunRow) == 3
        kept = select(ImportRow.id).where(ImportRow.report.is_not(None)).order_by(ImportRow.id)
        assert connection.execute(kept).scalars().all() == [2, 3]
        assert connection.execute(select(DeliveryRow.occasion)).scalars().all() == ["2016-12"]
    assert (_count(app, SubscriberRow), _count(app, ResponseRow), _count(app, SheetRow)) == (3, 3, 3)


def test_it_looks_once_an_hour(app: Flask, clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[datetime] = []

    def expire(_connection: Connection, now: datetime, _keep: timedelta, _most: int) -> int:
        looked.append(now)
        return 2 - len(looked) if len(looked) < 3 else 0

    monkeypatch.setattr(lifecycle(app), "expire", [expire])
    for _ in range(3):
        retention.sweep(app)
    assert len(looked) == 2, "as long as something goes"
    clock.advance(minutes=61)
    retention.sweep(app)
    assert len(looked) == 3
