"""Talks as iCalendar (RFC 5545), in UTC so that every calendar shows the reader's own time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from icalendar import Calendar, Event

from content.library import Schedule
from content.timetable import Talk


def to_icalendar(schedule: Schedule, talks: Iterable[Talk], host: str) -> bytes:
    """Return a calendar of these talks; ``host`` makes their identifiers unique in the world."""
    calendar = Calendar()
    calendar.add("prodid", "-//Archway//Talks//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", schedule.page.title)
    for talk in talks:
        calendar.add_component(_event(schedule, talk, host))
    return bytes(calendar.to_ical())


def _event(schedule: Schedule, talk: Talk, host: str) -> Event:
    event = Event()
    event.add("uid", f"{schedule.month}-{talk.slug}@{host}")
    # The stamp is the talk's own start, not the moment of export: the same talks give the same bytes.
    event.add("dtstamp", _utc(talk.start))
    event.add("dtstart", _utc(talk.start))
    event.add("dtend", _utc(talk.end))
    event.add("summary", talk.title)
    event.add("categories", [talk.category])
    event.add("description", f"{talk.category}, level {talk.level}")
    return event


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
