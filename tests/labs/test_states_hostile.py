"""A hostile corpus: each text is refused with the place of its fault, each run is stopped by a limit, in a second."""

from __future__ import annotations

import copy
import gc
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.parts.states.definition import read
from labs.parts.states.execution import Conditions, Execution, Outcome, execute
from labs.parts.states.machine import Machine
from labs.parts.states.payload import Json, Limits
from tests.conftest import missing

SECONDS = 3.0
"""Of processor time; they take up to one, and on a busy machine a second counts for up to two."""
MEMORY = 50_000_000
PASS = {"Type": "Pass", "End": True}
MEGABYTE = 1_000_000
ARTICLE = (Path(__file__).parent / "data/states/etl.json").read_text("utf-8")
FAILS, TALKS = (f"arn:aws:lambda:us-east-1:123456789012:function:{name}" for name in ("fails", "talks"))


def _machine(state: Any, **others: Any) -> str:
    return json.dumps({"StartAt": "A", "States": {"A": state, **others}}, separators=(",", ":"))


def _nested(depth: int) -> str:
    inner: Any = PASS
    for level in range(depth):
        inner = {
            "Type": "Parallel",
            "End": True,
            "Branches": [{"StartAt": f"P{level}", "States": {f"P{level}": inner}}],
        }
    return _machine(inner)


def _deep_rule(depth: int) -> str:
    rule = '{"Not":' * depth + '{"Variable":"$","IsNull":true}' + "}" * depth
    return '{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{"Next":"A","Not":' + rule + "}]}}}"


REFUSED: dict[str, tuple[Callable[[], str], str, str]] = {
    "2 MB of spaces": (lambda: " " * 2 * MEGABYTE, "$", "greater than 1 MB"),
    "600,000 characters of three bytes": (lambda: '{"Comment": "' + "☃" * 600_000 + '"}', "$", "greater than 1 MB"),
    "1 MB of open brackets": (lambda: "[" * MEGABYTE, "$" + "[0]" * 128, "deeper than 128"),
    "1 MB of open objects": (lambda: '{"a":' * (MEGABYTE // 5), "$" + ".a" * 128, "deeper than 128"),
    "1 MB of an open string": (lambda: '{"a": "' + "x" * MEGABYTE, "$.a", "no end"),
    "1 MB of escapes": (lambda: '{"StartAt": "' + r"\n" * 500_000 + '"}', "$", "has no States"),
    "1 MB of backslashes and no end": (lambda: '{"a": "' + "\\" * MEGABYTE, "$.a", "no end"),
    "a name of 1 MB as the start": (
        lambda: json.dumps({"StartAt": "n" * MEGABYTE, "States": {"A": PASS}}),
        "$.StartAt",
        "There is no state nnn",
    ),
    "a state's name of 1 MB": (
        lambda: json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "n" * MEGABYTE: PASS}}),
        "$.States.A.Next",
        "There is no state B",
    ),
    "a field's name of 1 MB": (lambda: _machine({**PASS, "n" * MEGABYTE: 1}), "$.States.A", "no field nnn"),
    "a type of 1 MB": (lambda: _machine({"Type": "T" * MEGABYTE}), "$.States.A.Type", "no state of type TTT"),
    "a number of 1 MB": (lambda: f'{{"a": {"9" * MEGABYTE}}}', "$.a", "more than 40 digits"),
    "an exponent of 1 MB": (lambda: f'{{"a": 1e{"9" * MEGABYTE}}}', "$.a", "more than 40 digits"),
    "500,000 zeros": (lambda: "[" + "0," * 499_000 + "0]", "$[99999]", "more values than"),
    "100,000 fields of one name": (lambda: "{" + '"a":1,' * 99_000 + '"b":1}', "$.a", "stands twice"),
    "30,000 states of no type": (
        lambda: json.dumps({"StartAt": "A", "States": {f"S{number}": {} for number in range(30_000)}}),
        "$",
        "more than 100 faults",
    ),
    "30,000 unknown fields": (
        lambda: _machine({**PASS, **{f"Nexxt{number}": 1 for number in range(30_000)}}),
        "$",
        "more than 100 faults",
    ),
    "20 machines within machines": (lambda: _nested(40), "$.States.A.Branches[0]", "deeper than 128"),
    "a rule 200 deep": (lambda: _deep_rule(200), "$.States.A.Choices[0].Not", "deeper than 128"),
    "a call 100,000 deep": (
        lambda: _machine({**PASS, "Parameters": {"a.$": "States.Array(" * 70_000}}),
        "$.States.A.Parameters['a.$']",
        "more than 10 deep",
    ),
    "a path of 1 MB": (
        lambda: _machine({**PASS, "InputPath": "$" + ".a" * 490_000 + ".["}),
        "$.States.A.InputPath",
        "followed by no name",
    ),
    "a filter of 1 MB": (
        lambda: _machine({**PASS, "InputPath": "$[?(@" + ".a" * 490_000}),
        "$.States.A.InputPath",
        "neither an index nor",
    ),
    "an open quote of 1 MB in a path": (
        lambda: _machine({**PASS, "InputPath": "$['" + "\\\\a" * 150_000}),
        "$.States.A.InputPath",
        "neither an index nor",
    ),
    "an open literal of 1 MB in a call": (
        lambda: _machine({**PASS, "Parameters": {"a.$": "States.Array('" + "a" * 900_000}}),
        "$.States.A.Parameters['a.$']",
        "no argument",
    ),
    "a bracket with 300,000 indices": (
        lambda: _machine({**PASS, "InputPath": "$[" + "1," * 300_000}),
        "$.States.A.InputPath",
        "neither an index nor",
    ),
    "a ring of 20,000 states": (
        lambda: json.dumps(
            {
                "StartAt": "S0",
                "States": {f"S{one}": {"Type": "Pass", "Next": f"S{(one + 1) % 20_000}"} for one in range(20_000)},
            }
        ),
        "$.States",
        "No state ends the machine",
    ),
    "20,000 states that nothing leads to": (
        lambda: json.dumps({"StartAt": "A", "States": {"A": PASS, **{f"S{one}": PASS for one in range(20_000)}}}),
        "$",
        "more than 100 faults",
    ),
    "an unpaired surrogate for a name": (
        lambda: r'{"StartAt": "\ud800", "States": {"A": {"Type": "Succeed"}}}',
        "$.StartAt",
        "There is no state",
    ),
    "a null character": (lambda: '{"a": "\0"}', "$.a", "control character"),
    "a mark of the byte order": (lambda: "\ufeff{}", "$", "where a value should stand"),
}


def _loop(state: dict[str, Any]) -> str:
    """A machine that does the state for ever, but for a way out that is never taken."""
    back = {"Type": "Choice", "Choices": [{"Variable": "$", "IsNull": True, "Next": "Z"}], "Default": "A"}
    return _machine({**state, "Next": "B"}, B=back, Z={"Type": "Succeed"})


def _map(processor: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Type": "Map", "ItemProcessor": {"StartAt": "M", "States": {"M": processor}}, **more}


def _times(template: Any) -> str:
    return _machine({**PASS, "Parameters": template})


LOOP_OF_PASSES = _loop({"Type": "Pass"})
LETTERS = "x" * 200_000
FULL = "States.Runtime"
TOO_GREAT = "States.DataLimitExceeded"
RUNS: dict[str, tuple[str, Json, str, str]] = {
    "a loop of Pass and Choice": (LOOP_OF_PASSES, {}, FULL, "history events (25000)"),
    "a loop over a payload of 200 kB": (LOOP_OF_PASSES, {"a": LETTERS}, FULL, "history events (25000)"),
    "a loop of waits": (_loop({"Type": "Wait", "Seconds": 99_999_999}), {}, "States.Timeout", "31536000 seconds"),
    "a loop of waits for nothing": (_loop({"Type": "Wait", "Seconds": 0}), {}, FULL, "history events"),
    "a loop that wraps its input": (_loop({"Type": "Pass", "Parameters": {"a.$": "$"}}), {}, TOO_GREAT, "100 levels"),
    "a loop that doubles its input": (
        _loop({"Type": "Pass", "Parameters": {"a.$": "$.a", "b.$": "States.Array($, $)"}}),
        {"a": 1},
        TOO_GREAT,
        "262144 bytes",
    ),
    "a loop that rewrites 200 kB": (
        _loop({"Type": "Pass", "Parameters": {"a.$": "States.Format('{}', $.a)"}}),
        {"a": LETTERS},
        FULL,
        "handled more than",
    ),
    "a loop that looks at 60,000 values": (
        _loop({"Type": "Pass", "Parameters": {"n.$": "$.n", "all.$": "$..n"}}),
        {"n": [0] * 60_000},
        FULL,
        "handled more than",
    ),
    "a loop that fails and is caught": (
        _machine(
            {"Type": "Task", "Resource": FAILS, "Next": "B", "Catch": [{"ErrorEquals": ["E"], "Next": "A"}]}, B=PASS
        ),
        {},
        FULL,
        "history events",
    ),
    "a hundred million retries": (
        _machine(
            {
                "Type": "Task",
                "Resource": FAILS,
                "End": True,
                "Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 99_999_999, "BackoffRate": 1}],
            }
        ),
        {},
        FULL,
        "history events",
    ),
    "retries that wait for ever longer": (
        _machine(
            {
                "Type": "Task",
                "Resource": FAILS,
                "End": True,
                "Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 99_999_999, "BackoffRate": 1e308}],
            }
        ),
        {},
        "States.Timeout",
        "31536000 seconds",
    ),
    "a map over 130,000 items": (_machine({**_map(PASS), "End": True}), [0] * 130_000, FULL, "history events"),
    "a map over a map over a map": (
        _machine(
            {
                **_map({**_map({"Type": "Pass", "End": True}, ItemsPath="$.all"), "End": True}, ItemsPath="$.all"),
                "ItemsPath": "$.all",
                "ItemSelector": {"all.$": "$.all"},
                "End": True,
            }
        )
        .replace('"M":{"Type":"Pass"', '"N":{"Type":"Pass"')
        .replace('{"StartAt":"M","States":{"N"', '{"StartAt":"N","States":{"N"'),
        {"all": [{"all": [0] * 300}] * 300},
        FULL,
        "handled more than",
    ),
    "30,000 copies of 200 kB": (
        _times({f"a{number}.$": "$" for number in range(30_000)}),
        LETTERS,
        TOO_GREAT,
        "262144 bytes",
    ),
    "a format of a hundred texts of 200 kB": (
        _times({"a.$": f"States.Format('{'{}' * 100}'{', $' * 100})"}),
        LETTERS,
        FULL,
        "handled more than",
    ),
    "20,000 sorts of 50,000 values": (
        _times([{"a.$": "States.ArrayLength(States.ArrayUnique($))"}] * 20_000),
        list(range(40_000)),
        FULL,
        "handled more than",
    ),
    "a text that is JSON 100,000 deep": (
        _times({"a.$": "States.StringToJson($)"}),
        "[" * 100_000,
        "States.IntrinsicFailure",
        "deeper than 100",
    ),
    "a text that is a number of 200,000 digits": (
        _times({"a.$": "States.StringToJson($)"}),
        "1" * 200_000,
        "States.IntrinsicFailure",
        "more than 40 digits",
    ),
    "an array of a billion": (
        _times({"a.$": "States.ArrayRange(1, 1000000000, 1)"}),
        {},
        "States.IntrinsicFailure",
        "at most 1000 elements",
    ),
    "descendants of descendants": (
        _machine({**PASS, "InputPath": "$" + "..*" * 20}),
        json.loads("[" * 90 + "[0],[0]," * 20 + "0" + "]" * 90),
        FULL,
        "handled more than",
    ),
    "a pattern of 100,000 stars": (
        _machine(
            {
                "Type": "Choice",
                "Choices": [{"Variable": "$", "StringMatches": "*a" * 100_000 + "b", "Next": "B"}],
            },
            B=PASS,
        ),
        "a" * 200_000,
        "States.NoChoiceMatched",
        "No rule",
    ),
    "a pattern of 100,000 stars in a loop": (
        _machine(
            {
                "Type": "Choice",
                "Choices": [{"Variable": "$", "StringMatches": "*a" * 100_000 + "b", "Next": "B"}],
                "Default": "A",
            },
            B=PASS,
        ),
        "a" * 200_000,
        FULL,
        "handled more than",
    ),
    "a text read as JSON 15,000 times": (
        _times([{"a.$": "States.ArrayLength(States.StringToJson($))"}] * 15_000),
        "[" + "0," * 90_000 + "0]",
        FULL,
        "handled more than",
    ),
    "5,000 looks at the context in a loop": (
        _loop({"Type": "Pass", "Parameters": [{"a.$": "$$.State.Name"}] * 5_000}),
        {},
        FULL,
        "handled more than",
    ),
    "5,000 numbers at random in a loop": (
        _loop({"Type": "Pass", "Parameters": [{"a.$": "States.MathRandom(0, 9, 1)"}] * 5_000}),
        {},
        FULL,
        "handled more than",
    ),
    "a task that gets more than a payload": (
        _machine({"Type": "Task", "Resource": FAILS, "InputPath": "$..*", "End": True}),
        json.loads("[" * 90 + json.dumps("x" * 20_000) + "]" * 90),
        TOO_GREAT,
        "262144 bytes",
    ),
    "10,000 instants in a loop": (
        _machine(
            {
                "Type": "Choice",
                "Choices": [{"Variable": "$", "TimestampEquals": "2018-02-12T03:00:00Z", "Next": "B"}] * 10_000,
                "Default": "A",
            },
            B=PASS,
        ),
        "2018-02-12T03:00:01Z",
        FULL,
        "handled more than",
    ),
    "20,000 rules in a loop": (
        _machine(
            {
                "Type": "Choice",
                "Choices": [{"Variable": "$", "IsNull": True, "Next": "B"}] * 20_000,
                "Default": "A",
            },
            B=PASS,
        ),
        {},
        FULL,
        "handled more than",
    ),
    "an input of 300 kB": (_machine(PASS), "x" * 300_000, TOO_GREAT, "262144 bytes"),
    "an input 20,000 deep": (_machine(PASS), json.loads("[" * 900 + "]" * 900), TOO_GREAT, "100 levels"),
    "a task that answers 10 MB": (
        _machine({"Type": "Task", "Resource": TALKS, "End": True}),
        {},
        TOO_GREAT,
        "262144 bytes",
    ),
    "a thousand branches that loop": (
        _machine(
            {
                "Type": "Parallel",
                "End": True,
                "Branches": [
                    {
                        "StartAt": f"W{one}",
                        "States": {
                            f"W{one}": {
                                "Type": "Choice",
                                "Choices": [{"Variable": "$", "IsNull": True, "Next": f"Z{one}"}],
                                "Default": f"W{one}",
                            },
                            f"Z{one}": {"Type": "Succeed"},
                        },
                    }
                    for one in range(1000)
                ],
            }
        ),
        {},
        FULL,
        "history events",
    ),
}
HANDLERS = {
    FAILS: lambda *_: Outcome(error="E", cause="it does"),
    TALKS: lambda *_: Outcome("x" * 10_000_000),
}


def _peak() -> int:
    """The greatest memory of this process since it was last forgotten, in bytes."""
    return int(Path("/proc/self/status").read_text("ascii").partition("VmHWM:")[2].split()[0]) * 1024


def _bounded(work: Callable[[], Any]) -> Any:
    """Do the work within its time and its memory, and return what it gave."""
    gc.collect()
    try:
        Path("/proc/self/clear_refs").write_text("5", "ascii")
    except OSError:
        missing("a kernel that tells the peak of memory")
    before, begin = _peak(), time.process_time()
    result = work()
    assert time.process_time() - begin < SECONDS
    assert _peak() - before < MEMORY
    return result


def _ready(text: str) -> Machine:
    reading = read(text)
    assert reading.machine, reading.faults[:3]
    return reading.machine


def _run(machine: Machine, data: Json, limits: Limits) -> Execution:
    return execute(machine, data, HANDLERS, Conditions(limits=limits))


@pytest.mark.parametrize(("make", "path", "phrase"), list(REFUSED.values()), ids=list(REFUSED))
def test_a_hostile_text_is_refused_at_its_place(make: Callable[[], str], path: str, phrase: str) -> None:
    text = make()
    faults = _bounded(lambda: read(text)).faults
    found = [fault for fault in faults if phrase in fault.sentence]
    assert found, faults[:3]
    assert found[0].path.startswith(path)
    assert all(len(fault.sentence) < 2000 and len(fault.path) < 2000 for fault in faults)


# Others of the quick ones come to the same limits.
SLOW = (
    *("20,000 sorts of 50,000 values", "a map over a map over a map", "a loop that looks at 60,000 values"),
    *("30,000 copies of 200 kB", "a hundred million retries", "5,000 looks at the context in a loop"),
    *("5,000 numbers at random in a loop", "10,000 instants in a loop"),
)


@pytest.mark.parametrize(
    ("text", "data", "error", "phrase"),
    [pytest.param(*one, marks=pytest.mark.full if name in SLOW else ()) for name, one in RUNS.items()],
    ids=list(RUNS),
)
def test_a_hostile_run_is_stopped_by_a_limit(text: str, data: Json, error: str, phrase: str) -> None:
    machine = _ready(text)
    execution = _bounded(lambda: _run(machine, data, Limits()))
    assert execution.error == error
    assert phrase in execution.cause
    assert len(execution.history) <= Limits().events


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every container with each of its names or indices."""
    inner = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    return [(value, step) for step, _ in inner] + [place for _, one in inner for place in _places(one)]


ODD = [
    None,
    True,
    -1,
    1e300,
    "",
    "$",
    "$.a",
    "$..*",
    "$$",
    "States.ALL",
    "States.UUID()",
    "A",
    [],
    {},
    [{}],
    {"a.$": "$"},
]


@settings(max_examples=300)
@given(st.data())
def test_a_definition_changed_anywhere_is_refused_or_runs_to_an_end(draw: st.DataObject) -> None:
    text = draw.draw(st.sampled_from([ARTICLE, *(text for text, *_ in RUNS.values() if len(text) < 1000)]))
    definition = json.loads(text)
    for _ in range(draw.draw(st.integers(1, 3))):
        container, step = draw.draw(st.sampled_from(_places(definition)))
        other = draw.draw(st.sampled_from(ODD) | st.sampled_from([one[place] for one, place in _places(definition)]))
        container[step] = copy.deepcopy(other)
    reading = read(json.dumps(definition))
    assert (reading.machine is None) == bool(reading.faults)
    if reading.machine:
        assert _run(reading.machine, {"a": [1, "x"]}, Limits(events=200)).history[-1].type.startswith("Execution")


@given(st.sampled_from([ARTICLE, LOOP_OF_PASSES]), st.data())
def test_a_text_with_a_character_changed_is_read_or_refused(text: str, draw: st.DataObject) -> None:
    place = draw.draw(st.integers(0, len(text) - 1))
    changed = text[:place] + draw.draw(st.sampled_from(["", *'"{}[],:\\“1e\x00'])) + text[place + 1 :]
    reading = read(changed)
    assert (reading.machine is None) == bool(reading.faults)
    assert all(1 <= fault.line <= changed.count("\n") + 1 for fault in reading.faults)


def test_without_the_limits_the_loops_would_go_on() -> None:
    loop = _ready(LOOP_OF_PASSES)
    assert len(_run(loop, {}, Limits(events=50_000)).history) == 50_000
    busy = _ready(RUNS["a loop that looks at 60,000 values"][0])
    cut = Limits(events=40)
    assert "history" in _run(busy, {"n": [0] * 6_000}, cut).cause
    assert "handled" in _run(busy, {"n": [0] * 6_000}, Limits(events=40, work=1_000_000)).cause


def test_somebody_may_cancel_a_loop() -> None:
    asked = iter([False] * 10)
    conditions = Conditions(is_cancelled=lambda: next(asked, None) is not False)
    execution = execute(_ready(LOOP_OF_PASSES), {}, {}, conditions)
    assert execution.status == "ABORTED"
    assert execution.history[-1].type == "ExecutionAborted"
    assert len(execution.history) < 1000
