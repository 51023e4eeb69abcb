"""The one table: every promise with its figure, the ceiling or peer of the same run, the ratio, and whether it is met.

It reads what the benchmarks kept; which there are it learns from the target ``bench`` of the Makefile.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from benchmarks.promises import Promise, Result, find_result

MAKEFILE = Path(__file__).parents[1] / "Makefile"
FRESH = timedelta(hours=24)
"""How much older than the newest a result may be before the table says so."""
READERS = frozenset({"load_model", "table"})
"""These measure nothing; they read what others kept."""
HEADS = ("what", "measured", "against", "ratio", "promised", "met", "when", "load")


def main() -> None:
    """Print the table of all benchmarks."""
    names = benchmarks(MAKEFILE.read_text("utf-8"))
    found = {name: find_result(name) for name in names}
    results = [one for one in found.values() if one is not None]
    print(table(results))
    for sentence in remarks(results, [name for name, one in found.items() if one is None]):
        print(f"\n{sentence}")


def benchmarks(makefile: str) -> list[str]:
    """Return the names of the benchmarks that ``make bench`` runs and that keep results, in its order."""
    recipe = makefile.partition("\nbench:")[2].partition("\n\n")[0]
    return [name for name in re.findall(r"-m benchmarks\.(\w+)", recipe) if name not in READERS]


def table(results: Sequence[Result]) -> str:
    """Return a Markdown table with a row for each promise."""
    rows = [f"| {' | '.join(HEADS)} |", "|---|--:|--:|--:|---|---|---|--:|"]
    for result in results:
        load = "" if result.load is None else f"{result.load:.1f}"
        for one in result.promises:
            against = "" if one.other is None else f"{one.against}: {figure(one.other)}"
            ratio = "" if one.ratio is None else multiple(one.ratio)
            cells = (one.what, f"{figure(one.figure)} {one.unit}", against, ratio, promised(one), _met(one))
            rows.append(f"| {' | '.join(cells)} | {result.measured_at:%Y-%m-%d %H:%M} | {load} |")
    return "\n".join(rows)


def remarks(results: Sequence[Result], missing: Sequence[str]) -> list[str]:
    """Return what a reader of the table must know: how many promises are kept, what never ran, and what is old."""
    promises = [one for result in results for one in result.promises if one.met is not None]
    kept = sum(one.met is True for one in promises)
    sentences = [f"{kept} of {len(promises)} promises are met."]
    if missing:
        sentences.append(f"Without a result: {', '.join(missing)}.")
    newest = max((one.measured_at for one in results), default=None)
    old = [one.name for one in results if newest is not None and newest - one.measured_at > FRESH]
    if old:
        sentences.append(f"More than a day older than the newest result: {', '.join(old)}.")
    return sentences


def figure(value: float) -> str:
    """Return a figure with three digits that count, or all those before the point."""
    digits = 0 if abs(value) >= 100 or value == int(value) else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def multiple(ratio: float) -> str:
    """Return a ratio as people say it: × 1.22, or 1 / 13.8."""
    return f"× {ratio:.2f}" if ratio >= 0.8 else f"1 / {figure(1 / ratio)}"


def promised(one: Promise) -> str:
    """Return the bounds of a promise in words."""
    bounds = []
    if one.bound is not None:
        bounds.append(f"{'at least' if one.at_least else 'at most'} {figure(one.bound)} {one.unit}")
    if one.ratio_bound is not None and one.other is not None:
        bounds.append(f"at most {multiple(one.ratio_bound)}")
    return ", ".join(bounds)


def _met(one: Promise) -> str:
    return {True: "yes", False: "no", None: ""}[one.met]


if __name__ == "__main__":
    main()
