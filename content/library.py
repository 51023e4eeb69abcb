"""Folders of Markdown into frozen courses, lessons, talks, startups and notes; every fault of every file collected.

The folder ``content/`` holds ``courses/<course>/course.md``, ``courses/<course>/<N-module>/overview.md`` and
``<N-lesson>.md``, ``talks/YYYY-MM.md``, ``startups/YYYY-MM.md`` and ``notes/YYYY-MM-<slug>.md``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from content import faults, front_matter, render
from content.front_matter import REQUIRED, Field
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
class ContentError:
    """A fault in a file: where (both counted from 1), and one sentence that says how to mend it."""

    path: Path
    line: int
    column: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.sentence}"


@dataclass(frozen=True)
class Page:
    """A Markdown text with what its front matter says of it."""

    path: Path
    title: str
    summary: str
    language: str
    sources: tuple[str, ...]
    body: str

    @property
    def folder(self) -> Path:
        """Where the page's pictures lie."""
        return self.path.parent


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

    def find_course(self, slug: str) -> Course | None:
        """Return the course of that slug, or None."""
        return next((course for course in self.courses if course.slug == slug), None)


def load(root: Path) -> tuple[Library, tuple[ContentError, ...]]:
    """Read the whole folder; what is faulty is left out and each fault is returned, in the order of files and lines."""
    reader = _Reader(root)
    library = Library(
        courses=tuple(reader.courses()),
        schedules=tuple(reader.months("talks", reader.schedule)),
        startups=tuple(reader.months("startups", reader.startup_round)),
        notes=tuple(reader.notes()),
    )
    reader.strays()
    ordered = sorted(set(reader.errors), key=lambda error: (str(error.path), error.line, error.column))
    return library, tuple(ordered)


class _FaultyError(Exception):
    """A file is too faulty to make a value of; its faults are already noted."""


_SLUG = r"[a-z0-9]+(-[a-z0-9]+)*"
_PAGE = {
    "title": Field(front_matter.text, REQUIRED),
    "summary": Field(front_matter.text, REQUIRED),
    "lang": Field(front_matter.pattern(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", "a language code such as en or bg"), "en"),
    "sources": Field(front_matter.pattern(r"https?://[^\s/]+\S*", "a web address"), (), many=True),
}
_COURSE = {**_PAGE, "exam": Field(front_matter.pattern(_SLUG, "lower-case words joined by hyphens"), "")}
_MODULE = {
    **_PAGE,
    "weight": Field(front_matter.whole(1, 100, "percent"), 0),
    "tasks": Field(front_matter.pattern(r"[1-9]\.[1-9] \S.*", "a code and a title, as in “1.2 Decouple parts”"), REQUIRED, many=True),
}
_LESSON = {
    **_PAGE,
    "task": Field(front_matter.pattern(r"[1-9]\.[1-9]", "a task code such as 1.2"), REQUIRED),
    "minutes": Field(front_matter.whole(1, 240, "minutes"), REQUIRED),
}
_SCHEDULE = {**_PAGE, "zone": Field(front_matter.zone, REQUIRED)}
_NOTE = {**_PAGE, "kind": Field(front_matter.pattern("|".join(KINDS), f"one of {', '.join(KINDS)}"), REQUIRED)}


@dataclass
class _Reader:
    """Reads one folder and keeps the faults it meets."""

    root: Path
    errors: list[ContentError] = field(default_factory=list)

    def fault(self, path: Path, line: int, column: int, sentence: str) -> None:
        self.errors.append(ContentError(path, line, column, sentence))

    def courses(self) -> Iterator[Course]:
        for folder in self._folders(self.root / "courses"):
            try:
                yield self._course(folder)
            except _FaultyError:
                continue

    def months(self, name: str, read: Callable[[Path], Any]) -> Iterator[Any]:
        for path in self._files(self.root / name):
            if not _is_month(path.stem):
                self.fault(path, 1, 1, "The file's name must be its month, as in 2018-01.md.")
                continue
            try:
                yield read(path)
            except _FaultyError:
                continue

    def notes(self) -> Iterator[Note]:
        for path in self._files(self.root / "notes"):
            month, slug = path.stem[:7], path.stem[8:]
            if not _is_month(month) or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug):
                self.fault(path, 1, 1, "The file's name must be its month and a slug, as in 2018-01-serverless.md.")
                continue
            try:
                page, fields, _ = self.page(path, _NOTE)
            except _FaultyError:
                continue
            yield Note(slug, month, fields["kind"], page)

    def schedule(self, path: Path) -> Schedule:
        page, fields, body_line = self.page(path, _SCHEDULE)
        timetable = Timetable(ZoneInfo(fields["zone"]))
        talks = tuple(timetable.talks(page.body, body_line))
        for found in timetable.faults:
            self.fault(path, found.line, found.column, found.sentence)
        return Schedule(path.stem, page, fields["zone"], talks)

    def startup_round(self, path: Path) -> StartupRound:
        page, _, body_line = self.page(path, _PAGE)
        startups = tuple(self._startups(page, body_line))
        if not startups:
            self.fault(path, 1, 1, "This month has no startup; give each a heading such as “## Name (City, Country)”.")
        return StartupRound(path.stem, page, startups)

    def strays(self) -> None:
        """Note what lies where nothing reads it, so that a misplaced file is never silently ignored."""
        known = {"courses", "talks", "startups", "notes"}
        if not any((self.root / name).is_dir() for name in known):
            self.fault(self.root, 1, 1, f"There is no content here; expected one of {', '.join(sorted(known))}.")
        for name in ("talks", "startups", "notes"):
            for path in self._entries(self.root / name):
                if path.suffix != ".md":
                    self.fault(path, 1, 1, "Nothing reads this file; only .md files belong here.")

    def page(self, path: Path, schema: Mapping[str, Field]) -> tuple[Page, dict[str, Any], int]:
        """Read one file into (page, fields, the body's first line); raise _FaultyError where it is unusable."""
        try:
            head, body, body_line = front_matter.split(self._read(path))
        except ValueError as error:
            self.fault(path, 1, 1, str(error))
            raise _FaultyError from None
        front = front_matter.read(head, schema)
        for found in (*front.faults, *faults.find(body, path.parent, body_line)):
            self.fault(path, found.line, found.column, found.sentence)
        if not body.strip():
            self.fault(path, body_line, 1, "The page has no text.")
        if not front.usable:
            raise _FaultyError
        fields = front.fields
        page = Page(path, fields["title"], fields["summary"], fields["lang"], tuple(fields["sources"]), body)
        return page, fields, body_line

    def _course(self, folder: Path) -> Course:
        page, fields, _ = self.page(self._required(folder / "course.md"), _COURSE)
        modules = tuple(self._modules(folder))
        weights, wanted = sum(module.weight for module in modules), 100 if fields["exam"] else 0
        if modules and weights != wanted and not any(error.path.is_relative_to(folder) for error in self.errors):
            self.fault(page.path, 1, 1, f"The weights of this course's modules add up to {weights}, not {wanted}.")
        return Course(folder.name, page, fields["exam"], modules)

    def _modules(self, folder: Path) -> Iterator[Module]:
        for sub in self._folders(folder):
            number, slug = self._ordinal(sub, sub.name)
            try:
                page, fields, _ = self.page(self._required(sub / "overview.md"), _MODULE)
            except _FaultyError:
                continue
            tasks = tuple(Task(*text.split(" ", 1)) for text in fields["tasks"])
            lessons = tuple(self._lessons(sub, {task.code for task in tasks}))
            for task in tasks:
                if not task.code.startswith(f"{number}."):
                    self._fault_at(page.path, task.code, f"Task {task.code} does not belong to module {number}.")
                elif not any(lesson.task == task.code for lesson in lessons):
                    self._fault_at(page.path, task.code, f"Task {task.code}, “{task.title}”, has no lesson.")
            yield Module(slug, number, fields["weight"], page, tasks, lessons)

    def _lessons(self, folder: Path, tasks: Collection[str]) -> Iterator[Lesson]:
        seen: dict[str, Path] = {}
        for path in self._files(folder):
            if path.name == "overview.md":
                continue
            _, slug = self._ordinal(path, path.stem)
            try:
                page, fields, _ = self.page(path, _LESSON)
            except _FaultyError:
                continue
            if fields["task"] not in tasks:
                self._fault_at(path, "task:", f"Task {fields['task']} is none of this module's; overview.md lists them.")
            if slug in seen:
                self.fault(path, 1, 1, f"Two lessons share the address “{slug}”: this one and {seen[slug].name}.")
                continue
            seen[slug] = path
            yield Lesson(slug, page, fields["task"], fields["minutes"])

    def _ordinal(self, path: Path, name: str) -> tuple[int, str]:
        match = re.fullmatch(r"([0-9]{1,2})-([a-z0-9]+(?:-[a-z0-9]+)*)", name)
        if match is None:
            self.fault(path, 1, 1, f"“{name}” must start with its place, as in 1-{render.slug(name)}.")
            return 0, render.slug(name)
        return int(match[1]), match[2]

    def _startups(self, page: Page, body_line: int) -> Iterator[Startup]:
        lines = page.body.split("\n")
        starts = [index for index, line in enumerate(lines) if line.startswith("## ")]
        for start, end in pairwise([*starts, len(lines)]):
            match = re.fullmatch(r"## (.+?) \((.+)\)\s*", lines[start])
            body = "\n".join(lines[start + 1 : end]).strip()
            if match is None:
                self.fault(page.path, body_line + start, 1, "A startup's heading is “## Name (City, Country)”.")
            elif not body:
                self.fault(page.path, body_line + start, 1, f"Nothing is said about {match[1]}.")
            else:
                yield Startup(match[1], match[2], body)

    def _read(self, path: Path) -> str:
        data = path.read_bytes()
        if len(data) > render.MAXIMUM_BYTES:
            self.fault(path, 1, 1, f"The file has {len(data)} bytes; split it, {render.MAXIMUM_BYTES} is the limit.")
            raise _FaultyError
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            before = data[: error.start]
            column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8")) + 1
            self.fault(path, before.count(b"\n") + 1, column, "This is not UTF-8; save the file as UTF-8.")
            raise _FaultyError from None
        text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        for match in re.finditer(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text):
            line = text.count("\n", 0, match.start()) + 1
            column = match.start() - text.rfind("\n", 0, match.start())
            self.fault(path, line, column, "There is a control character here; remove it.")
            raise _FaultyError
        return text

    def _fault_at(self, path: Path, text: str, sentence: str) -> None:
        """Note a fault where ``text`` first stands in the file."""
        before, _, _ = self._read(path).partition(text)
        self.fault(path, before.count("\n") + 1, len(before) - before.rfind("\n"), sentence)

    def _required(self, path: Path) -> Path:
        if not path.is_file():
            self.fault(path, 1, 1, f"This folder needs a file “{path.name}”.")
            raise _FaultyError
        return path

    @staticmethod
    def _entries(folder: Path) -> list[Path]:
        return sorted(folder.iterdir(), key=_natural) if folder.is_dir() else []

    def _folders(self, folder: Path) -> list[Path]:
        return [path for path in self._entries(folder) if path.is_dir() and not path.name.startswith((".", "_"))]

    def _files(self, folder: Path) -> list[Path]:
        return [path for path in self._entries(folder) if path.is_file() and path.suffix == ".md"]


def _natural(path: Path) -> tuple[int, str]:
    match = re.match(r"\d+", path.name)
    return (int(match[0]) if match else 0, path.name)


def _is_month(text: str) -> bool:
    return re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text) is not None
