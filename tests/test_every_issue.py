"""Every issue that the repository can print is sound, by our own rules and by the EPUB checker's."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from lxml import etree

from content import library
from publisher import epub, issue, lint, package, sources
from publisher.epub import Edition
from publisher.issue import Issue
from quizzes import pool
from tests.publisher.conftest import checker_messages

CHOICES = Path("publisher/issues")
LIBRARY = library.load(Path("content"))[0]
BANKS = pool.load(Path("quizzes/banks"))[0]
MONTHS = issue.months(LIBRARY)
HTML = "{http://www.w3.org/1999/xhtml}"


def compose(month: str) -> Issue:
    return issue.compose(LIBRARY, BANKS, sources.labs(), month, issue.load_choice(CHOICES, month))


@pytest.fixture(scope="module")
def editions() -> dict[str, Edition]:
    return {month: epub.build(compose(month)) for month in MONTHS}


def test_every_choice_belongs_to_a_month_with_content() -> None:
    assert {path.stem for path in CHOICES.glob("*.toml")} <= set(MONTHS)


def test_january_prints_the_talks_and_the_nearest_startups() -> None:
    found = compose("2018-01")
    assert found.schedule is not None
    assert len(found.schedule.talks) == 21
    assert found.startups is not None
    assert found.startups.month == "2018-02"
    assert len(found.startups.startups) == 3
    assert "bg" in {note.page.language for note in found.articles}


@pytest.mark.parametrize("month", MONTHS)
def test_an_issue_builds_twice_to_the_same_bytes_and_kindle_finds_nothing(
    month: str, editions: dict[str, Edition]
) -> None:
    assert epub.build(compose(month)).sha256 == editions[month].sha256
    assert lint.findings(package.entries(editions[month].kindle)) == ()


@pytest.mark.parametrize("month", MONTHS)
def test_an_issue_is_accessible_in_its_structure(month: str, editions: dict[str, Edition]) -> None:
    for name, content in package.entries(editions[month].epub).items():
        if name.endswith(".xhtml"):
            root = etree.fromstring(content)
            levels = [int(str(one.tag)[-1]) for one in root.iter(*(f"{HTML}h{level}" for level in range(1, 7)))]
            assert levels.count(1) == 1, name
            assert all(after <= before + 1 for before, after in pairwise(levels)), name
            assert all(one.get("scope") for one in root.iter(f"{HTML}th")), name


@pytest.mark.parametrize("month", MONTHS)
def test_the_quiz_has_ten_items_of_which_no_exam_draws_any(month: str) -> None:
    drawable = {question.id for bank in BANKS for question in pool.questions(BANKS, bank.course)}
    drawn = {item.question.id for item in compose(month).quiz}
    checks = sum(len(bank.items) for bank in BANKS if bank.pool == "check")
    assert len(drawn) == min(10, checks)
    assert not drawn & drawable


# The checker takes a quarter of a minute for a book; tests/publisher/test_hostile_content.py gives it another one.
@pytest.mark.java
@pytest.mark.parametrize("month", [*(pytest.param(one, marks=pytest.mark.full) for one in MONTHS[:-1]), MONTHS[-1]])
def test_the_epub_checker_has_nothing_to_say(month: str, editions: dict[str, Edition], tmp_path: Path) -> None:
    assert checker_messages(editions[month].epub, tmp_path) == []
