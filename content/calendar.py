"""Talks as iCalendar (RFC 5545), in UTC so that every calendar shows the reader's own time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from icalendar import Calendar, Event

from content.library import Schedule
from content.timetable import Talk


def to_icalendar(schedules: Iterable[Schedule], site: str, name: str, *, only: str = "") -> bytes:
    """Return a calendar of the talks of these schedules, or of the one whose slug is ``only``.

    ``site`` is the address of the site's home page; it makes the events' identifiers unique in the world.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//Archway//Talks//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", name)
    # RFC 7986, 5.1 and 5.7: what a program that subscribes calls the calendar, and how often it should look again.
    calendar.add("name", name)
    calendar.add("refresh-interval", timedelta(days=1), parameters={"VALUE": "DURATION"})
    for schedule in schedules:
        for talk in schedule.talks:
            if only in {"", talk.slug}:
                calendar.add_component(_event(schedule, talk, site))
    return bytes(calendar.to_ical())


def _event(schedule: Schedule, talk: Talk, site: str) -> Event:
    event = Event()
    event.add("uid", f"{schedule.month}-{talk.slug}@{urlsplit(site).netloc}")
    # The stamp is the talk's own start, not the moment of export: the same talks give the same bytes.
    event.add("dtstamp", _utc(talk.start))
    event.add("dtstart", _utc(talk.start))
    event.add("dtend", _utc(talk.end))
    event.add("summary", talk.title)
    event.add("categories", [talk.category])
    event.add("description", f"{talk.category}, level {talk.level}")
    event.add("url", f"{site.rstrip('/')}{schedule.page.address}#{talk.slug}")
    return event


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
