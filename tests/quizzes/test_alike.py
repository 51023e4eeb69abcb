"""Items that are one item twice are found, whatever else there is, and quickly."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from quizzes import alike
from quizzes.alike import Alike
from quizzes.questions import Item, Key, Option, Question

STEM = "Which service keeps messages until a worker has read and deleted them?"


def item(stem: str, options: tuple[str, ...] = ("Amazon SQS", "Amazon SNS"), key: str = "a") -> Item:
    named = tuple(Option(letter, text) for letter, text in zip("abcdefgh", options, strict=False))
    return Item(Question("x-1", "saa", "", "", "", stem, named, len(key)), Key(frozenset(key), ()))


def test_one_stem_is_told_by_what_it_is_asked_with() -> None:
    items = [
        item(STEM),
        item(STEM.upper(), ("amazon sns", "Amazon SQS."), "b"),
        item(STEM, key="b"),
        item(STEM, ("A queue", "A topic")),
    ]
    kinds = {(one.first, one.second): one.kind for one in alike.find(items)}
    assert kinds[0, 1] == "same"
    assert kinds[0, 2] == kinds[1, 2] == "conflict"
    assert kinds[0, 3] == "stem"


def test_an_item_with_a_word_changed_is_nearly_the_same() -> None:
    items = [item(STEM), item(STEM.replace("worker", "server")), item("Which service sends a copy to each subscriber?")]
    assert list(alike.find(items)) == [Alike(0, 1, "near")]


def test_only_fresh_items_are_said_to_be_like_others() -> None:
    items = [item(STEM), item(STEM), item(STEM)]
    assert [(one.first, one.second) for one in alike.find(items, 2)] == [(0, 2), (1, 2)]


@given(st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=14).map(" ".join), max_size=12))
def test_every_pair_that_shares_enough_is_found(stems: list[str]) -> None:
    items = [item(stem, ()) for stem in stems]
    runs = [alike._runs(one) for one in items]

    def share(first: int, second: int) -> float:
        union = runs[first] | runs[second]
        return len(runs[first] & runs[second]) / len(union) if union else 0

    pairs = [(first, second) for second in range(len(items)) for first in range(second)]
    expected = {pair for pair in pairs if share(*pair) > alike.ALIKE and stems[pair[0]] != stems[pair[1]]}
    assert {(one.first, one.second) for one in alike.find(items) if one.kind == "near"} == expected


def test_the_same_item_a_thousand_times_takes_no_longer_than_it_is_long() -> None:
    def seconds(count: int) -> float:
        items = [item(f"{STEM} Case {number} of many.") for number in range(count)]
        began = time.process_time()
        found = list(alike.find(items))
        assert len(found) <= alike.MOST * count
        return time.process_time() - began

    assert seconds(2000) < 12 * seconds(500)


def test_a_thousand_items_of_nearly_the_same_many_words_take_no_longer_than_they_are_long() -> None:
    def seconds(count: int) -> float:
        words = " ".join(f"word{number}" for number in range(40))
        items = [item(f"{words} x{number}") for number in range(count)]
        began = time.process_time()
        assert len(list(alike.find(items))) <= alike.MOST * count
        return time.process_time() - began

    assert seconds(4000) < 12 * seconds(1000)
