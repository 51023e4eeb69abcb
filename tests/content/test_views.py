"""The course's pages: lessons with their checks, progress, the schedule and its calendar."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

from flask.testing import FlaskClient
from icalendar import Calendar

COURSE = "/learn/solutions-architect-associate"


def test_a_lesson_shows_its_text_and_its_checks(client: FlaskClient) -> None:
    page = client.get(f"{COURSE}/resilient-architectures/durable-storage").text
    assert page.count("<h1") == 1
    assert page.count('<form class="check') == 3


def test_reading_changes_nothing_and_finishing_leads_on(client: FlaskClient, post: Callable[..., object]) -> None:
    client.get(f"{COURSE}/resilient-architectures/durable-storage")
    assert client.get_cookie("archway") is not None
    answer = post(client, f"{COURSE}/resilient-architectures/durable-storage/finished")
    assert answer.headers["Location"].endswith(f"{COURSE}/resilient-architectures/decoupling")
    assert "✓ read" in client.get(COURSE).text
    assert "Continue with" in client.get("/").text


def test_a_guests_progress_is_kept_at_sign_up(client: FlaskClient, post: Callable[..., object]) -> None:
    post(client, f"{COURSE}/resilient-architectures/durable-storage/finished")
    post(client, "/sign-up", name="Ada", email="ada@example.org", password="a calm long sentence")
    assert "✓ read" in client.get(COURSE).text


def test_progress_is_ones_own(
    client: FlaskClient, people: Callable[[str], FlaskClient], post: Callable[..., object]
) -> None:
    post(people("ada"), f"{COURSE}/resilient-architectures/durable-storage/finished")
    assert "✓ read" not in people("bob").get(COURSE).text
    assert "✓ read" not in client.get(COURSE).text


def test_the_schedule_shows_all_21_talks(client: FlaskClient) -> None:
    page = client.get("/talks/2018-01").text
    assert len(re.findall(r'class="talk"', page)) == 21


def test_the_calendar_has_the_right_instants(client: FlaskClient) -> None:
    answer = client.get("/talks/2018-01.ics")
    assert answer.mimetype == "text/calendar"
    events = {str(event["summary"]): event for event in Calendar.from_ical(answer.data).walk("VEVENT")}
    assert len(events) == 21
    neptune = events["Deep Dive on Amazon Neptune"]
    assert neptune.decoded("dtstart") == datetime(2018, 1, 22, 21, 0, tzinfo=UTC)
    assert neptune.decoded("dtend") == datetime(2018, 1, 22, 21, 45, tzinfo=UTC)
    assert len({str(event["uid"]) for event in events.values()}) == 21


def test_one_talk_can_be_taken_alone(client: FlaskClient) -> None:
    link = re.search(r'href="(/talks/2018-01/[^"]+\.ics)"', client.get("/talks/2018-01").text)
    assert link
    assert client.get(link[1]).data.count(b"BEGIN:VEVENT") == 1


def test_the_startups_are_shown(client: FlaskClient) -> None:
    page = client.get("/startups/2018-02").text
    assert all(name in page for name in ("Canva", "Figma", "InVision"))


def test_what_is_not_there_is_said_in_a_sentence(client: FlaskClient) -> None:
    for address in ("/learn/none", f"{COURSE}/none/", f"{COURSE}/resilient-architectures/none", "/talks/2017-01"):
        answer = client.get(address)
        assert answer.status_code == 404
        assert "Traceback" not in answer.text
