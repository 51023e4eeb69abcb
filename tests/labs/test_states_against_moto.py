"""Our interpreter beside moto's: the same machines and inputs, and every difference argued with the specification.

moto writes a string as output without its quotes; both sides are compared as the values they mean.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from labs.parts.states.definition import read
from labs.parts.states.execution import Outcome, execute
from tests.conftest import missing

PREFIX = "arn:aws:lambda:us-east-1:123456789012:function:"
ECHO, BROKEN = f"{PREFIX}echo", f"{PREFIX}broken"
ARTICLE = json.loads((Path(__file__).parent / "data/states/etl.json").read_text("utf-8"))


def _one(**state: Any) -> dict[str, Any]:
    return {"StartAt": "A", "States": {"A": {"End": True, **state}}}


def _pass(**fields: Any) -> dict[str, Any]:
    return _one(Type="Pass", **fields)


def _task(resource: str = ECHO, **fields: Any) -> dict[str, Any]:
    return _one(Type="Task", Resource=resource, **fields)


def _choice(*rules: dict[str, Any], default: bool = True) -> dict[str, Any]:
    choice = {"Type": "Choice", "Choices": [{**rule, "Next": "Yes"} for rule in rules]}
    return {
        "StartAt": "A",
        "States": {
            "A": {**choice, "Default": "No"} if default else choice,
            "Yes": {"Type": "Pass", "Result": "yes", "End": True},
            **({"No": {"Type": "Pass", "Result": "no", "End": True}} if default else {}),
        },
    }


def _test(test: str, expected: Any, variable: str = "$.v") -> dict[str, Any]:
    return _choice({"Variable": variable, test: expected})


def _catch(state: dict[str, Any], **catcher: Any) -> dict[str, Any]:
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Caught", **catcher}]
    return {
        "StartAt": "A",
        "States": {"A": {"End": True, "Catch": catch, **state}, "Caught": {"Type": "Pass", "End": True}},
    }


def _last(state: dict[str, Any]) -> dict[str, Any]:
    return state if state["Type"] == "Fail" else {"End": True, **state}


def _branches(*states: dict[str, Any], **fields: Any) -> dict[str, Any]:
    branches = [
        {"StartAt": f"B{number}", "States": {f"B{number}": _last(state)}} for number, state in enumerate(states)
    ]
    return {"Type": "Parallel", "Branches": branches, **fields}


def _map(state: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"Type": "Map", "ItemProcessor": {"StartAt": "M", "States": {"M": _last(state)}}, **fields}


def _call(text: str) -> dict[str, Any]:
    return _pass(Parameters={"r.$": text})


FAIL = {"Type": "Fail", "Error": "E", "Cause": "because"}
INPUT = {"a": {"b": [1, 2, {"c": "x"}]}, "n": 3, "t": "text", "list": [5, 6, 7], "yes": True, "nothing": None}
KEYS = {"key1": "K1", "key2": "K2", "key3": "K3"}

MACHINES: dict[str, tuple[dict[str, Any], Any]] = {
    "article: three keys": (ARTICLE, {**KEYS, "keyT": "3"}),
    "article: two keys": (ARTICLE, {"key1": "K1", "key2": "K2", "keyT": "2"}),
    "article: one key": (ARTICLE, {"key1": "K1", "keyT": "1"}),
    "article: a number for a text": (ARTICLE, {**KEYS, "keyT": 3}),
    "pass": (_pass(), INPUT),
    "pass: result": (_pass(Result={"r": [1]}), INPUT),
    "pass: result at a path": (_pass(Result=1, ResultPath="$.new.deep"), INPUT),
    "pass: result over a field": (_pass(Result=1, ResultPath="$.a"), INPUT),
    "pass: result thrown away": (_pass(Result=1, ResultPath=None), INPUT),
    "pass: result below a text": (_pass(Result=1, ResultPath="$.t.x"), INPUT),
    "pass: result in an array": (_pass(Result=1, ResultPath="$.list[1]"), INPUT),
    "pass: input at a path": (_pass(InputPath="$.a.b"), INPUT),
    "pass: input thrown away": (_pass(InputPath=None), INPUT),
    "pass: input from nowhere": (_pass(InputPath="$.x"), INPUT),
    "pass: output at a path": (_pass(OutputPath="$.n"), INPUT),
    "pass: output thrown away": (_pass(OutputPath=None), INPUT),
    "pass: output from nowhere": (_pass(OutputPath="$.x"), INPUT),
    "pass: input and result": (_pass(InputPath="$.n", ResultPath="$.m"), INPUT),
    "pass: a name in brackets": (_pass(InputPath="$['a']['b'][2].c"), INPUT),
    "pass: a wildcard": (_pass(InputPath="$.list[*]"), INPUT),
    "pass: a slice": (_pass(InputPath="$.list[0:2]"), INPUT),
    "pass: the last": (_pass(InputPath="$.list[-1]"), INPUT),
    "pass: descendants": (_pass(InputPath="$..c"), INPUT),
    "pass: a filter": (_pass(InputPath="$.rows[?(@.n > 1)]"), {"rows": [{"n": 1}, {"n": 2}, {"n": 3}]}),
    "pass: a filter for a text": (
        _pass(InputPath="$.rows[?(@.k == 'b')].n"),
        {"rows": [{"k": "a"}, {"k": "b", "n": 2}]},
    ),
    "parameters": (_pass(Parameters={"x": 1, "y.$": "$.n", "z": {"deep.$": "$.a.b[0]"}}), INPUT),
    "parameters: in an array": (_pass(Parameters={"all": [{"y.$": "$.n"}, 2]}), INPUT),
    "parameters: from nowhere": (_pass(Parameters={"y.$": "$.x"}), INPUT),
    "parameters: the context": (_pass(Parameters={"state.$": "$$.State.Name"}), INPUT),
    "parameters: the whole": (_pass(Parameters={"y.$": "$"}), [1]),
    "succeed": ({"StartAt": "A", "States": {"A": {"Type": "Succeed", "InputPath": "$.n"}}}, INPUT),
    "fail": ({"StartAt": "A", "States": {"A": FAIL}}, INPUT),
    "fail: of paths": (
        {"StartAt": "A", "States": {"A": {"Type": "Fail", "ErrorPath": "$.t", "CausePath": "$.t"}}},
        INPUT,
    ),
    "wait: nothing": (_one(Type="Wait", Seconds=0), INPUT),
    "wait: until the past": (_one(Type="Wait", Timestamp="2016-03-14T01:59:00Z", OutputPath="$.n"), INPUT),
    "wait: a path": (_one(Type="Wait", SecondsPath="$.z"), {"z": 0}),
    "wait: a path to a text": (_one(Type="Wait", SecondsPath="$.t"), INPUT),
    "task": (_task(), INPUT),
    "task: all fields": (
        _task(
            InputPath="$.a",
            Parameters={"first.$": "$.b[0]"},
            ResultSelector={"got.$": "$.first"},
            ResultPath="$.n",
            OutputPath="$.n",
        ),
        INPUT,
    ),
    "task: a result from nowhere": (_task(ResultSelector={"x.$": "$.x"}), INPUT),
    "task: broken": (_task(BROKEN), INPUT),
    "catch": (_catch({"Type": "Task", "Resource": BROKEN}), INPUT),
    "catch: at a path": (_catch({"Type": "Task", "Resource": BROKEN}, ResultPath="$.error"), INPUT),
    "catch: nothing kept": (_catch({"Type": "Task", "Resource": BROKEN}, ResultPath=None), INPUT),
    "catch: by name": (_catch({"Type": "Task", "Resource": BROKEN}, ErrorEquals=["Broken"]), INPUT),
    "catch: another name": (_catch({"Type": "Task", "Resource": BROKEN}, ErrorEquals=["Other"]), INPUT),
    "catch: a failed task": (_catch({"Type": "Task", "Resource": BROKEN}, ErrorEquals=["States.TaskFailed"]), INPUT),
    "catch: a path to nowhere": (_catch({"Type": "Task", "Resource": ECHO, "Parameters": {"x.$": "$.x"}}), INPUT),
    "catch: an input from nowhere": (_catch({"Type": "Task", "Resource": ECHO, "InputPath": "$.x"}), INPUT),
    "catch: keeps the whole input": (
        _catch({"Type": "Task", "Resource": BROKEN, "InputPath": "$.a"}, ResultPath="$.e"),
        INPUT,
    ),
    "catch: past the output path": (_catch({"Type": "Task", "Resource": BROKEN, "OutputPath": "$.n"}), INPUT),
    "retry: none": (_task(BROKEN, Retry=[{"ErrorEquals": ["Broken"], "MaxAttempts": 0}]), INPUT),
    "retry: another name": (_task(BROKEN, Retry=[{"ErrorEquals": ["Other"]}]), INPUT),
    "retry: once": (
        _task(BROKEN, Retry=[{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 1}]),
        INPUT,
    ),
    "parallel": (_one(**_branches({"Type": "Pass", "InputPath": "$.n"}, {"Type": "Pass", "Result": 2})), INPUT),
    "parallel: all fields": (
        _one(
            **_branches({"Type": "Task", "Resource": ECHO}, {"Type": "Pass"}),
            Parameters={"p.$": "$.n"},
            ResultSelector={"first.$": "$[0]"},
            ResultPath="$.both",
            OutputPath="$.both",
        ),
        INPUT,
    ),
    "parallel: one fails": (_one(**_branches({"Type": "Pass"}, FAIL)), INPUT),
    "parallel: one fails and is caught": (_catch(_branches({"Type": "Pass"}, FAIL)), INPUT),
    "parallel: caught by the branch's name": (
        _catch(_branches({"Type": "Task", "Resource": BROKEN}), ErrorEquals=["Broken"]),
        INPUT,
    ),
    "parallel: caught as a failed branch": (
        _catch(_branches({"Type": "Task", "Resource": BROKEN}), ErrorEquals=["States.BranchFailed"]),
        INPUT,
    ),
    "map": (_one(**_map({"Type": "Pass"}, ItemsPath="$.list")), INPUT),
    "map: selector": (
        _one(
            **_map({"Type": "Pass"}, ItemsPath="$.list"),
            ItemSelector={"i.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value", "n.$": "$.n"},
        ),
        INPUT,
    ),
    "map: tasks, one at a time": (
        _one(**_map({"Type": "Task", "Resource": ECHO}, ItemsPath="$.list", MaxConcurrency=1)),
        INPUT,
    ),
    "map: of nothing": (_one(**_map({"Type": "Pass"})), []),
    "map: of a text": (_one(**_map({"Type": "Pass"}, ItemsPath="$.t")), INPUT),
    "map: result": (_one(**_map({"Type": "Pass"}, ItemsPath="$.list"), ResultPath="$.out"), INPUT),
    "map: old names": (
        _one(
            Type="Map",
            ItemsPath="$.list",
            Parameters={"v.$": "$$.Map.Item.Value"},
            Iterator={"StartAt": "M", "States": {"M": {"Type": "Pass", "End": True}}},
        ),
        INPUT,
    ),
    "map: one fails": (_one(**_map({"Type": "Task", "Resource": BROKEN}, ItemsPath="$.list", MaxConcurrency=1)), INPUT),
    "choice: equal texts": (_test("StringEquals", "b"), {"v": "b"}),
    "choice: another text": (_test("StringEquals", "b"), {"v": "a"}),
    "choice: a number is no text": (_test("StringEquals", "3"), {"v": 3}),
    "choice: less": (_test("StringLessThan", "b"), {"v": "a"}),
    "choice: a greater number": (_test("NumericGreaterThan", 2.5), {"v": 3}),
    "choice: 1 is 1.0": (_test("NumericEquals", 1), {"v": 1.0}),
    "choice: true is not 1": (_test("NumericEquals", 1), {"v": True}),
    "choice: true": (_test("BooleanEquals", True), {"v": True}),
    "choice: an instant in two zones": (
        _test("TimestampEquals", "2018-02-12T03:00:00Z"),
        {"v": "2018-02-12T05:00:00+02:00"},
    ),
    "choice: an earlier instant": (_test("TimestampLessThan", "2018-02-12T03:00:00Z"), {"v": "2018-02-12T02:59:59Z"}),
    "choice: a pattern": (_test("StringMatches", "log-*.txt"), {"v": "log-2018.txt"}),
    "choice: a pattern for another": (_test("StringMatches", "log-*.txt"), {"v": "log-2018.csv"}),
    "choice: a star for itself": (_test("StringMatches", "a\\*b"), {"v": "a*b"}),
    "choice: null": (_test("IsNull", True), {"v": None}),
    "choice: present": (_test("IsPresent", True), {"v": None}),
    "choice: not present": (_test("IsPresent", False), {}),
    "choice: a text": (_test("IsString", True), {"v": "x"}),
    "choice: a number": (_test("IsNumeric", True), {"v": 1.5}),
    "choice: true is no number": (_test("IsNumeric", True), {"v": True}),
    "choice: a timestamp": (_test("IsTimestamp", True), {"v": "2018-02-12T03:00:00Z"}),
    "choice: no timestamp": (_test("IsTimestamp", True), {"v": "2018-02-12"}),
    "choice: two paths": (_test("NumericLessThanPath", "$.w"), {"v": 1, "w": 2}),
    "choice: from nowhere": (_test("NumericEquals", 1), {}),
    "choice: no rule, no default": (_choice({"Variable": "$.v", "NumericEquals": 1}, default=False), {"v": 2}),
    "choice: and, or, not": (
        _choice(
            {
                "And": [
                    {"Variable": "$.v", "IsPresent": True},
                    {"Or": [{"Variable": "$.v", "NumericEquals": 9}, {"Not": {"Variable": "$.v", "IsNull": True}}]},
                ]
            }
        ),
        {"v": 2},
    ),
    "format": (_call("States.Format('{} has {} and {}', $.t, $.n, $.yes)"), INPUT),
    "format: braces": (_call("States.Format('\\{{}\\}', $.n)"), INPUT),
    "format: a quote": (_call("States.Format('it\\'s {}', $.t)"), INPUT),
    "format: an object": (_call("States.Format('{}', $.a)"), INPUT),
    "format: null": (_call("States.Format('{}', $.nothing)"), INPUT),
    "text to JSON": (_call("States.StringToJson($.j)"), {"j": '{"x": [1]}'}),
    "JSON to text": (_call("States.JsonToString($.a)"), INPUT),
    "array": (_call("States.Array(1, 'b', $.list, true, null)"), INPUT),
    "array: parts": (_call("States.ArrayPartition($.list, 2)"), INPUT),
    "array: contains": (_call("States.ArrayContains($.list, 6)"), INPUT),
    "array: range": (_call("States.ArrayRange(1, 9, 2)"), INPUT),
    "array: a falling range": (_call("States.ArrayRange(9, 1, -4)"), INPUT),
    "array: item": (_call("States.ArrayGetItem($.list, 1)"), INPUT),
    "array: no such item": (_call("States.ArrayGetItem($.list, 3)"), INPUT),
    "array: length": (_call("States.ArrayLength($.list)"), INPUT),
    "array: unique": (_call("States.ArrayUnique($)"), [1, 2, 1, "a", "a"]),
    "base64": (_call("States.Base64Encode($.t)"), INPUT),
    "base64 back": (_call("States.Base64Decode(States.Base64Encode('Зима'))"), INPUT),
    "hash": (_call("States.Hash($.t, 'SHA-256')"), INPUT),
    "hash: unknown": (_call("States.Hash($.t, 'SHA-3')"), INPUT),
    "merge": (_call("States.JsonMerge($.a, States.StringToJson('\\{\"b\": 1\\}'), false)"), INPUT),
    "add": (_call("States.MathAdd($.n, -1)"), INPUT),
    "split": (_call("States.StringSplit('1,2;3', ',;')"), INPUT),
    "split: nothing between": (_call("States.StringSplit('1,,2', ',')"), INPUT),
    "a function of a function": (_call("States.ArrayLength(States.StringSplit('a b', ' '))"), INPUT),
}

_MOTOS_NAME = (
    "Appendix A of the specification names this error; moto says States.Runtime, or Exception, for everything."
)
_ESCAPES = "The specification's intrinsics have four escapes: \\', \\{, \\} and \\\\; moto reads them otherwise."
DIFFERENCES: dict[str, str] = {
    "pass: result below a text": f"States.ResultPathMatchFailure. {_MOTOS_NAME}",
    "pass: a name in brackets": "A path that can lead to one place only gives that value, and not an array around it.",
    "pass: the last": "An index, also one from the end, leads to one place; the path gives the value and no array.",
    "parameters: from nowhere": f"States.ParameterPathFailure. {_MOTOS_NAME}",
    "task: a result from nowhere": f"States.ParameterPathFailure. {_MOTOS_NAME}",
    "catch: a path to nowhere": f"States.ParameterPathFailure. {_MOTOS_NAME}",
    "array: no such item": f"States.IntrinsicFailure. {_MOTOS_NAME}",
    "hash: unknown": f"States.IntrinsicFailure. {_MOTOS_NAME}",
    "choice: no rule, no default": f"States.NoChoiceMatched. {_MOTOS_NAME}",
    "parallel: caught as a failed branch": "Appendix A: States.BranchFailed is the name of a failed branch.",
    "map: of a text": "ItemsPath must lead to an array; States.QueryEvaluationError is for JSONata.",
    "choice: an instant in two zones": "Timestamps are compared as RFC 3339 instants; moto compares the texts.",
    "choice: a star for itself": "StringMatches: a star after a backslash stands for itself.",
    "choice: from nowhere": "Only IsPresent may ask for what is not there; the service fails with States.Runtime.",
    "format: braces": _ESCAPES,
    "format: a quote": _ESCAPES,
    "merge": _ESCAPES,
    "base64 back": "In JSON \\u0417 is one letter; within a call moto drops the backslash.",
    "format: an object": "A value's text is its JSON; moto writes the service's Java, which nobody specifies.",
    "array": "The arguments of States.Array may be any values; moto's grammar has no null and ends the array there.",
    "array: a falling range": "The increment of States.ArrayRange may be negative.",
}
"""Why ours is not as moto's, by machine."""
RACES = {"parallel: one fails", "parallel: one fails and is caught"}
"""moto's branches are threads, and how far the others come before one fails is chance."""


class Result(NamedTuple):
    """The status, the error's name, and the output; and how often each type of event stands in the history."""

    answer: tuple[str, str | None, Any]
    events: Counter[str]


def _ours(machine: dict[str, Any], data: Any) -> Result:
    reading = read(json.dumps(machine))
    assert reading.machine, reading.faults
    handlers = {
        ECHO: lambda data, _: Outcome(data),
        BROKEN: lambda *_: Outcome(error="Broken", cause="it is"),
        f"{PREFIX}prepare": lambda data, _: Outcome(data),
        f"{PREFIX}extract": lambda data, _: Outcome({"loaded": data}),
    }
    execution = execute(reading.machine, data, handlers)
    answer = execution.status, execution.error or None, _without_causes(execution.output)
    return Result(answer, Counter(event.type for event in execution.history))


def _without_causes(value: Any) -> Any:
    """Return the value without the wording of causes, which nobody specifies."""
    if isinstance(value, dict):
        return {name: "…" if name == "Cause" else _without_causes(one) for name, one in value.items()}
    return [_without_causes(one) for one in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def moto_results() -> dict[str, Result]:
    """Run every machine in moto, in a process of its own: moto's settings and threads are its process's."""
    if importlib.util.find_spec("moto") is None or importlib.util.find_spec("antlr4") is None:
        missing("moto with its stepfunctions extra")
    command = [sys.executable, "-m", "tests.labs.moto_states"]
    ran = subprocess.run(command, input=json.dumps(MACHINES), capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    return {
        name: Result((status, error, _without_causes(output)), Counter(events))
        for name, (status, error, output, events) in json.loads(ran.stdout).items()
    }


@pytest.fixture(scope="module")
def our_results() -> dict[str, Result]:
    return {name: _ours(machine, data) for name, (machine, data) in MACHINES.items()}


def test_there_are_machines_enough() -> None:
    assert len(MACHINES) >= 60
    assert set(DIFFERENCES) < set(MACHINES)


def _surprises(ours: dict[str, Result], motos: dict[str, Result]) -> tuple[dict[str, Any], set[str]]:
    """Return the differences that are not argued, and the argued ones that are none any more."""
    pairs = {name: (ours[name].answer, motos[name].answer) for name in MACHINES}
    differing = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    return {name: pair for name, pair in differing.items() if name not in DIFFERENCES}, set(DIFFERENCES) - set(
        differing
    )


def test_the_two_differ_exactly_where_it_is_argued(
    our_results: dict[str, Result], moto_results: dict[str, Result]
) -> None:
    assert _surprises(our_results, moto_results) == ({}, set())


def test_a_new_difference_and_one_that_is_gone_are_noticed(
    our_results: dict[str, Result], moto_results: dict[str, Result]
) -> None:
    changed = {**moto_results, "pass": moto_results["fail"], "array": our_results["array"]}
    new, gone = _surprises(our_results, changed)
    assert (set(new), gone) == ({"pass"}, {"array"})


def test_where_they_agree_their_histories_hold_the_same_events(
    our_results: dict[str, Result], moto_results: dict[str, Result]
) -> None:
    for name in set(MACHINES) - set(DIFFERENCES) - RACES:
        assert our_results[name].events == moto_results[name].events, name
