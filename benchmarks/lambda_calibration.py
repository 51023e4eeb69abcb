"""How near the fitted Lambda model comes: each published figure against the range of 200 simulated runs."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from types import ModuleType

from benchmarks.promises import Promise, record
from labs import child, registry
from labs.registry import Lab, PublishedTable

DERIVED = frozenset({"total_data_bytes", "bytes_per_request"})
"""These follow from the status counts and would count the same agreement twice."""
PROMISED = {"unreserved": 23, "reserved": 20}
"""How many of each table's figures must lie within the range that holds 95 % of the simulated ones."""
RUNS = {"unreserved": {"preset": "fitted"}, "reserved": {"preset": "fitted", "reserved_concurrency": "25"}}


class Silent:
    """A report that nobody reads."""

    def progress(self, share: float) -> None:
        """Say nothing."""

    def metric(self, at: float, **values: float) -> None:
        """Say nothing."""

    def log(self, text: str) -> None:
        """Say nothing."""


def simulated(
    code: ModuleType, lab: Lab, table: PublishedTable, seeds: int, texts: Mapping[str, str] | None = None
) -> dict[str, list[float]]:
    """Return each figure's values over the seeds; bars are counted at the published edges, the first two as one.

    ``texts`` are other parameters than those of the fitted run.
    """
    values, faults = lab.read(texts or RUNS[table.name])
    if faults:
        raise ValueError(faults)
    parameters = code.Parameters(**values)
    account = code.account_of(parameters)
    limit = account.limit_of(code.FUNCTION, parameters.unreserved_in_use)
    edges = [edge for edge, _ in table.histogram[1:]]
    found: dict[str, list[float]] = {}
    for seed in range(seeds):
        function, trace = code.send(parameters, limit, seed, Silent())
        figures = code.findings_of(parameters, account, limit, function, trace)
        counts = [*trace.latencies.up_to(edges[:-1]), trace.latencies.count]
        for name in set(table.figures) - DERIVED:
            found.setdefault(name, []).append(figures[name].value)
        for edge, count, before in zip(edges, counts, [0, *counts], strict=False):
            found.setdefault(f"responses up to {edge:.3f} s", []).append(count - before)
    return found


def published(table: PublishedTable) -> dict[str, float]:
    """Return the published figures under the same names."""
    bars = [(edge, count) for edge, count in table.histogram[1:]]
    bars[0] = (bars[0][0], bars[0][1] + table.histogram[0][1])
    figures = {name: value for name, value in table.figures.items() if name not in DERIVED}
    return figures | {f"responses up to {edge:.3f} s": count for edge, count in bars}


def main() -> None:
    """Print, for both tables, the median and the range that holds 95 % beside each published figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    seeds = parser.parse_args().seeds
    lab = registry.read(registry.CATALOG / "lambda_concurrency")
    code = child.load(lab.folder / "lab.py").one_function
    kept = []
    for table in lab.published:
        found, wanted = simulated(code, lab, table, seeds), published(table)
        inside = 0
        print(f"{table.title}, {seeds} seeds\n\n| | published | median | 95 % of the runs | |\n|---|--:|--:|--:|---|")
        for name, value in wanted.items():
            ordered = sorted(found[name])
            low, high = ordered[round(0.025 * (seeds - 1))], ordered[round(0.975 * (seeds - 1))]
            inside += low <= value <= high
            mark = "" if low <= value <= high else "outside"
            print(f"| {name} | {value:g} | {ordered[seeds // 2]:g} | {low:g} to {high:g} | {mark} |")
        print(f"\n{inside} of {len(wanted)} inside.\n")
        what = f"Lambda lab, {table.name}: published figures within the simulated 95 %, of {len(wanted)}"
        kept.append(Promise(what, inside, "figures", PROMISED[table.name], at_least=True))
    record("lambda_calibration", kept)


if __name__ == "__main__":
    main()
