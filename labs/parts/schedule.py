"""Schedules as EventBridge writes them, cron(…) and rate(…): read, described in a sentence, and their next times.

The rules are those of the EventBridge and EventBridge Scheduler user guides: six fields, the last of which is the
year; Sunday is day 1 of the week; one of the two fields for days is "?"; a local time that the clocks skip is
skipped, and one that they repeat happens once.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count, product
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip
WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
ORDINALS = ("first", "second", "third", "fourth", "fifth")
SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}


class ScheduleError(ValueError):
    """An expression that is no schedule; the sentence names the field and says why."""


@dataclass(frozen=True)
class MonthDay:
    """A day of the month: that day, or the weekday nearest to it in its month; day 0 is the last of the month."""

    day: int
    nearest_weekday: bool = False

    def days(self, year: int, month: int) -> Iterable[int]:
        """Return the days of that month, if it has them."""
        last = monthrange(year, month)[1]
        day = self.day or last
        if day > last:
            return ()
        if self.nearest_weekday:
            weekday = date(year, month, day).weekday()
            if weekday == 5:
                day += -1 if day > 1 else 2
            elif weekday == 6:
                day += 1 if day < last else -2
        return (day,)

    def __str__(self) -> str:
        named = f"day {self.day}" if self.day else "the last day"
        return f"on the weekday nearest to {named} of the month" if self.nearest_weekday else f"on {named} of the month"


@dataclass(frozen=True)
class WeekDay:
    """A day of the week from 1, Sunday: every one, the nth of the month, or, for -1, the last of the month."""

    day: int
    which: int = 0

    def days(self, year: int, month: int) -> Iterable[int]:
        """Return the days of that month."""
        last = monthrange(year, month)[1]
        # Python's weeks begin on Monday with 0.
        first = 1 + (self.day - 2 - date(year, month, 1).weekday()) % 7
        every = range(first, last + 1, 7)
        if self.which == 0:
            return every
        place = self.which - 1 if self.which > 0 else len(every) - 1
        return every[place : place + 1]

    def __str__(self) -> str:
        named = WEEKDAYS[self.day - 1]
        if self.which == 0:
            return f"on {named}"
        return f"on the {'last' if self.which < 0 else ORDINALS[self.which - 1]} {named} of the month"


@dataclass(frozen=True)
class Cron:
    """A cron expression: the values of each field in their order; no days means every day."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[MonthDay | WeekDay, ...]
    months: tuple[int, ...]
    years: tuple[int, ...]


@dataclass(frozen=True)
class Rate:
    """A rate expression: so many minutes, hours or days from one time to the next."""

    value: int
    unit: str

    @property
    def seconds(self) -> int:
        """The time from one to the next."""
        return self.value * SECONDS[self.unit]


@dataclass(frozen=True)
class _Field:
    """A field of a cron expression: its name, its least and greatest value, and names for values."""

    name: str
    least: int
    greatest: int
    names: tuple[str, ...] = ()

    @property
    def every(self) -> tuple[int, ...]:
        return tuple(range(self.least, self.greatest + 1))

    def values(self, text: str) -> tuple[int, ...]:
        """Return the values that the text lists, in their order; raise ScheduleError."""
        return tuple(sorted({value for part in text.split(",") for value in self._part(part)}))

    def _part(self, part: str) -> range:
        found = re.fullmatch(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d{1,4}))?", part)
        if not found:
            raise self.fault(f"“{part}” is neither a value, a range such as 1-5, nor a step such as 0/15")
        every, first, last, step = found.groups()
        least = self.least if every else self.value(first)
        greatest = self.greatest if every or (step and not last) else self.value(last or first)
        if greatest < least:
            raise self.fault(f"“{part}” ends before it begins")
        if step == "0":
            raise self.fault(f"“{part}” steps by nothing")
        return range(least, greatest + 1, int(step or 1))

    def value(self, text: str) -> int:
        """Return the one value that the text names; raise ScheduleError."""
        if text.upper() in self.names:
            return self.names.index(text.upper()) + self.least
        if not re.fullmatch(r"[0-9]{1,4}", text) or not self.least <= int(text) <= self.greatest:
            raise self.fault(f"“{text}” is not between {self.least} and {self.greatest}")
        return int(text)

    def fault(self, why: str) -> ScheduleError:
        return ScheduleError(f"In the field for the {self.name}, {why}.")


_MINUTE = _Field("minutes", 0, 59)
_HOUR = _Field("hours", 0, 23)
_MONTH_DAY = _Field("day of the month", 1, 31)
_MONTH = _Field("month", 1, 12, tuple(name[:3].upper() for name in MONTHS))
_WEEK_DAY = _Field("day of the week", 1, 7, tuple(name[:3].upper() for name in WEEKDAYS))
_YEAR = _Field("year", 1970, 2199)


def read(text: str) -> Cron | Rate:
    """Return the schedule that the text writes; raise ScheduleError."""
    found = re.fullmatch(r"\s*(cron|rate)\s*\((.*)\)\s*", text)
    if not found:
        raise ScheduleError("A schedule reads cron(minutes hours day month weekday year) or rate(value unit).")
    return _cron(found[2].split()) if found[1] == "cron" else _rate(found[2].split())


def _rate(parts: list[str]) -> Rate:
    if len(parts) != 2 or not re.fullmatch(r"[1-9][0-9]{0,5}", parts[0]):
        raise ScheduleError("A rate has a whole number from 1 and a unit, such as rate(5 minutes).")
    value, unit = int(parts[0]), parts[1].removesuffix("s")
    if unit not in SECONDS or parts[1] not in {unit, f"{unit}s"}:
        raise ScheduleError(f"“{parts[1]}” is no unit of a rate; use minutes, hours or days.")
    if (value == 1) == parts[1].endswith("s"):
        raise ScheduleError(f"The unit of a rate agrees with its number: rate({value} {unit}{'s' * (value != 1)}).")
    return Rate(value, unit)


def _cron(parts: list[str]) -> Cron:
    if len(parts) != 6:
        raise ScheduleError(
            f"A cron expression has six fields (minutes, hours, day, month, weekday, year), this one has {len(parts)}."
        )
    minutes, hours, month_days, months, week_days, years = parts
    if (month_days == "?") == (week_days == "?"):
        raise ScheduleError("One of the fields for the day of the month and of the week is “?”, and the other is not.")
    days: tuple[MonthDay | WeekDay, ...] = ()
    if month_days not in {"?", "*"}:
        days = tuple(day for part in month_days.split(",") for day in _month_days(part))
    elif week_days not in {"?", "*"}:
        days = tuple(day for part in week_days.split(",") for day in _week_days(part))
        if len(days) > 1 and "#" in week_days:
            raise _WEEK_DAY.fault("“#” stands alone")
    return Cron(_MINUTE.values(minutes), _HOUR.values(hours), days, _MONTH.values(months), _YEAR.values(years))


def _month_days(part: str) -> Iterator[MonthDay]:
    if part == "L":
        yield MonthDay(0)
    elif part == "LW":
        yield MonthDay(0, nearest_weekday=True)
    elif part.endswith("W"):
        yield MonthDay(_MONTH_DAY.value(part[:-1]), nearest_weekday=True)
    else:
        yield from map(MonthDay, _MONTH_DAY.values(part))


def _week_days(part: str) -> Iterator[WeekDay]:
    day, hash_sign, which = part.partition("#")
    if hash_sign:
        if which not in {"1", "2", "3", "4", "5"}:
            raise _WEEK_DAY.fault(f"“{part}” names none of the five weeks of a month")
        yield WeekDay(_WEEK_DAY.value(day), int(which))
    elif part == "L":
        # The last day of the week.
        yield WeekDay(7)
    elif part.endswith("L"):
        yield WeekDay(_WEEK_DAY.value(part[:-1]), -1)
    else:
        yield from map(WeekDay, _WEEK_DAY.values(part))


def times(schedule: Cron | Rate, after: float, zone: str = "UTC", start: float = 0) -> Iterator[float]:
    """Yield the moments of a schedule after ``after``, in seconds since 1970; raise ScheduleError for an unknown zone.

    A cron expression is read in the time zone. A rate is the same in every zone, also where the clocks change: it
    counts from ``start``, when its rule was made.
    """
    place = time_zone(zone)
    if isinstance(schedule, Rate):
        return _rate_times(schedule, after, start)
    return _cron_times(schedule, after, place)


def time_zone(name: str) -> ZoneInfo:
    """Return the time zone with that name; raise ScheduleError for an unknown one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ScheduleError(f"“{name[:40]}” is no time zone; use a name such as Europe/Berlin.") from None


def _rate_times(rate: Rate, after: float, start: float) -> Iterator[float]:
    first = max(1, int((after - start) // rate.seconds))
    return (moment for number in count(first) if (moment := start + number * rate.seconds) > after)


def _cron_times(cron: Cron, after: float, zone: ZoneInfo) -> Iterator[float]:
    begin = datetime.fromtimestamp(after, zone).date()
    for year, month in product((one for one in cron.years if one >= begin.year), cron.months):
        for day in _days(cron, year, month):
            if date(year, month, day) < begin:
                continue
            for hour, minute in product(cron.hours, cron.minutes):
                local = datetime(year, month, day, hour, minute, tzinfo=zone)
                moment = local.timestamp()
                exists = datetime.fromtimestamp(moment, zone).replace(tzinfo=None) == local.replace(tzinfo=None)
                if exists and moment > after:
                    yield moment


def _days(cron: Cron, year: int, month: int) -> Iterable[int]:
    if not cron.days:
        return range(1, monthrange(year, month)[1] + 1)
    return sorted({day for rule in cron.days for day in rule.days(year, month)})


def described(schedule: Cron | Rate, zone: str = "UTC") -> str:
    """Return what the schedule says in a sentence."""
    if isinstance(schedule, Rate):
        return f"Every {schedule.unit}." if schedule.value == 1 else f"Every {schedule.value} {schedule.unit}s."
    days = _listed(dict.fromkeys(map(str, schedule.days))) if schedule.days else "every day"
    said = f"{_time_of_day(schedule, zone)} {days}"
    if schedule.months != _MONTH.every:
        said += f" in {_listed(MONTHS[month - 1] for month in schedule.months)}"
    if schedule.years != _YEAR.every:
        said += f" in {_listed(map(str, schedule.years))}"
    return f"{said}."


def _time_of_day(cron: Cron, zone: str) -> str:
    if len(cron.minutes) * len(cron.hours) <= 6:
        return f"At {_listed(f'{hour:02}:{minute:02}' for hour, minute in product(cron.hours, cron.minutes))} {zone}"
    minutes = "Every minute" if cron.minutes == _MINUTE.every else f"At minute {_listed(map(str, cron.minutes))}"
    hours = "every hour" if cron.hours == _HOUR.every else f"hour {_listed(map(str, cron.hours))} {zone}"
    return f"{minutes} of {hours}"


def _listed(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
