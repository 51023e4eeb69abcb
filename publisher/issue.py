"""A month's issue: what a person chose and wrote for it, and the rest from the library, the banks and the labs."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from content.library import KINDS, Library, Note, Schedule, StartupRound
from publisher import news
from publisher.news import Correction, KeyChange, Lab, News, Printed
from quizzes.exchange import pictures
from quizzes.questions import Bank, Item

SERIES = "Archway Monthly"
QUIZ_ITEMS = 10
_READ = frozenset({"letter", "articles", "leave_out", "startups", "corrections"})
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
class Choice:
    """What a person chose for a month.

    A letter in Markdown, the order of articles, those to leave out, another month's startups, and corrections of
    earlier issues, each a paragraph in Markdown. ``place`` is where it was written, for messages.
    """

    place: str
    letter: str = ""
    articles: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    startups: str = ""
    corrections: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """The articles of one kind."""

    title: str
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class Issue:
    """Everything that is printed for a month, in the order of printing."""

    month: str
    choice: Choice | None
    sections: tuple[Section, ...]
    schedule: Schedule | None
    startups: StartupRound | None
    labs: tuple[Lab, ...]
    quiz: tuple[Item, ...]
    news: News = News()
    corrections: tuple[Correction, ...] = ()
    key_changes: tuple[KeyChange, ...] = ()
    printed: Printed = Printed("")
    """What later issues must know of this one."""

    @property
    def letter(self) -> str:
        """The editor's letter in Markdown, if there is one."""
        return self.choice.letter if self.choice else ""

    @property
    def remarks(self) -> tuple[str, ...]:
        """Corrections in the editor's own words, in Markdown."""
        return self.choice.corrections if self.choice else ()

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


def compose(  # noqa: PLR0913 (all that an issue is made of)
    library: Library,
    banks: Iterable[Bank],
    labs: Iterable[Lab],
    month: str,
    choice: Choice | None = None,
    *,
    past: Sequence[Printed] = (),
    paused: Collection[int] = (),
    changes: Sequence[KeyChange] = (),
    later: Sequence[Printed] = (),
) -> Issue:
    """Return the issue of ``month`` (YYYY-MM); raise MonthError or IssueError where there can be none.

    ``past`` are the issues before it, in order; ``paused`` the months, from 1 to 12, that have none;
    ``changes`` the keys that were corrected on the site; ``later`` the issues after it that are built already, which
    may have printed some of them.
    """
    _, number = check_month(month)
    place = f"{choice.place}: " if choice else ""
    if number in paused:
        instead = month_name(issue_of(month, paused))
        raise IssueError(f"{place}There is no issue of {month_name(month)}; its articles are printed in {instead}.")
    if month not in months(library, paused):
        raise IssueError(
            f"{place}The library has nothing for {month}; add an article, talks or startups of that month."
        )
    banks = tuple(banks)
    notes = tuple(note for note in library.notes if issue_of(note.month, paused) == month)
    quiz = draw_quiz(banks, month, past=past, changes=changes)
    new_labs = news.new_labs(labs, library.notes, month, past)
    wrong = news.corrections(banks, past)
    changed = news.key_changes(changes, [*past, *later], wrong)
    return Issue(
        month=month,
        choice=choice,
        sections=_sections(notes, month, choice),
        schedule=next((one for one in library.schedules if one.month == month), None),
        startups=_startups(library, month, choice, paused),
        labs=new_labs,
        quiz=quiz,
        news=news.news_since(library, banks, past),
        corrections=wrong,
        key_changes=changed,
        printed=news.printed(library, banks, month, labs=new_labs, quiz=quiz, corrections=wrong, changes=changed),
    )


def months(library: Library, paused: Collection[int] = ()) -> tuple[str, ...]:
    """Return the months that have an issue, in order: those that the library has anything for.

    What is dated in a paused month is printed in the issue after it, but for its talks, which are over by then.
    """
    dated = {note.month for note in library.notes} | {one.month for one in library.startups}
    talks = {one.month for one in library.schedules if issue_of(one.month, paused) == one.month}
    return tuple(sorted({issue_of(month, paused) for month in dated} | talks))


def issue_of(month: str, paused: Collection[int] = ()) -> str:
    """Return the month in whose issue something of ``month`` is printed: that month, or the first not paused after."""
    year, number = check_month(month)
    while number in paused:
        year, number = (year, number + 1) if number < 12 else (year + 1, 1)
    return f"{year}-{number:02}"


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


def draw_quiz(
    banks: Iterable[Bank],
    month: str,
    count: int = QUIZ_ITEMS,
    *,
    past: Sequence[Printed] = (),
    changes: Iterable[KeyChange] = (),
) -> tuple[Item, ...]:
    """Draw ``count`` items for a month, the same each time: choices that no exam may draw and no quiz has had.

    Left out are items with pictures, as the book has none of theirs, and versions whose keys were corrected, as their
    banks still say otherwise. Each item is ranked by a hash of the month and its id, so adding an item to a bank
    changes few of the draws.
    """
    had = {answer.item for one in past for answer in one.quiz}
    wrong: dict[str, set[str]] = {}
    for one in changes:
        wrong.setdefault(one.item.question.id, set()).add(one.item.fingerprint())

    def fits(item: Item) -> bool:
        name = item.question.id
        if item.question.kind != "choice" or name in had or pictures.shows_any(item):
            return False
        return name not in wrong or item.fingerprint() not in wrong[name]

    items = [item for bank in banks if bank.pool == "check" for item in bank.items if fits(item)]
    ranked = sorted(items, key=lambda item: hashlib.sha256(f"{month} {item.question.id}".encode()).digest())
    return tuple(ranked[:count])


def read_choice(text: str, path: Path) -> Choice:
    """Read what a person chose; raise IssueError with the file's name where the TOML says what nothing reads."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise IssueError(f"{path}: This is not TOML: {error}.") from None
    unknown = sorted(set(table) - _READ)
    if unknown:
        raise IssueError(f"{path}: Nothing reads “{unknown[0]}”; use {', '.join(sorted(_READ))}.")
    return Choice(
        str(path),
        letter=_text(table, "letter", path),
        articles=_texts(table, "articles", path),
        leave_out=_texts(table, "leave_out", path),
        startups=_text(table, "startups", path),
        corrections=_texts(table, "corrections", path),
    )


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


def _sections(notes: Sequence[Note], month: str, choice: Choice | None) -> tuple[Section, ...]:
    """Sort the articles into kinds; those that the choice names come first in their kind, in its order."""
    by_slug = {note.slug: note for note in notes}
    order, left_out = (choice.articles, choice.leave_out) if choice else ((), ())
    for slug in (*order, *left_out):
        if slug not in by_slug and choice:
            known = ", ".join(by_slug)
            raise IssueError(f"{choice.place}: There is no article “{slug}” in {month}; it has {known}.")
    ordered = [by_slug[slug] for slug in dict.fromkeys((*order, *by_slug)) if slug not in left_out]
    grouped = [Section(title, tuple(note for note in ordered if note.kind == kind)) for kind, title in KINDS.items()]
    return tuple(section for section in grouped if section.notes)


def _startups(library: Library, month: str, choice: Choice | None, paused: Collection[int]) -> StartupRound | None:
    rounds = {one.month: one for one in library.startups}
    if choice is None or not choice.startups:
        due = [one for one in library.startups if issue_of(one.month, paused) == month]
        return due[-1] if due else None
    if choice.startups not in rounds:
        known = ", ".join(rounds) or "no month"
        raise IssueError(f"{choice.place}: There are no startups of “{choice.startups}”; the library has {known}.")
    return rounds[choice.startups]
