"""The gradebook's rules, its export, the list of people to invite, and how many statements a page takes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, insert

from accounts import cohorts, gradebook, roster
from accounts.cohort_models import AssignmentRow, MemberRow
from accounts.cohorts import Assignment, Member, Terms
from accounts.gradebook import Grade, Rules
from accounts.models import PersonRow
from accounts.work import Effort
from content.models import FinishedLessonRow
from quizzes.models import AttemptRow
from tests.accounts.test_cohorts import HOME, ada, ina  # noqa: F401 (fixtures)

NOON = datetime(2018, 2, 12, 12, 0, tzinfo=UTC)
DUE = NOON + timedelta(days=2)
EARLY = NOON - timedelta(hours=4)
ADA = Member(1, "Ada", "ada@example.org", teaches=False, extra_time="1", joined_at=NOON)
BOB = Member(2, "=Bob()", "bob@example.org", teaches=False, extra_time="1", joined_at=NOON)


def exam(counts: str = "best", *, closes: bool = False, opens: datetime | None = None) -> Assignment:
    return Assignment(7, 1, "exam", "saa-c01", "Exam", Terms("", opens, DUE, closes, counts))


def go(hours: float, scaled: int | None, person: int = 1) -> Effort:
    """An attempt begun so many hours after the noon, handed in an hour later unless it has no score."""
    start = NOON + timedelta(hours=hours)
    done = None if scaled is None else start + timedelta(hours=1)
    return Effort(person, "saa-c01", start, done, None if scaled is None else (scaled - 100) // 9, scaled)


def state(efforts: list[Effort], at: datetime, **terms: object) -> tuple[str, int | None]:
    found = gradebook.grade(exam(**terms), DUE, efforts, at)
    return found.state, found.scaled


@pytest.mark.parametrize(("counts", "scaled"), [("best", 820), ("first", 550), ("last", 640)])
def test_the_attempt_that_the_assignment_names_counts(counts: str, scaled: int) -> None:
    assert state([go(1, 550), go(5, 820), go(9, 640)], DUE, counts=counts) == ("submitted", scaled)


def test_late_work_counts_only_where_nothing_came_in_time_and_nothing_is_closed() -> None:
    late, after = go(60, 900), DUE + timedelta(days=3)
    assert state([go(1, 550), late], after) == ("submitted", 550)
    assert state([late], after) == ("late", 900)
    assert state([late], after, closes=True) == ("missing", None)


def test_what_is_not_handed_in_is_begun_or_open_and_then_missing() -> None:
    assert state([], NOON) == ("open", None)
    assert state([], NOON, opens=NOON + timedelta(hours=1)) == ("closed", None)
    assert state([go(1, None)], NOON + timedelta(hours=2)) == ("begun", None)
    assert state([go(1, None)], DUE + timedelta(seconds=1)) == ("missing", None)


def test_a_go_before_the_opening_counts_only_where_there_can_be_no_other() -> None:
    opened = exam(opens=NOON + timedelta(hours=6))
    for repeatable, expected in ((frozenset({"exam"}), "open"), (frozenset(), "submitted")):
        rules = Rules(NOON + timedelta(hours=7), repeatable)
        book = gradebook.compile_book([ADA], [opened], {"exam": [go(1, 550)]}, {}, rules)
        assert book.grades[1, 7].state == expected


def test_an_extension_holds_for_one_person_and_never_shortens() -> None:
    later = {(7, 1): DUE + timedelta(days=1), (7, 2): DUE - timedelta(days=1)}
    assert gradebook.due_of(exam(), 1, later) == DUE + timedelta(days=1)
    assert gradebook.due_of(exam(), 2, later) == DUE
    assert gradebook.due_of(exam(), 3, later) == DUE


def test_who_is_stuck_is_told_apart() -> None:
    eve = Member(3, "Eve", "", teaches=False, extra_time="1", joined_at=NOON)
    now = DUE + timedelta(days=1)
    book = gradebook.compile_book([ADA, BOB, eve], [exam()], {"exam": [go(1, 550)]}, {}, Rules(now, frozenset()))
    found = gradebook.trouble(book, {1: now, 2: now - timedelta(days=9)}, now, 7)
    assert found.not_begun == (eve,)
    assert [one for one, _when in found.idle] == [BOB]
    assert [one for one, _tasks in found.missing] == [BOB, eve]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_cell_that_a_spreadsheet_would_run_is_guarded(cell: str) -> None:
    assert gradebook.guarded(cell) == f"'{cell}"
    assert gradebook.guarded("Ada = 1") == "Ada = 1"


def test_the_export_has_a_line_for_each_person_and_guards_names() -> None:
    book = gradebook.compile_book([ADA, BOB], [exam()], {"exam": [go(1, 550)]}, {}, Rules(NOON, frozenset()))

    def words(grade: Grade) -> str:
        return grade.state

    rows = list(csv.reader(io.StringIO(gradebook.to_csv(book, words, ("n", "e", "state", "percent", "scaled")))))
    assert rows == [
        ["n", "e", "Exam: state", "Exam: percent", "Exam: scaled"],
        ["Ada", "ada@example.org", "submitted", "50", "550"],
        ["'=Bob()", "bob@example.org", "open", "", ""],
    ]


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", [(1, 1)]),
        ("ada@example.org,Ada", [(1, 1)]),
        ("email,name\nno,Ada", [(2, 1)]),
        ("name;email\nAda;no", [(2, 5)]),
        ('email,name\na@b.org,"A, B"\n"x,y"@b.org,C', [(3, 1)]),
        ("email,name\na@b.org", [(2, 8)]),
        ("email,name\na@b.org,A,x", [(2, 11)]),
        ("email,name\na@b.org,", [(2, 9)]),
        ("email,name\na@b.org,A\n\nA@B.org,B", [(4, 1)]),
        ("\ufeffemail\tname\r\nin@b.org\tA\r\nout@b.org\tB", [(2, 1), (3, 1)]),
    ],
)
def test_each_fault_of_a_list_is_told_where_it_is(text: str, faults: list[tuple[int, int]]) -> None:
    found = roster.read(text, members={"in@b.org"}, invited={"out@b.org"})
    assert [(one.line, one.column) for one in found.faults] == faults


def test_a_duplicate_names_the_line_of_the_first() -> None:
    found = roster.read("email,name\na@b.org,A\n A@B.ORG ,B\n")
    assert found.faults[0].sentence % found.faults[0].values == "This address stands on line 2 already."
    assert [one.name for one in found.people] == ["A"]


def test_a_date_is_of_the_cohorts_zone() -> None:
    moment = cohorts.read_moment("2018-07-01T12:00", "Europe/Sofia")
    assert moment == datetime(2018, 7, 1, 9, 0, tzinfo=UTC)
    assert cohorts.write_moment(moment, "Europe/Sofia") == "2018-07-01T12:00"


@contextmanager
def _counted(app: Flask) -> Iterator[list[str]]:
    said: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        said.append(statement)

    engine = app.extensions["database"].engine
    event.listen(engine, "before_cursor_execute", hear)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", hear)


def _fill(app: Flask, people: range, assignments: int) -> None:
    """Store learners who have done every assignment: lessons, and each second one an exam."""
    keys = [("lesson", f"c/m/{n}") if n % 2 else ("exam", f"exam-{n}") for n in range(assignments)]
    terms = {"note": "", "closes": False, "counts": "best", "fixed_time": False, "due_at": DUE, "created_at": NOON}
    attempt = {"seed": 1, "form": [], "places": 0, "deadline": DUE, "started_at": EARLY, "closed_at": EARLY}
    with app.extensions["database"].writing() as connection:
        rows = [{"id": n, "name": f"P{n}", "role": "learner", "theme": "auto", "created_at": NOON} for n in people]
        connection.execute(insert(PersonRow), rows)
        member = {"cohort_id": 1, "teaches": False, "extra_time": "1", "joined_at": NOON}
        connection.execute(insert(MemberRow), [{**member, "person_id": n} for n in people])
        tasks = [{"cohort_id": 1, "kind": kind, "key": key, "title": key, **terms} for kind, key in keys]
        connection.execute(insert(AssignmentRow), tasks)
        for kind, key in keys:
            if kind == "lesson":
                row = {"lesson": key, "finished_at": NOON}
                connection.execute(insert(FinishedLessonRow), [{**row, "person_id": n} for n in people])
            else:
                row = {"exam": key, "answers": [], "scaled": 640, **attempt}
                connection.execute(insert(AttemptRow), [{**row, "person_id": n} for n in people])


def test_a_gradebook_takes_as_many_statements_for_many_people_as_for_few(
    app: Flask,
    ina: FlaskClient,  # noqa: F811 (the fixture)
) -> None:
    counts = []
    for people, assignments in ((range(100, 102), 2), (range(200, 398), 18)):
        _fill(app, people, assignments)
        with _counted(app) as said:
            page = ina.get(f"{HOME}/gradebook").text
        counts.append(len([one for one in said if one.startswith("SELECT")]))
    assert page.count("<tr>") == 201
    assert page.count("640") >= 198 * 9
    assert counts[0] == counts[1] <= 16
    with _counted(app) as said:
        ina.get(f"{HOME}/standing")
    assert len([one for one in said if one.startswith("SELECT")]) <= 22
