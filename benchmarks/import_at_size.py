"""5,000 GIFT items: reading and comparing them, and storing them as drafts, in seconds of CPU of all processes.

Flask's start is in neither figure; the whole command's CPU is printed beside them.
"""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import accumulate, product
from pathlib import Path
from typing import TypeVar

from benchmarks.promises import Promise, record
from content.workflow import Signature
from db import Database, upgrade
from quizzes import pool
from quizzes.authoring import store as authoring
from quizzes.authoring.store import StudioBank
from quizzes.exchange import known, parsing, plan, report, store
from quizzes.exchange.parsing import Parsed, Upload
from quizzes.exchange.plan import Defaults
from quizzes.questions import Bank

ITEMS = 5_000
ROUNDS = 5
PROMISED = (1.5, 3.0)
"""Seconds of CPU for a dry run, and for an import, dry run included."""
BANKS = Path(pool.__file__).parent / "banks"
BY = Signature(None, datetime(2018, 2, 12, tzinfo=UTC))
Result = TypeVar("Result")
_SYLLABLES = ["ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "zu"]
_WORDS = ["".join(parts) for parts in product(_SYLLABLES, repeat=3)]
_FREQUENCIES = list(accumulate(1 / rank for rank in range(1, len(_WORDS) + 1)))


def main() -> None:
    """Read and store one file several times and print a table."""
    data = gift(ITEMS).encode()
    print(f"{ITEMS:,} items, {len(data) / 1e6:.2f} MB of GIFT, least and median of {ROUNDS}\n")
    dry: list[float] = []
    whole: list[float] = []
    for _ in range(ROUNDS):
        reading, storing = _round(data)
        dry.append(reading)
        whole.append(reading + storing)
    command = [_command(data) for _ in range(2)]
    print("| | CPU s, least | median | promised |")
    print("|---|--:|--:|--:|")
    kept = []
    for title, found, promised in (
        ("dry run", dry, PROMISED[0]),
        ("import, dry run included", whole, PROMISED[1]),
    ):
        kept.append(Promise(f"{ITEMS:,} GIFT items: {title}", min(found), "s CPU", promised))
        print(f"| {title} | {min(found):.2f} | {sorted(found)[len(found) // 2]:.2f} | {promised} |")
    print(f"| `flask quizzes import --dry-run`, Flask's start included | {min(command):.2f} | {max(command):.2f} | |")
    record("import_at_size", kept)


def _round(data: bytes) -> tuple[float, float]:
    """Return the seconds of a dry run and of storing what it found, on a database of their own."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder, 'import.sqlite3')}")
        upgrade(database)
        banks = pool.load(BANKS)[0]
        reading, compared = _cpu(lambda: _dry_run(database, banks, data))
        storing, _outcome = _cpu(lambda: _store(database, compared))
        database.engine.dispose()
    return reading, storing


def gift(count: int) -> str:
    """Return so many multiple choices with a category, names, feedback and escapes; no two are alike.

    The frequency of words falls as 1/n, as in a language.
    """
    chance = random.Random(2018)
    return "$CATEGORY: banks/at size\n\n" + "\n\n".join(_item(number, chance) for number in range(count)) + "\n"


def _item(number: int, chance: random.Random) -> str:
    stem = " ".join(_some(chance, 14))
    options = "".join(
        f"\n\t{'=' if place == number % 4 else '~'}{' '.join(_some(chance, 3))} {place}"
        f"#Because {' '.join(_some(chance, 4))}."
        for place in range(4)
    )
    return f"::Item number {number}::In case {number}\\: which {stem}? {{{options}\n}}"


def _some(chance: random.Random, count: int) -> list[str]:
    return chance.choices(_WORDS, cum_weights=_FREQUENCIES, k=count)


def _dry_run(database: Database, banks: Sequence[Bank], data: bytes) -> Parsed:
    """Read, compare with the shipped items, and make the report, as a dry run does."""
    with database.reading() as connection:
        items = known.known(banks, connection)
    parsed = parsing.parse(Upload("items.gift", data, "gift"), items)
    report.as_json("items.gift", parsed.compared)
    return parsed


def _store(database: Database, parsed: Parsed) -> None:
    """Store every item as a draft of a new bank, as an import does."""
    with database.writing() as connection:
        bank = authoring.create_bank(connection, StudioBank(0, "sized", "Sized", "saa", "exam", "", 0), BY)
        rows = plan.rows(parsed.compared)
        numbers = {row.number for row in rows if row.proposed}
        chosen = plan.choose(rows, numbers, Defaults("saa"), store.taken_ids(connection))
        import_id = store.record(connection, "items.gift", parsed, BY)
        outcome = store.apply(connection, import_id, bank, chosen, BY)
    if outcome.items != ITEMS:
        raise ValueError(f"{outcome.items} of {ITEMS} items came")


def _command(data: bytes) -> float:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "items.gift")
        file.write_bytes(data)
        command = [sys.executable, "-m", "flask", "quizzes", "import", str(file), "--dry-run"]
        environment = {**os.environ, "ARCHWAY_INSTANCE": folder}
        before = _used()
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        return _used() - before


def _cpu(work: Callable[[], Result]) -> tuple[float, Result]:
    before = _used()
    result = work()
    return _used() - before, result


def _used() -> float:
    """Return the user and system time of this process and of all that have ended under it."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in spent)


if __name__ == "__main__":
    main()
