"""A month's issue: what a person chose and wrote for it, and the rest from the library, the banks and the labs."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from content.library import KINDS, Library, Note, Schedule, StartupRound
from quizzes.questions import Bank, Item

SERIES = "Archway Monthly"
QUIZ_ITEMS = 10
# strftime would answer in the language of the process's locale, and the same issue must give the same bytes anywhere.
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class IssueError(ValueError):
    """An issue that cannot be made; the sentence names the file or the month and says what to do."""


class MonthError(IssueError):
    """What was given is no month."""


@dataclass(frozen=True)
class Lab:
    """What an issue says of a lab."""

    slug: str
    title: str
    summary: str


@dataclass(frozen=True)
class Choice:
    """What a person chose for a month: a letter in Markdown, the order of articles, another month's startups."""

    path: Path
    letter: str = ""
    articles: tuple[str, ...] = ()
    startups: str = ""


@dataclass(frozen=True)
class Section:
    """The articles of one kind."""

    title: str
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class Issue:
    """Everything that is printed for a month, in the order of printing."""

    month: str
    letter: str
    sections: tuple[Section, ...]
    schedule: Schedule | None
    startups: StartupRound | None
    labs: tuple[Lab, ...]
    quiz: tuple[Item, ...]

    @property
    def name(self) -> str:
        """The month in words, as in January 2018."""
        return month_name(self.month)

    @property
    def title(self) -> str:
        """The title of the book."""
        return f"{SERIES}, {self.name}"

    @property
    def articles(self) -> tuple[Note, ...]:
        """The articles of all sections."""
        return tuple(note for section in self.sections for note in section.notes)


def compose(
    library: Library, banks: Iterable[Bank], labs: Iterable[Lab], month: str, choice: Choice | None = None
) -> Issue:
    """Return the issue of ``month`` (YYYY-MM); raise MonthError or IssueError where there can be none."""
    check_month(month)
    if month not in months(library):
        place = f"{choice.path}: " if choice else ""
        raise IssueError(
            f"{place}The library has nothing for {month}; add an article, talks or startups of that month."
        )
    return Issue(
        month=month,
        letter=choice.letter if choice else "",
        sections=_sections(library, month, choice),
        schedule=next((one for one in library.schedules if one.month == month), None),
        startups=_startups(library, month, choice),
        labs=tuple(labs),
        quiz=draw_quiz(banks, month),
    )


def months(library: Library) -> tuple[str, ...]:
    """Return the months that the library has anything for, in order."""
    notes = {note.month for note in library.notes}
    schedules = {schedule.month for schedule in library.schedules}
    return tuple(sorted(notes | schedules | {one.month for one in library.startups}))


def due_at(month: str) -> datetime:
    """Return when an issue is due, which is also the time it carries: 06:00 UTC on the first day of its month."""
    year, number = check_month(month)
    return datetime(year, number, 1, 6, tzinfo=UTC)


def check_month(month: str) -> tuple[int, int]:
    """Return (year, month) of a text such as 2018-01; raise MonthError if it is none."""
    match = re.fullmatch(r"([1-9][0-9]{3})-(0[1-9]|1[0-2])", month, re.ASCII)
    if match is None:
        raise MonthError(f"“{month}” is no month; write it as in 2018-01.")
    return int(match[1]), int(match[2])


def month_name(month: str) -> str:
    """Return a month in words: January 2018 for 2018-01."""
    year, number = check_month(month)
    return f"{_MONTHS[number - 1]} {year}"


def day_name(day: date) -> str:
    """Return a day in words, as in Monday 22 January."""
    return f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]}"


def draw_quiz(banks: Iterable[Bank], month: str, count: int = QUIZ_ITEMS) -> tuple[Item, ...]:
    """Draw ``count`` items for a month, the same ones each time, never any that an exam may draw.

    Each item is ranked by a hash of the month and its id, so adding an item to a bank changes few of the draws.
    """
    items = [item for bank in banks if bank.pool == "check" for item in bank.items]
    return tuple(
        sorted(items, key=lambda item: hashlib.sha256(f"{month} {item.question.id}".encode()).digest())[:count]
    )


def read_choice(text: str, path: Path) -> Choice:
    """Read what a person chose; raise IssueError with the file's name where the TOML says what nothing reads."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise IssueError(f"{path}: This is not TOML: {error}.") from None
    unknown = sorted(set(table) - {"letter", "articles", "startups"})
    if unknown:
        raise IssueError(f"{path}: Nothing reads “{unknown[0]}”; use letter, articles and startups.")
    return Choice(path, _text(table, "letter", path), _texts(table, "articles", path), _text(table, "startups", path))


def load_choice(folder: Path, month: str) -> Choice | None:
    """Read ``<folder>/<month>.toml`` if it is there; raise IssueError where it cannot be used."""
    path = folder / f"{month}.toml"
    if not path.is_file():
        return None
    try:
        return read_choice(path.read_text("utf-8"), path)
    except UnicodeDecodeError:
        raise IssueError(f"{path}: This is not UTF-8; save the file as UTF-8.") from None


def _text(table: dict[str, Any], key: str, path: Path) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise IssueError(f"{path}: “{key}” must be a text in quotes.")
    return value.strip()


def _texts(table: dict[str, Any], key: str, path: Path) -> tuple[str, ...]:
    values = table.get(key, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise IssueError(f"{path}: “{key}” must be a list of texts in quotes.")
    return tuple(values)


def _sections(library: Library, month: str, choice: Choice | None) -> tuple[Section, ...]:
    """Sort the month's articles into kinds; those that the choice names come first in their kind, in its order."""
    notes = {note.slug: note for note in library.notes if note.month == month}
    order = choice.articles if choice else ()
    for slug in order:
        if slug not in notes and choice:
            raise IssueError(f"{choice.path}: There is no article “{slug}” in {month}; it has {', '.join(notes)}.")
    ordered = [notes[slug] for slug in dict.fromkeys((*order, *notes))]
    grouped = [Section(title, tuple(note for note in ordered if note.kind == kind)) for kind, title in KINDS.items()]
    return tuple(section for section in grouped if section.notes)


def _startups(library: Library, month: str, choice: Choice | None) -> StartupRound | None:
    rounds = {one.month: one for one in library.startups}
    if choice is None or not choice.startups:
        return rounds.get(month)
    if choice.startups not in rounds:
        known = ", ".join(rounds) or "no month"
        raise IssueError(f"{choice.path}: There are no startups of “{choice.startups}”; the library has {known}.")
    return rounds[choice.startups]
