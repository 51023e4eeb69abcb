"""No state machine reads a file outside of its run's folder, opens a socket, or outlives its run, whatever it says."""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from labs import child, registry
from labs.findings import Refused

FOLDER = registry.CATALOG / "stepfunctions_etl"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:"
CANARY = "the canary sings at dawn"
Run = Callable[[dict[str, str]], list[str]]


class Listener:
    """A report that keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def progress(self, share: float) -> None: ...

    def metric(self, at: float, **values: float) -> None: ...

    def log(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Return a function that runs the lab in an empty folder and returns all that comes out of it."""
    lab, code = registry.read(FOLDER), child.load(FOLDER / "lab.py")
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path / "run")

    def attempt(texts: dict[str, str]) -> list[str]:
        values, faults = lab.read({"records": "60", "columns": "5", **texts})
        assert faults == {}
        listener = Listener()
        try:
            findings = code.run(code.Parameters(**values), 1, listener)
        except Refused as refused:
            return [*listener.said, str(refused), *(fault.sentence for fault in refused.faults)]
        return [*listener.said, str(findings)]

    yield attempt
    sys.modules.pop("lab_lab", None)


TASK: dict[str, Any] = {"Type": "Task", "Resource": f"{ARN}Alert", "End": True}


def one_state(**state: Any) -> str:
    return json.dumps({"StartAt": "A", "States": {"A": {**TASK, **state}}})


def given(function: str, data: Any) -> str:
    """Return a machine that calls a function with these data."""
    states = {
        "A": {"Type": "Pass", "Result": data, "Next": "B"},
        "B": {"Type": "Task", "Resource": ARN + function, "End": True},
    }
    return json.dumps({"StartAt": "A", "States": states})


LOOP = json.dumps(
    {
        "StartAt": "A",
        "States": {
            "A": {"Type": "Task", "Resource": f"{ARN}ReadKeys", "Next": "B"},
            "B": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.count", "NumericEquals": -1, "Next": "C"}],
                "Default": "A",
            },
            "C": {"Type": "Succeed"},
        },
    }
)
DOUBLE = json.dumps(
    {
        "StartAt": "A",
        "States": {
            "A": {"Type": "Pass", "Result": {"text": "/etc/passwd"}, "Next": "B"},
            "B": {"Type": "Pass", "Parameters": {"text.$": "States.Format('{}{}', $.text, $.text)"}, "Next": "C"},
            "C": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.text", "StringEquals": "", "Next": "D"}],
                "Default": "B",
            },
            "D": {"Type": "Succeed"},
        },
    }
)
FORMAT = one_state(Parameters={"text.$": "States.Format('{0.__class__.__init__.__globals__}', $)"})
SPAWN = json.dumps(
    {
        "StartAt": "A",
        "States": {
            "A": {"Type": "Pass", "Parameters": {"many.$": "States.ArrayRange(0, 999, 1)"}, "Next": "B"},
            "B": {
                "Type": "Map",
                "ItemsPath": "$.many",
                "ItemProcessor": {"StartAt": "C", "States": {"C": {**TASK, "TimeoutSeconds": 99_999_999}}},
                "End": True,
            },
        },
    }
)
BREAKOUT = "exports/x.csv'], columns={'a': 'VARCHAR'}) UNION ALL SELECT * FROM read_text('SECRET'); --"

ATTEMPTS: dict[str, tuple[dict[str, str], str]] = {
    # what is tried → (parameters, what stops it: the refusal, or how the execution ended)
    "a file as a resource": ({"machine": one_state(Resource="file://SECRET")}, "Resource is an ARN"),
    "a path as a resource": ({"machine": one_state(Resource="SECRET")}, "Resource is an ARN"),
    "a relative path": ({"machine": one_state(Resource="../../../lab.py")}, "Resource is an ARN"),
    "an address as a resource": ({"machine": one_state(Resource="http://127.0.0.1:9/")}, "Resource is an ARN"),
    "a call of an address": ({"machine": one_state(Resource="arn:aws:states:::http:invoke")}, "Nothing answers to"),
    "a call of S3": ({"machine": one_state(Resource="arn:aws:states:::aws-sdk:s3:getObject")}, "Nothing answers to"),
    "a call of any function": ({"machine": one_state(Resource="arn:aws:states:::lambda:invoke")}, "Nothing answers to"),
    "a method in place of a function": ({"machine": one_state(Resource=f"{ARN}finish")}, "Nothing answers to"),
    "an attribute in place of a function": ({"machine": one_state(Resource=f"{ARN}__init__")}, "Nothing answers to"),
    "a way past a function": ({"machine": one_state(Resource=f"{ARN}Load/../Start")}, "Nothing answers to"),
    "an activity of somebody else": (
        {"machine": one_state(Resource="arn:aws:states:us-east-1:123456789012:activity:x")},
        "Nothing answers to",
    ),
    "a resource out of the data": ({"machine": one_state(**{"Resource.$": "$.time"})}, "no field Resource"),
    "another language": ({"machine": one_state(QueryLanguage="JSONata", Output="{% $eval('1') %}")}, "QueryLanguage"),
    "an item reader": (
        {"machine": one_state(Type="Map", ItemReader={"Resource": "arn:aws:states:::s3:getObject"})},
        "ItemReader",
    ),
    "a result writer": ({"machine": one_state(ResultWriter={"Resource": "arn:aws:states:::s3:putObject"})}, "ResultWr"),
    "foreign credentials": ({"machine": one_state(Credentials={"RoleArn": "x"})}, "Credentials"),
    "a function that reads": (
        {"machine": one_state(Parameters={"text.$": "States.ReadFile('SECRET')"})},
        "States.ReadFile",
    ),
    "code in a path": ({"machine": one_state(InputPath="$.keys[(__import__('os').getcwd())]")}, "InputPath|path"),
    "code in a filter": ({"machine": one_state(InputPath="$[?(@.x == open('SECRET'))]")}, "InputPath|path|filter"),
    "attributes by a format": ({"machine": FORMAT}, "States.Format|IntrinsicFailure"),
    "a path as a campaign": ({"machine": given("Export", "SECRET")}, "NoSuchCampaign"),
    "statements as a campaign": (
        {"machine": given("Execution", "MCS2017'; ATTACH 'SECRET' AS x; --")},
        "NoSuchCampaign",
    ),
    "a campaign with a null character": ({"machine": given("Export", "MCS2017\0")}, "NoSuchCampaign"),
    "half a character as a campaign": ({"machine": given("Export", "\ud800")}, "NoSuchCampaign"),
    "a list as a campaign": ({"machine": given("Export", ["SECRET"])}, "InvalidInput"),
    "a path as an object": ({"machine": given("Load", [{"object": "SECRET"}])}, "NoSuchKey"),
    "the source's file as an object": ({"machine": given("Load", [{"object": "../source/0.sqlite"}])}, "NoSuchKey"),
    "a pattern as an object": ({"machine": given("Load", [{"object": "exports/*"}])}, "NoSuchKey"),
    "a bucket's address as an object": (
        {"machine": given("Load", {"exports": [{"object": "s3://bucket/SECRET"}]})},
        "NoSuchKey",
    ),
    "statements as an object": ({"machine": given("Load", [{"object": BREAKOUT}])}, "NoSuchKey"),
    "an object that is none": ({"machine": given("Load", [{"object": {"file": "SECRET"}}])}, "InvalidInput"),
    "a path as a message": ({"machine": given("Alert", "file://SECRET")}, "SUCCEEDED"),
    "a loop without an end": ({"machine": LOOP}, "maximum number of history events"),
    "a payload that doubles": ({"machine": DOUBLE}, "DataLimitExceeded"),
    "a thousand branches that stay": ({"machine": SPAWN}, "SUCCEEDED"),
    "a wait of three years": (
        {"machine": '{"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 99999999, "End": true}}}'},
        "TIMED_OUT States.Timeout",
    ),
    "a path in the table": ({"campaigns": '{"2018-02-13": ["../../SECRET"]}'}, "A date has a list"),
    "a path as a date": ({"campaigns": '{"../SECRET": []}'}, "An item's name is a date"),
    "a path as a time zone": (
        {"schedule": '{"ScheduleExpression": "rate(1 day)", "ScheduleExpressionTimezone": "../SECRET"}'},
        "no time zone|never",
    ),
    "an absolute path as a time zone": (
        {"schedule": '{"ScheduleExpression": "cron(0 3 * * ? *)", "ScheduleExpressionTimezone": "SECRET"}'},
        "no time zone",
    ),
}


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file outside of the run's folder that nobody may read."""
    path = tmp_path / "secret.txt"
    path.write_text(CANARY)
    return path


@pytest.fixture(scope="module")
def trespasses() -> Iterator[list[str]]:
    """What is opened outside of the folder that is current, but for the interpreter's own files; and every socket."""
    found: list[str] = []
    at_home = tuple(
        {
            sys.prefix,
            sys.base_prefix,
            str(FOLDER.parents[2]),
            "/usr/share/zoneinfo",
            "/dev/null",
            "/dev/urandom",
            "/proc/",
        }
    )
    watching = [True]

    def watch(event: str, given: tuple[Any, ...]) -> None:
        if not watching[0]:
            return
        if event == "open" and isinstance(given[0], str | bytes | os.PathLike):
            path = Path(os.fsdecode(given[0])).resolve()
            if not str(path).startswith(at_home) and not path.is_relative_to(Path.cwd()):
                found.append(str(path))
        elif event.startswith("socket."):
            found.append(event)

    sys.addaudithook(watch)
    yield found
    watching[0] = False


def test_the_watch_sees_a_file_and_a_socket(
    secret: Path, trespasses: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the next test."""
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path / "run")
    trespasses.clear()
    secret.read_text()
    socket.socket().close()
    assert {*trespasses} == {str(secret), "socket.__new__"}


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_a_machine_reaches_nothing_outside(run: Run, secret: Path, trespasses: list[str], attempt: str) -> None:
    texts, stopped_by = ATTEMPTS[attempt]
    trespasses.clear()
    began = time.monotonic()
    said = run({name: text.replace("SECRET", str(secret)) for name, text in texts.items()})
    assert time.monotonic() - began < 30
    assert any(re.search(stopped_by, line) for line in said), said
    assert trespasses == []
    assert CANARY not in "".join(said)
    for path in Path.cwd().rglob("*"):
        assert path.is_dir() or CANARY.encode() not in path.read_bytes()
