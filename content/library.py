"""Folders of Markdown into frozen courses, lessons, talks, startups and notes; every fault of every file collected.

The folder ``content/`` holds ``courses/<course>/course.md``, ``courses/<course>/<N-module>/overview.md`` and
``<N-lesson>.md``, ``talks/YYYY-MM.md``, ``startups/YYYY-MM.md``, ``notes/YYYY-MM-<slug>.md`` and ``glossary.md``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from content import front_matter, glossary, render
from content.errors import ContentError, Fault
from content.front_matter import REQUIRED, Field
from content.garbage import without_collecting
from content.glossary import Glossary
from content.pages import PAGE_FIELDS, PICTURES, Files, Make, Page, Reader, scan
from content.timetable import Talk, Timetable

KINDS = {
    "whitepaper": "Technical whitepapers",
    "reference-architecture": "Reference architectures",
    "solution": "New solutions and implementation guides",
    "training": "Training and certification opportunities",
    "trend": "Industry trends",
}
"""The five kinds of content that the archive's monthly names, in its order; a note is of one of them."""


@dataclass(frozen=True)
class Lesson:
    """One sitting's reading, teaching one task of the exam."""

    slug: str
    page: Page
    task: str
    minutes: int


@dataclass(frozen=True)
class Task:
    """One thing that a module teaches one to do; of an exam's domain, a task of its official guide."""

    code: str
    title: str


@dataclass(frozen=True)
class Module:
    """One domain of an exam: an overview, the tasks it sets, and the lessons that teach them.

    ``weight`` is the domain's share of the exam in percent, 0 in a course that prepares for none.
    """

    slug: str
    number: int
    weight: int
    overview: Page
    tasks: tuple[Task, ...]
    lessons: tuple[Lesson, ...]


@dataclass(frozen=True)
class Course:
    """A course that prepares for an exam (``exam`` is its slug, or empty)."""

    slug: str
    page: Page
    exam: str
    modules: tuple[Module, ...]

    def lessons(self) -> Iterator[tuple[Module, Lesson]]:
        """Yield every lesson with its module, in reading order."""
        return ((module, lesson) for module in self.modules for lesson in module.lessons)


@dataclass(frozen=True)
class Schedule:
    """A month's talks."""

    month: str
    page: Page
    zone: str
    talks: tuple[Talk, ...]


@dataclass(frozen=True)
class Startup:
    """A company of a month's round-up, with its text in Markdown."""

    name: str
    place: str
    body: str


@dataclass(frozen=True)
class StartupRound:
    """A month's startups."""

    month: str
    page: Page
    startups: tuple[Startup, ...]


@dataclass(frozen=True)
class Note:
    """A short article of one month; ``kind`` is a key of KINDS."""

    slug: str
    month: str
    kind: str
    page: Page


@dataclass(frozen=True)
class Library:
    """Everything there is to read."""

    courses: tuple[Course, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    startups: tuple[StartupRound, ...] = ()
    notes: tuple[Note, ...] = ()
    glossary: Glossary | None = None

    def pages(self) -> Iterator[Page]:
        """Yield every page, the courses first, in reading order."""
        for course in self.courses:
            yield course.page
            for module in course.modules:
                yield module.overview
                yield from (lesson.page for lesson in module.lessons)
        yield from (schedule.page for schedule in self.schedules)
        yield from (one.page for one in self.startups)
        yield from (note.page for note in self.notes)
        if self.glossary:
            yield self.glossary.page

    def find_course(self, slug: str) -> Course | None:
        """Return the course of that slug, or None."""
        return next((course for course in self.courses if course.slug == slug), None)


@without_collecting()
def load(
    root: Path, reader: Reader | None = None, files: Files | None = None
) -> tuple[Library, tuple[ContentError, ...]]:
    """Read the whole folder, in the state that ``files`` tells; return every fault, in the order of files and lines.

    What is faulty is left out, or stays as ``reader`` has read it in its last sound state.
    """
    loader = _Loader(root, reader or Reader(root), files or scan(root))
    library = Library(
        courses=tuple(loader.courses()),
        schedules=tuple(loader.months("talks", _SCHEDULE, _schedule)),
        startups=tuple(loader.months("startups", PAGE_FIELDS, _startup_round)),
        notes=tuple(loader.notes()),
        glossary=loader.glossary(),
    )
    loader.strays()
    ordered = sorted(set(loader.errors), key=lambda error: (str(error.path), error.line, error.column))
    return library, tuple(ordered)


_SLUG = r"[a-z0-9]+(-[a-z0-9]+)*"
_COURSE = {**PAGE_FIELDS, "exam": Field(front_matter.pattern(_SLUG, "lower-case words joined by hyphens"), "")}
_MODULE = {
    **PAGE_FIELDS,
    "weight": Field(front_matter.whole(1, 100, "percent"), 0),
    "tasks": Field(
        front_matter.pattern(r"[1-9]\.[1-9] \S.*", "a code and a title, as in “1.2 Decouple parts”"),
        REQUIRED,
        many=True,
    ),
}
_LESSON = {
    **PAGE_FIELDS,
    "task": Field(front_matter.pattern(r"[1-9]\.[1-9]", "a task code such as 1.2"), REQUIRED),
    "minutes": Field(front_matter.whole(1, 240, "minutes"), REQUIRED),
}
_SCHEDULE = {**PAGE_FIELDS, "zone": Field(front_matter.zone, REQUIRED)}
_NOTE = {**PAGE_FIELDS, "kind": Field(front_matter.pattern("|".join(KINDS), f"one of {', '.join(KINDS)}"), REQUIRED)}


@dataclass(frozen=True)
class _Overview:
    """A module without its lessons."""

    page: Page
    weight: int
    tasks: tuple[Task, ...]


@dataclass
class _Loader:
    """Joins what the files of one folder are to a library, and keeps the faults."""

    root: Path
    reader: Reader
    files: Files
    errors: list[ContentError] = field(default_factory=list)

    def read(self, path: Path, schema: Mapping[str, Field], make: Make) -> Any:
        """Return what a file is, or None where it is of no use."""
        reading = self.reader.read(path, schema, make, self.files)
        self.errors += reading.errors
        return reading.value

    def fault(self, path: Path, line: int, column: int, sentence: str) -> None:
        self.errors.append(ContentError(path, line, column, sentence))

    def courses(self) -> Iterator[Course]:
        for folder in self._folders(self.root / "courses"):
            found = self._required(folder / "course.md", _COURSE, lambda page, head: ((page, head["exam"]), []))
            if found is not None:
                page, exam = found
                modules = tuple(self._modules(folder))
                self._check_weights(page, exam, modules)
                yield Course(folder.name, page, exam, modules)

    def months(self, name: str, schema: Mapping[str, Field], make: Make) -> Iterator[Any]:
        for path in self._files(self.root / name):
            if not _is_month(path.stem):
                self.fault(path, 1, 1, "The file's name must be its month, as in 2018-01.md.")
                continue
            found = self.read(path, schema, make)
            if found is not None:
                yield found

    def notes(self) -> Iterator[Note]:
        for path in self._files(self.root / "notes"):
            month, slug = path.stem[:7], path.stem[8:]
            if not _is_month(month) or not re.fullmatch(_SLUG, slug):
                self.fault(path, 1, 1, "The file's name must be its month and a slug, as in 2018-01-serverless.md.")
                continue
            found = self.read(path, _NOTE, lambda page, head: ((page, head["kind"]), []))
            if found is not None:
                page, kind = found
                yield Note(slug, month, kind, page)

    def glossary(self) -> Glossary | None:
        path = self.root / render.GLOSSARY
        found: Glossary | None = self.read(path, PAGE_FIELDS, glossary.make) if path.is_file() else None
        return found

    def strays(self) -> None:
        """Note what lies where nothing reads it, so that a misplaced file is never silently ignored."""
        known = {"courses", "talks", "startups", "notes"}
        if not any((self.root / name).is_dir() for name in known):
            self.fault(self.root, 1, 1, f"There is no content here; expected one of {', '.join(sorted(known))}.")
        for name in ("talks", "startups", "notes"):
            for path in self._entries(self.root / name):
                if path.suffix not in {".md", *PICTURES}:
                    self.fault(path, 1, 1, "Nothing reads this file; only .md files and their pictures belong here.")

    def _check_weights(self, page: Page, exam: str, modules: Sequence[Module]) -> None:
        weights = sum(module.weight for module in modules)
        wanted = 100 if exam or weights else 0
        if modules and weights != wanted and not any(one.path.is_relative_to(page.folder) for one in self.errors):
            self.fault(page.path, 1, 1, f"The weights of this course's modules add up to {weights}, not {wanted}.")

    def _modules(self, folder: Path) -> Iterator[Module]:
        seen: dict[str, Path] = {}
        for sub in self._folders(folder):
            number, slug = self._ordinal(sub, sub.name)
            if seen.setdefault(slug, sub) != sub:
                self.fault(sub, 1, 1, f"Two modules share the address “{slug}”: this one and {seen[slug].name}.")
                continue
            found: _Overview | None = self._required(sub / "overview.md", _MODULE, _overview)
            if found is not None:
                lessons = tuple(self._lessons(sub, {task.code for task in found.tasks}))
                self._check_tasks(found, number, lessons)
                yield Module(slug, number, found.weight, found.page, found.tasks, lessons)

    def _check_tasks(self, found: _Overview, number: int, lessons: Sequence[Lesson]) -> None:
        for task in found.tasks:
            if not task.code.startswith(f"{number}."):
                self._fault_at(found.page.path, task.code, f"Task {task.code} does not belong to module {number}.")
            elif not any(lesson.task == task.code for lesson in lessons):
                self._fault_at(found.page.path, task.code, f"Task {task.code}, “{task.title}”, has no lesson.")

    def _lessons(self, folder: Path, tasks: Collection[str]) -> Iterator[Lesson]:
        seen: dict[str, Path] = {}
        for path in self._files(folder):
            if path.name == "overview.md":
                continue
            _, slug = self._ordinal(path, path.stem)
            lesson: Lesson | None = self.read(path, _LESSON, _lesson)
            if lesson is None:
                continue
            if lesson.task not in tasks:
                self._fault_at(path, "task:", f"Task {lesson.task} is none of this module's; overview.md lists them.")
            if slug in seen:
                self.fault(path, 1, 1, f"Two lessons share the address “{slug}”: this one and {seen[slug].name}.")
                continue
            seen[slug] = path
            yield lesson

    def _ordinal(self, path: Path, name: str) -> tuple[int, str]:
        match = re.fullmatch(r"([0-9]{1,2})-([a-z0-9]+(?:-[a-z0-9]+)*)", name)
        if match is None:
            self.fault(path, 1, 1, f"“{name}” must start with its place, as in 1-{render.slug(name)}.")
            return 0, render.slug(name)
        return int(match[1]), match[2]

    def _fault_at(self, path: Path, text: str, sentence: str) -> None:
        """Note a fault where ``text`` first stands in the file."""
        before, _, _ = self.files.text(path).partition(text)
        self.fault(path, before.count("\n") + 1, len(before) - before.rfind("\n"), sentence)

    def _required(self, path: Path, schema: Mapping[str, Field], make: Make) -> Any:
        if not path.is_file():
            self.fault(path, 1, 1, f"This folder needs a file “{path.name}”.")
            return None
        return self.read(path, schema, make)

    def _entries(self, folder: Path) -> list[Path]:
        laid = {path for path in map(Path, self.files.laid) if path.parent == folder}
        return sorted({*folder.iterdir(), *laid} if folder.is_dir() else laid, key=_natural)

    def _folders(self, folder: Path) -> list[Path]:
        return [path for path in self._entries(folder) if path.is_dir() and not path.name.startswith((".", "_"))]

    def _files(self, folder: Path) -> list[Path]:
        return [path for path in self._entries(folder) if path.suffix == ".md" and self._is_there(path)]

    def _is_there(self, path: Path) -> bool:
        return str(path) in self.files.laid or path.is_file()


def _overview(page: Page, head: Mapping[str, Any]) -> tuple[_Overview, list[Fault]]:
    tasks = tuple(Task(*text.split(" ", 1)) for text in head["tasks"])
    found = []
    if head["weight"] and not page.sources:
        found.append(Fault(1, 1, "A weight is a claim about an exam; add the address of its guide to “sources”."))
    return _Overview(page, head["weight"], tasks), found


def _lesson(page: Page, head: Mapping[str, Any]) -> tuple[Lesson, list[Fault]]:
    return Lesson(page.address.rpartition("/")[2], page, head["task"], head["minutes"]), []


def _schedule(page: Page, head: Mapping[str, Any]) -> tuple[Schedule, list[Fault]]:
    timetable = Timetable(ZoneInfo(head["zone"]), page.address_of)
    talks = tuple(timetable.talks(page.body, page.first_line))
    return Schedule(page.path.stem, page, head["zone"], talks), timetable.faults


def _startup_round(page: Page, _head: Mapping[str, Any]) -> tuple[StartupRound, list[Fault]]:
    found: list[Fault] = []
    startups = tuple(_startups(page, found))
    if not startups:
        found.append(Fault(1, 1, "This month has no startup; give each a heading such as “## Name (City, Country)”."))
    return StartupRound(page.path.stem, page, startups), found


def _startups(page: Page, found: list[Fault]) -> Iterator[Startup]:
    lines = page.body.split("\n")
    starts = [index for index, line in enumerate(lines) if line.startswith("## ")]
    for start, end in pairwise([*starts, len(lines)]):
        match = re.fullmatch(r"## (.+?) \((.+)\)\s*", lines[start])
        body = "\n".join(lines[start + 1 : end]).strip()
        if match is None:
            found.append(Fault(page.first_line + start, 1, "A startup's heading is “## Name (City, Country)”."))
        elif not body:
            found.append(Fault(page.first_line + start, 1, f"Nothing is said about {match[1]}."))
        else:
            yield Startup(match[1], match[2], body)


def _natural(path: Path) -> tuple[int, str]:
    match = re.match(r"\d+", path.name)
    return (int(match[0]) if match else 0, path.name)


def _is_month(text: str) -> bool:
    return re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text) is not None
