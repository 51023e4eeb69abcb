"""An item as a form: every shipped item goes through it unchanged, and what it cannot hold is left to the text."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from werkzeug.datastructures import MultiDict

from quizzes import pool
from quizzes.authoring import checking, item_form
from quizzes.authoring.checking import Surroundings
from quizzes.authoring.item_form import ItemForm, Row
from quizzes.formats import markdown

ITEMS = [item for bank in pool.load(Path("quizzes/banks"))[0] for item in bank.items]
CHOICE = ItemForm(
    "caches-1", stem="Which?", rows=(Row("This", right=True, reason="It is."), Row("That"), Row("Another"))
)

AROUND = Surroundings("saa-c01", {}, {"/learn/x#y"}, {"1.1"}, ())


def fields(form: ItemForm) -> MultiDict[str, str]:
    """Return what a browser sends of a form."""
    sent = {name: value for name, value in vars(form).items() if isinstance(value, str)}
    sent |= {"fixed": "yes"} if form.fixed else {}
    for n, row in enumerate(form.rows, 1):
        sent |= {f"option-{n}": row.text, f"partner-{n}": row.partner, f"reason-{n}": row.reason}
        sent |= {f"claim-{n}": row.claim, **({f"right-{n}": "yes"} if row.right else {})}
    return MultiDict({**sent, "rows": str(len(form.rows))})


def test_every_shipped_item_goes_through_the_form_and_the_browser_unchanged() -> None:
    kinds = set()
    for item in ITEMS:
        text = markdown.write_item(item)
        form = item_form.of_text(text)
        assert form is not None, text
        assert item_form.write(item_form.of_fields(fields(form))) == text
        kinds.add(form.kind)
    assert kinds == {"choice", "numeric", "text", "ordering", "matching"}


@pytest.mark.parametrize(
    "text",
    [
        "## a-1\n\nWhich?\n\n- [x] This\n\nstray\n",
        "## a-1\n\nWhich?\n\n- [x] This\n\n## a-2\n\nWhich other?\n",
        "## a-1\n\n**Kind** essay\n\nTell all.\n",
        "## a-1\n\n**Order** shuffled\n\nWhich?\n\n- [x] This\n",
        "## a-1\n\n**Kind** text\n\nWhich?\n\n**Answer** “this” or that\n",
        "## a-1\n\n**Kind** numeric\n\nHow many?\n\n**Answer** 5\n**Answer** 6\n",
        "## a-1\n\n**Kind** matching\n\nWhich?\n\n" + "- this → that\n" * (item_form.MAXIMUM_ROWS + 1),
        "no heading\n",
    ],
)
def test_a_text_that_the_form_would_lose_something_of_stays_a_text(text: str) -> None:
    assert item_form.of_text(text) is None


def test_an_item_with_faults_is_shown_as_a_form() -> None:
    form = item_form.of_text("## a-1\n\nWhich?\n\n- [ ] This\n- [ ]\n")
    assert form is not None
    assert [row.text for row in form.rows] == ["This", ""]


@pytest.mark.parametrize(
    "changes",
    [
        {"stem": "Which?\n- [x] This"},
        {"stem": "Which?\n## a-2"},
        {"stem": "**Today** it differs"},
        {"rows": (Row("This", right=True, reason="**Finding** it"), Row("That"))},
        {"id": "Case one"},
    ],
)
def test_what_would_be_read_as_something_else_is_not_kept(changes: dict[str, object]) -> None:
    assert item_form.is_kept(CHOICE)
    assert not item_form.is_kept(ItemForm(**{**vars(CHOICE), **changes}))


def test_rows_are_added_removed_and_moved_and_the_focus_goes_with_them() -> None:
    more, focus = item_form.changed(CHOICE, "add")
    assert (len(more.rows), focus) == (4, "option-4")
    moved, focus = item_form.changed(CHOICE, "down-1")
    assert ([row.text for row in moved.rows], focus) == (["That", "This", "Another"], "down-2")
    moved, focus = item_form.changed(moved, "down-2")
    assert ([row.text for row in moved.rows], focus) == (["That", "Another", "This"], "option-3")
    assert moved.rows[2].right
    fewer, focus = item_form.changed(CHOICE, "remove-3")
    assert ([row.text for row in fewer.rows], focus) == (["This", "That"], "option-2")
    assert item_form.changed(CHOICE, "up-9") == (CHOICE, "")
    full = ItemForm("a-1", rows=(Row(),) * item_form.MAXIMUM_ROWS)
    assert item_form.changed(full, "add") == (full, "")


def test_another_kind_keeps_the_rows_for_the_way_back() -> None:
    sent = fields(replace(CHOICE, kind="numeric", answer="5 ± 1 events"))
    numeric, focus = item_form.changed(item_form.of_fields(sent), "kind")
    assert (numeric.kind, focus, numeric.rows) == ("numeric", "answer", CHOICE.rows)
    assert "- [x]" not in item_form.write(numeric)
    assert item_form.is_kept(numeric)


def test_spellings_need_no_quotes_and_empty_rows_are_left_out() -> None:
    form = ItemForm("a-1", kind="text", stem="Which?", answer="“throttled”\n\nthrottled call")
    assert "**Answer** “throttled” or “throttled call”\n" in item_form.write(form)
    assert item_form.is_kept(form)
    assert "- [ ] \n" not in item_form.write(ItemForm(**{**vars(CHOICE), "rows": (*CHOICE.rows, Row())}))


def found(form: ItemForm) -> list[tuple[str, str]]:
    """Return the field of each finding, and what the form says of it."""
    checked = checking.check(item_form.write(form), AROUND)
    return [
        (item_form.field_of(form, one.field), one.on_form or one.sentence) for one in (*checked.faults, *checked.advice)
    ]


SOUND = replace(
    CHOICE,
    task="1.1",
    difficulty="easy",
    lesson="[x](/learn/x#y)",
    rows=(Row(), *(replace(row, reason="So it is.") for row in CHOICE.rows)),
)
NUMERIC = replace(SOUND, kind="numeric", answer="5", reason="It is.")


@pytest.mark.parametrize(
    ("form", "field", "words"),
    [
        (replace(SOUND, id="caches"), "id", "as in saa-1-001"),
        (replace(SOUND, stem=""), "stem", "Ask the question here."),
        (replace(SOUND, stem="Choose two. Which?"), "stem", "but one is ticked."),
        (replace(SOUND, stem="Which is not one?"), "stem", "put in the negative"),
        (replace(SOUND, task="9.9"), "task", "no task"),
        (replace(SOUND, task="one"), "task", "This must be a task code such as 1.2, not “one”."),
        (replace(SOUND, difficulty=""), "difficulty", "Without a task and a difficulty"),
        (replace(SOUND, lesson=""), "lesson", "Without a section"),
        (replace(SOUND, lesson="[x](/learn/gone#y)"), "lesson", "No lesson has this section; choose one."),
        (replace(SOUND, lesson="x"), "lesson", "choose one"),
        (replace(SOUND, case="gone"), "case", "This bank has no case “gone”"),
        (replace(SOUND, tags="A"), "tags", "This must be names"),
        (replace(SOUND, enemies="A B"), "enemies", "This must be a name"),
        (replace(SOUND, rows=()), "add", "2 to 8 options, this one 0"),
        (replace(SOUND, rows=SOUND.rows[:2]), "option-2", "2 to 8 options, this one 1"),
        (
            replace(SOUND, rows=(*SOUND.rows, Row("that", reason="It is."))),
            "option-5",
            "This is the same as one above.",
        ),
        (replace(SOUND, rows=(*SOUND.rows, Row("", reason="It is."))), "option-5", "This option is empty."),
        (replace(SOUND, rows=(*SOUND.rows, Row("All of the above", reason="No."))), "option-5", "speaks of the others"),
        (replace(SOUND, rows=tuple(replace(row, right=False) for row in SOUND.rows)), "right-2", "tick the key"),
        (replace(SOUND, rows=(*SOUND.rows, Row("A last one"))), "reason-5", "Say why it is right or wrong."),
        (replace(SOUND, kind="ordering", rows=(*SOUND.rows, Row("A last one"))), "reason-5", "Say why"),
        (replace(SOUND, kind="matching"), "partner-2", "This is matched with nothing; write its partner."),
        (replace(SOUND, proof="x"), "proof", "Write a run as `lab name=value seed=1`"),
        (replace(SOUND, rows=(*SOUND.rows, Row("A last one", reason="No.", claim="a == 1"))), "claim-5", "of no run"),
        (replace(NUMERIC, answer="five"), "answer", "Write the number, as in 500 ± 5 invocations."),
        (replace(NUMERIC, kind="text", answer=""), "answer", "Write a spelling that is right."),
        (replace(NUMERIC, reason=""), "reason", "Say why it is right or wrong."),
    ],
)
def test_a_finding_names_the_field_that_it_is_about_in_words_of_the_form(
    form: ItemForm, field: str, words: str
) -> None:
    assert [one for one in found(form) if one[0] == field and words in one[1]], found(form)
    for _field, sentence in found(form):
        assert not re.search(r"\*\*[A-Z]|- \[|## |  > |→|\bline\b|\[x\]", sentence), sentence


@pytest.mark.parametrize("kind", ["choice", "numeric", "text", "ordering", "matching"])
def test_the_form_of_a_sound_item_has_no_findings(kind: str) -> None:
    rows = tuple(replace(row, partner=f"partner {n}" if row.text else "") for n, row in enumerate(SOUND.rows))
    form = replace(NUMERIC, kind=kind, rows=rows)
    assert (found(form), item_form.torn(form)) == ([], [])


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"stem": "Which?\n- [x] This"}, ["stem"]),
        ({"id": "Case one"}, ["id"]),
        ({"rows": (Row("This"), Row("That", reason="**Finding** it"), Row("- > it"))}, ["reason-2"]),
        ({"kind": "numeric", "answer": "5", "reason": "**Finding** it"}, ["reason"]),
    ],
)
def test_what_keeps_a_form_from_being_kept_is_named(changes: dict[str, object], fields: list[str]) -> None:
    assert item_form.torn(ItemForm(**{**vars(CHOICE), **changes})) == fields
