"""What a run cost, and what an hour of it could cost at most, as findings."""

from __future__ import annotations

from labs.findings import Finding, Findings
from labs.parts import billing
from labs.parts.closed_loop import Function

from .settings import Parameters

OVERRUN = 0.001
"""Seconds that a handler takes beside its sleep: enough to begin another step of the bill."""


def load_test_costs(parameters: Parameters, limit: int, function: Function) -> Findings:
    """Return the bill of a load test, and the most that its limit lets pass in an hour."""

    def duration(sleep: float) -> float:
        return min(sleep + OVERRUN, parameters.timeout)

    executions = {duration(sleep): number for sleep, number in function.executions.items()}
    bill = billing.bill(executions, parameters.memory)
    most = billing.most_an_hour(limit, duration(parameters.sleep_minimum), parameters.memory)
    return {**bill_findings(bill), "most_dollars_an_hour": Finding(round(most.dollars, 4), "dollars")}


def bill_findings(bill: billing.Bill) -> Findings:
    """Return a bill as findings."""
    return {
        "requests_billed": Finding(bill.requests, "requests"),
        "gigabyte_seconds_billed": Finding(round(bill.gigabyte_seconds, 4), "GB-s"),
        "dollars": Finding(round(bill.dollars, 4), "dollars"),
    }
