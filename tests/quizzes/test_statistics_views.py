"""The pages, files and the command of statistics, over an exam that many have sat."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import etree
from sqlalchemy import insert, select
from werkzeug.test import TestResponse

import config
from accounts.models import PersonRow
from app import create_app
from content.workflow import Signature
from db import Database
from quizzes import sheets, sittings, statistics_store, store
from quizzes.attempts import Clock
from quizzes.corrections import store as corrections
from quizzes.corrections.replay import Ruling
from quizzes.routes import exams
from quizzes.sittings import Exams
from tests.databases import Databases
from web.schedule import sweep

NOW = datetime(2018, 2, 1, tzinfo=UTC)
CLOCK = Clock(NOW, NOW + timedelta(hours=1), NOW)
KEY_IN_DOUBT, KNOWN_TO_ALL = "arc-1-001", "arc-1-002"
PEOPLE = 160
QTI = "{http://www.imsglobal.org/xsd/imsqti_usagedata_v3p0}"


def answers(form: store.Attempt, bank: Exams, ability: float, chance: random.Random) -> list[str]:
    """Return what somebody of that ability answers: at one item the strong choose another option than the key."""
    given = []
    by_name = {name: question_id for question_id, name in bank.present.items()}
    for name, _ in form.form:
        item = bank.items[by_name[name]]
        letters = [option.letter for option in item.question.options]
        key = "".join(sorted(item.key.correct)) if item.question.kind == "choice" else item.key.answer
        other = next((letter for letter in letters if letter not in item.key.correct), "")
        knows = chance.random() < (0.75 if ability > 0 else 0.35)
        if item.question.id == KEY_IN_DOUBT:
            given.append(other if knows else key)
        elif item.question.id == KNOWN_TO_ALL:
            given.append(key)
        else:
            given.append(key if knows else chance.choice([other, ""]))
    return given


def sit(database: Database, bank: Exams, people: int, number: int = 7, exam: str = "architectures") -> None:
    """Let people sit a form of an exam."""
    chance = random.Random(2018)
    form = sittings.draw(bank, bank.find(exam), number)
    with database.writing() as connection:
        person = {"name": "Zbigniew", "role": "guest", "created_at": NOW, "theme": "auto"}
        owner = connection.execute(insert(PersonRow).values(person).returning(PersonRow.id)).scalar_one()
        for _ in range(people):
            attempt_id = sittings.start(connection, bank, form, owner, replace(CLOCK, closed_at=None))
            attempt = store.find_attempt(connection, attempt_id, owner)
            given = answers(attempt, bank, chance.gauss(0, 1), chance)
            store.close(connection, attempt, given, 500, NOW)
            sheets.file(connection, attempt, [bank.items[one.question.id] for one in form.places], given)


@pytest.fixture(scope="module")
def sat_instance(tmp_path_factory: pytest.TempPathFactory, prepared: Path, databases: Databases) -> Path:
    """The folder of an instance where many have sat the form that has the two odd items, its statistics computed."""
    folder = tmp_path_factory.mktemp("sat")
    app = create_app(config.load(databases.copy(prepared, folder)))
    with app.app_context():
        bank = exams()
    exam, wanted = bank.find("architectures"), {KEY_IN_DOUBT, KNOWN_TO_ALL}
    number = next(n for n in range(1000) if wanted <= {one.question.id for one in sittings.draw(bank, exam, n).places})
    sit(app.extensions["database"], bank, PEOPLE, number)
    statistics_store.refresh(app.extensions["database"], "architectures", NOW)
    app.extensions["database"].engine.dispose()
    return folder


@pytest.fixture
def settings(tmp_path: Path, sat_instance: Path, databases: Databases) -> config.Settings:
    return config.load(databases.copy(sat_instance, tmp_path))


@pytest.fixture
def sat(app: Flask) -> Exams:
    """The exams with their banks, of which one was sat by many."""
    with app.app_context():
        return exams()


@pytest.fixture
def instructor(promote: Callable[[str], FlaskClient]) -> FlaskClient:
    return promote("ines")


ADDRESSES = (
    "/studio/statistics",
    "/studio/statistics/architectures",
    f"/studio/statistics/architectures/items/{KEY_IN_DOUBT}",
    "/studio/statistics/architectures/items.csv",
    "/studio/statistics/architectures/usage-data.xml",
)


def test_only_instructors_see_them_and_nothing_shows_a_person(
    sat: Exams, instructor: FlaskClient, people: Callable[[str], FlaskClient]
) -> None:
    learner = people("lea")
    for address in ADDRESSES:
        assert learner.get(address).status_code == 403
        page = instructor.get(address)
        assert page.status_code == 200
        assert "Zbigniew" not in page.text


def test_the_strong_who_choose_something_else_put_the_key_in_doubt(sat: Exams, instructor: FlaskClient) -> None:
    page = instructor.get(f"/studio/statistics/architectures/items/{KEY_IN_DOUBT}").text
    assert "more than the key: look at the key." in page
    easy = instructor.get(f"/studio/statistics/architectures/items/{KNOWN_TO_ALL}").text
    assert "Nearly everybody gets it right." in easy
    assert "look at the key" not in easy


def test_each_dot_of_the_chart_leads_to_its_item_and_the_table_has_the_same(
    sat: Exams, instructor: FlaskClient
) -> None:
    page = instructor.get("/studio/statistics/architectures").text
    chart, _, table = page.partition('<table class="item-statistics">')
    address = f'href="/studio/statistics/architectures/items/{KEY_IN_DOUBT}"'
    assert address in chart
    assert address in table
    # The key in doubt is the gravest and stands first.
    assert table.index(KEY_IN_DOUBT) == table.index("arc-")
    assert "KR-20 of the commonest form" in page


@pytest.mark.parametrize(
    ("sort", "cell"), [("facility", r'align-right">(\d+) %<br>'), ("answers", r'align-right">(\d+)</td>')]
)
def test_the_table_is_in_the_order_asked_for(sat: Exams, instructor: FlaskClient, sort: str, cell: str) -> None:
    page = instructor.get(f"/studio/statistics/architectures?sort={sort}").text.partition('class="item-statistics"')[2]
    values = [int(value) for value in re.findall(cell, page)]
    assert values == sorted(values, reverse=sort == "answers")
    assert len(values) == 30
    assert instructor.get("/studio/statistics/architectures?sort=colour").status_code == 404


def test_the_csv_has_a_line_for_each_option_and_says_the_flags(sat: Exams, instructor: FlaskClient) -> None:
    lines = list(csv.DictReader(io.StringIO(instructor.get("/studio/statistics/architectures/items.csv").text)))
    own = [line for line in lines if line["question"] == KEY_IN_DOUBT]
    assert [line["option"] for line in own] == [one.letter for one in sat.items[KEY_IN_DOUBT].question.options]
    assert all(line["n"] == str(PEOPLE) and "rival" in line["flags"] for line in own)
    assert sum(int(line["count"]) for line in own) == PEOPLE


def test_the_usage_data_counts_choices_by_the_names_of_the_glossary(sat: Exams, instructor: FlaskClient) -> None:
    root = etree.fromstring(instructor.get("/studio/statistics/architectures/usage-data.xml").data)
    own = [
        one
        for one in root.iter(f"{QTI}ordinaryStatistic")
        if one.find(f"{QTI}targetObject").get("identifier").startswith(f"{KEY_IN_DOUBT}.")
    ]
    assert {one.get("name") for one in own} == {"AIS", "NumberChoosingResponse", "PTbis-Response"}
    chosen = [int(one.findtext(f"{QTI}value")) for one in own if one.get("name") == "NumberChoosingResponse"]
    assert sum(chosen) == PEOPLE == int(own[0].get("caseCount"))
    assert [child.tag for child in own[0]] == [f"{QTI}targetObject", f"{QTI}value"]


def test_a_changed_key_begins_statistics_of_its_own(sat: Exams, app: Flask, instructor: FlaskClient) -> None:
    database = app.extensions["database"]
    item = sat.items[KEY_IN_DOUBT]
    other = next(one.letter for one in item.question.options if one.letter not in item.key.correct)
    bank = next(bank for bank in sat.banks if item in bank.items)
    changed = replace(item, key=replace(item.key, correct=frozenset({other})))
    renewed = replace(bank, items=tuple(changed if one is item else one for one in bank.items))
    new = Exams(sat.blueprints, tuple(renewed if one is bank else one for one in sat.banks))
    app.extensions["exams"] = new
    store.sync_versions(database, new.banks)
    with database.reading() as connection:
        form = connection.execute(select(store.AttemptRow.seed).limit(1)).scalar_one()
    sit(database, new, people=40, number=form)
    statistics_store.refresh(database, "architectures", NOW)
    page = instructor.get(f"/studio/statistics/architectures/items/{KEY_IN_DOUBT}").text
    versions = page.partition("Across versions")[2]
    assert "the key</span>" in versions
    assert re.findall(r'<td class="figures align-right">(\d+)</td>', versions) == ["40", str(PEOPLE)]
    earlier = instructor.get(f"/studio/statistics/architectures/items/{KEY_IN_DOUBT}?version={item.fingerprint()[:12]}")
    assert f"<dd>{PEOPLE}</dd>" in earlier.text


def test_a_corrected_key_changes_the_figures_without_a_rebuild(
    sat: Exams, app: Flask, instructor: FlaskClient, post: Callable[..., TestResponse]
) -> None:
    item = sat.items[KEY_IN_DOUBT]
    other = next(one.letter for one in item.question.options if one.letter not in item.key.correct)
    page, files = f"/studio/statistics/architectures/items/{KEY_IN_DOUBT}", ADDRESSES[3:]
    before = facility(instructor.get(page).text)
    sent = {"version": item.fingerprint(), "kind": "key", "correct": other}
    weighed = post(instructor, f"/studio/replay/{KEY_IN_DOUBT}", **sent).text
    seen = re.search(r'name="seen" value="([\d-]+)"', weighed)[1]
    made = post(instructor, f"/studio/replay/{KEY_IN_DOUBT}", **sent, apply="1", seen=seen, reason="It is the other.")
    assert made.status_code == 303
    # Until they are computed again, pages say that they are not, and no file is given.
    for address in ADDRESSES[:3]:
        assert "A key has been corrected since these figures were computed." in instructor.get(address).text
    assert [instructor.get(address).status_code for address in files] == [409, 409]
    sweep(app)
    shown = instructor.get(page).text
    for address in ADDRESSES[:3]:
        assert "A key has been corrected" not in instructor.get(address).text
    assert [instructor.get(address).status_code for address in files] == [200, 200]
    assert f"<dd>{PEOPLE}</dd>" in shown
    assert facility(shown) == pytest.approx(100 - before, abs=1)
    assert "look at the key" not in shown
    told = app.test_cli_runner().invoke(args=["quizzes", "statistics", "architectures", "--json"])
    (own,) = [one for one in json.loads(told.output)["versions"] if one["question_id"] == KEY_IN_DOUBT]
    assert own["key"] == other
    assert {"rival", "negative"}.isdisjoint(flag["rule"] for flag in own["flags"])
    assert own["item"]["right"] / PEOPLE == pytest.approx(1 - before / 100, abs=0.01)


def test_the_command_and_the_button_take_a_correction_into_account_at_once(
    sat: Exams, app: Flask, instructor: FlaskClient, post: Callable[..., TestResponse]
) -> None:
    database = app.extensions["database"]

    def drop(question_id: str) -> None:
        with database.writing() as connection:
            (version,) = corrections.versions(connection, question_id)
            corrections.apply(connection, version, Ruling("drop"), [], ("So.", Signature(None, NOW)))

    drop(KEY_IN_DOUBT)
    told = app.test_cli_runner().invoke(args=["quizzes", "statistics", "architectures"])
    assert f"{PEOPLE} attempts" in told.output
    drop(KNOWN_TO_ALL)
    assert post(instructor, "/studio/statistics/architectures").status_code == 303
    with database.reading() as connection:
        results = statistics_store.load(connection, "architectures")
    assert results.sheets == PEOPLE
    # Both are out of the form whose reliability is told.
    assert len(results.form_items) == len(results.versions) - 2 == 28


def facility(page: str) -> int:
    """Return the facility that the page of an item shows, in per cent."""
    return int(re.search(r"<dt>Facility</dt><dd>(\d+) %", page)[1])


def test_statistics_are_computed_by_the_sweep_and_by_the_button(
    sat: Exams, app: Flask, instructor: FlaskClient, post: Callable[..., object]
) -> None:
    assert "Nobody has answered anything" in instructor.get("/studio/statistics/scs-c01").text
    sit(app.extensions["database"], sat, people=1, exam="scs-c01")
    assert "1 attempt has been closed" in instructor.get("/studio/statistics/scs-c01").text
    sweep(app)
    page = instructor.get("/studio/statistics/scs-c01").text
    assert "From 1 attempt," in page
    assert "not enough data" in page.lower()
    sit(app.extensions["database"], sat, people=1, exam="scs-c01")
    assert "1 more since" in instructor.get("/studio/statistics/scs-c01").text
    assert post(instructor, "/studio/statistics/scs-c01").status_code == 303
    assert "From 2 attempts," in instructor.get("/studio/statistics/scs-c01").text


def test_what_is_not_there_is_told(sat: Exams, instructor: FlaskClient) -> None:
    for address in ("/studio/statistics/nope", "/studio/statistics/scs-c01/items.csv"):
        assert instructor.get(address).status_code == 404
    absent = instructor.get("/studio/statistics/architectures/items/arc-9-999")
    assert absent.status_code == 404
    assert "Nobody has answered this item" in absent.text


def test_the_command_prints_flags_and_one_json_document(sat: Exams, app: Flask) -> None:
    runner = app.test_cli_runner()
    told = runner.invoke(args=["quizzes", "statistics", "architectures"])
    assert told.exit_code == 0
    assert f"{PEOPLE} attempts" in told.output
    assert "look at the key" in told.output
    document = json.loads(runner.invoke(args=["quizzes", "statistics", "architectures", "--rebuild", "--json"]).output)
    own = next(one for one in document["versions"] if one["question_id"] == KEY_IN_DOUBT)
    assert own["flags"][0]["rule"] == "rival"
    wrong = runner.invoke(args=["quizzes", "statistics", "nope"])
    assert wrong.exit_code == 2
    assert "the exams are saa-c01" in wrong.output


def test_a_bank_of_six_hundred_items_is_shown_within_300_ms(sat: Exams, app: Flask, instructor: FlaskClient) -> None:
    database = app.extensions["database"]
    with database.reading() as connection:
        results = statistics_store.load(connection, "architectures")
    many = tuple(
        replace(one, question_id=f"{one.question_id}-{number}", number=number * 1000 + one.number)
        for number in range(20)
        for one in results.versions
    )
    with database.writing() as connection:
        statistics_store._keep(database, connection, replace(results, versions=many))
    waits = []
    for _ in range(4):
        start = time.process_time()
        page = instructor.get("/studio/statistics/architectures").text
        waits.append(time.process_time() - start)
    assert page.count("<tr>") > 600
    assert min(waits) < 0.3
