"""Intrinsic functions and the tests of Choice states, each with values that it takes and values that it does not."""

from __future__ import annotations

import contextlib
import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.parts.states import choices, intrinsics
from labs.parts.states.choices import Comparison, like
from labs.parts.states.comparisons import instant, same
from labs.parts.states.intrinsics import FUNCTIONS, IntrinsicError
from labs.parts.states.paths import ROOT, PathError
from labs.parts.states.payload import Json, Limits, Meter, StateFailedError


class Seeded:
    """An environment with chance of a seed."""

    def __init__(self, seed: int = 0) -> None:
        self.meter, self.random = Meter(Limits()), Random(seed)

    def context(self) -> Json:
        return {"State": {"Name": "A"}}


def _value(text: str, data: Json = None, seed: int = 0) -> Json:
    return intrinsics.parse(text).read(data, Seeded(seed))


CALLS = {
    "States.Format('{} and {}', $.a, 1.5)": "x and 1.5",
    "States.Format('{}', $.list)": '[1,"b"]',
    r"States.Format('\{\} {} \\ \' ', true)": r"{} true \ ' ",
    "States.Format($.template, $.a)": "<x>",
    "States.StringToJson('[1, 2]')": [1, 2],
    "States.JsonToString($.list)": '[1,"b"]',
    "States.Array()": [],
    "States.Array($.a, $$.State.Name, States.Array(null))": ["x", "A", [None]],
    "States.ArrayPartition(States.ArrayRange(1, 5, 1), 2)": [[1, 2], [3, 4], [5]],
    "States.ArrayContains($.list, 'b')": True,
    "States.ArrayContains(States.Array(1), true)": False,
    "States.ArrayRange(1, 9, 3)": [1, 4, 7],
    "States.ArrayRange(3, 1, -1)": [3, 2, 1],
    "States.ArrayGetItem($.list, 1)": "b",
    "States.ArrayLength($.list)": 2,
    "States.ArrayUnique(States.Array(1, true, 1, '1'))": [1, True, "1"],
    "States.Base64Encode('Зима')": "0JfQuNC80LA=",
    "States.Base64Decode('0JfQuNC80LA=')": "Зима",
    "States.Hash('', 'SHA-1')": "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "States.JsonMerge($, States.StringToJson('{\"a\": 2}'), false)": {"a": 2, "list": [1, "b"], "template": "<{}>"},
    "States.MathAdd(1, -3)": -2,
    "States.MathAdd(1.6, 1)": 3,
    "States.StringSplit('a,b;c', ',;')": ["a", "b", "c"],
    "States.StringSplit('a^b]c', '^]')": ["a", "b", "c"],
}


@pytest.mark.parametrize(("text", "value"), list(CALLS.items()))
def test_a_function_gives(text: str, value: Json) -> None:
    found = _value(text, {"a": "x", "list": [1, "b"], "template": "<{}>"})
    assert json.dumps(found, sort_keys=True) == json.dumps(value, sort_keys=True)


FAILURES = {
    "States.Format($.n, 1)": "takes a text here, and got the number 3",
    "States.Format($.t, 1)": "0 places {} and 1 values",
    "States.StringToJson($.t)": "not JSON",
    "States.ArrayPartition($.list, 0)": "size of 1 or more",
    "States.ArrayContains($.t, 1)": "takes an array here, and got a text",
    "States.ArrayRange(1, 9, 0)": "other than 0",
    "States.ArrayRange(0, 1000, 1)": "at most 1000",
    "States.ArrayGetItem($.list, -1)": "index -1 of an array with 2",
    "States.ArrayLength($)": "got an object",
    "States.Base64Decode('*')": "not Base64",
    "States.Base64Encode($.long)": "at most 10000 characters",
    "States.Hash($.t, 'MD4')": "one of MD5, SHA-1",
    "States.JsonMerge($, $, true)": "outermost fields only",
    "States.JsonMerge($, $.t, false)": "two objects",
    "States.MathAdd($.t, 1)": "got a text",
    "States.MathAdd(true, 1)": "got a boolean",
    "States.MathAdd(9999999999, 1)": "at most 2147483648",
    "States.MathRandom(2, 2)": "smaller than the end",
}


@pytest.mark.parametrize(("text", "phrase"), list(FAILURES.items()))
def test_a_function_says_what_it_cannot_take(text: str, phrase: str) -> None:
    with pytest.raises(IntrinsicError) as error:
        _value(text, {"n": 3, "t": "text", "list": [1, 2], "long": "x" * 10_001})
    assert phrase in str(error.value)


def test_the_bounds_themselves_are_taken() -> None:
    assert len(_value("States.ArrayRange(1, 1000, 1)")) == 1000  # type: ignore[arg-type]
    assert _value("States.Base64Encode($)", "x" * 10_000)


def test_every_function_is_called_in_a_test() -> None:
    called = {name for text in CALLS for name in FUNCTIONS if f"States.{name}(" in text}
    assert set(FUNCTIONS) - called == {"MathRandom", "UUID"}


def test_chance_is_of_the_seed() -> None:
    for text in ("States.UUID()", "States.MathRandom(0, 1000000)"):
        assert _value(text, seed=1) == _value(text, seed=1)
        assert _value(text, seed=1) != _value(text, seed=2)
    assert _value("States.MathRandom(0, 1000000, 7)", seed=1) == _value("States.MathRandom(0, 1000000, 7)", seed=2)


@given(st.integers(-100, 100), st.integers(1, 100), st.integers(0, 1000))
def test_a_random_number_is_from_the_start_to_before_the_end(start: int, length: int, seed: int) -> None:
    number = _value(f"States.MathRandom({start}, {start + length})", seed=seed)
    assert isinstance(number, int)
    assert start <= number < start + length


@given(st.text(alphabet="States.Array()Format'{}$,1 \\", max_size=40))
def test_no_text_breaks_the_reader(text: str) -> None:
    with contextlib.suppress(IntrinsicError, PathError):
        assert intrinsics.parse("States." + text).name in FUNCTIONS


def test_a_call_pays_for_what_it_looks_at() -> None:
    with pytest.raises(StateFailedError):
        _value("States.ArrayLength($)", ["x" * 300_000])


def _holds(test: str, value: Json, expected: Json) -> bool:
    return Comparison(ROOT, test, expected).holds(value, Seeded())


ORDERS = {
    "Equals": (False, True, False),
    "LessThan": (True, False, False),
    "GreaterThan": (False, False, True),
    "LessThanEquals": (True, True, False),
    "GreaterThanEquals": (False, True, True),
}
VALUES: dict[str, tuple[list[Json], list[Json]]] = {
    "String": (["a", "b", "c"], [1, None, True, ["b"]]),
    "Numeric": ([1, 2.5, 3], ["2.5", None, True, [2.5]]),
    "Timestamp": (
        ["2018-02-12T03:00:00Z", "2018-02-12T05:00:00.5+02:00", "2018-02-12T03:00:01Z"],
        ["2018-02-12", "2018-02-12T03:00:00", 3, None, "2018-02-30T00:00:00Z"],
    ),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", VALUES)
def test_the_orders_hold_within_a_kind_and_never_across(kind: str, order: str) -> None:
    values, others = VALUES[kind]
    assert tuple(_holds(kind + order, value, values[1]) for value in values) == ORDERS[order]
    assert not any(_holds(kind + order, other, values[1]) for other in others)


def test_every_test_of_a_choice_is_known() -> None:
    assert len(choices.OPERATORS) == 3 * 5 + 2
    assert len(choices.ALL_OPERATORS) == 17 + 16 + 6


@pytest.mark.parametrize(
    ("test", "yes", "no"),
    [
        ("IsNull", [None], [0, "", False, {}]),
        ("IsString", [""], [None, 0]),
        ("IsNumeric", [0, 1.5], [True, "0"]),
        ("IsBoolean", [True, False], [0, "true"]),
        ("IsTimestamp", ["2018-02-12T03:00:00.123Z"], ["2018-02-12T03:00:00z", "", 0]),
        ("IsPresent", [None, 0], []),
        ("BooleanEquals", [True], [False, 1, "true"]),
    ],
)
def test_a_kind_is_told(test: str, yes: list[Json], no: list[Json]) -> None:
    assert all(_holds(test, value, expected=True) for value in yes)
    assert not any(_holds(test, value, expected=True) for value in no)


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("log-*.txt", ["log-.txt", "log-a.txt"], ["log.txt", "log-a.txt2"]),
        ("*", ["", "anything\nat all"], []),
        ("a*b*c", ["abc", "aXbYc", "abbc"], ["ab", "acb"]),
        ("*ab", ["ab", "aab"], ["aba"]),
        ("a*a", ["aa", "aba"], ["a"]),
        (r"a\*b", ["a*b"], ["aXb"]),
        (r"a\\*", ["a\\", "a\\x"], ["a*"]),
        ("", [""], ["x"]),
        ("a[b]?", ["a[b]?"], ["ab"]),
    ],
)
def test_a_pattern_matches(pattern: str, yes: list[str], no: list[str]) -> None:
    assert all(like(text, pattern) for text in yes)
    assert not any(like(text, pattern) for text in no)


@given(st.lists(st.text(alphabet="ab*\\", max_size=4), min_size=1, max_size=5), st.text(alphabet="ab", max_size=4))
def test_a_text_matches_the_pattern_that_it_was_made_from(parts: list[str], between: str) -> None:
    pattern = "*".join(part.replace("\\", "\\\\").replace("*", "\\*") for part in parts)
    assert like(between.join(parts), pattern)
    assert not like("c" + between.join(parts) + "c", "a" + pattern)


@given(st.datetimes().map(lambda moment: moment.isoformat(timespec="seconds") + "Z"), st.integers(-14, 14))
def test_an_instant_is_the_same_in_every_zone(text: str, hours: int) -> None:
    there = f"{text[:-1]}{'-' if hours < 0 else '+'}{abs(hours):02}:00"
    here, moved = instant(text), instant(there)
    assert here is not None
    assert moved is not None
    assert here - moved == hours * 3600


def test_true_is_not_one_however_deep() -> None:
    assert same([{"a": 1}], [{"a": 1.0}])
    assert not same([{"a": 1}], [{"a": True}])
    assert not same({"a": 1}, {"b": 1})
