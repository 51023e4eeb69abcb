"""Timetables: the tables of a month's talks, under the days they are held."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from content import render
from content.errors import Fault

LEVELS = ("100", "200", "300", "400")
LONGEST = timedelta(hours=8)
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Subject:
    """A lesson on what a talk is about: its words and its address."""

    title: str
    address: str


@dataclass(frozen=True)
class Talk:
    """One session of a schedule; its times carry their zone."""

    slug: str
    title: str
    category: str
    level: int
    start: datetime
    end: datetime
    subjects: tuple[Subject, ...] = ()


def overlaps(talks: Iterable[Talk]) -> dict[str, tuple[Talk, ...]]:
    """Return, by slug, the talks that are held while another one is; those that are not do not appear."""
    order = sorted(talks, key=lambda talk: talk.start)
    found: dict[str, list[Talk]] = {}
    for index, one in enumerate(order):
        for other in order[index + 1 :]:
            if other.start >= one.end:
                break
            found.setdefault(one.slug, []).append(other)
            found.setdefault(other.slug, []).append(one)
    return {slug: tuple(others) for slug, others in found.items()}


@dataclass
class Timetable:
    """Reads the body of a month's page; rows that are faulty are left out and their faults noted."""

    zone: ZoneInfo
    address: Callable[[str], str] = str
    faults: list[Fault] = field(default_factory=list)
    _day: date | None = None
    _slugs: set[str] = field(default_factory=set)

    def talks(self, body: str, first_line: int) -> Iterator[Talk]:
        """Yield the talks of a body that begins at ``first_line`` of its file."""
        for number, line in enumerate(body.split("\n"), first_line):
            if line.startswith("## "):
                self._day = self._read_day(number, line)
            elif line.lstrip().startswith("|") and not re.fullmatch(r"[\s|:-]+", line):
                cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
                talk = None if cells[0].lower() == "start" else self._read_talk(number, line, cells)
                if talk is not None:
                    yield talk

    def _fault(self, line: int, column: int, sentence: str) -> None:
        self.faults.append(Fault(line, max(column, 1), sentence))

    def _read_day(self, number: int, line: str) -> date | None:
        match = re.match(r"## (\d{4}-\d{2}-\d{2})(?:\s+(\w+))?\s*$", line)
        try:
            day = date.fromisoformat(match[1]) if match else None
        except ValueError:
            day = None
        if day is None or match is None:
            self._fault(number, 4, "A day's heading is its date, as in “## 2018-01-22 Monday”.")
            return None
        if match[2] and match[2] != day.strftime("%A"):
            self._fault(number, match.start(2) + 1, f"{day} is a {day.strftime('%A')}, not a {match[2]}.")
        return day

    def _read_talk(self, number: int, line: str, cells: list[str]) -> Talk | None:
        """Return the talk of one row, or None after noting every fault of the row."""
        if len(cells) not in {5, 6}:
            sentence = "A talk has five cells (start, end, category, level, title), and may have one with its lessons"
            self._fault(number, 1, f"{sentence}, not {len(cells)}.")
            return None
        before = len(self.faults)
        start, end = (self._read_time(number, line, cell) for cell in cells[:2])
        category, level, title = cells[2:5]
        if level not in LEVELS:
            self._fault(number, line.find(level) + 1, f"“{level}” is no level; use 100, 200, 300 or 400.")
        if not category or not title:
            self._fault(number, 1, "A talk needs a category and a title.")
        if self._day is None:
            self._fault(number, 1, "This talk stands under no day; put “## 2018-01-22 Monday” before its table.")
        slug = render.slug(title)
        if slug in self._slugs:
            self._fault(number, line.find(title) + 1, f"Two talks are called “{title}”; tell them apart.")
        if start and end and not timedelta(0) < end - start <= LONGEST:
            self._fault(number, line.find(cells[1]) + 1, f"The talk ends at {cells[1]}, not after it starts.")
        if len(self.faults) > before or start is None or end is None:
            return None
        self._slugs.add(slug)
        subjects = tuple(Subject(words, self.address(target)) for words, target in _LINK.findall("".join(cells[5:])))
        return Talk(slug, title, category, int(level), start, end, subjects)

    def _read_time(self, number: int, line: str, cell: str) -> datetime | None:
        try:
            return datetime.combine(self._day or date.min, time.fromisoformat(cell), self.zone)
        except ValueError:
            self._fault(number, line.find(cell) + 1, f"“{cell}” is not a time; write it as 13:00.")
            return None
