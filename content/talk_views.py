"""The schedules of talks: by day or by category, in the reader's own zone, and as calendars one can subscribe to."""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import ZoneInfo, available_timezones

from flask import Response, abort, make_response, redirect, render_template, request, url_for
from flask_babel import format_date
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from content import calendar
from content.blueprint import library, routes
from content.library import Schedule
from content.timetable import LEVELS, Talk, overlaps
from web import cookies

ZONE_COOKIE = "zone"


@routes.get("/talks")
def talks() -> Answer:
    """Lead to the newest schedule."""
    schedules = library().schedules
    if not schedules:
        abort(404, _("There is no schedule of talks yet."))
    return redirect(url_for("content.schedule", month=schedules[-1].month), 302)


@routes.get("/talks/<month>")
def schedule(month: str) -> Response:
    """Show a month's talks, all or those of one level or category, in the reader's zone."""
    found = _schedule(month)
    zone, chosen = _zone(found)
    by = "category" if request.args.get("by") == "category" else "day"
    level, category = request.args.get("level", ""), request.args.get("category", "")
    shown = [talk for talk in found.talks if level in {"", str(talk.level)} and category in {"", talk.category}]
    answer = make_response(
        render_template(
            "content/schedule.html",
            schedule=found,
            groups=_by_category(shown) if by == "category" else _by_day(shown, zone),
            shown=len(shown),
            by=by,
            level=level,
            category=category,
            levels=LEVELS,
            categories=sorted({talk.category for talk in found.talks}),
            zone=zone,
            zones=sorted(available_timezones()),
            zone_is_chosen=chosen,
            overlaps=overlaps(found.talks),
        )
    )
    if request.args.get("zone") == zone.key:
        cookies.keep(answer, ZONE_COOKIE, zone.key)
    return answer


@routes.get("/talks.ics")
def every_calendar() -> Response:
    """Serve the talks of every month as one calendar, for programs that subscribe."""
    data = calendar.to_icalendar(library().schedules, request.url_root, _("Archway: talks"))
    return _calendar(data, "talks.ics")


@routes.get("/talks/<month>.ics")
def schedule_calendar(month: str) -> Response:
    """Serve a month's talks as a calendar one can import or subscribe to."""
    found = _schedule(month)
    return _calendar(calendar.to_icalendar([found], request.url_root, found.page.title), f"talks-{month}.ics")


@routes.get("/talks/<month>/<talk_slug>.ics")
def talk_calendar(month: str, talk_slug: str) -> Response:
    """Serve one talk as a calendar."""
    found = _schedule(month)
    if not any(talk.slug == talk_slug for talk in found.talks):
        abort(404, _("There is no such talk in this month's schedule."))
    data = calendar.to_icalendar([found], request.url_root, found.page.title, only=talk_slug)
    return _calendar(data, f"{talk_slug}.ics")


def _schedule(month: str) -> Schedule:
    found = next((one for one in library().schedules if one.month == month), None)
    if found is None:
        abort(404, _("There is no schedule of talks for this month."))
    return found


def _zone(found: Schedule) -> tuple[ZoneInfo, bool]:
    """Return the zone to show times in, and whether the reader chose it; else it is that of the schedule."""
    asked = request.args.get("zone")
    if asked and asked not in available_timezones():
        abort(400, _("There is no time zone of that name; choose one from the list, as in Europe/Sofia."))
    kept = asked or cookies.kept(ZONE_COOKIE)
    return (ZoneInfo(kept), True) if kept in available_timezones() else (ZoneInfo(found.zone), False)


def _by_day(talks: Iterable[Talk], zone: ZoneInfo) -> dict[str, list[Talk]]:
    days: dict[str, list[Talk]] = {}
    for talk in sorted(talks, key=lambda talk: talk.start):
        days.setdefault(format_date(talk.start.astimezone(zone).date(), "full"), []).append(talk)
    return days


def _by_category(talks: Iterable[Talk]) -> dict[str, list[Talk]]:
    categories: dict[str, list[Talk]] = {}
    for talk in sorted(talks, key=lambda talk: (talk.category, talk.start)):
        categories.setdefault(talk.category, []).append(talk)
    return categories


def _calendar(data: bytes, name: str) -> Response:
    answer = Response(data, content_type="text/calendar; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
