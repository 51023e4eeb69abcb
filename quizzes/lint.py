"""What a bank tells a test-wise candidate who knows nothing of its subject, and items that are one item twice.

The rules follow T. M. Haladyna, S. M. Downing and M. C. Rodriguez, "A review of multiple-choice item-writing
guidelines" (2002): vary the place of the key, keep options of a length, avoid negative stems or mark them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from content.errors import ContentError
from quizzes import alike
from quizzes.formats.drafts import ItemError
from quizzes.questions import Bank, Item, refers_to_others

ENOUGH = 20
"""Items from which on a bank is judged as a whole."""
PLACE_SHARE = (0.10, 0.40)
"""The least and greatest share of a bank's single keys that may stand at one of four places."""
LONGEST_SHARE = 0.40
"""The greatest share of a bank's single keys that may be the longest option; by chance it is a quarter."""
LONGEST_BY = 1.6
"""So many times the mean length of its distractors a key may be long, where it has forty characters or more."""

# A question is negative where it asks for what is not so; a "not" further on belongs to what it asks about.
_NEGATION = re.compile(r"^\W*(?:\w+\W+){0,7}?(?:not|\w+n't)\b|\bexcept\b", re.IGNORECASE)
_QUESTION = re.compile(r"[^.?!]*\?")


def find(banks: Iterable[Bank]) -> Iterator[ContentError]:
    """Yield the faults of banks and items that no single line shows."""
    items: list[Item] = []
    for bank in banks:
        items += bank.items
        yield from _bank_faults(bank)
        for item in bank.items:
            yield from item_faults(item)
    yield from _doubles(items)


def _bank_faults(bank: Bank) -> Iterator[ContentError]:
    choices = [item for item in bank.items if item.question.type == "multiple-choice"]
    single = [item for item in choices if len(item.question.options) == 4]
    if len(single) < ENOUGH:
        return
    path = _path(single[0])
    places = Counter(next(iter(item.key.correct)) for item in single)
    for letter in "abcd":
        share = places[letter] / len(single)
        if not PLACE_SHARE[0] <= share <= PLACE_SHARE[1]:
            place = "abcd".index(letter) + 1
            sentence = f"{share:.0%} of the keys stand at place {place}; spread them over the four places."
            yield ContentError(path, 1, 1, sentence)
    longest = sum(_is_longest(item) for item in single) / len(single)
    if longest > LONGEST_SHARE:
        yield ContentError(path, 1, 1, f"In {longest:.0%} of the items the key is the longest option; even them out.")


def item_faults(item: Item) -> Iterator[ItemError]:
    """Yield what an item tells by itself."""
    key, others = _lengths(item) if item.question.kind == "choice" else ([], [])
    if key and others and key[0] >= 40 and key[0] > LONGEST_BY * sum(others) / len(others):
        sentence = "The key is much longer than its distractors; shorten it, or tell as much of each of them."
        yield _error(item, sentence, f"option-{item.written_order.index(min(item.key.correct)) + 1}")
    referring = next((one for one in item.question.options if refers_to_others(one.text)), None)
    if referring:
        sentence = "An option speaks of the others (“all of the above”); ask for what one has to know."
        yield _error(item, sentence, f"option-{item.written_order.index(referring.letter) + 1}")
    plain = re.sub(r"\*\*[^*]+\*\*", "", item.question.stem)
    asked = _QUESTION.findall(plain)
    if asked and _NEGATION.search(asked[-1]):
        sentence = "The question is put in the negative; ask for what is right, or make the **not** bold."
        yield _error(item, sentence, "stem")


def _doubles(items: Sequence[Item]) -> Iterator[ContentError]:
    """Yield items that repeat another one."""
    for one in alike.find(items):
        other, item = items[one.first], items[one.second]
        if one.kind == "near":
            yield _error(item, f"This item is nearly the one at {_place(other)}; drop it, or ask anew.", "stem")
        else:
            keys = "with the same key" if one.kind == "same" else "with another key"
            yield _error(item, f"This stem stands at {_place(other)} too, {keys}.", "stem")


def _lengths(item: Item) -> tuple[list[int], list[int]]:
    """Return the lengths of the right options, and of the wrong ones."""
    right = [len(one.text) for one in item.question.options if one.letter in item.key.correct]
    return right, [len(one.text) for one in item.question.options if one.letter not in item.key.correct]


def _is_longest(item: Item) -> bool:
    right, wrong = _lengths(item)
    return right[0] > max(wrong)


def _path(item: Item) -> Path:
    return item.path or Path(item.question.id)


def _place(item: Item) -> str:
    return f"{_path(item)}:{item.line}"


def _error(item: Item, sentence: str, field: str) -> ItemError:
    return ItemError(_path(item), item.line, 1, sentence, field)
