"""Parameters that are texts in a language: what they accept, and where they say what is wrong."""

from __future__ import annotations

import json

import pytest

from labs import parameters, sentences
from labs.parameters import LONGEST_TEXT, Parameter, ParameterError

MACHINE = Parameter("machine", "asl", "Machine", "")
RULES = Parameter("rules", "json", "Rules", "", optional=True, empty="no rules")
QUERY = Parameter("query", "sql", "Query", "")


@pytest.mark.parametrize(
    ("parameter", "text", "value"),
    [
        (MACHINE, '{\r\n"a": 1}\r\n', '{\n"a": 1}\n'),
        (MACHINE, '  {"a": "б"}', '  {"a": "б"}'),
        (RULES, "\r\n ", None),
        (RULES, "[1, 2]", "[1, 2]"),
        (QUERY, "SELECT {nothing is read of this\r", "SELECT {nothing is read of this\n"),
    ],
)
def test_a_text_is_kept_as_it_is_with_one_kind_of_line_end(parameter: Parameter, text: str, value: str | None) -> None:
    assert parameter.read(text) == value
    assert parameter.read(parameter.show(parameter.read(text))) == value


@pytest.mark.parametrize(
    ("text", "line", "column", "problem"),
    [
        ('{"a": 1,\r\n "b" 2}', 2, 6, "a colon must stand here"),
        ('{"a": }', 1, 7, "a value must stand here"),
        ("[1 2]", 1, 4, "a comma or a closing bracket must stand here"),
        ('{\n\n  "a": 1,\n}', 4, 1, "a name in double quotes must stand here"),
        ("{} {}", 1, 4, "nothing may stand after the end"),
        ('["a\n"]', 1, 4, "a line break or another control character stands in a string"),
        ('["a', 1, 2, "the string that begins here has no end"),
        (r'["\q"]', 1, 3, "a backslash stands before a character that none may stand before"),
        (r'["\u12"]', 1, 5, "four hexadecimal digits must stand after this"),
        ("[NaN]", 1, 1, "this is no JSON"),
        ("[" * 60_000, 1, 1, "this is no JSON"),
        ("[" + "9" * 5000 + "]", 1, 1, "this is no JSON"),
    ],
)
def test_what_is_no_json_is_told_with_its_place(text: str, line: int, column: int, problem: str) -> None:
    for parameter in (MACHINE, RULES):
        with pytest.raises(ParameterError) as caught:
            parameter.read(text)
        error = caught.value
        # Where a trailing comma stands has two names: the readers of different Pythons differ in it.
        assert (error.line, error.problem) == (line, problem)
        assert abs(error.column - column) <= 1 or "name in double" in problem
        assert str(error) == f"{parameter.name}, line {error.line}, column {error.column}: {problem}."


@pytest.mark.parametrize("text", ["", " \n", "a\0b", "x" * (LONGEST_TEXT + 1), "б" * (LONGEST_TEXT // 2 + 1)])
def test_an_empty_a_binary_and_an_endless_text_are_refused(text: str) -> None:
    with pytest.raises(ParameterError, match="it accepts SQL of at most 64 KiB") as caught:
        QUERY.read(text)
    assert caught.value.line == 0
    assert len(str(caught.value)) < 200


def test_the_longest_text_is_accepted() -> None:
    assert QUERY.read("x" * LONGEST_TEXT) == "x" * LONGEST_TEXT


def test_every_problem_is_in_the_catalog_of_translations() -> None:
    assert {words for words, _pattern in sentences.PROBLEMS} == {*parameters.PROBLEMS.values(), parameters.NO_JSON}


def test_every_message_of_pythons_reader_is_known() -> None:
    for text in ('{"a" 1}', "{a}", "[1 2]", '"a', "1 2", '"\\q"', '"\n"', '{"a":1,}', "[1,]", '"\\u12"', ""):
        with pytest.raises(json.JSONDecodeError) as caught:
            json.loads(text)
        assert caught.value.msg in parameters.PROBLEMS
