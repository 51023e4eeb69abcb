"""What is wrong with an item of the studio, at its lines: faults that keep it from learners, and advice."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from quizzes import lint
from quizzes.formats import markdown
from quizzes.formats.drafts import ItemError
from quizzes.questions import Item

MAXIMUM_CHARACTERS = 40_000
MAXIMUM_TITLE = 200
_CASE = re.compile(r"^## Case ([a-z0-9-]+)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class Surroundings:
    """What an item is checked against: its bank's course and cases, and what there is elsewhere."""

    course: str
    cases: Mapping[str, str]
    lessons: Collection[str]
    """The addresses of the lessons' sections, as in ``/learn/course/module/lesson#section``."""
    tasks: Collection[str]
    """The codes of the course's tasks."""
    taken: Collection[str]
    """The ids that other items have."""
    question_id: str = ""
    """The id that the item must keep; none for a new one."""


@dataclass(frozen=True)
class Checked:
    """An item that can be shown, or None; faults, without which it could be published; and what could be better."""

    item: Item | None
    faults: tuple[ItemError, ...]
    advice: tuple[ItemError, ...]


def cases(text: str) -> dict[str, str]:
    """Return the texts of a bank's cases by name, each from its heading “## Case its-name” on."""
    _before, *parts = _CASE.split(text)
    return {name: words.strip() for name, words in zip(parts[::2], parts[1::2], strict=True)}


def check(text: str, around: Surroundings) -> Checked:
    """Return the item of a text with everything that is to be said of it, by line and column of the text."""
    written = _alone(text, around.course, tuple(around.cases.items()))
    if written.item is None:
        return written
    return replace(written, faults=tuple(_misplaced(written.item, text, around)))


@lru_cache(maxsize=20_000)
def _alone(text: str, course: str, cases: tuple[tuple[str, str], ...]) -> Checked:
    """Return what a text shows by itself, kept for the next look at a bank."""
    path = Path("item")
    if len(text) > MAXIMUM_CHARACTERS:
        sentence = f"An item has at most {MAXIMUM_CHARACTERS} characters, this one {len(text)}."
        return Checked(None, (ItemError(path, 1, 1, sentence, "stem"),), ())
    item, faults = markdown.read_item(text, course, dict(cases), path)
    if item is None:
        return Checked(None, faults, ())
    item = replace(item, path=path)
    return Checked(item, (), (*lint.item_faults(item), *_lacking(item)))


def _misplaced(item: Item, text: str, around: Surroundings) -> Iterator[ItemError]:
    """Yield what only the item's surroundings show to be wrong."""
    question = item.question
    if around.question_id and question.id != around.question_id:
        sentence = f"The id of an item stays; begin it with “## {around.question_id}”."
        yield ItemError(Path("item"), item.line, 4, sentence, "id", f"The id of an item stays “{around.question_id}”.")
    elif question.id in around.taken:
        sentence = f"The id “{question.id}” is taken by another item; choose one of its own."
        yield ItemError(Path("item"), item.line, 4, sentence, "id")
    if question.task and question.task not in around.tasks:
        yield at(text, question.task, f"The course has no task “{question.task}”.", "task")
    if question.lesson and question.lesson not in around.lessons:
        sentence = f"No lesson has the section “{question.lesson}”; copy its address."
        yield at(text, question.lesson, sentence, "lesson", "No lesson has this section; choose one.")


def _lacking(item: Item) -> Iterator[ItemError]:
    """Yield what an item may lack, and what follows from it."""
    question, path = item.question, Path("item")
    if not question.task or not question.difficulty:
        sentence = "Without **Task** and **Difficulty** the item is asked in drills and never drawn into an exam."
        on_form = "Without a task and a difficulty the item is asked in drills and never drawn into an exam."
        yield ItemError(path, item.line, 1, sentence, "difficulty" if question.task else "task", on_form)
    if not question.lesson:
        sentence = "Without **Lesson** a learner is not led to what teaches this."
        yield ItemError(path, item.line, 1, sentence, "lesson", sentence.replace("**Lesson**", "a section"))
    silent = [place for place, one in enumerate(item.written_order or [""], 1) if not item.key.rationale(one)]
    if silent:
        sentence = "Say under every option, after “  > ”, why it is right or wrong."
        yield ItemError(path, item.line, 1, sentence, f"reason-{silent[0]}", "Say why it is right or wrong.")


def at(text: str, words: str, sentence: str, field: str = "", on_form: str = "") -> ItemError:
    """Return a fault at the first place of ``words``."""
    before = text[: max(text.find(words), 0)]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return ItemError(Path("item"), line, column, sentence, field, on_form)
