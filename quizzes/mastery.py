"""How much of a task somebody has mastered: of its questions and its labs' tasks together, the share that is done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from content.library import Library
from content.render import Embed


@dataclass(frozen=True)
class Mastery:
    """How many of a task's questions were last answered right, and how many of its labs' tasks a run has met."""

    right: int
    questions: int
    met: int = 0
    lab_tasks: int = 0

    @property
    def percent(self) -> int:
        """The share of all that is done, rounded down, so that only a task that is done whole has a hundred."""
        total = self.questions + self.lab_tasks
        return 100 * (self.right + self.met) // total if total else 0


def taught_by_labs(library: Library) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the labs of each task, by course and task: those that the lessons on this task lead into."""
    taught: dict[tuple[str, str], dict[str, None]] = {}
    for course in library.courses:
        for _module, lesson in course.lessons():
            slugs = _labs_in(lesson.page.rendered.parts)
            taught.setdefault((course.slug, lesson.task), {}).update(dict.fromkeys(slugs))
    return {task: tuple(slugs) for task, slugs in taught.items() if slugs}


def _labs_in(parts: Iterable[object]) -> list[str]:
    return [part.reference for part in parts if isinstance(part, Embed) and part.kind == "lab"]
