"""Executions in virtual time: what each type of state does, how failures are answered, and how long it all takes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.parts.states.definition import read
from labs.parts.states.execution import (
    Conditions,
    Execution,
    Handler,
    Outcome,
    Start,
    Visit,
    execute,
    execute_together,
)
from labs.parts.states.machine import Machine
from labs.parts.states.payload import EARLY_2018, Json, Limits

ARTICLE = (Path(__file__).parent / "data/states/etl.json").read_text("utf-8")
PREFIX = "arn:aws:lambda:us-east-1:123456789012:function:"
WORK = f"{PREFIX}work"
INPUT: dict[str, Json] = {"a": {"b": 1}, "list": [1, 2, 3], "n": 3, "t": "text"}


def _run(
    machine: dict[str, Any] | str,
    data: Json = None,
    handler: Handler | None = None,
    handlers: Mapping[str, Handler] | None = None,
    conditions: Conditions | None = None,
) -> Execution:
    return execute(_machine(machine), data, handlers or {WORK: handler or _echo}, conditions)


def _machine(machine: dict[str, Any] | str) -> Machine:
    reading = read(machine if isinstance(machine, str) else json.dumps(machine))
    assert reading.machine, reading.faults
    return reading.machine


def _echo(data: Json, _: Visit) -> Outcome:
    return Outcome(data)


def _lasting(seconds: float) -> Handler:
    return lambda data, _: Outcome(data, seconds)


def _failing(times: float, error: str = "E", seconds: float = 0.0) -> Handler:
    """A handler that fails so many times, then succeeds."""
    calls: list[float] = []

    def handler(data: Json, visit: Visit) -> Outcome:
        calls.append(visit.now)
        return Outcome(error=error, cause="it does", seconds=seconds) if len(calls) <= times else Outcome(data, seconds)

    return handler


def _one(**state: Any) -> dict[str, Any]:
    return {"StartAt": "A", "States": {"A": {"End": True, **state}}}


def _task(**fields: Any) -> dict[str, Any]:
    return _one(Type="Task", Resource=WORK, **fields)


def _caught(state: dict[str, Any], **catcher: Any) -> dict[str, Any]:
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Caught", **catcher}]
    return {
        "StartAt": "A",
        "States": {"A": {"End": True, "Catch": catch, **state}, "Caught": {"Type": "Pass", "End": True}},
    }


def _branches(*states: dict[str, Any]) -> dict[str, Any]:
    return {
        "Type": "Parallel",
        "Branches": [{"StartAt": f"B{one}", "States": {f"B{one}": state}} for one, state in enumerate(states)],
    }


def _wait(seconds: float) -> dict[str, Any]:
    return {"Type": "Wait", "Seconds": seconds, "End": True}


# The article's machine


def _keys(number: int) -> Handler:
    keys: Json = {**{f"key{one}": f"K{one}" for one in range(1, number + 1)}, "keyT": str(number)}
    return lambda *_: Outcome(keys, 5.0)


def _article(number: int) -> Execution:
    return _run(ARTICLE, {}, handlers={f"{PREFIX}prepare": _keys(number), f"{PREFIX}extract": _lasting(300.0)})


def test_three_keys_take_as_long_as_one() -> None:
    three, two = _article(3), _article(2)
    assert (three.status, three.output, three.seconds) == ("SUCCEEDED", ["K1", "K2", "K3"], 305.0)
    assert (two.status, two.output, two.seconds) == ("SUCCEEDED", ["K1", "K2"], 305.0)


@pytest.mark.parametrize("number", [0, 1, 4])
def test_the_article_knows_no_other_number_of_keys(number: int) -> None:
    execution = _article(number)
    assert (execution.status, execution.error, execution.seconds) == ("FAILED", "NumberOfKeys", 5.0)


def test_one_key_after_the_other_would_take_three_times_as_long() -> None:
    text = json.dumps(
        {
            "StartAt": "Each",
            "States": {
                "Each": {
                    "Type": "Map",
                    "MaxConcurrency": 1,
                    "ItemProcessor": {
                        "StartAt": "Extract",
                        "States": {"Extract": {"Type": "Task", "Resource": f"{PREFIX}extract", "End": True}},
                    },
                    "End": True,
                }
            },
        }
    )
    handlers = {f"{PREFIX}extract": _lasting(300.0)}
    assert _run(text, ["K1", "K2", "K3"], handlers=handlers).seconds == 900.0
    assert (
        _run(text.replace('"MaxConcurrency": 1', '"MaxConcurrency": 0'), ["K1"] * 3, handlers=handlers).seconds == 300
    )


# Input and output


def test_the_paths_are_applied_in_their_order() -> None:
    machine = _task(
        InputPath="$.a",
        Parameters={"x.$": "$.b", "state.$": "$$.State.Name"},
        ResultSelector={"got.$": "$.x"},
        ResultPath="$.n",
        OutputPath="$.n",
    )
    assert _run(machine, INPUT).output == {"got": 1}
    whole = {name: value for name, value in machine["States"]["A"].items() if name != "OutputPath"}
    assert _run(_one(**whole), INPUT).output == {**INPUT, "n": {"got": 1}}


@pytest.mark.parametrize(
    ("fields", "output"),
    [
        ({"InputPath": None}, {}),
        ({"OutputPath": None}, {}),
        ({"ResultPath": None, "Result": 1}, INPUT),
        ({"ResultPath": "$.x", "InputPath": "$.n"}, {**INPUT, "x": 3}),
    ],
)
def test_null_throws_away(fields: dict[str, Any], output: Json) -> None:
    assert _run(_one(Type="Pass", **fields), INPUT).output == output


@given(st.recursive(st.none() | st.integers() | st.text(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)))
def test_a_state_that_does_nothing_changes_nothing(data: Json) -> None:
    state = {"Type": "Pass", "InputPath": "$", "ResultPath": "$", "OutputPath": "$", "Parameters": {"all.$": "$"}}
    assert _run(_one(**state), data).output == {"all": data}
    assert _run(_one(Type="Pass"), data).output == data


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"InputPath": "$.x"}, "States.Runtime"),
        ({"OutputPath": "$.x"}, "States.Runtime"),
        ({"Parameters": {"x.$": "$.x"}}, "States.ParameterPathFailure"),
        ({"Parameters": {"x.$": "States.ArrayLength($)"}}, "States.IntrinsicFailure"),
        ({"ResultPath": "$.t.x"}, "States.ResultPathMatchFailure"),
    ],
)
def test_a_path_to_nowhere_fails_with_its_own_error(fields: dict[str, Any], error: str) -> None:
    assert _run(_one(Type="Pass", **fields), INPUT).error == error


def test_the_context_object_tells_of_the_execution_the_state_and_the_item() -> None:
    selector = {"all.$": "$$"}
    processor = {"StartAt": "M", "States": {"M": {"Type": "Pass", "End": True}}}
    machine = {
        "StartAt": "W",
        "States": {
            "W": {"Type": "Wait", "Seconds": 90, "Next": "A"},
            "A": {"Type": "Map", "ItemProcessor": processor, "ItemSelector": selector, "End": True},
        },
    }
    output = _run(machine, ["x", "y"], conditions=Conditions(name="monday", machine="etl")).output
    assert isinstance(output, list)
    context: Any = output[1]["all"]  # type: ignore[index, call-overload]
    assert context["Map"]["Item"] == {"Index": 1, "Value": "y"}
    assert context["State"] == {"EnteredTime": "2018-02-12T03:01:30.000Z", "Name": "A", "RetryCount": 0}
    assert context["Execution"]["Input"] == ["x", "y"]
    assert context["Execution"]["Id"].endswith(":execution:etl:monday")
    assert context["Execution"]["StartTime"] == "2018-02-12T03:00:00.000Z"


# Waiting, and time


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"Seconds": 7}, 7),
        ({"SecondsPath": "$.n"}, 3),
        ({"Timestamp": "2018-02-12T04:00:00Z"}, 3600),
        ({"Timestamp": "2018-02-12T05:00:00+02:00"}, 0),
        ({"Timestamp": "2017-01-01T00:00:00Z"}, 0),
    ],
)
def test_a_wait_takes_virtual_time(fields: dict[str, Any], seconds: float) -> None:
    assert _run(_one(Type="Wait", **fields), INPUT).seconds == seconds


def test_a_wait_until_a_time_of_the_input() -> None:
    machine = _one(Type="Wait", TimestampPath="$")
    assert _run(machine, "2018-02-12T03:00:30Z").seconds == 30
    assert _run(machine, "tomorrow").error == "States.Runtime"
    assert _run(_one(Type="Wait", SecondsPath="$"), -1).error == "States.Runtime"


@given(st.lists(st.integers(0, 50), min_size=1, max_size=6))
def test_side_by_side_takes_the_longest_and_in_a_row_the_sum(waits: list[int]) -> None:
    assert _run(_one(**_branches(*map(_wait, waits)))).seconds == max(waits)
    row = {f"S{one}": {"Type": "Wait", "Seconds": wait, "Next": f"S{one + 1}"} for one, wait in enumerate(waits)}
    machine = {"StartAt": "S0", "States": {**row, f"S{len(waits)}": {"Type": "Succeed"}}}
    assert _run(machine).seconds == sum(waits)


@given(st.lists(st.integers(0, 50), max_size=9), st.integers(1, 4))
def test_a_map_takes_as_long_as_its_busiest_place(waits: list[int], places: int) -> None:
    processor = {"StartAt": "M", "States": {"M": {"Type": "Wait", "SecondsPath": "$", "End": True}}}
    execution = _run(_one(Type="Map", ItemProcessor=processor, MaxConcurrency=places), list(waits))
    busy = [0.0] * places
    for wait in waits:
        busy[busy.index(min(busy))] += wait
    assert execution.seconds == max(busy)
    assert execution.output == waits


def test_a_map_runs_at_most_forty_at_once() -> None:
    processor = {"StartAt": "M", "States": {"M": _wait(10)}}
    machine = _one(Type="Map", ItemProcessor=processor)
    assert _run(machine, [0] * 41).seconds == 20
    assert _run(machine, [0] * 41, conditions=Conditions(limits=Limits(iterations=41))).seconds == 10


def test_the_same_seed_gives_the_same_execution() -> None:
    retry = [{"ErrorEquals": ["E"], "JitterStrategy": "FULL", "MaxAttempts": 5}]
    machine = _one(**_branches({"Type": "Task", "Resource": WORK, "Retry": retry, "End": True}, _wait(1)))

    def again(seed: int) -> Execution:
        return _run(machine, {}, _failing(3), conditions=Conditions(seed=seed))

    assert again(1) == again(1)
    assert again(1).seconds != again(2).seconds


# Failures


def _retry(**fields: Any) -> dict[str, Any]:
    return _task(Retry=[{"ErrorEquals": ["States.ALL"], **fields}])


@given(st.integers(1, 9), st.integers(0, 8), st.floats(1, 3))
def test_the_waits_between_attempts_add_up(interval: int, attempts: int, rate: float) -> None:
    machine = _retry(IntervalSeconds=interval, MaxAttempts=attempts, BackoffRate=rate)
    execution = _run(machine, {}, _failing(math.inf, seconds=2.0))
    assert execution.error == "E"
    expected = sum(interval * rate**number for number in range(attempts)) + 2.0 * (attempts + 1)
    assert execution.seconds == pytest.approx(expected)


@given(st.integers(0, 8), st.integers(2, 20), st.integers(0, 99))
def test_jitter_and_the_longest_delay_bound_the_waits(attempts: int, longest: int, seed: int) -> None:
    fields = {"MaxAttempts": attempts, "MaxDelaySeconds": longest}
    capped = _run(_retry(**fields), {}, _failing(math.inf)).seconds
    assert capped == sum(min(2.0**number, longest) for number in range(attempts))
    conditions = Conditions(seed=seed)
    jittered = _run(_retry(**fields, JitterStrategy="FULL"), {}, _failing(math.inf), conditions=conditions).seconds
    assert 0 <= jittered <= capped
    assert attempts == 0 or jittered < capped


def test_what_succeeds_at_last_was_no_failure() -> None:
    execution = _run(_retry(), INPUT, _failing(3))
    assert (execution.status, execution.output, execution.seconds) == ("SUCCEEDED", INPUT, 1 + 2 + 4)
    assert _run(_retry(), INPUT, _failing(4)).status == "FAILED"


def test_each_retrier_counts_for_itself() -> None:
    errors = iter(["X", "Y", "X", "Y", "X"])
    machine = _task(
        Retry=[
            {"ErrorEquals": ["X"], "MaxAttempts": 2, "IntervalSeconds": 1},
            {"ErrorEquals": ["Y"], "MaxAttempts": 2, "IntervalSeconds": 10},
        ]
    )
    execution = _run(machine, {}, lambda *_: Outcome(error=next(errors)))
    assert (execution.error, execution.seconds) == ("X", 1 + 10 + 2 + 20)


def test_the_context_counts_the_retries() -> None:
    counts: list[int] = []

    def handler(_: Json, visit: Visit) -> Outcome:
        counts.append(visit.retries)
        return Outcome(error="E")

    _run(_retry(MaxAttempts=2), {}, handler)
    assert counts == [0, 1, 2]


@pytest.mark.parametrize(
    ("errors", "failure", "caught"),
    [
        (["E"], "E", True),
        (["F"], "E", False),
        (["States.ALL"], "E", True),
        (["States.TaskFailed"], "E", True),
        (["States.TaskFailed"], "States.Timeout", False),
        (["States.Timeout"], "States.HeartbeatTimeout", True),
        (["States.ALL"], "States.Runtime", False),
        (["States.Runtime"], "States.Runtime", False),
        (["States.ALL"], "States.DataLimitExceeded", False),
        (["States.DataLimitExceeded"], "States.DataLimitExceeded", True),
        (["States.BranchFailed"], "E", False),
    ],
)
def test_a_name_answers_the_failures_that_it_is_for(errors: list[str], failure: str, caught: bool) -> None:
    machine = _caught({"Type": "Task", "Resource": WORK}, ErrorEquals=errors)
    execution = _run(machine, {}, _failing(math.inf, failure))
    assert (execution.status == "SUCCEEDED") is caught


@pytest.mark.parametrize(
    ("where", "output"),
    [
        ("$", {"Error": "E", "Cause": "it does"}),
        ("$.why", {"n": 1, "why": {"Error": "E", "Cause": "it does"}}),
        (None, {"n": 1}),
    ],
)
def test_a_catcher_puts_the_error_where_it_says(where: str | None, output: Json) -> None:
    machine = _caught({"Type": "Task", "Resource": WORK, "OutputPath": "$.n"}, ResultPath=where)
    assert _run(machine, {"n": 1}, _failing(math.inf)).output == output


def test_attempts_come_before_the_catcher() -> None:
    machine = _caught({"Type": "Task", "Resource": WORK, "Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 2}]})
    execution = _run(machine, {}, _failing(math.inf))
    assert (execution.status, execution.seconds) == ("SUCCEEDED", 3)


def test_a_task_that_takes_too_long_times_out() -> None:
    machine = _task(TimeoutSeconds=10)
    assert _run(machine, {}, _lasting(10)).status == "SUCCEEDED"
    late = _run(machine, {}, _lasting(10.5))
    assert (late.error, late.seconds) == ("States.Timeout", 10)
    assert _run(_task(TimeoutSecondsPath="$.n"), INPUT, _lasting(4)).seconds == 3


def test_a_task_without_a_sign_of_life_times_out() -> None:
    machine = _task(TimeoutSeconds=100, HeartbeatSeconds=5)
    silent = _run(machine, {}, lambda *_: Outcome(seconds=20))
    assert (silent.error, silent.seconds) == ("States.HeartbeatTimeout", 5)
    assert _run(machine, {}, lambda *_: Outcome(seconds=20, heartbeat=4)).seconds == 20
    assert _run(machine, {}, lambda *_: Outcome(seconds=200, heartbeat=4)).error == "States.Timeout"


def test_a_machine_that_takes_too_long_times_out() -> None:
    machine = {"TimeoutSeconds": 10, **_one(**_branches(_wait(99), _wait(5)))}
    execution = _run(machine)
    assert (execution.status, execution.error, execution.seconds) == ("TIMED_OUT", "States.Timeout", 10)
    assert execution.history[-1].type == "ExecutionTimedOut"
    assert _run({**machine, "TimeoutSeconds": 99}).status == "SUCCEEDED"


def test_the_first_branch_that_fails_stops_the_others() -> None:
    called: list[str] = []

    def handler(data: Json, visit: Visit) -> Outcome:
        called.append(visit.state.name)
        return Outcome(data)

    late = {
        "StartAt": "Late",
        "States": {
            "Late": {"Type": "Wait", "Seconds": 5, "Next": "Never"},
            "Never": {"Type": "Task", "Resource": WORK, "End": True},
        },
    }
    early = {
        "StartAt": "Early",
        "States": {"Early": {"Type": "Wait", "Seconds": 4, "Next": "F"}, "F": {"Type": "Fail", "Error": "E"}},
    }
    execution = _run(_one(Type="Parallel", Branches=[late, early]), {}, handler)
    assert (execution.error, execution.seconds, called) == ("E", 4, [])
    early["States"]["Early"]["Seconds"] = 6  # type: ignore[index]
    assert _run(_one(Type="Parallel", Branches=[late, early]), {}, handler).seconds == 6
    assert called == ["Never"]


def test_branches_within_branches_are_stopped_too() -> None:
    inner = {**_branches(_wait(50)), "End": True}
    outer = {
        "Type": "Parallel",
        "End": True,
        "Branches": [
            {"StartAt": "I", "States": {"I": inner}},
            {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E"}}},
        ],
    }
    machine = {
        "StartAt": "A",
        "States": {
            "A": {**outer, "Catch": [{"ErrorEquals": ["States.BranchFailed"], "Next": "W"}]},
            "W": _wait(100),
        },
    }
    execution = _run(machine)
    assert (execution.status, execution.seconds) == ("SUCCEEDED", 100)
    assert not [event for event in execution.history if event.type == "WaitStateExited" and event.time < 100]


def test_a_parallel_state_is_tried_again_as_a_whole() -> None:
    branch = {"Type": "Task", "Resource": WORK, "End": True}
    machine = _one(**_branches(branch, _wait(3)), Retry=[{"ErrorEquals": ["E"]}])
    execution = _run(machine, {}, _failing(1, seconds=1))
    assert (execution.status, execution.seconds) == ("SUCCEEDED", 1 + 1 + 3)


@pytest.mark.parametrize(
    ("rule", "leads"),
    [
        ({"And": [{"Variable": "$.n", "NumericEquals": 3}, {"Variable": "$.t", "StringEquals": "text"}]}, True),
        ({"And": [{"Variable": "$.n", "NumericEquals": 3}, {"Variable": "$.t", "StringEquals": "x"}]}, False),
        ({"Or": [{"Variable": "$.n", "NumericEquals": 4}, {"Variable": "$.t", "StringEquals": "text"}]}, True),
        ({"Or": [{"Variable": "$.n", "NumericEquals": 3}, {"Variable": "$.x", "IsNull": True}]}, True),
        ({"Not": {"Variable": "$.n", "NumericEquals": 3}}, False),
        ({"Not": {"Variable": "$.x", "IsPresent": True}}, True),
        ({"Variable": "$.n", "NumericEqualsPath": "$.list[2]"}, True),
        ({"Variable": "$.n", "NumericEqualsPath": "$.list[1]"}, False),
        ({"Variable": "$.n", "NumericEqualsPath": "$.t"}, False),
    ],
)
def test_rules_are_joined(rule: dict[str, Any], leads: bool) -> None:
    states = {
        "A": {"Type": "Choice", "Choices": [{**rule, "Next": "Yes"}], "Default": "No"},
        "Yes": {"Type": "Pass", "Result": True, "End": True},
        "No": {"Type": "Pass", "Result": False, "End": True},
    }
    assert _run({"StartAt": "A", "States": states}, INPUT).output is leads


def test_a_map_wants_an_array_and_fails_with_its_item() -> None:
    processor = {"StartAt": "M", "States": {"M": {"Type": "Task", "Resource": WORK, "End": True}}}
    machine = _one(Type="Map", ItemsPath="$.list", ItemProcessor=processor)
    assert _run(machine, {"list": "no"}).error == "States.Runtime"
    execution = _run(machine, INPUT, _failing(1))
    assert (execution.error, [event.type for event in execution.history[-3:]]) == (
        "E",
        ["MapIterationFailed", "MapStateFailed", "ExecutionFailed"],
    )


def test_a_backoff_too_great_for_a_number_waits_for_ever() -> None:
    execution = _run(_retry(BackoffRate=1e200), {}, _failing(math.inf))
    assert (execution.status, execution.seconds) == ("TIMED_OUT", Limits().seconds)


def test_a_choice_that_nothing_answers_to_fails() -> None:
    choice = {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericEquals": 4, "Next": "B"}]}
    machine = {"StartAt": "A", "States": {"A": choice, "B": {"Type": "Succeed"}}}
    assert _run(machine, INPUT).error == "States.NoChoiceMatched"
    assert _run(machine, {"n": 4}).status == "SUCCEEDED"
    assert _run(machine, {}).error == "States.Runtime"


def test_a_fail_state_takes_its_words_from_the_input() -> None:
    fail = {"Type": "Fail", "ErrorPath": "$.t", "CausePath": "States.Format('n is {}', $.n)"}
    execution = _run({"StartAt": "A", "States": {"A": fail}}, INPUT)
    assert (execution.error, execution.cause) == ("text", "n is 3")
    assert _run({"StartAt": "A", "States": {"A": {**fail, "ErrorPath": "$.n"}}}, INPUT).error == "States.Runtime"


def test_a_resource_that_nobody_answers_to_fails_its_task() -> None:
    execution = _run(_task(), {}, handlers={"another": _echo})
    assert (execution.error, execution.cause) == ("States.TaskFailed", f"Nothing answers to {WORK}.")


def test_a_task_takes_no_negative_time() -> None:
    for seconds in (-1.0, math.nan):
        with pytest.raises(ValueError, match="took"):
            _run(_task(), {}, _lasting(seconds))


def test_somebody_may_cancel_between_two_tasks() -> None:
    called: list[str] = []

    def handler(data: Json, visit: Visit) -> Outcome:
        called.append(visit.state.name)
        return Outcome(data)

    second = {"Type": "Task", "Resource": WORK, "End": True}
    machine = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": WORK, "Next": "B"}, "B": second}}
    execution = _run(machine, {}, handler, conditions=Conditions(is_cancelled=lambda: bool(called)))
    assert (execution.status, execution.history[-1].type, called) == ("ABORTED", "ExecutionAborted", ["A"])
    _run(machine, {}, handler)
    assert called == ["A", "A", "B"]


# Limits


def test_a_payload_of_early_2018_is_counted_in_characters() -> None:
    of_2018 = Conditions(limits=EARLY_2018)
    machine = _one(Type="Pass")
    assert _run(machine, "я" * 32_766, conditions=of_2018).status == "SUCCEEDED"
    assert _run(machine, "я" * 32_767, conditions=of_2018).error == "States.DataLimitExceeded"
    assert _run(machine, "я" * 131_071).status == "SUCCEEDED"
    assert _run(machine, "я" * 131_072).error == "States.DataLimitExceeded"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda one: st.lists(one) | st.dictionaries(st.text(), one),
    )
)
def test_the_size_of_a_payload_is_that_of_its_json(data: Json) -> None:
    size = len(json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))
    exact, less = (Conditions(limits=Limits(payload=one)) for one in (size, size - 1))
    assert _run(_one(Type="Pass"), data, conditions=exact).status == "SUCCEEDED"
    assert _run(_one(Type="Pass"), data, conditions=less).error == "States.DataLimitExceeded"


def test_the_history_tells_a_task_in_five_lines() -> None:
    history = _run(_task(), INPUT, _lasting(2)).history
    assert [(event.time, event.type) for event in history] == [
        (0, "ExecutionStarted"),
        (0, "TaskStateEntered"),
        (0, "LambdaFunctionScheduled"),
        (0, "LambdaFunctionStarted"),
        (2, "LambdaFunctionSucceeded"),
        (2, "TaskStateExited"),
        (2, "ExecutionSucceeded"),
    ]


def test_the_last_event_is_kept_free_for_the_end() -> None:
    conditions = Conditions(limits=Limits(events=7))
    assert _run(_task(), INPUT, conditions=conditions).status == "SUCCEEDED"
    cut = _run(_task(), INPUT, conditions=replace(conditions, limits=Limits(events=6)))
    assert (cut.error, len(cut.history), cut.history[-1].type) == ("States.Runtime", 6, "ExecutionFailed")


def test_executions_together_share_a_clock_and_nothing_else() -> None:
    """The second starts while the first runs; each ends by itself, the first by its own failure."""
    calls: list[tuple[float, str]] = []

    def work(data: Json, visit: Visit) -> Outcome:
        name = visit.run.conditions.name
        calls.append((visit.now, name))
        return Outcome(data, 10.0, "Broken" if name == "first" else None)

    starts = [Start(at, at, Conditions(name=name)) for at, name in ((0.0, "first"), (4.0, "second"))]
    first, second = execute_together(_machine(_task()), starts, {WORK: work})
    assert calls == [(0.0, "first"), (4.0, "second")]
    assert (first.status, first.error, first.seconds) == ("FAILED", "Broken", 10.0)
    assert (second.status, second.output, second.seconds) == ("SUCCEEDED", 4.0, 14.0)
    assert [event.time for event in second.history] == [4, 4, 4, 4, 14, 14, 14]
    alone = execute(_machine(_task()), 4.0, {WORK: work}, Conditions(name="second"))
    assert [event[1:] for event in alone.history] == [event[1:] for event in second.history]


def test_a_deadline_ends_the_executions_that_still_run() -> None:
    starts = [Start(at, INPUT, Conditions(limits=Limits(seconds=5))) for at in (0.0, 3.0)]
    lasting = iter((7.0, 70.0))
    both = execute_together(_machine(_task()), starts, {WORK: lambda *_: Outcome(None, next(lasting))})
    assert [(one.status, one.seconds) for one in both] == [("SUCCEEDED", 7.0), ("TIMED_OUT", 8.0)]


def test_no_execution_together_is_none() -> None:
    assert execute_together(_machine(_task()), [], {}) == ()
