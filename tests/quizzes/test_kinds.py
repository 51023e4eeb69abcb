"""Items of every kind: how they are written, read, answered, marked and drawn."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from quizzes import answers, blueprint, display, grading, lint, store
from quizzes.answers import pairs
from quizzes.formats import markdown
from quizzes.questions import TYPES, Item, item_of, refers_to_others
from quizzes.sittings import Exams
from tests.quizzes.conftest import Learner, other_key

BANK = """---
title: Every kind
course: c
pool: exam
---

## Case box-office

Tickets go on sale at noon. **Two thousand** buyers arrive in the first minute.

## k-1-001

**Task** 1.1 · **Difficulty** easy · **Lesson** [l](l.md#s) · **Case** box-office · **Tags** lambda, sns

The function is limited to 10 at once. True or false: the eleventh buyer is refused.

- [x] True
  > Right: nothing queues in front of a synchronous call.
- [ ] False
  > Right if the call came through a queue.

## k-1-002

**Task** 1.1 · **Difficulty** medium · **Lesson** [l](l.md#s) · **Kind** numeric
**Case** box-office

Each call takes 0.3 s. How many calls a second do 10 at once serve?

**Answer** 33.3 ± 1 % calls a second
> Ten divided by 0.3 seconds.

## k-1-003

**Task** 1.2 · **Difficulty** hard · **Lesson** [l](l.md#s) · **Kind** text

What does a role need beside its permissions, before a service can assume it?

**Answer** “trust policy” or “assume-role policy”
> It names who may assume the role.

**Today** The same.

## k-1-004

**Task** 1.2 · **Difficulty** easy · **Lesson** [l](l.md#s) · **Kind** ordering

Put the steps of the nightly load into order.

1. Land the files
   > First, there is nothing else to work on.
2. Convert them
   to columns
   > A crawler would see the wrong schema before.
3. Crawl the result
   > Then the schema is known.
4. Ask a question
   > Last, with the catalog filled.

## k-1-005

**Task** 1.3 · **Difficulty** medium · **Lesson** [l](l.md#s) · **Kind** matching

Match each need with its storage.

- Shared by hundreds of instances → a file system
  > Files, many mounts.
- Boot volume → block storage
  > One instance, blocks.
- Archive of ten years → cold objects
  > Rarely read.
- → instance store

## k-1-006

**Task** 1.3 · **Difficulty** hard · **Lesson** [l](l.md#s) · **Order** fixed

How many copies does it keep? **Choose two.**

- [ ] One
  > Too few.
- [x] Two
  > Right.
- [x] Three
  > Right.
- [ ] Six
  > Too many.
"""


EXAM = blueprint.Blueprint("kinds", "KINDS", "Every kind", "c", 6, 20, 700, (blueprint.Domain(1, "One", 100),))
LESSON = "/learn/architectures/services-under-load/lambda-concurrency#the-parts"


CHANGING = re.compile(
    r'(?:csrf[-_]token" (?:value|content)|data-attempt|reader" content)="\w+|"token":"\w+|/attempts/\d+|\d{13}'
)
"""What differs between two sittings of the same form by two people."""


@pytest.fixture
def with_kinds(app: Flask) -> Callable[..., None]:
    """Return a function that offers an exam with an item of each kind, changed if need be, and nothing else."""

    def offer(change: Callable[[Item], Item] = lambda item: item) -> None:
        bank, _ = markdown.read(BANK, Path("c/b.md"))
        placed = [replace(item, question=replace(item.question, lesson=LESSON)) for item in bank.items]
        app.extensions["exams"] = Exams((EXAM,), (replace(bank, items=tuple(map(change, placed))),))
        store.sync_versions(app.extensions["database"], app.extensions["exams"].banks)

    return offer


@pytest.fixture(scope="module")
def items() -> dict[str, Item]:
    bank, findings = markdown.read(BANK, Path("c/b.md"))
    assert findings == ()
    return {item.question.type: item for item in bank.items}


def test_a_bank_holds_every_kind(items: dict[str, Item]) -> None:
    assert set(items) == set(TYPES) - {"multiple-choice"}
    assert items["numeric"].key.tolerance == "1 %"
    assert items["numeric"].question.unit == "calls a second"
    assert items["numeric"].question.stimulus == items["true-false"].question.stimulus
    assert "Two thousand" in items["numeric"].question.stimulus
    assert items["true-false"].question.tags == ("lambda", "sns")
    assert items["short-text"].key.correct == {"trust policy", "assume-role policy"}
    assert items["short-text"].key.today == "The same."
    assert [one.text for one in items["matching"].question.targets] == [
        "a file system",
        "block storage",
        "cold objects",
        "instance store",
    ]


def test_letters_of_an_order_tell_nothing_of_it(items: dict[str, Item]) -> None:
    item = items["ordering"]
    texts = {option.letter: option.text for option in item.question.options}
    assert list(texts.values()) == sorted(texts.values())
    assert [texts[letter] for letter in item.key.answer] == [
        "Land the files",
        "Convert them to columns",
        "Crawl the result",
        "Ask a question",
    ]


def test_writing_a_bank_and_reading_it_gives_the_same_items(items: dict[str, Item]) -> None:
    bank, _ = markdown.read(BANK, Path("c/b.md"))
    again, findings = markdown.read(markdown.write(bank), Path("c/b.md"))
    assert findings == ()
    assert [(one.question, one.key) for one in again.items] == [(one.question, one.key) for one in bank.items]
    assert markdown.write(again) == markdown.write(bank)


@pytest.mark.parametrize("kind", ["true-false", "numeric", "short-text", "ordering", "matching", "multiple-response"])
def test_a_version_comes_back_from_the_database_as_it_was(items: dict[str, Item], kind: str) -> None:
    item = items[kind]
    row = json.loads(json.dumps(item.content()))
    again = item_of(row["question"], row["key"])
    assert again.fingerprint() == item.fingerprint()
    assert again == replace(item, path=None, line=0, question=replace(item.question, tags=()))


def test_tags_make_no_new_version(items: dict[str, Item]) -> None:
    item = items["true-false"]
    assert replace(item, question=replace(item.question, tags=())).fingerprint() == item.fingerprint()


@pytest.mark.parametrize(
    ("old", "new", "place", "sentence"),
    [
        ("**Kind** text", "**Kind** essay", "34:63", "must be one of choice, numeric"),
        ("**Answer** 33.3 ± 1 % calls a second\n", "", "22:1", "lacks its number"),
        ("**Answer** 33.3", "**Answer** some", "22:1", "lacks its number"),
        ("**Answer** “trust policy” or “assume-role policy”", "**Answer** trust policy", "32:1", "lacks its text"),
        ("> Ten divided by 0.3 seconds.\n", "", "29:1", "has no rationale"),
        ("- Boot volume → block storage", "- Boot volume", "67:1", "A pair reads"),
        ("- Boot volume → block storage", "- Boot volume → ", "67:1", "matched with nothing"),
        ("3. Crawl the result", "3. Land the files", "54:7", "same as the one at line 49"),
        ("**Case** box-office\n", "**Case** theatre\n", "25:1", "no case “theatre”"),
        ("**Tags** lambda, sns", "**Tags** Lambda", "13:85", "must be names"),
        ("## k-1-001", "## Case box-office\n\n## k-1-001", "11:4", "stands twice"),
        ("**Order** fixed", "**Order** loose", "75:63", "the word fixed"),
    ],
)
def test_it_finds_a_fault(old: str, new: str, place: str, sentence: str) -> None:
    assert old in BANK
    _, findings = markdown.read(BANK.replace(old, new, 1), Path("c/b.md"))
    found = [f"{one.line}:{one.column}: {one.sentence}" for one in findings]
    assert any(one.startswith(f"{place}: ") and sentence in one for one in found), found


@pytest.mark.parametrize(
    ("kind", "answer", "correct", "credit"),
    [
        ("true-false", "a", True, 1),
        ("true-false", "b", False, 0),
        ("numeric", "33.3", True, 1),
        ("numeric", "33,4", True, 1),
        ("numeric", " 33.5 calls a second ", True, 1),
        ("numeric", "34", False, 0),
        ("numeric", "thirty", False, 0),
        ("numeric", "nan", False, 0),
        ("short-text", "  Trust-Policy. ", True, 1),
        ("short-text", "“assume role policy”", True, 1),
        ("short-text", "policy", False, 0),
        ("matching", "a1b2c3", True, 1),
        ("matching", "c3a1b2", True, 1),
        ("matching", "a1b3c2", False, 1 / 3),
        ("matching", "a1", False, 1 / 3),
        ("matching", "", False, 0),
        ("multiple-response", "bc", True, 1),
        ("multiple-response", "b", False, 0.5),
        ("multiple-response", "ab", False, 0),
        ("multiple-response", "ad", False, 0),
        ("multiple-response", "bcd", False, 0.5),
    ],
)
def test_marks_are_all_or_nothing_and_practice_gives_partial_credit(
    items: dict[str, Item], kind: str, answer: str, correct: bool, credit: float
) -> None:
    mark = grading.mark(items[kind], answer)
    assert (mark.answered, mark.correct) == (bool(answer), correct)
    assert mark.credit == pytest.approx(credit)


def test_an_order_earns_kendalls_tau(items: dict[str, Item]) -> None:
    item = items["ordering"]
    right = item.key.answer
    assert grading.mark(item, right) == grading.Mark(True, True, 1.0)
    assert grading.mark(item, right[1] + right[0] + right[2:]).credit == pytest.approx(4 / 6)
    assert grading.mark(item, right[::-1]) == grading.Mark(True, False, 0.0)
    assert grading.mark(item, right[:2]).credit == pytest.approx(1 / 6)
    whole = [sum(1 if a < b else -1 for i, a in enumerate(p) for b in p[i + 1 :]) for p in permutations(range(4))]
    given = [grading.mark(item, "".join(right[i] for i in p)).credit for p in permutations(range(4))]
    assert given == pytest.approx([max(0, one) / 6 for one in whole])


@given(st.one_of(st.text(alphabet="abcdef123 .,e-−%", max_size=14), st.text(max_size=40)))
@example("1e999999999")
@example("abcdabcd")
def test_no_answer_whatever_breaks_the_marking(text: str) -> None:
    for item in markdown.read(BANK, Path("c/b.md"))[0].items:
        mark = grading.mark(item, text)
        assert 0 <= mark.credit <= 1
        assert mark.correct == (mark.credit == 1)
        display._shown(item, [option.letter for option in item.question.options], text)
        display.review(item, text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("5,000", "5000"), ("5 000", "5000"), ("2,5", "2.5"), ("-3", "-3"), ("−3", "-3"), ("1,234,567.5", "1234567.5")],
)
def test_numbers_are_read_as_people_write_them(text: str, value: str) -> None:
    assert str(answers.number(text)) == value


def test_a_plain_form_gives_the_answer_of_every_kind(items: dict[str, Item]) -> None:
    def sent(kind: str, *fields: tuple[str, str]) -> str:
        return answers.from_form(items[kind].question, MultiDict(fields), "q1")

    assert sent("multiple-response", ("q1", "c"), ("q1", "b"), ("q1", "x")) == "bc"
    assert sent("numeric", ("q1", " 33.3\x00 ")) == "33.3"
    assert sent("short-text") == ""
    assert sent("matching", ("q1-a", "2"), ("q1-b", ""), ("q1-c", "9")) == "a2"
    assert sent("ordering", ("q1-a", "3"), ("q1-b", "1"), ("q1-c", "2"), ("q1-d", "x")) == "bca"


def test_a_case_stands_together_in_the_order_of_its_bank_and_types_are_kept() -> None:
    bank, _ = markdown.read(BANK, Path("c/b.md"))
    one = bank.items[0].question
    plain = [replace(one, id=f"k-2-{number:03}", case="", stimulus="") for number in range(20)]
    domains = (blueprint.Domain(1, "One", 100),)
    exam = blueprint.Blueprint("e", "E", "E", "c", 8, 10, 700, domains)
    pool = [*plain, *(item.question for item in bank.items)]
    together = 0
    for seed in range(200):
        drawn = [place.question for place in blueprint.draw(exam, pool, seed).places]
        places = [place for place, question in enumerate(drawn) if question.case]
        if places:
            together += 1
            assert [drawn[place].id for place in places] in (["k-1-001", "k-1-002"], ["k-1-001"], ["k-1-002"])
            assert places == list(range(places[0], places[0] + len(places)))
    assert together > 20
    only = replace(exam, types=("multiple-choice", "true-false"))
    assert {p.question.type for p in blueprint.draw(only, pool, 1).places} == {"true-false"}
    assert [str(s) for s in blueprint.shortages(replace(exam, types=("matching",)), pool)] == [
        "Domain 1 (One) needs 8 items and has 1."
    ]


def test_the_spread_of_difficulty_is_kept_where_the_pool_has_it() -> None:
    one = markdown.read(BANK, Path("c/b.md"))[0].items[-1].question
    pool = [
        replace(one, id=f"q-{task}-{level}-{number}", task=task, difficulty=level)
        for task in ("1.1", "1.2", "2.1")
        for level in ("easy", "medium", "hard")
        for number in range(12)
    ]
    domains = (blueprint.Domain(1, "One", 60), blueprint.Domain(2, "Two", 40))
    exam = blueprint.Blueprint("e", "E", "E", "c", 20, 10, 700, domains, difficulty=(30, 50, 20))
    for seed in range(50):
        drawn = [place.question for place in blueprint.draw(exam, pool, seed).places]
        assert Counter(question.difficulty for question in drawn) == {"easy": 6, "medium": 10, "hard": 4}
        tasks = Counter(question.task for question in drawn if question.domain == 1)
        assert tasks["1.1"] == tasks["1.2"] == 6
    poor = [question for question in pool if question.difficulty != "hard"]
    assert [str(s) for s in blueprint.spread_shortages(exam, poor)] == ["The exam needs 4 hard items and has 0."]
    assert len(blueprint.draw(exam, poor, 1).places) == 20


def test_options_that_refer_to_others_keep_their_order(items: dict[str, Item]) -> None:
    for text in (
        "All of the above",
        "None of these options",
        "Both A and B",
        "The first option, with encryption",
        "Neither of the above",
    ):
        assert refers_to_others(text), text
    for text in ("Both a queue and a topic", "All of the subnets", "One of the other Regions", "A and B records"):
        assert not refers_to_others(text), text
    item = items["multiple-response"]
    loose = replace(item.question, id="loose", fixed=False)
    bound = replace(loose, options=(*loose.options[:3], replace(loose.options[3], text="Both of the above")))
    domains = (blueprint.Domain(1, "One", 100),)
    exam = blueprint.Blueprint("e", "E", "E", "c", 1, 10, 700, domains)

    def orders(question: object) -> set[str]:
        return {blueprint.draw(exam, [question], seed).places[0].order for seed in range(40)}  # type: ignore[list-item]

    assert orders(item.question) == orders(bound) == {"abcd"}
    assert orders(items["true-false"].question) == {"ab"}
    assert len(orders(loose)) > 10
    assert len(orders(items["ordering"].question)) > 10


def _place(learner: Learner, kind: str) -> int:
    return next(n for n, item in enumerate(learner.sitting().items, 1) if item.question.type == kind)


def test_a_plain_form_sits_an_exam_of_every_kind(
    with_kinds: Callable[..., None], begin: Callable[..., Learner]
) -> None:
    with_kinds()
    learner = begin(exam="kinds")
    at = {kind: _place(learner, kind) for kind in TYPES if kind != "multiple-choice"}
    form = {
        "csrf_token": learner.token,
        f"q{at['true-false']}": "a",
        f"q{at['numeric']}": "34",
        f"q{at['short-text']}": "<b>Trust Policy</b>",
        f"q{at['multiple-response']}": ["b", "c"],
        **{f"q{at['matching']}-{letter}": numeral for letter, numeral in pairs(learner.key(at["matching"])).items()},
        **{f"q{at['ordering']}-{letter}": n for n, letter in enumerate(learner.key(at["ordering"]), 1)},
    }
    learner.client.post(f"{learner.address}/save", data=form)
    page = learner.client.get(learner.address).text
    assert 'value="34"' in page
    assert "&lt;b&gt;Trust Policy&lt;/b&gt;" in page
    assert page.count(" selected>") == 3 + 4
    learner.submit()
    assert learner.sitting().report().correct == 4
    review = learner.client.get(f"{learner.address}/review").text
    assert "<bdi>34</bdi>" in review
    assert "33.3 ± 1 % calls a second" in review
    assert "&lt;b&gt;Trust Policy&lt;/b&gt;" in review
    assert review.count("is-key") == 2 + 1 + 4 + 3
    answer = learner.client.get(f"{learner.address}/report")
    assert answer.text.count("2 of 2") == 1


@pytest.mark.parametrize("control", [False, True], ids=["as it is", "control: an order shown by its key"])
def test_no_page_before_the_submission_depends_on_a_key_of_any_kind(
    with_kinds: Callable[..., None],
    begin: Callable[..., Learner],
    monkeypatch: pytest.MonkeyPatch,
    control: bool,
) -> None:
    if control:
        shown = display._shown

        def _shown_by_key(item: Item, order: str, answer: str) -> display.ShownItem:
            return shown(item, item.key.answer if item.question.kind == "ordering" else order, answer)

        monkeypatch.setattr(display, "_shown", _shown_by_key)
    said: list[list[str]] = []
    for change in (lambda item: item, other_key):
        with_kinds(change)
        learner = begin(exam="kinds", form="11")
        pages = [learner.client.get(learner.address).text, learner.client.get(f"{learner.address}/submit").text]
        replies = [learner.answer(place, "a").text for place in range(1, 7)]
        replies += [learner.client.get(f"{learner.address}/responses?version=-1").text]
        said.append([CHANGING.sub("*", text) for text in (*pages, *replies)])
    assert (said[0] == said[1]) is not control


def test_the_linter_refuses_options_that_speak_of_others(items: dict[str, Item]) -> None:
    bank, _ = markdown.read(BANK.replace("- [ ] Six", "- [ ] All of the above"), Path("c/b.md"))
    assert [one.sentence for one in lint.find([bank])] == [
        "An option speaks of the others (“all of the above”); ask for what one has to know."
    ]
