"""An item as a form: every shipped item goes through it unchanged, and what it cannot hold is left to the text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from werkzeug.datastructures import MultiDict

from quizzes import pool
from quizzes.authoring import item_form
from quizzes.authoring.item_form import ItemForm, Row
from quizzes.formats import markdown

ITEMS = [item for bank in pool.load(Path("quizzes/banks"))[0] for item in bank.items]
CHOICE = ItemForm(
    "caches-1", stem="Which?", rows=(Row("This", right=True, reason="It is."), Row("That"), Row("Another"))
)


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


def test_a_finding_leads_to_the_field_that_wrote_its_line() -> None:
    form = ItemForm(**{**vars(CHOICE), "task": "9.9", "lesson": "[x](/learn/x#y)", "rows": (Row(), *CHOICE.rows)})
    lines = item_form.write(form).split("\n")
    at = {text: number for number, text in enumerate(lines, 1)}
    assert item_form.field_at(form, 1, 4) == "id"
    assert item_form.field_at(form, 3, 1) == "task"
    assert item_form.field_at(form, 3, lines[2].index("**Lesson**") + 1) == "lesson"
    assert item_form.field_at(form, at["Which?"], 1) == "stem"
    assert item_form.field_at(form, at["- [ ] That"], 1) == "option-3"
    assert item_form.field_at(form, at["  > It is."], 1) == "option-2"
    torn = replace(CHOICE, stem="Which?\n- [x] This")
    assert item_form.field_at(torn, item_form.write(torn).count("\n"), 1) == "stem"
