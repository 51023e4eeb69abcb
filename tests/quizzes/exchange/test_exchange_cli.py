"""Imports and exports from the command line: findings with places, statuses, and nothing half taken."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

COURSE = "solutions-architect-associate"
GOOD = "::q-1:: What keeps messages until they are read? {=Amazon SQS ~Amazon SNS}\n"
TURNED = GOOD.replace("q-1", "q-2").replace("=Amazon SQS ~", "~Amazon SQS =")


@pytest.fixture
def run(app: Flask) -> Callable[..., Any]:
    """Return a function that runs ``flask quizzes`` with these arguments."""

    def command(*arguments: str) -> Result:
        return app.test_cli_runner().invoke(args=["quizzes", *arguments])

    return command


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Any]:
    """Return a function that writes a file and returns its path."""

    def write(text: str, name: str = "week.gift") -> str:
        (tmp_path / name).write_text(text, "utf-8")
        return str(tmp_path / name)

    return write


def test_a_good_file_is_taken_and_taken_back(run: Callable[..., Result], file: Callable[..., str]) -> None:
    result = run("import", file(GOOD), "--bank", "week", "--course", COURSE)
    assert (result.exit_code, "1 items are drafts of the bank “week”." in result.output) == (0, True)
    assert "applied" in run("imports").output
    assert run("undo", "1").output.startswith("1 items were taken out.")
    assert run("undo", "1").exit_code == 1


def test_a_stem_with_two_keys_is_named_at_both_places_and_takes_nothing(
    run: Callable[..., Result], file: Callable[..., str]
) -> None:
    path = file(f"{GOOD}\n{TURNED}")
    result = run("import", path, "--bank", "week", "--course", COURSE)
    assert result.exit_code == 1
    assert f"{path}:1:1: error: The same question stands at line 3 with another key." in result.output
    assert f"{path}:3:1: error: The same question stands at line 1 with another key." in result.output
    assert "Nothing was taken over" in result.output
    assert run("export", "week", "--format", "gift").exit_code == 2


def test_a_question_that_cannot_come_is_named_by_line_and_column(
    run: Callable[..., Result], file: Callable[..., str]
) -> None:
    path = file(f"{GOOD}\n::essay:: Tell all. {{}}\n")
    result = run("import", path, "--dry-run")
    assert result.exit_code == 1
    assert f"{path}:3:" in result.output
    assert "1 of 2 questions can come; 1 cannot" in result.output
    taken = run("import", path, "--bank", "week", "--course", COURSE, "--only-good")
    assert "1 items are drafts" in taken.output


def test_what_a_bank_has_already_is_named_there(run: Callable[..., Result], file: Callable[..., str]) -> None:
    run("import", file(GOOD), "--bank", "week", "--course", COURSE)
    assert "The same item stands at week in the studio." in run("import", file(GOOD), "--dry-run").output


def test_json_is_one_document_and_nothing_else(run: Callable[..., Result], file: Callable[..., str]) -> None:
    values = json.loads(run("import", file(GOOD), "--dry-run", "--json").stdout)
    assert values["sum"]["proposed"] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Name the bank with --bank"),
        (("--bank", "week"), "A new bank needs --course, one of"),
        (("--bank", "Week 3", "--course", COURSE), "as in week-3"),
        (("--dry-run", "--task", "one"), "A task is a code such as 1.2"),
    ],
)
def test_wrong_usage_says_what_to_give(
    run: Callable[..., Result], file: Callable[..., str], arguments: tuple[str, ...], words: str
) -> None:
    result = run("import", file(GOOD), *arguments)
    assert (result.exit_code, words in result.output) == (2, True)


def test_an_unknown_bank_is_answered_with_those_there_are(run: Callable[..., Result]) -> None:
    result = run("export", "nowhere", "--format", "gift")
    assert (result.exit_code, f"{COURSE}/1-" in result.output) == (2, True)


def test_an_exported_bank_comes_back_as_it_went(
    run: Callable[..., Result], tmp_path: Path, file: Callable[..., str]
) -> None:
    run("import", file(GOOD), "--bank", "week", "--course", COURSE)
    target = tmp_path / "week.md"
    assert run("export", "week", "--format", "markdown", "--out", str(target)).exit_code == 0
    values = json.loads(run("import", str(target), "--dry-run", "--json").stdout)
    assert [one["kind"] for one in values["questions"][0]["alike"]] == ["same"]
