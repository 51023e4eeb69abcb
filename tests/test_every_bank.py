"""Every bank on disk is sound, fills a form, and gives nothing away by its shape."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from quizzes import blueprint, pool
from quizzes.formats import markdown
from quizzes.questions import Bank, Item

BANKS, FINDINGS = pool.load(Path("quizzes/banks"))
ITEMS = [item for bank in BANKS for item in bank.items]
EXAM_ITEMS = [item for bank in BANKS if bank.pool == "exam" for item in bank.items]


def test_no_bank_has_a_fault() -> None:
    assert [str(finding) for finding in FINDINGS] == []


@pytest.mark.parametrize("exam", blueprint.load(Path("quizzes/exams")), ids=lambda exam: exam.slug)
def test_every_exam_can_be_drawn(exam: blueprint.Blueprint) -> None:
    assert blueprint.shortages(exam, pool.questions(BANKS, exam.course)) == ()


@pytest.mark.parametrize("bank", BANKS, ids=lambda bank: bank.slug)
def test_a_bank_survives_writing_and_reading(bank: Bank) -> None:
    again, findings = markdown.read(markdown.write(bank), Path(bank.course) / f"{bank.slug}.md")
    assert findings == ()
    assert [item.fingerprint() for item in again.items] == [item.fingerprint() for item in bank.items]


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.question.id)
def test_an_item_tells_why_its_key_wins_and_when_a_distractor_would(item: Item) -> None:
    for letter, rationale in item.key.rationales:
        if item.question.kind == "choice":
            assert rationale.startswith("Right:") == (letter in item.key.correct), rationale
        assert len(rationale) >= 25


@pytest.mark.parametrize("item", EXAM_ITEMS, ids=lambda item: item.question.id)
def test_an_exam_item_has_four_options_or_five_with_two_keys(item: Item) -> None:
    if item.question.type in {"multiple-choice", "multiple-response"}:
        assert (len(item.question.options), item.question.choose) in {(4, 1), (5, 2), (5, 3)}


def test_the_longest_option_is_not_the_key_by_habit() -> None:
    single = [item for item in EXAM_ITEMS if item.question.type == "multiple-choice"]
    longest = [max(item.question.options, key=lambda option: len(option.text)).letter for item in single]
    hits = sum(letter in item.key.correct for letter, item in zip(longest, single, strict=True))
    assert hits / len(single) <= 1 / 3


def test_keys_are_spread_over_the_places() -> None:
    single = [item for item in EXAM_ITEMS if item.question.type == "multiple-choice"]
    counts = Counter(letter for item in single for letter in item.key.correct)
    total = sum(counts.values())
    assert all(0.15 <= counts[letter] / total <= 0.35 for letter in "abcd")


def _shingles(item: Item) -> frozenset[tuple[str, ...]]:
    words = item.question.stem.lower().split()
    return frozenset(zip(*(words[start:] for start in range(4)), strict=False))


def test_no_two_stems_are_nearly_the_same() -> None:
    sets = [(item.question.id, _shingles(item)) for item in EXAM_ITEMS]
    near = [
        (one, other)
        for index, (one, first) in enumerate(sets)
        for other, second in sets[index + 1 :]
        if first and len(first & second) / len(first | second) > 0.3
    ]
    assert near == []


@pytest.mark.parametrize(
    ("course", "domains"),
    [
        ("solutions-architect-associate", {1: 88, 2: 64, 3: 68, 4: 24, 5: 16}),
        ("security-specialty", {1: 16, 2: 26, 3: 34, 4: 26, 5: 28}),
        ("architectures", {1: 36, 2: 24}),
    ],
)
def test_a_bank_holds_whole_forms_in_the_proportions_of_its_blueprint(course: str, domains: dict[int, int]) -> None:
    own = [item for item in EXAM_ITEMS if item.question.course == course]
    counts = Counter(item.question.domain for item in own)
    assert all(counts[number] >= count for number, count in domains.items())


def test_every_architecture_has_twelve_items() -> None:
    counts = Counter(item.question.task for item in EXAM_ITEMS if item.question.course == "architectures")
    assert all(counts[task] >= 12 for task in ("1.1", "1.2", "1.3", "2.1", "2.2"))
