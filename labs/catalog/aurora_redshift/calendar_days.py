"""The year's days as the date dimension has them."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta

from .sales import YEAR

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SEASONS = WINTER, SPRING, SUMMER, AUTUMN = ("Winter", "Spring", "Summer", "Autumn")
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November"),
    "December",
)


def season(day: date) -> str:
    """Return the season of a day, which begins with a month, as meteorologists have it."""
    return SEASONS[day.month % 12 // 3]


def weekday(day: date) -> str:
    """Return the day of the week in English, whatever the machine speaks."""
    return WEEKDAYS[day.weekday()]


def as_csv() -> bytes:
    """Return a line for each day, in the order of the published table's columns."""
    first = date(YEAR, 1, 1)
    days = [first + timedelta(days=one) for one in range((date(YEAR + 1, 1, 1) - first).days)]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(_row(number, day) for number, day in enumerate(days, 1))
    return text.getvalue().encode()


def _row(number: int, day: date) -> tuple[object, ...]:
    quarter = (day.month + 2) // 3
    half = (quarter + 1) // 2
    return number, day.day, day.month, weekday(day), day, quarter, half, day.year, season(day), day.year
