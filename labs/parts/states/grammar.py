"""The grammar of a definition: which fields a machine and each type of state have, and what each may hold."""

from __future__ import annotations

import re
from typing import Any

from labs.parts.json_document import Where
from labs.parts.states import fields
from labs.parts.states.fields import Field, Remarks, named, read_fields
from labs.parts.states.paths import shown
from labs.parts.states.payload import Json

_ARN = re.compile(r"arn:[^:]*:[^:]+:[^:]*:[^:]*:.")
_EXAMPLE = "arn:aws:lambda:us-east-1:123456789012:function:extract"


def _list(value: Json, where: Where, remarks: Remarks) -> list[Json] | None:
    if isinstance(value, list):
        return value
    remarks.fault(where, f"{where[-1]} is an array; write it in brackets.")
    return None


def _filled(value: Json, where: Where, remarks: Remarks) -> list[Json] | None:
    if isinstance(value, list) and value:
        return value
    remarks.fault(where, f"{where[-1]} is an array with at least one element; write it in brackets.")
    return None


def _mapping(value: Json, where: Where, remarks: Remarks) -> dict[str, Json] | None:
    if isinstance(value, dict):
        return value
    remarks.fault(where, f"{where[-1]} is an object; write it in braces.")
    return None


def _kind(value: Json, where: Where, remarks: Remarks) -> str | None:
    if isinstance(value, str) and value in TYPES:
        return value
    remarks.fault(where, f"There is no state of type {shown(str(value))}; {named(TYPES, value)}")
    return None


def _language(value: Json, where: Where, remarks: Remarks) -> str | None:
    if value != "JSONPath":
        remarks.fault(where, "Only JSONPath is run here; write the paths and functions of JSONPath.")
    return None


def _resource(value: Json, where: Where, remarks: Remarks) -> str | None:
    if isinstance(value, str) and _ARN.match(value):
        return value
    remarks.fault(where, f"Resource is an ARN, such as {_EXAMPLE}.")
    return None


def _processor_mode(value: Json, where: Where, remarks: Remarks) -> dict[str, Any]:
    return read_fields(value, where, remarks, {"Mode": Field(_inline)}, "ProcessorConfig")


def _inline(value: Json, where: Where, remarks: Remarks) -> None:
    if value != "INLINE":
        remarks.fault(where, "Only the mode INLINE is run here; a distributed map runs executions of its own.")


_TEXT = Field(fields.text)
_REFERENCE_2020 = Field(fields.reference, since="August 2020")
_SECONDS = Field(fields.whole(1))
MACHINE = {
    "Comment": _TEXT,
    "QueryLanguage": Field(_language, since="November 2024"),
    "StartAt": Field(fields.target, required=True),
    "States": Field(_mapping, required=True),
}
OUTERMOST = {**MACHINE, "Version": _TEXT, "TimeoutSeconds": _SECONDS}
PROCESSOR = {**MACHINE, "ProcessorConfig": Field(_processor_mode, since="December 2022")}
TYPE = {"Type": Field(_kind, required=True), "Comment": _TEXT, "QueryLanguage": MACHINE["QueryLanguage"]}
_PATHS = {"InputPath": Field(fields.path_or_null), "OutputPath": Field(fields.path_or_null)}
_FLOW = {"Next": Field(fields.target), "End": Field(fields.truth)}
_RESULT = {
    "ResultPath": Field(fields.place_for_result),
    "Parameters": Field(fields.template, since="November 2018"),
}
_SELECTED = {**_RESULT, "ResultSelector": Field(fields.template, since="August 2020")}
_ERRORS = {"Retry": Field(_list), "Catch": Field(_list)}
_COMPLETE = {**TYPE, **_PATHS, **_FLOW, **_SELECTED, **_ERRORS}
TYPES = {
    "Task": {
        **_COMPLETE,
        "Resource": Field(_resource, required=True),
        "TimeoutSeconds": _SECONDS,
        "TimeoutSecondsPath": _REFERENCE_2020,
        "HeartbeatSeconds": _SECONDS,
        "HeartbeatSecondsPath": _REFERENCE_2020,
        "Credentials": Field(fields.template, since="November 2022"),
    },
    "Pass": {**TYPE, **_PATHS, **_FLOW, **_RESULT, "Result": Field(fields.anything)},
    "Choice": {**TYPE, **_PATHS, "Choices": Field(_filled, required=True), "Default": Field(fields.target)},
    "Wait": {
        **TYPE,
        **_PATHS,
        **_FLOW,
        "Seconds": Field(fields.whole(0)),
        "SecondsPath": Field(fields.reference),
        "Timestamp": Field(fields.timestamp),
        "TimestampPath": Field(fields.reference),
    },
    "Succeed": {**TYPE, **_PATHS},
    "Fail": {
        **TYPE,
        "Error": _TEXT,
        "Cause": _TEXT,
        "ErrorPath": Field(fields.reference_or_call, since="September 2023"),
        "CausePath": Field(fields.reference_or_call, since="September 2023"),
    },
    "Parallel": {**_COMPLETE, "Branches": Field(_filled, required=True)},
    "Map": {
        **_COMPLETE,
        "ItemProcessor": Field(_mapping, since="December 2022"),
        "Iterator": Field(_mapping),
        "ItemsPath": Field(fields.reference),
        "ItemSelector": Field(fields.template, since="December 2022"),
        "MaxConcurrency": Field(fields.whole(0)),
        "MaxConcurrencyPath": Field(fields.reference, since="2023"),
    },
}
WITHOUT_NEXT = frozenset({"Choice", "Succeed", "Fail"})
"""Types that have neither Next nor End."""
