"""An exam on paper: the questions without the key, the key by the letters on paper, and a number that joins them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from quizzes.formats import markdown, printable
from quizzes.questions import Item


@pytest.fixture(scope="module")
def items() -> list[Item]:
    files = sorted(Path("quizzes/banks/architectures").glob("*.md"))
    return [item for file in files for item in markdown.read(file.read_text("utf-8"), file)[0].items]


def turned(item: Item) -> Item:
    """Return a choice with another key and other reasons."""
    right = frozenset("ab") - item.key.correct if len(item.key.correct) == 1 else item.key.correct
    return replace(item, key=replace(item.key, correct=frozenset(sorted(right)[:1]), rationales=(("a", "!"),)))


def test_the_paper_is_the_same_whatever_the_key(items: list[Item]) -> None:
    choices = [one for one in items if one.question.type == "multiple-choice"]
    form, other = (printable.form_of(some, "Trial", seed=7) for some in (choices, [turned(one) for one in choices]))
    assert printable.paper(form) == printable.paper(other)
    assert printable.key_sheet(form) != printable.key_sheet(other)


def test_every_item_has_its_question_and_its_row_on_the_answer_sheet(items: list[Item]) -> None:
    form = printable.form_of(items, "Trial")
    paper = printable.paper(form)
    assert paper.count('<section class="question">') == len(items)
    rows = paper[paper.index('<ol class="rows">') :]
    assert rows.count('<span class="place">') == len(items)
    options = sum(len(one.question.options) for one in items if one.question.kind == "choice")
    assert rows.count('class="bubble"') == options
    assert paper.count(f"<b>{form.number}</b>") == 2


def test_the_key_names_the_letters_that_stand_on_paper(items: list[Item]) -> None:
    form = printable.form_of(items, "Trial", seed=3)
    questions, keys = printable.questions(form), printable.keys(form)
    moved = 0
    for item, asked, key in zip(form.items, questions, keys, strict=True):
        if item.question.kind != "choice":
            continue
        right = {one.text for one in item.question.options if one.letter in item.key.correct}
        named = {option.html for option in asked.options if option.letter in key.answer.split()}
        assert named == {printable.writing.line_html(text) for text in right}
        moved += key.answer != " ".join(sorted(item.key.correct)).upper()
    assert moved > 10


def test_a_seed_makes_the_same_form_again_and_another_seed_another(items: list[Item]) -> None:
    one, again, other = (printable.form_of(items, "Trial", seed=seed) for seed in (1, 1, 2))
    assert one == again
    assert one.number != other.number
    assert re.fullmatch(r"[0-9A-F]{4}-[0-9A-F]{4}", one.number)


def test_items_of_a_case_stay_together_and_its_text_is_printed_once(items: list[Item]) -> None:
    form = printable.form_of(items, "Trial", seed=5)
    places = [place for place, item in enumerate(form.items) if item.question.case]
    groups = {form.items[place].question.case for place in places}
    assert groups
    for case in groups:
        own = [place for place in places if form.items[place].question.case == case]
        assert own == list(range(own[0], own[0] + len(own)))
    assert printable.paper(form).count('class="case"') == len(groups)


def test_options_that_keep_their_order_keep_it_on_paper(items: list[Item]) -> None:
    fixed = [replace(one, question=replace(one.question, fixed=True)) for one in items]
    form = printable.form_of(fixed, "Trial", seed=9)
    assert all(list(order) == sorted(order) for order in form.orders)


@pytest.mark.parametrize("page", ["A4", "Letter"])
def test_the_page_has_the_size_that_was_asked_for(items: list[Item], page: printable.PageSize) -> None:
    assert f"@page {{ size: {page};" in printable.paper(printable.form_of(items[:1], "Trial"), page)


def test_words_are_no_html_on_paper(items: list[Item]) -> None:
    hostile = replace(items[0], question=replace(items[0].question, stem="<img src=x onerror=alert(1)>"))
    paper = printable.paper(printable.form_of([hostile], "<b>Trial</b>"))
    assert "<img" not in paper
    assert "<b>Trial" not in paper
