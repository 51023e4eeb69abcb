"""Every static check has an example that it refuses, with the place in the text and a sentence that helps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from labs.parts.states.definition import Reading, Remark, read
from labs.parts.states.machine import Machine

LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:extract"
TASK = {"Type": "Task", "Resource": LAMBDA, "End": True}
PASS = {"Type": "Pass", "End": True}
RULE = {"Variable": "$.n", "NumericEquals": 1, "Next": "B"}
ARTICLE = Path(__file__).parent / "data/states/etl.json"


def _machine(state: Any = PASS, **others: Any) -> str:
    """A machine that starts at state A; the others are given by name."""
    return json.dumps({"StartAt": "A", "States": {"A": state, **others}}, indent=2)


def _choice(*rules: Any, **more: Any) -> str:
    return _machine({"Type": "Choice", "Choices": list(rules), **more}, B=PASS)


def _retry(**fields: Any) -> str:
    return _machine({**TASK, "Retry": [{"ErrorEquals": ["States.ALL"], **fields}]})


def _parameters(value: Any) -> str:
    return _machine({**PASS, "Parameters": value})


def _only_fault(text: str, **options: Any) -> Remark:
    reading = read(text, **options)
    assert reading.machine is None
    assert len(reading.faults) == 1, reading.faults
    return reading.faults[0]


BRANCH = {"StartAt": "C", "States": {"C": PASS}}
FAULTS = {
    # the text
    "an empty text": ("", "$", "The text ends where a value should stand"),
    "a list": ("[]", "$", "The definition is an object"),
    "a typographic quote": ('{"StartAt": “A”}', "$.StartAt", "typographic quote “; write the straight quote"),
    "single quotes": ("{'StartAt': 1}", "$", "double quotes"),
    "a comment": ('{// first\n"StartAt": "A"}', "$", "JSON has no comments"),
    "a comma too many": ('{"StartAt": "A",}', "$", "A comma stands before }; remove it."),
    "a comma missing": ('{"StartAt": "A" "States": {}}', "$", "where a comma, or } should stand"),
    "a colon missing": ('{"StartAt" "A"}', "$.StartAt", "a colon after the field's name"),
    "no number": ('{"StartAt": NaN}', "$.StartAt", "Here stands NaN"),
    "a number with a zero before it": ('{"StartAt": 01}', "$.StartAt", "Here stands 01"),
    "a great number": ('{"StartAt": 1e999}', "$.StartAt", "too great"),
    "a long number": (f'{{"StartAt": {"9" * 41}}}', "$.StartAt", "more than 40 digits"),
    "an open string": ('{"StartAt": "A', "$.StartAt", "has no end"),
    "a line break in a string": ('{"StartAt": "A\nB"}', "$.StartAt", "line break"),
    "a bad escape": (r'{"StartAt": "\q"}', "$.StartAt", "no escape that JSON knows"),
    "something behind the end": (_machine() + "}", "$", "ends before this"),
    "a field twice": ('{"StartAt": "A", "StartAt": "A", "States": {"A": {"Type": "Succeed"}}}', "$.StartAt", "twice"),
    # the machine
    "no StartAt": ('{"States": {"A": {"Type": "Succeed"}}}', "$", "has no StartAt; add it"),
    "no States": ('{"StartAt": "A"}', "$", "has no States; add it"),
    "no state": ('{"StartAt": "A", "States": {}}', "$.States", "add at least one"),
    "states in a list": ('{"StartAt": "A", "States": []}', "$.States", "write it in braces"),
    "a start that does not exist": (
        '{"StartAt": "B", "States": {"A": {"Type": "Succeed"}}}',
        "$.StartAt",
        "There is no state B; known are A.",
    ),
    "an unknown field": (
        '{"StartAt": "A", "State": {}, "States": {"A": {"Type": "Succeed"}}}',
        "$.State",
        "no field State; did you mean States?",
    ),
    "another query language": (
        '{"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": {"Type": "Succeed"}}}',
        "$.QueryLanguage",
        "Only JSONPath",
    ),
    "a comment that is a number": (
        '{"Comment": 1, "StartAt": "A", "States": {"A": {"Type": "Succeed"}}}',
        "$.Comment",
        "is a text",
    ),
    "no time for the whole": (
        '{"TimeoutSeconds": 0, "StartAt": "A", "States": {"A": {"Type": "Succeed"}}}',
        "$.TimeoutSeconds",
        "whole number from 1",
    ),
    # a state
    "a state in quotes": (_machine("Pass"), "$.States.A", "A state is an object"),
    "a state without a type": (_machine({"End": True}), "$.States.A", "has no Type; add it"),
    "an unknown type": (_machine({"Type": "Taks", "End": True}), "$.States.A.Type", "did you mean Task?"),
    "a long name": (
        json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "n" * 81}, "n" * 81: PASS}}),
        f"$.States['{'n' * 79}…']",
        "1 to 80 characters; this has 81",
    ),
    "an unknown field of a state": (_machine({**PASS, "Nxt": "B"}), "$.States.A.Nxt", "did you mean Next?"),
    "a field of JSONata": (
        _machine({**PASS, "Output": "{% 1 %}"}),
        "$.States.A.Output",
        "not run here; write the fields of JSONPath",
    ),
    "a field of another type": (
        _machine({"Type": "Wait", "Seconds": 1, "End": True, "ResultPath": "$"}),
        "$.States.A.ResultPath",
        "A Wait state has no field ResultPath",
    ),
    "neither Next nor End": (_machine({"Type": "Pass"}), "$.States.A", 'add "Next": "<a state>" or "End": true'),
    "End is false": (_machine({"Type": "Pass", "End": False}), "$.States.A", "leads nowhere"),
    "both Next and End": (_machine({**PASS, "Next": "B"}, B=PASS), "$.States.A.End", "both Next and End"),
    "End in quotes": (
        _machine({"Type": "Pass", "End": "true", "Next": "B"}, B=PASS),
        "$.States.A.End",
        "true or false",
    ),
    "Next in a list": (_machine({"Type": "Pass", "Next": ["B"]}), "$.States.A.Next", "is a text"),
    "Next to nowhere": (_machine({"Type": "Pass", "Next": "Prepar"}, Prepare=PASS), "$.States.A.Next", "mean Prepare?"),
    "a state that nothing leads to": (_machine(PASS, B=PASS), "$.States.B", "Nothing leads to B"),
    "a machine without an end": (_machine({"Type": "Pass", "Next": "A"}), "$.States", "No state ends the machine"),
    # paths
    "a path without its dollar": (
        _machine({**PASS, "InputPath": "n"}),
        "$.States.A.InputPath",
        "does not begin with $",
    ),
    "a path that is a number": (_machine({**PASS, "OutputPath": 3}), "$.States.A.OutputPath", "is a path such as"),
    "an open bracket": (_machine({**PASS, "InputPath": "$.a[0"}), "$.States.A.InputPath", "bracket is not closed"),
    "a dot without a name": (_machine({**PASS, "InputPath": "$.a."}), "$.States.A.InputPath", "followed by no name"),
    "a function in a path": (_machine({**PASS, "InputPath": "$.a.length()"}), "$.States.A.InputPath", "ArrayLength"),
    "an empty bracket": (_machine({**PASS, "InputPath": "$.a[]"}), "$.States.A.InputPath", "neither an index nor"),
    "a slice with the step 0": (_machine({**PASS, "InputPath": "$.a[::0]"}), "$.States.A.InputPath", "step 0"),
    "a path with a tail": (_machine({**PASS, "InputPath": "$.a b"}), "$.States.A.InputPath", "cannot be read from  b"),
    "a result in many places": (_machine({**PASS, "ResultPath": "$.a[*]"}), "$.States.A.ResultPath", "names one place"),
    "a result in the context": (_machine({**PASS, "ResultPath": "$$.a"}), "$.States.A.ResultPath", "write $ in place"),
    # templates and functions
    "a template's number": (_parameters({"a.$": 1}), "$.States.A.Parameters['a.$']", "a path or a call in quotes"),
    "a template's path": (_parameters({"a.$": "$.["}), "$.States.A.Parameters['a.$']", "followed by no name"),
    "a deep template's path": (
        _parameters({"a": [1, {"b.$": "x"}]}),
        "$.States.A.Parameters.a[1]['b.$']",
        "neither a path nor a call",
    ),
    "a template's field twice": (_parameters({"a": 1, "a.$": "$"}), "$.States.A.Parameters['a.$']", "side by side"),
    "an unknown function": (_parameters({"a.$": "States.Formt('')"}), "$.States.A.Parameters['a.$']", "States.Format?"),
    "too few arguments": (
        _parameters({"a.$": "States.MathAdd(1)"}),
        "$.States.A.Parameters['a.$']",
        "takes 2 arguments",
    ),
    "too many places": (
        _parameters({"a.$": "States.Format('{}{}', 1)"}),
        "$.States.A.Parameters['a.$']",
        "2 places {}",
    ),
    "an open call": (_parameters({"a.$": "States.Array(1"}), "$.States.A.Parameters['a.$']", "neither a comma nor"),
    "an argument without quotes": (
        _parameters({"a.$": "States.Array(x)"}),
        "$.States.A.Parameters['a.$']",
        "no argument",
    ),
    "a call with a tail": (_parameters({"a.$": "States.UUID() x"}), "$.States.A.Parameters['a.$']", "After the call"),
    "calls eleven deep": (
        _parameters({"a.$": "States.Array(" * 11 + ")" * 11}),
        "$.States.A.Parameters['a.$']",
        "more than 10 deep",
    ),
    # Task
    "no Resource": (_machine({"Type": "Task", "End": True}), "$.States.A", "has no Resource; add it"),
    "a resource that is no ARN": (
        _machine({"Type": "Task", "Resource": "extract", "End": True}),
        "$.States.A.Resource",
        "such as arn:aws:lambda",
    ),
    "two timeouts": (
        _machine({**TASK, "TimeoutSeconds": 3, "TimeoutSecondsPath": "$.t"}),
        "$.States.A.TimeoutSecondsPath",
        "exclude each other",
    ),
    "a timeout of 0": (_machine({**TASK, "TimeoutSeconds": 0}), "$.States.A.TimeoutSeconds", "from 1 to 99999999"),
    "a heartbeat as long as the timeout": (
        _machine({**TASK, "TimeoutSeconds": 3, "HeartbeatSeconds": 3}),
        "$.States.A.HeartbeatSeconds",
        "smaller than TimeoutSeconds",
    ),
    # Choice
    "no Choices": (_machine({"Type": "Choice", "Default": "B"}, B=PASS), "$.States.A", "has no Choices; add it"),
    "empty Choices": (_choice(Default="B"), "$.States.A.Choices", "at least one element"),
    "a choice with an end": (_choice(RULE, End=True), "$.States.A.End", "A Choice state has no field End"),
    "a default that does not exist": (_choice(RULE, Default="C"), "$.States.A.Default", "There is no state C"),
    "a choice in quotes": (_choice("x", Default="B"), "$.States.A.Choices[0]", "A choice is an object"),
    "a rule without Next": (
        _choice({"Variable": "$.n", "IsNull": True}, Default="B"),
        "$.States.A.Choices[0]",
        "A choice has no Next",
    ),
    "a rule without a variable": (_choice({"IsNull": True, "Next": "B"}), "$.States.A.Choices[0]", "no Variable"),
    "a rule without a test": (_choice({"Variable": "$.n", "Next": "B"}), "$.States.A.Choices[0]", "has no test"),
    "an unknown test": (
        _choice({"Variable": "$.n", "StringEqual": "x", "Next": "B"}),
        "$.States.A.Choices[0].StringEqual",
        "did you mean StringEquals?",
    ),
    "two tests": (_choice({**RULE, "IsNull": True}), "$.States.A.Choices[0].IsNull", "join two rules by And"),
    "a number for a text": (
        _choice({"Variable": "$.n", "StringEquals": 3, "Next": "B"}),
        "$.States.A.Choices[0].StringEquals",
        "compares with a text",
    ),
    "a text for a number": (
        _choice({"Variable": "$.n", "NumericLessThan": "3", "Next": "B"}),
        "$.States.A.Choices[0].NumericLessThan",
        "compares with a number",
    ),
    "true for a number": (
        _choice({"Variable": "$.n", "NumericEquals": True, "Next": "B"}),
        "$.States.A.Choices[0].NumericEquals",
        "compares with a number",
    ),
    "a day for a timestamp": (
        _choice({"Variable": "$.n", "TimestampEquals": "2018-02-12", "Next": "B"}),
        "$.States.A.Choices[0].TimestampEquals",
        "2018-02-12T03:00:00Z",
    ),
    "a text for true": (
        _choice({"Variable": "$.n", "IsPresent": "true", "Next": "B"}),
        "$.States.A.Choices[0].IsPresent",
        "true or false",
    ),
    "a value for a path": (
        _choice({"Variable": "$.n", "NumericEqualsPath": 3, "Next": "B"}),
        "$.States.A.Choices[0].NumericEqualsPath",
        "is a path",
    ),
    "an empty And": (_choice({"And": [], "Next": "B"}), "$.States.A.Choices[0].And", "at least one"),
    "Not with a list": (_choice({"Not": [RULE], "Next": "B"}), "$.States.A.Choices[0].Not", "A rule is an object"),
    "Next within a rule": (
        _choice({"Or": [RULE], "Next": "B"}),
        "$.States.A.Choices[0].Or[0].Next",
        "move it to the outermost",
    ),
    "a test beside And": (
        _choice({"And": [{"Variable": "$", "IsNull": True}], "Variable": "$", "Next": "B"}),
        "$.States.A.Choices[0].Variable",
        "stands beside And",
    ),
    # Wait
    "no time": (_machine({"Type": "Wait", "End": True}), "$.States.A", "has one of Seconds"),
    "two times": (
        _machine({"Type": "Wait", "Seconds": 1, "Timestamp": "2018-02-12T03:00:00Z", "End": True}),
        "$.States.A.Timestamp",
        "Seconds and Timestamp exclude each other",
    ),
    "a negative time": (_machine({"Type": "Wait", "Seconds": -1, "End": True}), "$.States.A.Seconds", "from 0"),
    "a small t": (
        _machine({"Type": "Wait", "Timestamp": "2018-02-12t03:00:00Z", "End": True}),
        "$.States.A.Timestamp",
        "capital T",
    ),
    # Fail
    "two errors": (
        _machine({"Type": "Fail", "Error": "E", "ErrorPath": "$.e"}),
        "$.States.A.ErrorPath",
        "exclude each other",
    ),
    "two causes": (
        _machine({"Type": "Fail", "Cause": "C", "CausePath": "$.c"}),
        "$.States.A.CausePath",
        "exclude each other",
    ),
    # Parallel and Map
    "no branches": (_machine({"Type": "Parallel", "End": True}), "$.States.A", "has no Branches; add it"),
    "empty branches": (
        _machine({"Type": "Parallel", "Branches": [], "End": True}),
        "$.States.A.Branches",
        "one element",
    ),
    "a branch without a start": (
        _machine({"Type": "Parallel", "Branches": [{"States": {"C": PASS}}], "End": True}),
        "$.States.A.Branches[0]",
        "A branch has no StartAt",
    ),
    "a name in two branches": (
        _machine({"Type": "Parallel", "Branches": [BRANCH, BRANCH], "End": True}),
        "$.States.A.Branches[1].States.C",
        "Another state of this machine is named C",
    ),
    "a branch that leads out": (
        _machine(
            {
                "Type": "Parallel",
                "Next": "B",
                "Branches": [{"StartAt": "C", "States": {"C": {"Type": "Pass", "Next": "B"}}}],
            },
            B=PASS,
        ),
        "$.States.A.Branches[0].States.C.Next",
        "B stands outside of these States",
    ),
    "no machine for the items": (_machine({"Type": "Map", "End": True}), "$.States.A", "has no ItemProcessor"),
    "two machines for the items": (
        _machine({"Type": "Map", "End": True, "ItemProcessor": BRANCH, "Iterator": {}}),
        "$.States.A.Iterator",
        "exclude each other",
    ),
    "a field of a distributed map": (
        _machine({"Type": "Map", "End": True, "ItemProcessor": BRANCH, "ItemReader": {}}),
        "$.States.A.ItemReader",
        "not run here; it belongs to a distributed Map",
    ),
    "two selectors": (
        _machine({"Type": "Map", "End": True, "ItemProcessor": BRANCH, "ItemSelector": {}, "Parameters": {}}),
        "$.States.A.Parameters",
        "exclude each other",
    ),
    "a negative concurrency": (
        _machine({"Type": "Map", "End": True, "ItemProcessor": BRANCH, "MaxConcurrency": -1}),
        "$.States.A.MaxConcurrency",
        "from 0",
    ),
    "a distributed map": (
        _machine({"Type": "Map", "End": True, "ItemProcessor": {**BRANCH, "ProcessorConfig": {"Mode": "DISTRIBUTED"}}}),
        "$.States.A.ItemProcessor.ProcessorConfig.Mode",
        "Only the mode INLINE",
    ),
    # Retry and Catch
    "a retrier in braces only": (_machine({**TASK, "Retry": {}}), "$.States.A.Retry", "is an array"),
    "no errors to retry": (_machine({**TASK, "Retry": [{}]}), "$.States.A.Retry[0]", "has no ErrorEquals"),
    "an empty list of errors": (_retry(ErrorEquals=[]), "$.States.A.Retry[0].ErrorEquals", "array of error names"),
    "an unknown error of the service": (
        _retry(ErrorEquals=["States.TimeOut"]),
        "$.States.A.Retry[0].ErrorEquals[0]",
        "did you mean States.Timeout?",
    ),
    "States.ALL in company": (
        _retry(ErrorEquals=["E", "States.ALL"]),
        "$.States.A.Retry[0].ErrorEquals",
        "States.ALL stands alone",
    ),
    "States.ALL before others": (
        _machine({**TASK, "Retry": [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["E"]}]}),
        "$.States.A.Retry[0].ErrorEquals",
        "States.ALL comes last",
    ),
    "an interval of 0": (_retry(IntervalSeconds=0), "$.States.A.Retry[0].IntervalSeconds", "from 1"),
    "half an attempt": (_retry(MaxAttempts=0.5), "$.States.A.Retry[0].MaxAttempts", "whole number from 0"),
    "a rate below 1": (_retry(BackoffRate=0.5), "$.States.A.Retry[0].BackoffRate", "1 or more"),
    "a longest delay below the first": (
        _retry(IntervalSeconds=5, MaxDelaySeconds=5),
        "$.States.A.Retry[0].MaxDelaySeconds",
        "greater than IntervalSeconds",
    ),
    "an unknown jitter": (_retry(JitterStrategy="SOME"), "$.States.A.Retry[0].JitterStrategy", "one of FULL, NONE"),
    "an unknown field of a retrier": (
        _retry(MaxAttempt=1),
        "$.States.A.Retry[0].MaxAttempt",
        "did you mean MaxAttempts?",
    ),
    "a catcher to nowhere": (
        _machine({**TASK, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "B"}]}),
        "$.States.A.Catch[0].Next",
        "There is no state B",
    ),
    "a catcher without Next": (
        _machine({**TASK, "Catch": [{"ErrorEquals": ["States.ALL"]}]}),
        "$.States.A.Catch[0]",
        "A catcher has no Next",
    ),
    "a state that may not fail": (
        _machine({**PASS, "Retry": [{"ErrorEquals": ["States.ALL"]}]}),
        "$.States.A.Retry",
        "A Pass state has no field Retry",
    ),
}


@pytest.mark.parametrize(("text", "path", "phrase"), list(FAULTS.values()), ids=list(FAULTS))
def test_a_fault_is_refused_with_its_path_and_what_to_do(text: str, path: str, phrase: str) -> None:
    fault = _only_fault(text)
    assert fault.path == path
    assert phrase in fault.sentence


def test_a_definition_that_uses_everything_has_no_fault() -> None:
    everything = {
        "Comment": "all",
        "Version": "1.0",
        "TimeoutSeconds": 60,
        "StartAt": "Each",
        "States": {
            "Each": {
                "Type": "Map",
                "ItemsPath": "$.keys",
                "ItemSelector": {"key.$": "$$.Map.Item.Value", "id.$": "States.UUID()"},
                "MaxConcurrency": 2,
                "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, **BRANCH},
                "ResultSelector": {"all.$": "$"},
                "Next": "Call",
            },
            "Call": {
                **{name: value for name, value in TASK.items() if name != "End"},
                "TimeoutSeconds": 30,
                "HeartbeatSeconds": 10,
                "ResultPath": None,
                "InputPath": "$..all[?(@.n >= 2)]",
                "Retry": [
                    {"ErrorEquals": ["E", "States.Timeout"], "MaxDelaySeconds": 9, "JitterStrategy": "FULL"},
                    {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "MaxAttempts": 0, "BackoffRate": 1.5},
                ],
                "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Broken"}],
                "Next": "Which",
            },
            "Which": {
                "Type": "Choice",
                "Choices": [
                    {
                        "Comment": "two",
                        "And": [
                            {"Variable": "$.n", "IsPresent": True},
                            {"Not": {"Or": [{"Variable": "$.n", "NumericLessThanPath": "$.least"}]}},
                        ],
                        "Next": "Pause",
                    }
                ],
                "Default": "Good",
            },
            "Pause": {"Type": "Wait", "TimestampPath": "$.until", "Next": "Good"},
            "Good": {"Type": "Succeed"},
            "Broken": {"Type": "Fail", "ErrorPath": "$.error.Error", "CausePath": "States.JsonToString($.error)"},
        },
    }
    reading = read(json.dumps(everything))
    assert reading.faults == ()
    assert isinstance(reading.machine, Machine)


def _pointed_at(text: str, fault: Remark) -> str:
    return text.split("\n")[fault.line - 1][fault.column - 1 :]


@pytest.mark.parametrize(
    "case", [name for name, (_, path, _) in FAULTS.items() if path.endswith(("Next", "Type", "Catch"))]
)
def test_the_line_and_the_column_point_at_the_field(case: str) -> None:
    text, path, _ = FAULTS[case]
    assert _pointed_at(text, _only_fault(text)).startswith(json.dumps(path.rpartition(".")[2]))


def test_the_second_of_two_equal_fields_is_pointed_at() -> None:
    text = '{\n"StartAt": "A",\n"States": {"A": {"Type": "Succeed"}},\n  "StartAt": "A"}'
    fault = _only_fault(text)
    assert (fault.line, fault.column) == (4, 3)


def test_all_faults_are_told_in_the_order_of_the_text() -> None:
    reading = read(_machine({"Type": "Pass", "Next": "X", "InputPath": "a"}, B={"Type": "Nothing"}))
    assert [fault.path for fault in reading.faults] == ["$.States.A.Next", "$.States.A.InputPath", "$.States.B.Type"]
    assert [fault.line for fault in reading.faults] == sorted(fault.line for fault in reading.faults)


def test_only_resources_that_somebody_answers_to_are_taken() -> None:
    assert read(_machine(TASK), [LAMBDA]).faults == ()
    fault = _only_fault(_machine({**TASK, "Resource": LAMBDA[:-1]}), resources=[LAMBDA])
    assert (fault.path, fault.sentence) == (
        "$.States.A.Resource",
        f"Nothing answers to {LAMBDA[:-1]}; did you mean {LAMBDA}?",
    )


def _notices(reading: Reading) -> list[str]:
    return [f"{notice.path} {notice.sentence.split(';')[0]}" for notice in reading.notices]


def test_the_articles_machine_is_of_its_time() -> None:
    reading = read(ARTICLE.read_text("utf-8"))
    assert (reading.faults, reading.notices) == ((), ())


def test_what_came_later_is_told_once_and_is_no_fault() -> None:
    state = {
        "Type": "Map",
        "Iterator": {"StartAt": "C", "States": {"C": {**PASS, "Parameters": {"a.$": "States.UUID()", "b.$": "$$.x"}}}},
        "Retry": [{"ErrorEquals": ["States.ALL"], "JitterStrategy": "FULL"}],
        "End": True,
    }
    reading = read(_machine(state))
    assert reading.machine
    assert _notices(reading) == [
        "$.States.A.Type The type Map came in September 2019",
        "$.States.A.Iterator.States.C.Parameters The field Parameters came in November 2018",
        "$.States.A.Iterator.States.C.Parameters['a.$'] The function States.UUID came in August 2022",
        "$.States.A.Iterator.States.C.Parameters['b.$'] The context object $$ came in May 2019",
        "$.States.A.Retry[0].JitterStrategy The field JitterStrategy came in September 2023",
    ]


def test_a_definition_with_very_many_faults_tells_a_hundred() -> None:
    text = json.dumps({"StartAt": "A", "States": {f"S{number}": {} for number in range(5000)}})
    reading = read(text)
    assert len(reading.faults) == 101
    assert "more than 100 faults" in reading.faults[0].sentence
