"""Messages that are sent one after the other to the first state of a machine."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from labs.findings import Fault, Finding, Findings, Refused, Report


@dataclass(frozen=True)
class Parameters:
    """What a learner sets."""

    messages: int
    pause: int
    machine: str
    query: str
    rules: str | None


def run(parameters: Parameters, seed: int, report: Report) -> Findings:
    """Send the messages; raise Refused where the machine starts at no state."""
    machine = json.loads(parameters.machine)
    start = machine["StartAt"]
    if start not in machine["States"]:
        line = next(number for number, one in enumerate(parameters.machine.split("\n"), 1) if "StartAt" in one)
        fault = Fault("machine", line, 14, f"“{start}” is no state; choose one of {', '.join(machine['States'])}.")
        raise Refused("The machine cannot run.", [fault])
    delivered = dropped = 0
    for number in range(1, parameters.messages + 1):
        time.sleep(parameters.pause / 1000)
        if machine["States"][start]["Type"] == "Pass":
            delivered += 1
        else:
            dropped += 1
        report.metric(number / 10, sent=number, delivered=delivered, dropped=dropped)
        report.progress(number / parameters.messages)
    report.log(f"{parameters.messages} messages were sent.")
    return {
        "sent": Finding(parameters.messages, "messages"),
        "delivered": Finding(delivered, "messages"),
        "dropped": Finding(dropped, "messages"),
        "histogram": Finding([[1.0, delivered], [2.0, dropped]], "messages up to each edge in s"),
    }
