"""The course's pages: lessons with their checks, progress, the schedule and its calendar."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar
from PIL import Image

from content.shelf import Shelf

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


NOTE = """---
title: A note with a picture
summary: A summary.
kind: trend
lang: en
---

![A red square.](Red%20One.png)
"""


@pytest.fixture
def pictured(app: Flask, tmp_path: Path) -> Path:
    """A library of one note with a picture beside it, in the application's place; its folder."""
    notes = tmp_path / "content" / "notes"
    notes.mkdir(parents=True)
    (notes / "2018-01-red.md").write_text(NOTE, "utf-8")
    Image.new("RGB", (8, 8), "red").save(notes / "Red One.png")
    app.extensions["library"] = Shelf(tmp_path / "content")
    return notes


def test_a_picture_beside_a_note_is_shown(app: Flask, client: FlaskClient, pictured: Path) -> None:
    assert app.extensions["library"].errors() == ()
    page = client.get("/notes/2018-01-red").text
    [address] = re.findall(r'<img src="([^"]+)" alt="A red square\."', page)
    answer = client.get(address)
    assert (answer.status_code, answer.mimetype) == (200, "image/png")
    assert answer.data == (pictured / "Red One.png").read_bytes()
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    again = client.get(address, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.headers["Cache-Control"]) == (304, "public, no-cache")


@pytest.mark.parametrize(
    "name",
    [
        "notes/2018-01-red.md",
        "notes/gone.png",
        "notes/_draft.png",
        "../secret.png",
        "%2e%2e/secret.png",
        "/etc/secret.png",
        "notes/..%2f..%2fsecret.png",
    ],
)
def test_nothing_but_the_librarys_pictures_is_served(
    client: FlaskClient, pictured: Path, tmp_path: Path, name: str
) -> None:
    for path in (pictured / "_draft.png", tmp_path / "secret.png"):
        path.write_bytes((pictured / "Red One.png").read_bytes())
    assert client.get(f"/learn/pictures/{name}").status_code in {308, 404}
