"""The schedule of talks: filters, zones, overlaps, lessons, and calendars that other programs can read."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import vobject
from flask.testing import FlaskClient

from content.timetable import Talk, overlaps

MONTH = "/talks/2018-01"


def _titles(page: str) -> list[str]:
    return re.findall(r'<h3 class="talk-title"[^>]*>([^<]+)</h3>', page)


def test_all_21_talks_stand_by_day_and_by_category(client: FlaskClient) -> None:
    by_day, by_category = client.get(MONTH).text, client.get(f"{MONTH}?by=category").text
    assert len(_titles(by_day)) == 21
    assert sorted(_titles(by_day)) == sorted(_titles(by_category))
    assert by_day.count('class="schedule-day"') == 8
    assert by_category.count('class="schedule-day"') == 13


@pytest.mark.parametrize(
    ("query", "count"), [("level=400", 1), ("level=100", 1), ("category=Compute", 3), ("category=Compute&level=300", 1)]
)
def test_filters_narrow_the_schedule(client: FlaskClient, query: str, count: int) -> None:
    assert len(_titles(client.get(f"{MONTH}?{query}").text)) == count


def test_a_filter_that_leaves_nothing_says_so(client: FlaskClient) -> None:
    assert "choose a wider filter" in client.get(f"{MONTH}?category=Mobile&level=400").text


def test_times_are_shown_in_the_chosen_zone_and_days_follow(client: FlaskClient) -> None:
    page = client.get(f"{MONTH}?zone=Asia/Tokyo").text
    # 13:00 on Monday in Los Angeles is 06:00 on Tuesday in Tokyo.
    assert '<time datetime="2018-01-23T06:00:00+09:00">06:00</time>' in page
    assert "Tuesday, January 23, 2018" in page
    assert "Monday, January 22, 2018" not in page
    assert "times in Asia/Tokyo" in client.get(MONTH).text
    assert client.get(f"{MONTH}?zone=Mars/Olympus").status_code == 400


def test_every_talk_leads_to_lessons_that_are_there(client: FlaskClient) -> None:
    page = client.get(MONTH).text
    assert page.count("Read on its subject:") == 21
    addresses = set(re.findall(r'href="(/learn/[^"]+)"', page))
    assert len(addresses) > 10
    for address in addresses:
        assert client.get(address).status_code == 200, address


@pytest.mark.parametrize("address", [f"{MONTH}.ics", "/talks.ics"])
def test_another_parser_reads_21_events_at_the_right_instants(client: FlaskClient, address: str) -> None:
    answer = client.get(address)
    assert answer.mimetype == "text/calendar"
    calendar = vobject.readOne(answer.data.decode())
    events = {event.summary.value: event for event in calendar.vevent_list}
    assert len(events) == 21
    for title, start, minutes in (
        ("Deep Dive on Amazon Neptune", datetime(2018, 1, 22, 21, 0, tzinfo=UTC), 45),
        ("Overview of Serverless Application Deployment Patterns", datetime(2018, 1, 23, 21, 0, tzinfo=UTC), 60),
        ("How to Build a Data Lake in Amazon S3 & Amazon Glacier", datetime(2018, 2, 1, 19, 0, tzinfo=UTC), 45),
    ):
        assert events[title].dtstart.value == start
        assert events[title].dtend.value == start + timedelta(minutes=minutes)
        assert events[title].url.value.startswith("http://localhost/talks/2018-01#")
    assert len({event.uid.value for event in events.values()}) == 21


def test_one_talk_is_one_event(client: FlaskClient) -> None:
    page = client.get(MONTH).text
    address = re.search(r'href="(/talks/2018-01/[^"]+\.ics)"', page)
    assert address
    assert client.get(address[1]).data.count(b"BEGIN:VEVENT") == 1
    assert client.get("/talks/2018-01/none.ics").status_code == 404


def _talk(slug: str, hour: int, minutes: int) -> Talk:
    start = datetime(2018, 1, 22, hour, 0, tzinfo=ZoneInfo("America/Los_Angeles"))
    return Talk(slug, slug, "C", 200, start, start + timedelta(minutes=minutes))


def test_talks_that_overlap_know_each_other() -> None:
    one, two, three = _talk("a", 9, 90), _talk("b", 10, 45), _talk("c", 11, 45)
    assert overlaps([three, one, two]) == {"a": (two,), "b": (one,)}


def test_talks_end_to_end_do_not_overlap() -> None:
    assert overlaps([_talk("a", 9, 60), _talk("b", 10, 60)]) == {}
