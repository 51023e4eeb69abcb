"""Items that are one item twice: the same, the same stem with another key, or nearly the same words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from math import ceil
from typing import Literal

from quizzes.questions import Item

Kind = Literal["same", "conflict", "stem", "near"]
"""The same item; one stem with keys that contradict each other; one stem that asks about other options; nearly the
same words."""

ALIKE = 0.5
"""Two items that share more of their four-word runs (Jaccard's index) are one item."""
MOST = 20
"""So many others an item is said to be like."""
MOST_COMPARED = 200
"""So many others an item is compared with word by word: what would be more is a file of one item a thousand times."""

_WORD = re.compile(r"\w+")
_RUN = 4

Run = tuple[str, ...]


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
    stems: dict[str, list[int]] = {}
    runs = _shared([_runs(item) for item in items])
    holders: dict[int, list[int]] = {}
    for second, item in enumerate(items):
        twins = stems.setdefault(_words_of(item.question.stem), [])
        prefix = runs[second].prefix()
        if second >= fresh:
            yield from (Alike(first, second, _compare(items[first], item)) for first in twins[:MOST])
            candidates = dict.fromkeys(first for run in prefix for first in holders.get(run, ()))
            near = (one for one in list(candidates)[:MOST_COMPARED] if one not in twins)
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
    options, others = (
        {_words_of(one.text) for one in (*item.question.options, *item.question.targets)} for item in (first, second)
    )
    if first.question.kind != second.question.kind or (options and not options & others):
        return "stem"
    if key_texts(first) != key_texts(second):
        return "conflict"
    return "same" if options == others else "near"


def _words_of(text: str) -> str:
    """Return a text as its words, whatever stands between them; a text without words as it is."""
    return " ".join(_WORD.findall(text.casefold())) or text.strip()


def _runs(item: Item) -> frozenset[Run]:
    texts = (item.question.stem, *(one.text for one in item.question.options))
    words = _WORD.findall(" ".join(texts).casefold())
    return frozenset(zip(*(words[start:] for start in range(_RUN)), strict=False))


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


def _shared(runs: Sequence[frozenset[Run]]) -> list[_Runs]:
    counts = Counter(chain.from_iterable(runs))
    common = sorted((run for run, count in counts.items() if count > 1), key=counts.__getitem__)
    ranks = {run: rank for rank, run in enumerate(common)}
    return [_Runs(len(one), frozenset(ranks[run] for run in one if run in ranks)) for one in runs]


def _share(first: _Runs, second: _Runs) -> float:
    common = len(first.shared & second.shared)
    return common / (first.count + second.count - common)
