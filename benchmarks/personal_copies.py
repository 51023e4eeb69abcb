"""A reader's own copy of an issue: ten questions put at the end of a book of 8 MB, against packing that book anew."""

from __future__ import annotations

import io
import random
import statistics
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.promises import Promise, record
from content import library
from publisher import appendix, epub, issue, package
from quizzes import pool

ROOT = Path(__file__).resolve().parents[1]
MONTH = "2018-01"
SIZE = 8_000_000
ROUNDS, COPIES = 5, 4


def book() -> bytes:
    """Return the issue of January, filled up to SIZE with pictures, which do not compress."""
    found, _ = library.load(ROOT / "content")
    made = epub.build(issue.compose(found, [], [], MONTH)).epub
    chance, number = random.Random(1), 50
    picture = (SIZE - len(made)) // number
    return package.replaced(made, {f"EPUB/images/{place}.jpg": chance.randbytes(picture) for place in range(number)})


def packed_anew(data: bytes) -> bytes:
    """Return the same book, each of its files compressed again."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in package.entries(data).items():
            archive.writestr(name, content)
    return out.getvalue()


def cpu_milliseconds(work: Callable[[], bytes]) -> float:
    """Return the CPU that one of COPIES takes."""
    start = time.process_time()
    for _ in range(COPIES):
        work()
    return (time.process_time() - start) * 1000 / COPIES


def main() -> None:
    """Make both in turns and print the table."""
    data = book()
    banks, _ = pool.load(ROOT / "quizzes" / "banks")
    items = [item for bank in banks if bank.pool == "exam" for item in bank.items if item.question.kind == "choice"]
    ways = {
        "a copy with an appendix": lambda: appendix.personalise(data, tuple(items[: appendix.ITEMS])),
        "the book packed anew": lambda: packed_anew(data),
    }
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            took[name].append(cpu_milliseconds(way))
    print(f"{len(data) / 1e6:.1f} MB, {ROUNDS} rounds in turns, {COPIES} copies each\n")
    copied, packed = map(min, took.values())
    what = "a reader's own copy of a book of 8 MB"
    record("personal_copies", [Promise(what, copied, "ms CPU", 60, "the book packed anew", packed)])
    print("| | CPU ms a copy, least | median |\n|---|--:|--:|")
    for name, times in took.items():
        print(f"| {name} | {min(times):.1f} | {statistics.median(times):.1f} |")


if __name__ == "__main__":
    main()
