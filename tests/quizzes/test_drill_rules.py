"""The pure rules of drills: what is asked next, what is never asked, and the question of a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from quizzes import practice
from quizzes.practice import Result, Scope
from quizzes.questions import Item, Key, Option, Question

START = datetime(2018, 2, 12, 9, 0, tzinfo=UTC)
COURSE = "solutions-architect-associate"


def _item(number: int, task: str = "1.1") -> Item:
    options = (Option("a", "yes"), Option("b", "no"))
    question = Question(f"q-{number}", COURSE, task, "easy", "/l#s", "Stem?", options, 1)
    return Item(question, Key(frozenset("a"), (("a", "Right: so."), ("b", "Right if not."))))


ITEMS = [_item(1), _item(2), _item(3, "1.2"), _item(4, "2.1")]


def _result(number: int, minutes: int, *, correct: bool) -> Result:
    return Result(f"q-{number}", correct, START + timedelta(minutes=minutes))


def _chosen(*results: Result) -> str | None:
    item = practice.choose(ITEMS, practice.latest(results))
    return item.question.id if item else None


def test_what_was_never_answered_comes_first_then_what_went_wrong_then_the_oldest() -> None:
    right = [_result(number, number, correct=True) for number in (1, 2, 3)]
    assert _chosen(*right) == "q-4"
    assert _chosen(*right, _result(4, 9, correct=False)) == "q-4"
    assert _chosen(*right, _result(4, 9, correct=True)) == "q-1"
    assert _chosen(*right, _result(4, 9, correct=True), _result(1, 20, correct=True)) == "q-2"


def test_the_last_answer_counts() -> None:
    last = practice.latest([_result(1, 5, correct=True), _result(1, 1, correct=False)])
    assert last["q-1"].correct


def test_a_scope_covers_its_domain_its_task_or_its_mistakes() -> None:
    last = practice.latest([_result(1, 1, correct=False), _result(2, 1, correct=True)])

    def ids(scope: Scope, withheld: frozenset[str] = frozenset()) -> list[str]:
        return [item.question.id for item in practice.candidates(ITEMS, scope, last, withheld)]

    assert ids(Scope(COURSE)) == ["q-1", "q-2", "q-3", "q-4"]
    assert ids(Scope(COURSE, domain=1)) == ["q-1", "q-2", "q-3"]
    assert ids(Scope(COURSE, task="1.2")) == ["q-3"]
    assert ids(Scope(COURSE, mistakes=True)) == ["q-1"]
    assert ids(Scope("another-course")) == []
    assert ids(Scope(COURSE, domain=1), frozenset({"q-2"})) == ["q-1", "q-3"]


def test_the_question_of_the_day_changes_and_comes_round() -> None:
    days = [practice.question_of_the_day(ITEMS, date(2018, 2, day)) for day in (1, 2, 3, 4, 5)]
    assert len({item.question.id for item in days[:4] if item}) == 4
    assert days[0] == days[4]
    assert practice.question_of_the_day([], date(2018, 2, 1)) is None


def test_of_two_answers_at_one_moment_the_second_counts() -> None:
    last = practice.latest([_result(1, 5, correct=False), _result(1, 5, correct=True)])
    assert last["q-1"].correct


def test_what_went_wrong_comes_before_what_was_right_however_long_ago() -> None:
    right = [_result(number, number, correct=True) for number in (1, 2, 3)]
    assert _chosen(*right, _result(4, 90, correct=False)) == "q-4"
    wrong = [_result(number, 90 - number, correct=False) for number in (1, 2, 3, 4)]
    assert _chosen(*wrong) == "q-4"
    together = [_result(number, 1, correct=True) for number in (4, 3, 2, 1)]
    assert _chosen(*together) == "q-1"


def test_items_never_answered_come_in_an_order_of_their_own_that_stays() -> None:
    items = [_item(number) for number in range(1, 20)]
    asked: list[str] = []
    while (found := practice.choose(items, {one: Result(one, correct=True, answered_at=START) for one in asked})) and (
        found.question.id not in asked
    ):
        asked.append(found.question.id)
    assert sorted(asked) == sorted(item.question.id for item in items)
    assert asked not in (sorted(asked), [item.question.id for item in items])
    assert practice.choose(list(reversed(items)), {}) == practice.choose(items, {})
    assert practice.choose([], {}) is None


def test_a_scope_covers_a_tag() -> None:
    tagged = replace(ITEMS[0], question=replace(ITEMS[0].question, tags=("sns", "sqs")))
    found = practice.candidates([tagged, *ITEMS[1:]], Scope(COURSE, tag="sqs"), {}, ())
    assert [item.question.id for item in found] == ["q-1"]


def test_a_tag_is_worth_a_drill_where_three_items_of_the_course_have_it() -> None:
    def tagged(number: int, *tags: str, course: str = COURSE) -> Item:
        item = _item(number)
        return replace(item, question=replace(item.question, tags=tags, course=course))

    items = [tagged(1, "sqs", "sns"), tagged(2, "sqs", "sns"), tagged(3, "sqs"), tagged(4, "sns", course="another")]
    assert practice.tags(items, COURSE) == [("sqs", 3)]
    assert practice.tags(items, COURSE, 2) == [("sns", 2), ("sqs", 3)]
