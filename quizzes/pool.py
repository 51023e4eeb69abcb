"""The banks on disk, read together: ids are unique across them and every lesson they name exists."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from content import faults
from content.errors import ContentError
from quizzes.formats import markdown
from quizzes.questions import Bank, Item, Question


def load(root: Path) -> tuple[tuple[Bank, ...], tuple[ContentError, ...]]:
    """Read ``<course>/<bank>.md`` under ``root``; faulty items are left out and every fault is returned."""
    banks: list[Bank] = []
    findings: list[ContentError] = []
    places: dict[str, Item] = {}
    for path in sorted(root.glob("*/*.md")):
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError as error:
            findings.append(ContentError(path, 1, error.start + 1, "This is not UTF-8; save the file as UTF-8."))
            continue
        bank, found = markdown.read(text, path)
        findings += found
        if bank.course != path.parent.name:
            findings.append(ContentError(path, 1, 1, f"The bank's course is its folder, “{path.parent.name}”."))
        items = []
        for item in bank.items:
            other = places.setdefault(item.question.id, item)
            if other is not item:
                findings.append(
                    ContentError(
                        path, item.line, 4, f"The id “{item.question.id}” is taken at {other.path}:{other.line}."
                    )
                )
                continue
            address, sentence = lesson_address(path, item.question.lesson)
            if sentence:
                findings.append(ContentError(path, item.line, 1, sentence))
                continue
            items.append(replace(item, question=replace(item.question, lesson=address)))
        banks.append(replace(bank, items=tuple(items)))
    return tuple(banks), tuple(findings)


def questions(banks: Iterable[Bank], course: str, pool: str = "exam") -> list[Question]:
    """Return the questions of a course in one pool: those that exams may draw, or those that they try out.

    One without a task or a difficulty has no place in a blueprint, so it is for drills alone.
    """
    own = (item.question for bank in banks if bank.course == course and bank.pool == pool for item in bank.items)
    return [question for question in own if question.task and question.difficulty]


def lesson_address(bank: Path, link: str) -> tuple[str, str]:
    """Turn a bank's link to a lesson's section into its web address; the second text says what is wrong, if anything.

    ``../../../content/courses/saa/1-resilient/2-queues.md#why`` becomes ``/learn/saa/resilient/queues#why``.
    """
    name, _, anchor = link.partition("#")
    path = (bank.parent / name).resolve()
    if not path.is_file():
        return "", f"The lesson “{name}” does not exist."
    if not anchor or anchor not in faults.anchors_in(path):
        return "", f"The lesson “{path.name}” has no section “#{anchor}”."
    course, module, lesson = path.parts[-3:]
    steps = [course, *(re.sub(r"^\d+-", "", step.removesuffix(".md")) for step in (module, lesson))]
    return f"/learn/{'/'.join(steps)}#{anchor}", ""
