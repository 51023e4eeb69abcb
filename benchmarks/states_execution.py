"""One execution of the article's state machine: our interpreter beside moto's in the same run, where moto is there."""

from __future__ import annotations

import importlib.util
import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.promises import Promise, record
from labs.parts.states.definition import read
from labs.parts.states.execution import Handler, Outcome, execute
from labs.parts.states.payload import Json

DEFINITION = Path("tests/labs/data/states/etl.json")
PREFIX = "arn:aws:lambda:us-east-1:123456789012:function:"
KEYS: dict[str, Json] = {"key1": "MCS2017", "key2": "MCF2017", "key3": "MCW2017", "keyT": "3"}
ROUNDS = 9
PROMISED = 100


def ours(text: str) -> Callable[[], None]:
    """Return what runs the machine once over the virtual clock."""
    machine = read(text).machine
    if machine is None:
        raise ValueError(DEFINITION)
    handlers: dict[str, Handler] = {
        f"{PREFIX}prepare": lambda *_: Outcome(KEYS, 5.0),
        f"{PREFIX}extract": lambda *_: Outcome("SUCCESS", 300.0),
    }

    def run() -> None:
        execution = execute(machine, {}, handlers)
        if (execution.output, execution.seconds) != (["SUCCESS"] * 3, 305.0):
            raise ValueError(execution)

    return run


@contextmanager
def motos(text: str) -> Iterator[Callable[[], None]]:
    """Give what runs the machine once in moto, with Python functions in place of Lambda's."""
    from tests.labs import moto_states  # noqa: PLC0415 (a peer that need not be there)

    def invoke(_: Any, function_name: str, *__: Any, **___: Any) -> bytes:
        return json.dumps(KEYS if function_name.endswith("prepare") else "SUCCESS").encode()

    numbers = count()
    with moto_states.interpreter(invoke) as client:
        made = client.create_state_machine(name="etl", definition=text, roleArn=moto_states.ROLE)

        def run() -> None:
            started = client.start_execution(
                stateMachineArn=made["stateMachineArn"], name=f"run{next(numbers)}", input="{}"
            )
            while (found := client.describe_execution(executionArn=started["executionArn"]))["status"] == "RUNNING":
                time.sleep(0.002)
            if json.loads(found["output"]) != ["SUCCESS"] * 3:
                raise ValueError(found)

        yield run


def measure(contestants: dict[str, tuple[Callable[[], None], int]]) -> dict[str, list[float]]:
    """Return each contestant's CPU microseconds an execution, a figure a round, all in turns."""
    found: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(ROUNDS + 1):
        for name, (run, times) in contestants.items():
            begin = time.process_time()
            for _ in range(times):
                run()
            if number:
                found[name].append((time.process_time() - begin) * 1e6 / times)
    return found


def main() -> None:
    """Print a table."""
    text = DEFINITION.read_text("utf-8")
    contestants = {"Archway": (ours(text), 2000)}
    with ExitStack() as stack:
        if importlib.util.find_spec("moto") and importlib.util.find_spec("antlr4"):
            contestants["moto"] = (stack.enter_context(motos(text)), 5)
        found = measure(contestants)
    least = min(found["Archway"])
    print("| | CPU µs an execution, least | median | CPU ratio |\n|---|--:|--:|--:|")
    for name, figures in found.items():
        print(f"| {name} | {min(figures):,.0f} | {statistics.median(figures):,.0f} | × {min(figures) / least:,.0f} |")
    median = {name: statistics.median(figures) for name, figures in found.items()}
    what = "an execution of the article's state machine, median"
    record("states_execution", [Promise(what, median["Archway"], "µs CPU", PROMISED, "moto 5.2.5", median.get("moto"))])


if __name__ == "__main__":
    main()
