"""Every course, note and schedule on disk is sound, renders, and keeps the promises of a lesson."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from content import library
from content.library import KINDS, Lesson
from content.pages import Page
from content.render import Embed

LIBRARY, ERRORS = library.load(Path("content"))
LESSONS = [lesson for course in LIBRARY.courses for _, lesson in course.lessons()]
PAGES: list[Page] = list(LIBRARY.pages())
TASKS = {"1.1", "1.2", "1.3", "1.4", "2.1", "2.2", "2.3", "3.1", "3.2", "3.3", "4.1", "4.2", "5.1"}


def test_no_file_has_a_fault() -> None:
    assert [str(error) for error in ERRORS] == []


def test_every_task_of_the_associate_exam_has_a_lesson() -> None:
    course = LIBRARY.find_course("solutions-architect-associate")
    assert course is not None
    assert {lesson.task for _, lesson in course.lessons()} == TASKS
    assert [module.weight for module in course.modules] == [34, 24, 26, 10, 6]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.path))
def test_a_page_renders_to_well_formed_xhtml_and_names_its_sources(page: Page) -> None:
    etree.fromstring(f"<div>{page.rendered.html}</div>")
    if page.path.name not in {"overview.md", "glossary.md"}:
        assert page.sources
        assert all(source.startswith(("https://", "http://")) for source in page.sources)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_a_lesson_is_a_sitting_with_checks_a_drawing_and_what_differs_today(lesson: Lesson) -> None:
    assert 850 <= len(lesson.page.body.split()) <= 1800
    parts = lesson.page.rendered.parts
    assert sum(isinstance(part, Embed) and part.kind == "quiz" for part in parts) == 3
    root = etree.fromstring(f"<div>{''.join(part for part in parts if isinstance(part, str))}</div>")
    drawings = root.findall(".//{http://www.w3.org/2000/svg}svg")
    assert drawings
    assert all(10 <= len(one.get("aria-label", "")) <= 320 and one.get("viewBox") for one in drawings)
    assert "where today differs" in lesson.page.body.lower()


def test_the_january_digest_has_all_five_kinds() -> None:
    assert {note.kind for note in LIBRARY.notes if note.month == "2018-01"} == set(KINDS)


def test_the_january_schedule_is_complete() -> None:
    (schedule,) = [one for one in LIBRARY.schedules if one.month == "2018-01"]
    assert len(schedule.talks) == 21
    assert {talk.level for talk in schedule.talks} == {100, 200, 300, 400}
    assert len({talk.category for talk in schedule.talks}) == 13
