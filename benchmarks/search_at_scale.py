"""Search in 2,000 pages and in 200,000 passages: how long a query takes, with its snippets and without a bound.

The peer is FTS5's own ranking of every match, in the same database and the same run.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path

from sqlalchemy import Connection, text

from benchmarks.promises import Promise, record
from content import search
from content.render import Section
from content.search import Document
from db import Database, upgrade

QUERIES = 300
SIZES = {"2,000 pages": (2_000, 6, 20), "200,000 passages": (200_000, 1, 200)}
"""Title → (pages, passages a page, the p99 in milliseconds that is promised)."""
_WORDS = [f"word{number}" for number in range(500)]
# The word of rank n is 1/n as frequent as the first (Zipf), so the common ones stand in nearly every passage.
_WEIGHTS = list(accumulate(1 / (rank + 1) for rank in range(500)))
_ALL = text(
    "SELECT rowid, bm25(content_words, 8.0, 4.0, 1.0) AS score FROM content_words "
    "WHERE content_words MATCH :words ORDER BY score LIMIT 20"
)


def main() -> None:
    """Index both sizes, ask the same questions in two ways, and print a table."""
    print("| | queries | ours p50 ms | p99 ms | promised | every match ranked p50 ms | p99 ms |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    kept = []
    for title, (pages, passages, promised) in SIZES.items():
        random.seed(2018)
        with tempfile.TemporaryDirectory() as folder:
            database = Database(f"sqlite:///{Path(folder, 'search.sqlite3')}")
            upgrade(database)
            with database.writing() as connection:
                search.index(connection, (_page(number, passages) for number in range(pages)))
            queries = [" ".join(_some(random.choice((1, 2)))) for _ in range(QUERIES)]
            with database.reading() as connection:
                ours = _waits(queries, lambda words: search.find(connection, words))
                every = _waits(queries, lambda words: _rank_all(connection, words))
            database.engine.dispose()
        cells = (ours[QUERIES // 2], ours[int(QUERIES * 0.99)], promised)
        print(
            f"| {title} | {QUERIES} | {cells[0]:.1f} | {cells[1]:.1f} | {cells[2]} | "
            f"{every[QUERIES // 2]:.1f} | {every[int(QUERIES * 0.99)]:.1f} |"
        )
        kept.append(
            Promise(
                f"p99 of a search in {title}",
                cells[1],
                "ms",
                promised,
                "every match ranked",
                every[int(QUERIES * 0.99)],
            )
        )
    record("search_at_scale", kept)


def _page(number: int, passages: int) -> Document:
    sections = tuple(Section(f"part-{part}", " ".join(_some(3)), " ".join(_some(150))) for part in range(passages))
    return Document(f"/page/{number}", " ".join(_some(4)), "", "en", sections)


def _some(count: int) -> list[str]:
    return random.choices(_WORDS, cum_weights=_WEIGHTS, k=count)


def _rank_all(connection: Connection, words: str) -> None:
    connection.execute(_ALL, {"words": words}).all()


def _waits(queries: list[str], ask: Callable[[str], object]) -> list[float]:
    """Return how many milliseconds each query took, the shortest first."""
    waits = []
    for words in queries:
        start = time.perf_counter()
        ask(words)
        waits.append((time.perf_counter() - start) * 1000)
    return sorted(waits)


if __name__ == "__main__":
    main()
