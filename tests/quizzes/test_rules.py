"""The pure rules of an exam: drawing, grading, the clock, and the bank's format."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizzes import attempts, blueprint, grading
from quizzes.blueprint import Blueprint, Domain
from quizzes.formats import markdown
from quizzes.questions import Item, Key, Option, Question

SAA = blueprint.load(Path("quizzes/exams"))[0]
START = datetime(2018, 2, 12, 9, 0, tzinfo=UTC)
CLOCK = attempts.Clock(START, START + timedelta(minutes=130), None)

BANK = """---
title: A bank
course: c
pool: exam
---

## c-1-001

**Task** 1.1 · **Difficulty** easy · **Lesson** [l](l.md#s)

Which one?

- [ ] First
  > Right if small: here it is large.
- [x] Second option
  that runs on
  > Right: it
  > wins.

**Today** It differs.

## c-1-002

**Task** 1.2 · **Difficulty** hard · **Lesson** [l](l.md#s)

Which? **Choose two.**

- [x] A
  > Right: yes.
- [ ] B
  > Right if no.
- [x] C
  > Right: yes.
"""


def _pool(counts: dict[str, int]) -> list[Question]:
    options = tuple(Option(letter, letter) for letter in "abcd")
    return [
        Question(f"q-{task}-{number:03}", "c", task, "easy", "/learn/c/m/l#s", "?", options, 1)
        for task, count in counts.items()
        for number in range(count)
    ]


POOL = _pool({"1.1": 10, "1.2": 10, "1.3": 10, "2.1": 20, "3.1": 9, "3.2": 9, "4.1": 8, "5.1": 6})


def test_the_official_weights_give_22_16_17_6_4() -> None:
    assert list(SAA.quotas().values()) == [22, 16, 17, 6, 4]


@given(st.lists(st.integers(1, 100), min_size=1, max_size=9), st.integers(0, 200))
def test_largest_remainder_shares_everything_and_stays_within_one_of_the_exact_share(
    weights: list[int], total: int
) -> None:
    shares = blueprint.largest_remainder(weights, total)
    assert sum(shares) == total
    assert all(abs(share - weight * total / sum(weights)) < 1 for share, weight in zip(shares, weights, strict=True))


def test_the_same_seed_draws_the_same_form_and_another_seed_another() -> None:
    assert blueprint.draw(SAA, POOL, 7) == blueprint.draw(SAA, list(reversed(POOL)), 7)
    assert blueprint.draw(SAA, POOL, 7) != blueprint.draw(SAA, POOL, 8)


@given(st.integers(0, 2**31))
def test_every_form_keeps_the_quotas_has_no_question_twice_and_spreads_over_tasks(seed: int) -> None:
    drawn = [place.question for place in blueprint.draw(SAA, POOL, seed).places]
    assert Counter(question.domain for question in drawn) == SAA.quotas()
    assert len({question.id for question in drawn}) == 65
    tasks = Counter(question.task for question in drawn if question.domain == 1)
    assert max(tasks.values()) - min(tasks.values()) <= 1


def test_options_are_shuffled_and_none_is_lost() -> None:
    orders = {place.order for place in blueprint.draw(SAA, POOL, 7).places}
    assert len(orders) > 10
    assert {"".join(sorted(order)) for order in orders} == {"abcd"}


def test_a_pool_too_small_is_reported_before_anything_is_drawn() -> None:
    small = [question for question in POOL if question.domain != 5]
    assert [str(one) for one in blueprint.shortages(SAA, small)] == [
        "Domain 5 (Define Operationally-Excellent Architectures) needs 4 items and has 0."
    ]
    with pytest.raises(ValueError, match="needs 4 items"):
        blueprint.draw(SAA, small, 7)


def test_all_that_a_pool_lacks_is_said_at_once() -> None:
    exam = replace(SAA, pilot=1)
    with pytest.raises(ValueError, match=r"has 0\. The exam needs 1 pilot items and has 0\.$"):
        blueprint.draw(exam, [question for question in POOL if question.domain != 5], 7)


def test_a_form_mixes_its_domains_and_another_seed_draws_other_questions() -> None:
    one, other = ([place.question for place in blueprint.draw(SAA, POOL, seed).places] for seed in (1, 2))
    assert [question.domain for question in one] != sorted(question.domain for question in one)
    assert {question.id for question in one} != {question.id for question in other}


def test_a_case_that_is_begun_is_asked_to_its_end_unless_the_quota_ends() -> None:
    pool = _pool({"1.1": 23})
    pool[:3] = [replace(one, case="office") for one in pool[:3]]
    exam = Blueprint("x", "X", "X", "c", 8, 10, 720, (Domain(1, "One", 100),))
    forms = [blueprint.draw(exam, pool, seed).places for seed in range(100)]
    begun = [found for form in forms if (found := sum(place.question.case == "office" for place in form))]
    assert 20 < len(begun) < 90
    assert begun.count(3) > len(begun) / 2


def test_the_spread_of_difficulty_is_of_scored_items_alone_and_may_be_left_open() -> None:
    exam = Blueprint("x", "X", "X", "c", 20, 10, 720, (Domain(1, "One", 100),), pilot=10, difficulty=(30, 50, 20))
    assert exam.spread() == {"easy": 3, "medium": 5, "hard": 2}
    assert replace(exam, difficulty=()).spread() == {}
    pool = [
        replace(one, difficulty=level, id=f"{level}-{one.id}")
        for level, count in exam.spread().items()
        for one in _pool({"1.1": count})
    ]
    assert blueprint.spread_shortages(exam, pool) == ()
    assert [one.difficulty for one in blueprint.spread_shortages(exam, pool[1:])] == ["easy"]


EXAM = """
code = "X"
title = "An exam"
course = "c"
items = 10
minutes = 20
cut = 720
domains = [{ number = 1, title = "One", weight = 100 }]
"""


def test_an_exam_is_read_with_all_that_its_file_says(tmp_path: Path) -> None:
    more = 'pilot = 1\nunseen_attempts = 2\nofficial = false\ntypes = ["matching"]\n'
    more += "difficulty = { hard = 50, easy = 20, medium = 30 }\n"
    (tmp_path / "a.toml").write_text(more + EXAM)
    (tmp_path / "b.toml").write_text(EXAM)
    official, own = blueprint.load(tmp_path)
    plain = Blueprint("b", "X", "An exam", "c", 10, 20, 720, (Domain(1, "One", 100),))
    assert official == plain
    assert (plain.pilot, plain.unseen_attempts, plain.difficulty) == (0, 0, ())
    assert plain.official
    assert plain.offered
    own_fields = {"pilot": 1, "unseen_attempts": 2, "official": False, "types": ("matching",)}
    assert own == replace(plain, slug="a", difficulty=(20, 30, 50), **own_fields)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('types = ["essay"]', "may name multiple-choice, "),
        ("difficulty = { easy = 50, medium = 50 }", "gives easy, medium, hard, in percent"),
        ("difficulty = { easy = 50, medium = 40, hard = 20 }", "add up to 100"),
        ("", "the domains do not add up to 100"),
    ],
)
def test_a_fault_in_an_exams_file_is_named(tmp_path: Path, line: str, words: str) -> None:
    text = f"{line}\n{EXAM}"
    (tmp_path / "x.toml").write_text(text if line else text.replace("weight = 100", "weight = 99"))
    with pytest.raises(ValueError, match=rf"x\.toml: .*{words}"):
        blueprint.load(tmp_path)


@pytest.mark.parametrize(
    ("letters", "answered", "correct"),
    [("ac", True, True), ("a", True, False), ("abc", True, False), ("bd", True, False), ("", False, False)],
)
def test_an_exam_marks_all_or_nothing(letters: str, answered: bool, correct: bool) -> None:
    mark = grading.mark(_item(replace(POOL[0], choose=2), "ac"), letters)
    assert (mark.answered, mark.correct) == (answered, correct)


def test_the_scale_runs_from_100_to_1000() -> None:
    assert [grading.scale(correct, 65) for correct in (0, 45, 65)] == [100, 723, 1000]
    assert grading.standard_error(0, 65) == grading.standard_error(65, 65) == 0
    assert grading.standard_error(45, 65) == round((45 * 20 / 64) ** 0.5 * 900 / 65)


def _item(question: Question, correct: str = "b") -> Item:
    return Item(question, Key(frozenset(correct), tuple((letter, "why") for letter in "abcd")))


def test_the_report_counts_by_domain_and_names_the_lessons_that_lost_most() -> None:
    items = [
        _item(replace(question, lesson=f"/learn/c/m/{question.task}#s")) for question in _pool({"1.1": 3, "2.1": 2})
    ]
    exam = Blueprint("x", "X", "X", "c", 5, 10, 720, (Domain(1, "One", 60), Domain(2, "Two", 40)))
    found = grading.report(exam, items, {1: "b", 2: "a", 4: "b", 5: "b"})
    assert (found.correct, found.answered, found.total, found.passed) == (3, 4, 5, False)
    assert [(one.correct, one.total) for one in found.domains] == [(1, 3), (2, 2)]
    assert found.read_next == (grading.LessonToRead("/learn/c/m/1.1", 2),)


def test_the_report_tells_each_task_apart_and_the_sections_that_teach_what_went_wrong() -> None:
    items = [
        _item(replace(question, lesson=f"/learn/c/m/l{question.task}#s" if question.task != "1.3" else ""))
        for question in _pool({"1.2": 2, "1.1": 2, "1.3": 1})
    ]
    exam = Blueprint("x", "X", "X", "c", 5, 10, 720, (Domain(1, "One", 100),))
    (found,) = grading.report(exam, items, {1: "b", 2: "a", 3: "b", 4: "b", 5: "a"}).domains
    assert found.tasks == (
        grading.TaskScore("1.1", 2, 2, ()),
        grading.TaskScore("1.2", 1, 2, ("/learn/c/m/l1.2#s",)),
        grading.TaskScore("1.3", 0, 1, ()),
    )


def test_the_three_lessons_that_lost_most_are_to_be_read_next() -> None:
    lost = {"d": 1, "c": 2, "b": 3, "a": 2}
    questions = [replace(POOL[0], lesson=f"/learn/{name}#s") for name, count in lost.items() for _ in range(count)]
    found = grading.report(SAA, [_item(question) for question in questions], {}).read_next
    assert [(one.lesson, one.missed) for one in found] == [("/learn/b", 3), ("/learn/a", 2), ("/learn/c", 2)]


def test_the_band_is_a_standard_error_to_each_side_and_stays_on_the_scale() -> None:
    assert grading.standard_error(1, 1) == 900
    assert grading.standard_error(1, 2) == 450
    result = grading.Report(1, 1, 1, scaled=500, error=50, cut=500, domains=(), read_next=())
    assert (result.band, result.passed) == ((450, 550), True)
    assert not replace(result, scaled=499).passed
    assert replace(result, scaled=120).band == (100, 170)
    assert replace(result, scaled=990).band == (940, 1000)


@pytest.mark.parametrize(
    ("tolerance", "answer", "correct"),
    [
        ("10 %", "-11", True),
        ("10 %", "-11.01", False),
        ("1", "-9", True),
        ("1", "-8.99", False),
        ("", "-10", True),
        ("", "-9.5", False),
    ],
)
def test_a_number_within_the_tolerance_is_right(tolerance: str, answer: str, correct: bool) -> None:
    item = Item(replace(POOL[0], kind="numeric"), Key(frozenset({"-10"}), (), tolerance=tolerance))
    assert grading.mark(item, answer).correct is correct


MINUTE = timedelta(minutes=1)
END = CLOCK.deadline


@pytest.mark.parametrize(
    ("stamp", "received", "late"),
    [
        (END - MINUTE, END - MINUTE, False),
        (END, END, False),
        (END - MINUTE, END + timedelta(seconds=60), False),
        (END - MINUTE, END + timedelta(seconds=61), True),
        (END + timedelta(seconds=1), END + timedelta(seconds=2), True),
        (None, END + timedelta(seconds=1), True),
        (START - MINUTE, END - MINUTE, False),
        (END + MINUTE, END - MINUTE, False),
    ],
)
def test_the_clock_rule(stamp: datetime | None, received: datetime, late: bool) -> None:
    receipt = attempts.receive(CLOCK, stamp, received)
    assert receipt.late is late
    assert START <= receipt.answered_at <= received


def test_nothing_counts_after_the_close() -> None:
    closed = replace(CLOCK, closed_at=START + MINUTE)
    assert attempts.receive(closed, START + MINUTE / 2, START + 2 * MINUTE).late


def test_an_attempt_is_due_only_when_no_answer_can_count_any_more() -> None:
    assert CLOCK.is_open(END + timedelta(seconds=60))
    assert CLOCK.is_due(END + timedelta(seconds=61))
    assert not replace(CLOCK, closed_at=END).is_due(END + timedelta(days=1))


def test_no_answer_was_too_late_while_the_attempt_is_open_and_its_deadline_has_not_passed() -> None:
    assert CLOCK.in_time(END)
    assert not CLOCK.in_time(END + timedelta(seconds=1))
    closed = replace(CLOCK, closed_at=START + MINUTE)
    assert not closed.in_time(START + 2 * MINUTE)
    assert not closed.is_open(START + 2 * MINUTE)


@pytest.mark.parametrize(
    ("multiplier", "minutes"),
    [("1", 130), ("1.25", 162.5), ("1.5", 195), ("2", 260), ("3", 390), ("5", 650), ("10", 1300)],
)
def test_time_can_be_lengthened_up_to_ten_times(multiplier: str, minutes: float) -> None:
    assert attempts.deadline(START, 130, multiplier) == START + timedelta(minutes=minutes)


def test_time_cannot_be_shortened() -> None:
    with pytest.raises(ValueError, match=r"by 1, 1\.25, .*, not by 0\.1"):
        attempts.deadline(START, 130, "0.1")


def test_an_attempt_without_a_limit_ends_after_a_year() -> None:
    end = attempts.deadline(START, 130, "none")
    assert end == START + timedelta(days=365)
    assert replace(CLOCK, deadline=end).unlimited
    assert not CLOCK.unlimited


def test_who_is_given_more_time_may_take_that_or_where_it_is_not_fixed_more() -> None:
    assert attempts.offered("3", fixed=True) == ("3",)
    assert attempts.offered("3", fixed=False) == ("3", "5", "10", "none")


def test_a_bank_reads_as_it_is_written() -> None:
    bank, findings = markdown.read(BANK, Path("c/b.md"))
    assert findings == ()
    first, second = bank.items
    assert (first.question.choose, first.key.correct, first.key.today) == (1, frozenset("b"), "It differs.")
    assert first.question.options[1].text == "Second option that runs on"
    assert first.key.rationale("b") == "Right: it wins."
    assert (second.question.choose, second.key.correct) == (2, frozenset("ac"))


def test_writing_a_bank_and_reading_it_gives_the_same_items() -> None:
    bank, _ = markdown.read(BANK, Path("c/b.md"))
    again, findings = markdown.read(markdown.write(bank), Path("c/b.md"))
    assert findings == ()
    assert [item.fingerprint() for item in again.items] == [item.fingerprint() for item in bank.items]
    assert markdown.write(again) == markdown.write(bank)


@pytest.mark.parametrize(
    ("old", "new", "place", "sentence"),
    [
        ("title: A bank\n", "", "1:1", "lacks “title”"),
        ("pool: exam", "pool: swimming", "1:1", "must be one of exam, check"),
        ("## c-1-002", "## c-1-001", "22:4", "is taken by the item at line 7"),
        ("## c-1-001", "## One", "7:4", "lower-case words"),
        ("1.1", "eleven", "9:1", "must be a task code"),
        ("easy", "simple", "9:16", "must be one of easy"),
        (" · **Lesson** [l](l.md#s)\n\nWhich one?", "\n\nWhich one?", "7:1", "lacks **Lesson**"),
        ("Which one?\n", "", "7:1", "has no stem"),
        ("- [x] Second", "- [ ] Second", "7:1", "No option is right"),
        ("- [ ] First", "- [x] First", "11:1", "must say “Choose two.”"),
        ("**Choose two.**", "", "26:1", "must say “Choose two.”"),
        ("- [ ] First", "- [ ]", "13:1", "is empty"),
        ("- [ ] First", "- [ ] second option that runs on", "15:7", "same as the one at line 13"),
        ("  > Right if small: here it is large.\n", "", "13:1", "has no rationale"),
        ("- [x] Second", "- Second", "15:1", "An option begins with"),
        ("**Today**", "Today", "20:1", "stands under no option"),
    ],
)
def test_it_finds_a_fault_in_a_bank(old: str, new: str, place: str, sentence: str) -> None:
    assert old in BANK
    _, findings = markdown.read(BANK.replace(old, new, 1), Path("c/b.md"))
    found = [f"{one.line}:{one.column}: {one.sentence}" for one in findings]
    assert any(one.startswith(f"{place}: ") and sentence in one for one in found), found


def test_a_large_bank_is_read_in_linear_time() -> None:
    bank, _ = markdown.read(BANK + "\n- [ ] x" * 20_000 + "[" * 20_000, Path("c/b.md"))
    assert bank.items


def test_a_form_holds_one_item_at_most_of_a_set_of_enemies() -> None:
    pool = [replace(one, enemies="twins") if one.id in {"q-1.1-000", "q-1.2-000", "q-5.1-000"} else one for one in POOL]
    for seed in range(60):
        form = blueprint.draw(SAA, pool, seed)
        assert sum(place.question.enemies == "twins" for place in form.places) <= 1
        assert len({place.question.id for place in form.places}) == 65


def test_enemies_count_once_in_the_shortage_report() -> None:
    pool = [replace(one, enemies="all") if one.domain == 5 else one for one in POOL]
    assert [str(one) for one in blueprint.shortages(SAA, pool)] == [
        "Domain 5 (Define Operationally-Excellent Architectures) needs 4 items and has 1."
    ]


def test_what_was_seen_comes_only_where_nothing_else_is_left() -> None:
    pool = _pool({"1.1": 44, "2.1": 32, "3.1": 34, "4.1": 12, "5.1": 8})
    first = {place.question.id for place in blueprint.draw(SAA, pool, 1).places}
    second = {place.question.id for place in blueprint.draw(SAA, pool, 2, seen=first).places}
    assert not first & second
    third = blueprint.draw(SAA, pool, 3, seen=first | second)
    assert len({place.question.id for place in third.places}) == 65


def test_pilot_items_are_among_the_65_unscored_and_reproducible() -> None:
    exam = replace(SAA, pilot=5)
    pilots = [replace(one, id=f"pilot-{one.id}") for one in _pool({"1.1": 9})]
    form = blueprint.draw(exam, POOL, 4, pilots=pilots)
    assert form == blueprint.draw(exam, POOL, 4, pilots=pilots)
    assert len(form.places) == 65
    assert sum(not place.scored for place in form.places) == 5
    assert all(place.question.id.startswith("pilot-") != place.scored for place in form.places)
    assert [str(one) for one in blueprint.shortages(exam, POOL, pilots[:3])] == [
        "The exam needs 5 pilot items and has 3."
    ]


def test_a_report_leaves_unscored_places_out() -> None:
    items = [_item(question) for question in POOL[:4]]
    answers = {1: "b", 2: "b", 3: "a", 4: "a"}
    assert grading.report(SAA, items, answers, {4}).total == 3
    assert grading.report(SAA, items, answers, {4}).correct == 2
    assert grading.report(SAA, items, answers, {1, 4}).correct == 1


def test_a_set_of_enemies_is_read_and_written_and_other_items_keep_their_names() -> None:
    text = BANK.replace("[l](l.md#s)\n\nWhich one?", "[l](l.md#s) · **Set** multi-az\n\nWhich one?")
    bank, findings = markdown.read(text, Path("c/b.md"))
    assert findings == ()
    assert [item.question.enemies for item in bank.items] == ["multi-az", ""]
    assert markdown.read(markdown.write(bank), Path("c/b.md"))[0].items[0].question.enemies == "multi-az"
    plain = markdown.read(BANK, Path("c/b.md"))[0]
    assert plain.items[1].fingerprint() == bank.items[1].fingerprint()
    assert plain.items[0].fingerprint() != bank.items[0].fingerprint()
