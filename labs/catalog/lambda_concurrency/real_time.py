"""The load test in real time, against an endpoint on this machine under the same limiter."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from random import Random

from labs.findings import Finding, Findings, Report
from labs.parts.live_load import Answers, Endpoint, installed_tool, play

from .one_function import FAILURE, FUNCTION, SUCCESS, account_of, findings_of, function_of, load_of, network_of
from .settings import Parameters

NOTHING = ((0, 0.0), (1, 0.0))


def run(parameters: Parameters, seed: int, report: Report) -> Findings:
    """Send the load with hey, or with our own client, and return the findings in the model's seconds.

    The way through the network is this machine's own, and is not divided by the scale.
    """
    account = account_of(parameters)
    limit = account.limit_of(FUNCTION, parameters.unreserved_in_use)
    network = replace(network_of(parameters), overhead=NOTHING)
    random = Random(seed)  # noqa: S311 (a repeatable experiment, no secret)
    endpoint = Endpoint(function_of(parameters, network, limit, random), answers_of(parameters), parameters.scale)
    tool = installed_tool(parameters.load_tool)
    report.log(f"{'hey' if tool == 'hey' else 'Our own client'} sends the load; real waiting is 1/{parameters.scale}.")
    trace = asyncio.run(play(load_of(parameters), endpoint, report, tool))
    return {
        **findings_of(parameters, account, limit, endpoint.function, trace),
        "scale": Finding(parameters.scale, "model seconds a second"),
        "real_seconds": Finding(round(trace.end / parameters.scale, 2), "s"),
        "hey": Finding(tool == "hey", "yes or no"),
    }


def answers_of(parameters: Parameters) -> Answers:
    """Return what the endpoint answers; all failures have the post's body."""
    throttle = int(parameters.throttle_status)
    return {
        "succeeded": (200, SUCCESS),
        "rejected": (throttle, FAILURE),
        **dict.fromkeys(("timed_out", "gateway_errors", "no_address"), (502, FAILURE)),
    }
