"""Runs state machines in moto's interpreter: machines and inputs as JSON on stdin, what became of them on stdout."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from moto import mock_aws
from moto.awslambda_simple.models import LambdaSimpleBackend

ROLE = "arn:aws:iam::123456789012:role/states"
SETTINGS = {"lambda": {"use_docker": False}, "stepfunctions": {"execute_state_machine": True}}


@contextmanager
def interpreter(invoke: Callable[..., bytes]) -> Iterator[Any]:
    """Give a client of moto's interpreter, with ``invoke`` in place of Lambda; for a process that does nothing else."""
    logging.disable(logging.CRITICAL)
    os.environ.update(AWS_ACCESS_KEY_ID="none", AWS_SECRET_ACCESS_KEY="none")
    LambdaSimpleBackend.invoke = invoke
    with mock_aws(config=SETTINGS):
        yield boto3.client("stepfunctions", region_name="us-east-1")


def main() -> None:
    """Run every machine at once, with Python functions in place of Lambda's."""
    with interpreter(_invoke) as client:
        running = {
            name: _start(client, number, *given) for number, (name, given) in enumerate(json.load(sys.stdin).items())
        }
        json.dump({name: _result(client, arn) for name, arn in running.items()}, sys.stdout)


def _invoke(_: Any, function_name: str, __: Any, body: Any, ___: Any, headers: dict[str, str]) -> bytes:
    data = json.loads(body or "null")
    name = function_name.rpartition(":")[2]
    if name == "broken":
        headers["x-amz-function-error"] = "Unhandled"
        return json.dumps({"errorType": "Broken", "errorMessage": "it is"}).encode()
    return json.dumps({"loaded": data} if name == "extract" else data).encode()


def _start(client: Any, number: int, machine: dict[str, Any], data: Any) -> str:
    made = client.create_state_machine(name=f"machine{number}", definition=json.dumps(machine), roleArn=ROLE)
    arn = made["stateMachineArn"]
    return client.start_execution(stateMachineArn=arn, name=f"run{number}", input=json.dumps(data))["executionArn"]


def _result(client: Any, arn: str) -> tuple[str, str | None, Any, dict[str, int]]:
    """Return an execution's status, its error's name, its output, and how often each type of event stands in it."""
    until = time.monotonic() + 20
    while (found := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
        assert time.monotonic() < until, arn
        time.sleep(0.01)
    events = client.get_execution_history(executionArn=arn, maxResults=1000)["events"]
    return found["status"], found.get("error"), _value(found.get("output")), Counter(one["type"] for one in events)


def _value(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


if __name__ == "__main__":
    main()
