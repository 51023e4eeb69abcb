"""What gives a bank away, and items that are one item twice, are found; a sound bank is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from quizzes import lint, pool
from quizzes.questions import Bank, Item, Key, Option, Question

STEM = "A brewery number {n} keeps {n} recipes of its {n} beers and wants {n} copies. Which storage serves it?"


def _item(number: int, key: str = "", *, stem: str = "", options: tuple[str, ...] = ()) -> Item:
    texts = options or tuple(f"Option {letter} of item {number} with words" for letter in "abcd")
    made = tuple(Option(letter, text) for letter, text in zip("abcde", texts, strict=False))
    correct = frozenset(key or "abcd"[number % 4])
    question = Question(f"x-{number}", "c", "1.1", "easy", "/l#s", stem or STEM.format(n=number), made, len(correct))
    rationales = tuple((option.letter, "Right: so.") for option in made)
    return Item(question, Key(correct, rationales), Path("bank.md"), number)


def _faults(items: list[Item]) -> list[str]:
    return [str(fault) for fault in lint.find([Bank("b", "B", "c", "exam", tuple(items))])]


def _distinct(count: int, **values: object) -> list[Item]:
    """Return items whose words have nothing in common."""
    return [
        _item(
            number,
            stem=" ".join(f"w{number}x{place}" for place in range(20)) + "?",
            options=tuple(f"o{number}{letter} " * 5 for letter in "abcd"),
            **values,
        )
        for number in range(count)
    ]


def test_a_sound_bank_has_no_fault() -> None:
    assert _faults(_distinct(24)) == []


def test_keys_at_one_place_are_found_once_there_are_enough_items() -> None:
    assert "100% of the keys stand at place 2" in _faults(_distinct(20, key="b"))[1]
    assert _faults(_distinct(19, key="b")) == []


def test_a_bank_whose_keys_are_the_longest_options_is_found() -> None:
    items = []
    for item in _distinct(20):
        key = next(iter(item.key.correct))
        texts = tuple(one.text + ("abcdef" if one.letter == key else "") for one in item.question.options)
        number = int(item.question.id[2:])
        items.append(_item(number, key, stem=item.question.stem, options=texts))
    assert "In 100% of the items the key is the longest option" in _faults(items)[0]


def test_a_key_much_longer_than_its_distractors_is_found() -> None:
    (fault,) = _faults([_item(1, "a", options=("word " * 12, "short one", "short two", "short three"))])
    assert fault.startswith("bank.md:1:1: The key is much longer")


@pytest.mark.parametrize(
    ("stem", "found"),
    [
        ("A shop has a queue. Which of these does not keep order?", True),
        ("A shop has a queue. Which of these does **not** keep order?", False),
        ("The data must not leave the network. Which endpoint serves?", False),
        ("All work EXCEPT which?", True),
        ("What is the smallest number of nodes with which the loss of one does not overload it?", False),
    ],
)
def test_a_negative_question_is_found_unless_it_is_marked(stem: str, found: bool) -> None:
    assert any("put in the negative" in fault for fault in _faults([_item(1, stem=stem)])) is found


def test_the_same_stem_is_found_and_another_key_said() -> None:
    stem, options = "A ferry sells tickets. Which database?", ("one", "two", "three", "four")
    same = _faults([_item(1, "a", stem=stem, options=options), _item(2, "a", stem=stem, options=options)])
    other = _faults([_item(1, "a", stem=stem, options=options), _item(2, "b", stem=stem, options=options)])
    assert any("stands at bank.md:1 too, with the same key" in fault for fault in same)
    assert any("stands at bank.md:1 too, with another key" in fault for fault in other)


def test_a_near_duplicate_is_found() -> None:
    text = "A zoo films its animals all day and keeps the films for a year in one bucket. Which class serves it best?"
    options = ("Standard", "Standard, infrequent access", "One zone", "Glacier")
    items = [_item(1, stem=text, options=options), _item(2, stem=text.replace("zoo", "farm"), options=options)]
    assert any("nearly the one at bank.md:1" in fault for fault in _faults(items))


def test_the_shipped_banks_are_sound() -> None:
    banks, _ = pool.load(Path("quizzes/banks"))
    assert [str(fault) for fault in lint.find(banks)] == []
