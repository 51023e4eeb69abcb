"""The dynamic ETL at its article's size: the lab's run beside DuckDB loading the same cells alone, in the same run."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.promises import Promise, record
from labs import registry, runner

LAB = registry.CATALOG / "stepfunctions_etl"
SIZE = {"records": "65000", "columns": "600"}
ROUNDS = 3
PROMISED_SECONDS, PROMISED_MIB = 12, 1024
ALONE = """
import duckdb
connection = duckdb.connect("alone.duckdb", config={"threads": 1})
columns = ", ".join(f"column{number} SMALLINT" for number in range(600))
connection.execute(f"CREATE TABLE report ({columns})")
cells = ", ".join("(range * 7 % 10)::SMALLINT" for _ in range(600))
connection.execute(f"COPY (SELECT {cells} FROM range(65000)) TO 'cells.csv' (HEADER false)")
connection.execute("COPY report FROM 'cells.csv' (AUTO_DETECT false, HEADER false)")
print(connection.execute("SELECT count(*) FROM report").fetchone()[0])
"""


def measured(work: Callable[[], None]) -> tuple[float, float]:
    """Return the CPU seconds of the processes that the work started and waited for, and its own seconds."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, time.monotonic() - began


def lab(**texts: str) -> Callable[[], None]:
    """Return what runs the lab once at the article's size and sees that every record arrived."""
    found = registry.read(LAB)
    values, faults = found.read({**SIZE, **texts})
    if faults:
        raise ValueError(faults)

    def run() -> None:
        shares: list[float] = []
        outcome = runner.execute(
            found,
            values,
            1,
            runner.Limits(seconds=300, memory_mib=PROMISED_MIB),
            lambda event: shares.append(event["share"]) if event["kind"] == "progress" else None,
        )
        arrived = outcome.findings.get("new_rows_after", {}).get("value")
        if not outcome.ending.done or arrived != 65_000 or len({*shares}) < 20:
            raise ValueError(outcome.ending, arrived, len(shares))

    return run


def alone() -> None:
    """Write and load as many cells with DuckDB alone."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-c", ALONE], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    """Print the table."""
    better = (LAB / "better.asl.json").read_text("utf-8")
    works: dict[str, Callable[[], None]] = {
        "DuckDB alone: the cells written as CSV and loaded": alone,
        "the published machine": lab(),
        "the better machine": lab(machine=better),
        "the better machine, its load killed and repeated": lab(machine=better, fault="load killed"),
    }
    promised = ("the published machine", "the better machine")
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            taken[name].append(measured(work))
    print(f"65,000 records × 600 columns, {os.cpu_count()} processors, {Path(sys.executable).name}")
    print("| | CPU s, least | s, least |\n|---|--:|--:|")
    for name, rounds in taken.items():
        print(f"| {name} | {min(rounds)[0]:.1f} | {min(seconds for _, seconds in rounds):.1f} |")
    print(f"greatest resident memory of a process: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10} MiB")
    worst = max(min(taken[name])[0] for name in promised)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    floor = min(taken["DuckDB alone: the cells written as CSV and loaded"])[0]
    record(
        "etl_at_articles_size",
        [
            Promise("the dynamic ETL at its article's size", worst, "s CPU", PROMISED_SECONDS, "DuckDB alone", floor),
            Promise("its largest process", memory, "MiB RSS", PROMISED_MIB),
        ],
    )


if __name__ == "__main__":
    main()
