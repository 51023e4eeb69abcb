"""The studio's rules without a database: who may do what when, what differs, and what is wrong at which line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from content import diff, workflow
from content.workflow import Situation
from quizzes.authoring import checking
from quizzes.authoring.checking import Surroundings

MINE = Situation("draft", is_author=True, sound=True, review_required=False)
AROUND = Surroundings("saa", {}, {"/learn/saa/one/two#why"}, {"1.1"}, {"saa-1-001"}, "caches-1")
TEXT = """\
## caches-1

**Task** 1.1 · **Difficulty** easy · **Lesson** [two](/learn/saa/one/two#why)

Which one?

- [x] This
  > It is.
- [ ] That
  > It is not.
"""


@pytest.mark.parametrize(
    ("state", "mine", "others"),
    [
        ("draft", "comment ask publish retire", "comment ask publish retire"),
        ("review", "comment return publish retire", "comment approve return publish retire"),
        ("approved", "comment return publish retire", "comment return publish retire"),
        ("published", "comment retire", "comment retire"),
        ("retired", "comment", "comment"),
    ],
)
def test_what_an_author_and_a_colleague_may_do_in_each_state(state: str, mine: str, others: str) -> None:
    here = replace(MINE, state=state)
    assert " ".join(workflow.actions(here)) == mine
    assert " ".join(workflow.actions(replace(here, is_author=False))) == others


@pytest.mark.parametrize(("state", "possible"), [("draft", False), ("review", False), ("approved", True)])
def test_where_a_review_is_required_only_what_is_approved_is_published(state: str, possible: bool) -> None:
    assert ("publish" in workflow.actions(replace(MINE, state=state, review_required=True))) is possible


def test_what_has_faults_is_not_published() -> None:
    assert "publish" not in workflow.actions(replace(MINE, sound=False))


def test_a_step_out_of_turn_is_refused() -> None:
    with pytest.raises(ValueError, match="not possible"):
        workflow.after("approve", "draft")
    assert workflow.after("comment", "review") == "review"


def test_a_changed_line_shows_its_changed_words_alone() -> None:
    (line,) = diff.lines("Keep five copies here", "Keep six copies here")
    assert [(one.sign, one.text) for one in line.parts] == [
        ("", "Keep "),
        ("-", "five"),
        ("+", "six"),
        ("", " copies here"),
    ]


@pytest.mark.parametrize(("old", "new"), [("a\nb\nc", "a\nc\nd\ne"), ("", "x"), ("x y z", ""), ("one two", "8 9")])
def test_both_texts_can_be_read_from_what_differs(old: str, new: str) -> None:
    def read(without: str) -> list[str]:
        kept = [line for line in diff.lines(old, new) if line.sign != without]
        return ["".join(part.text for part in line.parts if part.sign != without) for line in kept]

    assert read("+") == old.splitlines()
    assert read("-") == new.splitlines()


def test_a_sound_item_has_no_faults_and_a_faulty_one_has_each_at_its_place() -> None:
    assert checking.check(TEXT, AROUND).faults == ()
    text = TEXT.replace("1.1", "9.9").replace("#why", "#nowhere")
    assert [(one.line, one.column) for one in checking.check(text, AROUND).faults] == [(3, 10), (3, 55)]


def test_an_item_keeps_its_id_and_takes_nobody_elses() -> None:
    renamed = checking.check(TEXT.replace("caches-1", "caches-2"), AROUND)
    assert [one.line for one in renamed.faults] == [1]
    taken = checking.check(TEXT.replace("caches-1", "saa-1-001"), replace(AROUND, question_id=""))
    assert "taken" in taken.faults[0].sentence


def test_an_item_without_its_task_is_told_that_no_exam_draws_it() -> None:
    checked = checking.check(TEXT.replace("**Task** 1.1 · ", ""), AROUND)
    assert checked.faults == ()
    assert "never drawn into an exam" in checked.advice[0].sentence


def test_an_item_may_name_a_case_of_its_bank() -> None:
    cases = checking.cases("## Case shop\n\nA shop.\n\nIt sells.\n\n## Case bank\n\nA bank.\n")
    assert cases == {"shop": "A shop.\n\nIt sells.", "bank": "A bank."}
    text = TEXT.replace("**Task** 1.1", "**Task** 1.1 · **Case** shop")
    item = checking.check(text, replace(AROUND, cases=cases)).item
    assert item is not None
    assert item.question.stimulus == cases["shop"]
    assert checking.check(text, AROUND).item is None
