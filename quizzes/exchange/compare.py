"""What the items of a file are like: one another, and those of the banks; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from quizzes import alike
from quizzes.alike import Kind
from quizzes.exchange.wire import Compared, Likeness
from quizzes.formats.reading import Reading
from quizzes.questions import Item


@dataclass(frozen=True)
class Known:
    """An item of a bank and where it stands: ``saa/1-resilient.md:44``, or the studio's bank."""

    place: str
    item: Item


def compare(name: str, reading: Reading, known: Sequence[Known]) -> Compared:
    """Return a file that was read in the format ``name`` with everything that its items are like.

    Of two items of the file each names the other, as far as it does not name too many; one of a bank is named by those
    of the file.
    """
    items = [*(one.item for one in known), *(one.item for one in reading.items)]
    likenesses: dict[int, list[Likeness]] = {}
    for number, likeness in _pairs(reading, known, items):
        named = likenesses.setdefault(number, [])
        if len(named) < alike.MOST:
            named.append(likeness)
    return Compared(name, reading, {number: tuple(named) for number, named in likenesses.items()})


def _pairs(reading: Reading, known: Sequence[Known], items: Sequence[Item]) -> Iterator[tuple[int, Likeness]]:
    for pair in alike.find(items, len(known)):
        second = reading.items[pair.second - len(known)]
        if pair.first < len(known):
            other = known[pair.first]
            yield second.number, _likeness(pair.kind, other.place, other.item)
        else:
            first = reading.items[pair.first - len(known)]
            yield second.number, _likeness(pair.kind, _place(first.member, first.line), first.item, first.number)
            yield first.number, _likeness(pair.kind, _place(second.member, second.line), second.item, second.number)


def _likeness(kind: Kind, place: str, item: Item, number: int = 0) -> Likeness:
    return Likeness(kind, place, item.question.stem, item.question.id, number)


def _place(member: str, line: int) -> str:
    return f"{member}:{line}" if member else f"line {line}"
