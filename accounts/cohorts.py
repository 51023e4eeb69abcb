"""Cohorts, their members, links and assignments as values, and the rules that need nothing but them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

EXTRA_TIMES = ("1", "1.25", "1.5", "2", "3")
COUNTS = ("best", "first", "last")
LONGEST_TITLE, LONGEST_NOTE = 120, 2000
MOST_DAYS = 90
"""How many days a link may last."""
MOST_USES = 1000


class CohortError(ValueError):
    """Something about a cohort that cannot be kept; the message says what to change.

    The messages hold no values, so that a page can look each of them up in the reader's language.
    """


@dataclass(frozen=True)
class Cohort:
    """People who learn together; dates are set in ``zone``."""

    id: int
    title: str
    zone: str
    archived_at: datetime | None


@dataclass(frozen=True)
class Member:
    """A person in a cohort."""

    person_id: int
    name: str
    email: str
    teaches: bool
    extra_time: str
    joined_at: datetime


@dataclass(frozen=True)
class Link:
    """A link that leads into a cohort; ``uses_left`` is None for any number."""

    id: int
    cohort_id: int
    name: str
    email: str
    uses_left: int | None
    created_at: datetime
    expires_at: datetime
    came: str

    def is_open(self, now: datetime) -> bool:
        """Whether somebody can still join by it."""
        return now < self.expires_at and self.uses_left != 0


@dataclass(frozen=True)
class Terms:
    """On what terms something is assigned: when it opens and is due, whether it closes then, which go counts.

    With ``fixed_time`` an exam takes its own time, multiplied by what the cohort gives the learner, and no more.
    """

    note: str
    opens_at: datetime | None
    due_at: datetime | None
    closes: bool
    counts: str
    fixed_time: bool = False

    def is_open(self, now: datetime, due_at: datetime | None) -> bool:
        """Whether work counts now for somebody whose work is due at that moment."""
        begun = self.opens_at is None or now >= self.opens_at
        return begun and not (self.closes and due_at is not None and now > due_at)


@dataclass(frozen=True)
class Assignment:
    """Something a cohort is to do, by its room's kind and key."""

    id: int
    cohort_id: int
    kind: str
    key: str
    title: str
    terms: Terms


def clean_title(text: str) -> str:
    """Return a cohort's title with single spaces; raise CohortError where there is none or it is too long."""
    title = " ".join(text.split())
    if not 1 <= len(title) <= LONGEST_TITLE or not title.isprintable():
        raise CohortError("Enter a title of 1 to 120 characters.")
    return title


def check_zone(name: str) -> str:
    """Return the name of a time zone; raise CohortError where there is none of that name."""
    if name not in available_timezones():
        raise CohortError("Choose a time zone from the list, as Europe/Sofia.")
    return name


def read_moment(text: str, zone: str) -> datetime | None:
    """Return a date and time as a form sends it (2018-02-12T17:00), in a zone; None for an empty field.

    Of a time that the zone's clocks show twice the first is meant; raises CohortError for one they never show.
    """
    if not text.strip():
        return None
    try:
        local = datetime.fromisoformat(text.strip()).replace(tzinfo=ZoneInfo(zone))
        moment = local.astimezone(UTC)
    except (ValueError, OverflowError):
        raise CohortError("Enter a date and a time, as 2018-02-12 17:00.") from None
    if moment.astimezone(local.tzinfo).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise CohortError("The clocks skip this hour on that day; choose one before or after.")
    return moment


def write_moment(moment: datetime | None, zone: str) -> str:
    """Return what a form's field for a date and time shows."""
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M") if moment else ""


def check_terms(terms: Terms) -> Terms:
    """Return the terms if they can be kept; raise CohortError otherwise."""
    if terms.counts not in COUNTS:
        raise CohortError("Choose which attempt counts: the best, the first or the last.")
    if len(terms.note) > LONGEST_NOTE:
        raise CohortError("A note has at most 2000 characters.")
    if terms.opens_at and terms.due_at and terms.due_at <= terms.opens_at:
        raise CohortError("The due date must be after the opening.")
    if terms.closes and terms.due_at is None:
        raise CohortError("To close after the due date, it needs a due date.")
    return terms


def check_later(terms: Terms, due_at: datetime | None) -> datetime | None:
    """Return one person's later due date, None to take it back; raise CohortError where it is not later."""
    if due_at and (terms.due_at is None or due_at <= terms.due_at):
        raise CohortError("A later due date must be after the assignment's own.")
    return due_at


def link_end(now: datetime, days: str) -> datetime:
    """Return when a link made now ends; raise CohortError where the days are none that are allowed."""
    if not _is_whole(days, MOST_DAYS):
        raise CohortError("A link lasts from 1 to 90 days.")
    return now + timedelta(days=int(days))


def read_uses(text: str) -> int | None:
    """Return how many people may join by a link, None for any number; raise CohortError for anything else."""
    if not text.strip():
        return None
    if not _is_whole(text.strip(), MOST_USES):
        raise CohortError("Enter how many may join, from 1 to 1000, or leave it empty for any number.")
    return int(text)


def _is_whole(text: str, most: int) -> bool:
    # Python reads no number of more than 4,300 digits.
    return text.isdecimal() and len(text) <= 9 and 1 <= int(text) <= most


def longest_extra(multipliers: list[str]) -> str:
    """Return the largest of some people's multipliers, as of one person in several cohorts; 1 if there is none."""
    return max(multipliers, key=float, default="1")
