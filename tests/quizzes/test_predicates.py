"""Predicates: what they say of findings, and what is no predicate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizzes import predicates
from quizzes.predicates import PredicateError

RUNS = {"": {"rejected": 2500, "requests": 5000, "reserved": True}, "half": {"rejected": 10, "seconds": 0.25}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("rejected == 2500", True),
        ("rejected != 2500", False),
        ("2400 < rejected <= 2500", True),
        ("2500 < rejected <= 5000", False),
        ("rejected / requests", 0.5),
        ("-rejected + 2 * half.rejected - 1", -2481),
        ("(requests - rejected) * 2 == requests", True),
        ("rejected > 10 * half.rejected and not half.rejected == 0", True),
        ("rejected < 0 or half.seconds >= 0.25", True),
        ("not reserved", False),
        ("rejected < 0 and nothing == 1", False),
        ("rejected > 0 or nothing == 1", True),
    ],
)
def test_it_says_of_the_runs(text: str, value: float) -> None:
    assert predicates.parse(text).value(RUNS) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rejected = 2500",
        "rejected ==",
        "f(rejected) == 1",
        "'rejected' == 1",
        "True",
        "rejected ** 9999 == 1",
        "rejected if requests else 0",
        "[1, 2] == 1",
        "rejected is 1",
        "rejected in half",
        "a.b.c == 1",
        "(1).real == 1",
        "rejected @ 2",
        "lambda: 1",
        "(x := 1) == 1",
        "__import__('os').system('true')",
        "1; 2",
        "(" * 250 + "1" + ")" * 250,
        "1 + " * 200 + "1",
        "1\0",
    ],
)
def test_anything_else_is_no_predicate(text: str) -> None:
    with pytest.raises(PredicateError, match="is no predicate"):
        predicates.parse(text)


def test_a_finding_that_a_run_lacks_is_named_with_those_it_has() -> None:
    with pytest.raises(PredicateError, match="run “half” has no finding “losses” that is a number; it has rejected, s"):
        predicates.parse("half.losses == 0").value(RUNS)
    with pytest.raises(PredicateError, match="The run has no finding “losses”"):
        predicates.parse("losses == 0").value(RUNS)


def test_a_division_by_zero_is_told() -> None:
    with pytest.raises(PredicateError, match="divides by zero"):
        predicates.parse("rejected / (requests - 5000) > 1").value(RUNS)


def test_it_names_its_findings() -> None:
    found = predicates.parse("half.rejected > 1 and rejected < half.seconds").findings()
    assert list(found) == [("half", "rejected"), ("", "rejected"), ("half", "seconds")]


@given(st.text(max_size=80))
def test_no_text_gets_past_the_sentence(text: str) -> None:
    try:
        predicates.parse(text).value(RUNS)
    except PredicateError as error:
        assert str(error).endswith(".")  # noqa: PT017 (whether it raises depends on the text)
