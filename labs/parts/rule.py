"""A rule that starts something on a schedule, written as EventBridge Scheduler writes it, and the times it fires at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from zoneinfo import ZoneInfo

from labs.parts import schedule, texts

NAMES = ("ScheduleExpression", "ScheduleExpressionTimezone")


@dataclass(frozen=True)
class Rule:
    """A schedule and its time zone."""

    schedule: schedule.Cron | schedule.Rate
    zone: ZoneInfo

    def times(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Yield the times after one moment and before another, in the rule's zone; a rate counts from the first."""
        begin = after.timestamp()
        moments = schedule.times(self.schedule, begin, self.zone.key, begin)
        for moment in takewhile(lambda moment: moment < until.timestamp(), moments):
            yield datetime.fromtimestamp(moment, self.zone)

    def __str__(self) -> str:
        return schedule.described(self.schedule, self.zone.key)


def read(parameter: str, text: str) -> Rule:
    """Return the rule in a parameter's text; raise Refused with the place of the fault."""
    found = texts.read(parameter, text)
    unknown = [name for name in found.fields if name not in NAMES]
    if unknown:
        raise found.refused((name, f"A rule has no {name}; it has {' and '.join(NAMES)}.") for name in unknown)
    expression, zone = found.fields.get(NAMES[0]), found.fields.get(NAMES[1], "UTC")
    if not isinstance(expression, str):
        raise found.refused([(NAMES[0], f"{NAMES[0]} is a text such as cron(0 3,14 * * ? *).")])
    if not isinstance(zone, str):
        raise found.refused([(NAMES[1], f"{NAMES[1]} is a text such as Europe/Berlin.")])
    try:
        place = schedule.time_zone(zone)
    except schedule.ScheduleError as error:
        raise found.refused([(NAMES[1], str(error))]) from None
    try:
        return Rule(schedule.read(expression), place)
    except schedule.ScheduleError as error:
        raise found.refused([(NAMES[0], str(error))]) from None
