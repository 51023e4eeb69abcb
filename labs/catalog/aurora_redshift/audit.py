"""What ought to have arrived by the shop's own rows: line by line, and as the right answers to three questions."""

from __future__ import annotations

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from labs.parts.bucket import Bucket, objects

from .calendar_days import SPRING, season, weekday
from .delivery_process import PREFIX
from .message import Message
from .shop import Row

Fields = tuple[str, ...]


class Arrived(NamedTuple):
    """Sales of which the bucket has no line as they were sold, lines that no sale accounts for, and all lines."""

    missing: int
    superfluous: int
    lines: int


def compare(bucket: Bucket, rows: Iterable[Row], message: Message, columns: Sequence[str], *, quoted: bool) -> Arrived:
    """Hold the delivered lines, split as the external table splits them, against the rows of the shop."""
    nothing = "" if quoted else "\\N"
    expected = Counter(tuple(nothing if one is None else one for one in message.values(row, columns)) for row in rows)
    found = Counter(_fields(bucket, len(columns), quoted=quoted))
    return Arrived((expected - found).total(), (found - expected).total(), found.total())


def _fields(bucket: Bucket, count: int, *, quoted: bool) -> Iterator[Fields]:
    for one in objects(bucket, PREFIX):
        content = bucket.get(one.key)
        lines = (gzip.decompress(content) if one.key.endswith(".gz") else content).decode().splitlines()
        split = csv.reader(lines) if quoted else (line.split(",") for line in lines)
        yield from (tuple(fields[:count]) for fields in split)


def total(row: Row) -> float:
    """Return what a sale brought in dollars."""
    return float(row["Price"] or 0) * int(row["Quantity"] or 0)


def answers(rows: Iterable[Row]) -> dict[str, dict[str, float]]:
    """Return the total sales that each question asks for, by the words of its answer."""
    sums: dict[tuple[str, str], float] = defaultdict(float)
    for row in rows:
        sums[(row["OrderDate"] or "")[:10], row["Category"] or ""] += total(row)
    found: dict[str, dict[str, float]] = {name: defaultdict(float) for name in QUESTIONS}
    for (moment, category), amount in sums.items():
        day = date.fromisoformat(moment)
        for name, (asks_for, words) in QUESTIONS.items():
            if asks_for(day):
                found[name][words(day, category)] += amount
    return found


class Question(NamedTuple):
    """Which days are asked for, and the words by which their sales are summed up, of a day and a category."""

    days: Callable[[date], bool]
    words: Callable[[date, str], str]


QUESTIONS: Mapping[str, Question] = {
    "seasons": Question(lambda _: True, lambda day, _: season(day)),
    "spring_weekdays": Question(lambda day: season(day) == SPRING, lambda day, _: weekday(day)),
    "december_categories": Question(lambda day: day.month == 12, lambda _, category: category),
}
