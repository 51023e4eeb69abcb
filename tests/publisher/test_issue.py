"""Choosing an issue: kinds and order, what a person may decide, the quiz, and every way it may fail."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from content.library import Library
from publisher import issue
from publisher.issue import Issue, IssueError, MonthError
from quizzes.questions import Bank
from tests.publisher.conftest import bank

FILE = Path("issues/2018-01.toml")


def test_articles_stand_under_their_kinds_in_the_order_of_kinds(january: Issue) -> None:
    assert [(one.title, [note.slug for note in one.notes]) for one in january.sections] == [
        ("Technical whitepapers", ["first"]),
        ("Training and certification opportunities", ["rtl"]),
        ("Industry trends", ["nasty", "second"]),
    ]


def test_articles_that_a_person_names_come_first_in_their_kind(library: Library) -> None:
    chosen = issue.compose(library, [], [], "2018-01", issue.read_choice('articles = ["second"]', FILE))
    assert [note.slug for note in chosen.articles] == ["first", "rtl", "second", "nasty"]


def test_without_a_choice_the_issue_is_the_librarys(library: Library) -> None:
    chosen = issue.compose(library, [], [], "2018-02")
    assert (chosen.letter, [note.slug for note in chosen.articles]) == ("", ["later"])
    assert chosen.startups is not None
    assert chosen.schedule is None
    assert chosen.title == "Archway Monthly, February 2018"


def test_another_months_startups_are_printed_only_where_a_person_says_so(library: Library, january: Issue) -> None:
    assert january.startups is not None
    assert january.startups.month == "2018-02"
    assert issue.compose(library, [], [], "2018-01").startups is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('articles = ["nowhere"]', "There is no article “nowhere” in 2018-01"),
        ('startups = "2017-01"', "There are no startups of “2017-01”"),
        ("articles = 3", "must be a list"),
        ("articles = [3]", "must be a list"),
        ("letter = 3", "must be a text"),
        ("lettre = 'x'", "Nothing reads “lettre”"),
        ("letter =", "This is not TOML"),
    ],
)
def test_a_fault_in_a_choice_names_its_file(library: Library, text: str, sentence: str) -> None:
    with pytest.raises(IssueError, match=r"^issues/2018-01\.toml: ") as raised:
        issue.compose(library, [], [], "2018-01", issue.read_choice(text, FILE))
    assert sentence in str(raised.value)


def test_a_choice_for_an_empty_month_names_its_file(library: Library) -> None:
    with pytest.raises(IssueError, match=r"^issues/2018-03\.toml: .*nothing for 2018-03"):
        issue.compose(library, [], [], "2018-03", issue.read_choice("", Path("issues/2018-03.toml")))
    with pytest.raises(IssueError, match="nothing for 2018-03"):
        issue.compose(library, [], [], "2018-03")


@pytest.mark.parametrize(
    "month", ["2018-13", "2018-1", "18-01", "../etc", "", "2018-00", "0000-01", "２018-01", "2018-01\n"]
)
def test_what_is_no_month_is_refused(library: Library, month: str) -> None:
    with pytest.raises(MonthError, match="is no month"):
        issue.compose(library, [], [], month)


def test_a_choice_is_read_from_its_folder_if_it_is_there(tmp_path: Path) -> None:
    assert issue.load_choice(tmp_path, "2018-01") is None
    (tmp_path / "2018-01.toml").write_text('letter = " Hello. "')
    found = issue.load_choice(tmp_path, "2018-01")
    assert found is not None
    assert found.letter == "Hello."
    (tmp_path / "2018-01.toml").write_bytes(b"\xff")
    with pytest.raises(IssueError, match="not UTF-8"):
        issue.load_choice(tmp_path, "2018-01")


def test_the_quiz_never_has_an_item_that_an_exam_may_draw(banks: tuple[Bank, ...]) -> None:
    drawn = issue.draw_quiz(banks, "2018-01")
    assert len(drawn) == 10
    assert {item.question.id for item in drawn} <= {f"c-{number}" for number in range(1, 16)}
    assert issue.draw_quiz([bank("exam", range(1, 9))], "2018-01") == ()


def test_a_month_draws_the_same_quiz_each_time_and_another_month_another(banks: tuple[Bank, ...]) -> None:
    drawn = [item.question.id for item in issue.draw_quiz(banks, "2018-01")]
    assert drawn == [item.question.id for item in issue.draw_quiz(tuple(reversed(banks)), "2018-01")]
    assert drawn != [item.question.id for item in issue.draw_quiz(banks, "2018-02")]


def test_a_new_item_displaces_at_most_one_of_the_quiz(banks: tuple[Bank, ...]) -> None:
    before = {item.question.id for item in issue.draw_quiz(banks, "2018-01")}
    after = {item.question.id for item in issue.draw_quiz((*banks, bank("check", range(500, 501))), "2018-01")}
    assert len(before - after) <= 1


def test_months_are_those_with_anything_to_print(library: Library) -> None:
    assert issue.months(library) == ("2018-01", "2018-02")


def test_an_issue_is_due_on_its_first_day() -> None:
    assert issue.due_at("2018-02") == datetime(2018, 2, 1, 6, 0, tzinfo=UTC)
    assert issue.day_name(date(2018, 1, 22)) == "Monday 22 January"
