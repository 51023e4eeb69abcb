"""What another key does to scores, decided without a database and checked against grading anew."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from quizzes import grading
from quizzes.corrections import replay
from quizzes.corrections.replay import Case, Ruling
from quizzes.questions import Item, Key, Option, Question

OPTIONS = tuple(Option(letter, letter.upper()) for letter in "abcd")
CUT = 720


def item(key: str, number: int = 0) -> Item:
    question = Question(f"x-{number}", "saa", "1.1", "easy", "", "Which?", OPTIONS, len(key))
    return Item(question, Key(frozenset(key), ()))


def score(items: list[Item], answers: list[str]) -> int:
    right = sum(grading.mark(one, answer).correct for one, answer in zip(items, answers, strict=True))
    return grading.scale(right, len(items))


RULINGS = st.one_of(
    st.none(),
    st.builds(Ruling, st.sampled_from(["key", "accept"]), st.sets(st.sampled_from("abcd"), min_size=1).map(frozenset)),
    st.just(Ruling("drop")),
)


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["", *"abcd", "ab"])), min_size=2, max_size=70),
    RULINGS,
    RULINGS.filter(bool),
)
def test_a_replay_gives_the_score_that_grading_anew_gives(
    places: list[tuple[str, str]], old: Ruling | None, new: Ruling
) -> None:
    items = [item(key, number) for number, (key, _answer) in enumerate(places)]
    answers = [answer for _key, answer in places]

    def graded(ruling: Ruling | None) -> int:
        if ruling is not None and ruling.kind == "drop":
            return score(items[1:], answers[1:])
        return score([replay.ruled(items[0], ruling), *items[1:]], answers)

    scored = len(items) - (old is not None and old.kind == "drop")
    case = Case(1, 2, "saa-c01", graded(old), scored, answers[0])
    (effect,) = replay.effects([case], items[0], (old, new), CUT)
    assert (effect.before, effect.after) == (graded(old), graded(new))
    assert effect.passed_after == (graded(new) >= CUT)


def test_another_answer_beside_the_key_takes_nothing_from_anybody() -> None:
    ruled = replay.ruled(item("ab"), Ruling("accept", frozenset("cd")))
    assert [grading.mark(ruled, answer).correct for answer in ("ab", "cd", "ac")] == [True, True, False]


def test_another_key_takes_the_place_of_all_that_counted_before() -> None:
    both = replay.ruled(item("a"), Ruling("accept", frozenset("b")))
    ruled = replay.ruled(both, Ruling("key", frozenset("c")))
    assert [grading.mark(ruled, answer).correct for answer in "abc"] == [False, False, True]


def test_another_spelling_counts_beside_those_that_did() -> None:
    question = Question("x-1", "saa", "1.1", "easy", "", "Which?", (), 1, kind="text")
    ruled = replay.ruled(Item(question, Key(frozenset({"queue"}), ())), Ruling("accept", frozenset({"SQS"})))
    assert [grading.mark(ruled, answer).correct for answer in ("queue", "sqs", "topic")] == [True, True, False]


def test_an_item_that_counts_no_more_is_shown_with_its_key() -> None:
    assert replay.ruled(item("a"), Ruling("drop")) == item("a")


def test_the_cut_itself_passes_before_and_after() -> None:
    cut = grading.scale(7, 10)
    case, rulings = Case(1, 1, "x", cut, 10, "a"), (None, Ruling("accept", frozenset("b")))
    (same,) = replay.effects([case], item("a"), rulings, cut)
    assert (same.passed_before, same.passed_after) == (True, True)


def test_the_balance_counts_who_gains_loses_passes_and_fails() -> None:
    cases = [
        Case(1, 1, "x", grading.scale(46, 65), 65, "b"),
        Case(2, 2, "x", grading.scale(45, 65), 65, "a"),
        Case(3, 3, "x", grading.scale(20, 65), 65, ""),
    ]
    found = list(replay.effects(cases, item("a"), (None, Ruling("key", frozenset("b"))), 750))
    assert replay.balance(found) == replay.Balance(attempts=3, gain=1, lose=1, pass_now=1, fail_now=0)
    found = list(replay.effects(cases, item("a"), (None, Ruling("key", frozenset("b"))), 720))
    assert replay.balance(found) == replay.Balance(attempts=3, gain=1, lose=1, pass_now=0, fail_now=1)
    found = list(replay.effects(cases, item("a"), (None, Ruling("key", frozenset("b"))), 100))
    assert replay.balance(found) == replay.Balance(attempts=3, gain=1, lose=1, pass_now=0, fail_now=0)
