"""Schedules are read as EventBridge reads them, and every next time is the one that a scan of all minutes finds."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.parts.schedule import Rate, ScheduleError, described, read, times


def moment(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def following(text: str, after: str, count: int = 3, zone: str = "UTC") -> list[str]:
    found = islice(times(read(text), moment(after, zone), zone), count)
    return [f"{datetime.fromtimestamp(one, ZoneInfo(zone)):%Y-%m-%d %H:%M}" for one in found]


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        # The example of the post about Step Functions: at 3 and at 14 o'clock, not every second of 3 o'clock.
        ("cron(0 3,14 * * ? *)", "2017-12-31T03:00", ["2017-12-31 14:00", "2018-01-01 03:00", "2018-01-01 14:00"]),
        ("cron(15 10 ? * MON-FRI *)", "2018-01-12T10:15", ["2018-01-15 10:15", "2018-01-16 10:15", "2018-01-17 10:15"]),
        ("cron(0/30 8 ? * 2#1 *)", "2018-01-01T08:00", ["2018-01-01 08:30", "2018-02-05 08:00", "2018-02-05 08:30"]),
        ("cron(0 0 L * ? *)", "2018-01-01T00:00", ["2018-01-31 00:00", "2018-02-28 00:00", "2018-03-31 00:00"]),
        ("cron(0 0 LW * ? *)", "2018-03-01T00:00", ["2018-03-30 00:00", "2018-04-30 00:00", "2018-05-31 00:00"]),
        ("cron(0 0 ? * 6L *)", "2018-01-01T00:00", ["2018-01-26 00:00", "2018-02-23 00:00", "2018-03-30 00:00"]),
        ("cron(0 0 ? * FRI#5 *)", "2018-01-01T00:00", ["2018-03-30 00:00", "2018-06-29 00:00", "2018-08-31 00:00"]),
        # The nearest weekday stays in its month: 1 September 2018 is a Saturday, 30 September a Sunday.
        ("cron(0 0 1W * ? *)", "2018-08-15T00:00", ["2018-09-03 00:00", "2018-10-01 00:00", "2018-11-01 00:00"]),
        ("cron(0 0 30W 9 ? *)", "2018-01-01T00:00", ["2018-09-28 00:00", "2019-09-30 00:00", "2020-09-30 00:00"]),
        ("cron(0 0 29 2 ? *)", "2018-01-01T00:00", ["2020-02-29 00:00", "2024-02-29 00:00", "2028-02-29 00:00"]),
        ("cron(59 23 31 DEC ? 2018,2020)", "2018-01-01T00:00", ["2018-12-31 23:59", "2020-12-31 23:59"]),
        ("cron(0 0 31 2 ? *)", "2018-01-01T00:00", []),
        ("cron(0 0 ? * L *)", "2018-01-01T00:00", ["2018-01-06 00:00", "2018-01-13 00:00", "2018-01-20 00:00"]),
    ],
)  # fmt: skip
def test_the_next_times(text: str, after: str, expected: list[str]) -> None:
    assert following(text, after) == expected


def test_a_time_that_the_clocks_skip_is_skipped() -> None:
    found = following("cron(30 2 * * ? *)", "2018-03-24T12:00", 2, "Europe/Berlin")
    assert found == ["2018-03-26 02:30", "2018-03-27 02:30"]


def test_a_time_that_the_clocks_repeat_happens_once() -> None:
    after = moment("2018-10-27T12:00", "Europe/Berlin")
    found = list(islice(times(read("cron(30 2 * * ? *)"), after, "Europe/Berlin"), 2))
    assert [datetime.fromtimestamp(one, UTC).isoformat() for one in found] == [
        "2018-10-28T00:30:00+00:00",
        "2018-10-29T01:30:00+00:00",
    ]


def test_noon_stays_noon_and_moves_in_utc() -> None:
    found = islice(times(read("cron(0 12 ? * SUN *)"), moment("2018-03-17T00:00"), "Europe/Berlin"), 2)
    assert [datetime.fromtimestamp(one, UTC).hour for one in found] == [11, 10]


def test_a_rate_counts_from_the_start_of_its_rule() -> None:
    found = list(islice(times(read("rate(5 minutes)"), 1000, start=700), 2))
    assert found == [1300, 1600]
    assert next(times(read("rate(1 day)"), 0, start=50)) == 50 + 86_400


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0 3 * * ? *", "A schedule reads cron"),
        ("cron(0 3 * * *)", "six fields (minutes, hours, day, month, weekday, year), this one has 5"),
        ("cron(0 3 * * * *)", "One of the fields for the day of the month and of the week is “?”"),
        ("cron(0 3 ? * ? *)", "One of the fields for the day"),
        ("cron(0 3 1 * MON *)", "One of the fields for the day"),
        ("cron(60 3 * * ? *)", "In the field for the minutes, “60” is not between 0 and 59."),
        ("cron(0 24 * * ? *)", "In the field for the hours, “24” is not between 0 and 23."),
        ("cron(0 0 0 * ? *)", "In the field for the day of the month, “0” is not between 1 and 31."),
        ("cron(0 0 1 13 ? *)", "In the field for the month, “13” is not"),
        ("cron(0 0 ? * 0 *)", "In the field for the day of the week, “0” is not between 1 and 7."),
        ("cron(0 0 ? * MOON *)", "In the field for the day of the week, “MOON”"),
        ("cron(0 0 1 1 ? 1969)", "In the field for the year, “1969” is not between 1970 and 2199."),
        ("cron(10-5 0 * * ? *)", "“10-5” ends before it begins"),
        ("cron(0/0 0 * * ? *)", "“0/0” steps by nothing"),
        ("cron(1,,2 0 * * ? *)", "“” is neither"),
        ("cron(٣ 0 * * ? *)", "“٣” is not between"),
        ("cron(0 0 ? * 2#6 *)", "“2#6” names none of the five weeks"),
        ("cron(0 0 ? * 2#1,3#1 *)", "“#” stands alone"),
        ("cron(0 0 32W * ? *)", "“32” is not between 1 and 31"),
        ("rate(0 minutes)", "from 1"),
        ("rate(5)", "a unit"),
        ("rate(5 weeks)", "“weeks” is no unit"),
        ("rate(1 hours)", "rate(1 hour)"),
        ("rate(5 hour)", "rate(5 hours)"),
    ],
)
def test_a_fault_is_named(text: str, why: str) -> None:
    with pytest.raises(ScheduleError) as refusal:
        read(text)
    assert why in str(refusal.value)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "", "/etc/localtime"])
@pytest.mark.parametrize("text", ["cron(0 0 * * ? *)", "rate(1 hour)"])
def test_an_unknown_time_zone_is_named(text: str, zone: str) -> None:
    with pytest.raises(ScheduleError, match="is no time zone"):
        times(read(text), 0, zone)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("cron(0 3,14 * * ? *)", "At 03:00 and 14:00 UTC every day."),
        ("cron(* * * * ? *)", "Every minute of every hour every day."),
        ("cron(0/15 * ? * MON,FRI *)", "At minute 0, 15, 30 and 45 of every hour on Monday and on Friday."),
        ("cron(5 8 1W * ? *)", "At 08:05 UTC on the weekday nearest to day 1 of the month."),
        ("cron(0/20 8-9 ? * 2 *)", "At 08:00, 08:20, 08:40, 09:00, 09:20 and 09:40 UTC on Monday."),
        ("cron(0/20 8-10 ? * 2 *)", "At minute 0, 20 and 40 of hour 8, 9 and 10 UTC on Monday."),
        ("cron(0 8 ? JAN TUE#2 2018)", "At 08:00 UTC on the second Tuesday of the month in January in 2018."),
        ("cron(0 8 ? * 6L *)", "At 08:00 UTC on the last Friday of the month."),
        ("rate(1 hour)", "Every hour."),
        ("rate(5 minutes)", "Every 5 minutes."),
    ],
)  # fmt: skip
def test_a_schedule_is_told_in_a_sentence(text: str, sentence: str) -> None:
    assert described(read(text)) == sentence


NAMES = {
    "month": ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    "week": ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
}


def field(least: int, greatest: int, names: list[str] | None = None) -> st.SearchStrategy[str]:
    value = st.integers(least, greatest)
    shown = value.map(lambda one: names[one - least]) if names else value.map(str)
    step = st.tuples(value, st.integers(1, 20)).map("{0[0]}/{0[1]}".format)
    ordered = st.tuples(value, value).map(sorted).map("{0[0]}-{0[1]}".format)
    stepped = st.tuples(ordered, st.integers(1, 9)).map("{0[0]}/{0[1]}".format)
    return st.lists(shown | step | ordered | stepped, min_size=1, max_size=3).map(",".join)


MONTH_DAYS = st.sampled_from(["*", "L", "LW", "1W", "15W", "31W", "L,15W"]) | field(1, 31)
WEEK_DAYS = (
    st.sampled_from(["*", "L", "6L", "SUNL", "1L,MON"])
    | st.tuples(st.integers(1, 7), st.integers(1, 5)).map("{0[0]}#{0[1]}".format)
    | field(1, 7, NAMES["week"])
)
DAYS = MONTH_DAYS.map(lambda one: (one, "?")) | WEEK_DAYS.map(lambda one: ("?", one))


def in_field(value: int, text: str, greatest: int, names: list[str] | None = None) -> bool:
    """Whether the field has the value, part by part."""
    for part in text.split(","):
        body, _, step = part.partition("/")
        first, dash, last = body.partition("-")
        numbers = [
            str(names.index(one) + 1) if names and one in names else one for one in (first, last if dash else first)
        ]
        if body == "*":
            low, high = 0, greatest
        else:
            low, high = int(numbers[0]), greatest if step and not dash else int(numbers[1])
        if low <= value <= high and (value - low) % int(step or 1) == 0:
            return True
    return False


def on_month_day(day: datetime, part: str) -> bool:
    last = monthrange(day.year, day.month)[1]
    if not part.endswith("W"):
        return day.day == last if part == "L" else in_field(day.day, part, 31)
    wanted = last if part == "LW" else int(part[:-1])
    workdays = [one for one in range(1, last + 1) if date(day.year, day.month, one).weekday() < 5]
    return wanted <= last and day.day == min(workdays, key=lambda one: abs(one - wanted))


def on_week_day(day: datetime, part: str) -> bool:
    week_day, last = day.isoweekday() % 7 + 1, monthrange(day.year, day.month)[1]
    number, hash_sign, which = part.partition("#")
    if hash_sign:
        return week_day == int(number) and (day.day - 1) // 7 + 1 == int(which)
    if part == "L":
        return week_day == 7
    if part.endswith("L"):
        return in_field(week_day, part[:-1], 7, NAMES["week"]) and day.day + 7 > last
    return in_field(week_day, part, 7, NAMES["week"])


def on_day(day: datetime, month_days: str, week_days: str) -> bool:
    if week_days == "?":
        return month_days == "*" or any(on_month_day(day, part) for part in month_days.split(","))
    return week_days == "*" or any(on_week_day(day, part) for part in week_days.split(","))


@given(
    field(0, 59), field(0, 23), DAYS, st.just("*") | field(1, 12, NAMES["month"]), st.just("*") | st.just("2018"),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]),
    st.sampled_from(["2018-03-08T00:07", "2018-10-25T13:30", "2018-04-01T00:00", "2018-12-30T23:59"]),
)  # fmt: skip
@settings(max_examples=60)
def test_a_scan_of_all_minutes_finds_the_same_times(
    minutes: str, hours: str, days: tuple[str, str], months: str, years: str, zone: str, after: str
) -> None:
    begin, place = moment(after), ZoneInfo(zone)
    span = 8 * 1440
    expected = []
    for count in range(1, span):
        at = begin + 60 * count
        local = datetime.fromtimestamp(at, place)
        if (
            in_field(local.minute, minutes, 59)
            and in_field(local.hour, hours, 23)
            and in_field(local.month, months, 12, NAMES["month"])
            and in_field(local.year, years, 2199)
            and on_day(local, *days)
            and local.fold == 0
        ):
            expected.append(at)
    schedule = read(f"cron({minutes} {hours} {days[0]} {months} {days[1]} {years})")
    found = []
    for at in times(schedule, begin, zone):
        if at >= begin + 60 * span:
            break
        found.append(at)
    assert found == expected


@given(st.integers(2, 1000), st.sampled_from(["minute", "hour", "day"]), st.floats(0, 1e9), st.floats(0, 1e6))
def test_a_rate_comes_again_after_its_time_and_never_before_now(
    value: int, unit: str, start: float, wait: float
) -> None:
    rate = read(f"rate({value} {unit}s)")
    assert isinstance(rate, Rate)
    first, second = islice(times(rate, start + wait, start=start), 2)
    assert first > start + wait
    assert first <= start + wait + rate.seconds + 1e-3
    assert second - first == pytest.approx(rate.seconds)
