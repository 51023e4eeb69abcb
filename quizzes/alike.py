"""Items that are one item twice: the same, the same stem with another key, or nearly the same words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from math import ceil
from typing import Literal

from quizzes.questions import Item

Kind = Literal["same", "conflict", "stem", "near"]
"""The same item; one stem with keys that contradict each other; one stem that asks about other options; nearly the
same words."""

ALIKE = 0.5
"""Two items that share more of their four-word runs (Jaccard's index) are one item."""
MOST = 5
"""So many others an item is said to be like."""
MOST_COMPARED = 100
"""So many others an item is compared with word by word: what would be more is a file of one item a thousand times."""

_WORD = re.compile(r"\w+")
_RUN = 4


@dataclass(frozen=True)
class Alike:
    """Two items by their places in the sequence, the earlier one first, and what they share."""

    first: int
    second: int
    kind: Kind


def find(items: Sequence[Item], fresh: int = 0) -> Iterator[Alike]:
    """Yield the pairs that are alike and whose second is among the items from ``fresh`` on, in the order of seconds.

    Nearly alike are found by the rarest of their runs of words: two sets of which more than a share t is common have
    one of their |x| - ceil(t |x|) + 1 rarest elements in common (R. J. Bayardo, Y. Ma and R. Srikant, 2007, "Scaling
    up all pairs similarity search"). So the time grows with what is alike, not with the square of the items.
    """
    stems = [_words_of(item.question.stem) for item in items]
    places: dict[str, list[int]] = {}
    runs = _shared([_runs(item) for item in items])
    holders: dict[int, list[int]] = {}
    for second, item in enumerate(items):
        twins = places.setdefault(stems[second], [])
        prefix = runs[second].prefix()
        if second >= fresh:
            yield from (Alike(first, second, _compare(items[first], item)) for first in twins[:MOST])
            holding = (first for run in prefix for first in holders.get(run, ()))
            near = (one for one in dict.fromkeys(islice(holding, MOST_COMPARED)) if stems[one] != stems[second])
            close = [one for one in near if _share(runs[one], runs[second]) > ALIKE]
            yield from (Alike(first, second, "near") for first in close[:MOST])
        twins.append(second)
        for run in prefix:
            holders.setdefault(run, []).append(second)


def key_texts(item: Item) -> set[str]:
    """Return the right options of a choice; of another kind, its right answers."""
    if item.question.kind != "choice":
        return {_words_of(one) for one in item.key.correct}
    return {_words_of(one.text) for one in item.question.options if one.letter in item.key.correct}


def _compare(first: Item, second: Item) -> Kind:
    """Say how two items of one stem stand to each other."""
    if _asked(first) == _asked(second):
        return "same"
    options, others = (
        {_words_of(one.text) for one in (*item.question.options, *item.question.targets)} for item in (first, second)
    )
    if first.question.kind != second.question.kind or (options and not options & others):
        return "stem"
    if key_texts(first) != key_texts(second):
        return "conflict"
    return "same" if options == others else "near"


def _asked(item: Item) -> tuple[object, ...]:
    return item.question.kind, item.question.options, item.question.targets, item.key.correct


def _words_of(text: str) -> str:
    """Return a text as its words, whatever stands between them; a text without words as it is."""
    return " ".join(_WORD.findall(text.casefold())) or text.strip()


def _runs(item: Item) -> frozenset[int]:
    """Return the runs of an item's words, each as its hash: a tuple would be hashed anew at every look."""
    texts = (item.question.stem, *(one.text for one in item.question.options))
    words = _WORD.findall(" ".join(texts).casefold())
    return frozenset(map(hash, zip(*(words[start:] for start in range(_RUN)), strict=False)))


@dataclass(frozen=True)
class _Runs:
    """How many runs an item has, and those that others have too, as numbers that grow with how many have them."""

    count: int
    shared: frozenset[int]

    def prefix(self) -> list[int]:
        """Return those of the rarest runs that others have too; runs of this item alone are the rarest."""
        alone = self.count - len(self.shared)
        length = self.count - ceil(ALIKE * self.count) + 1 - alone
        return sorted(self.shared)[:length] if length > 0 else []


def _shared(runs: Sequence[frozenset[int]]) -> list[_Runs]:
    # Most runs are of one item alone: only the others are counted.
    seen, several = set[int](), set[int]()
    for one in runs:
        several |= seen & one
        seen |= one
    shared = [one & several for one in runs]
    counts = Counter(chain.from_iterable(shared))
    ranks = {run: rank for rank, run in enumerate(sorted(counts, key=counts.__getitem__))}
    return [
        _Runs(len(every), frozenset(map(ranks.__getitem__, some))) for every, some in zip(runs, shared, strict=True)
    ]


def _share(first: _Runs, second: _Runs) -> float:
    common = len(first.shared & second.shared)
    return common / (first.count + second.count - common)
