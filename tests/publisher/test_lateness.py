"""Issues that are too late to go out by themselves: which they are, and that editors are told of each once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

from publisher import claims, lateness, schedule
from publisher.models import SubscriberRow
from tests.conftest import MovableClock

IN_TIME, TOO_LATE = datetime(2018, 2, 8, 6, 0, tzinfo=UTC), datetime(2018, 2, 8, 6, 1, tzinfo=UTC)


def subscribe(app: Flask, when: datetime) -> None:
    texts = {"id": "ada", "email": "ada@example.org", "channel": "link", "state": "active", "language": "en"}
    same = {"kindle": "", "country": "DE", "reason": "", "domain": "example.org"}
    with app.extensions["database"].writing() as connection:
        connection.execute(insert(SubscriberRow).values(**texts, **same, created_at=when, changed_at=when))


def sweep(app: Flask) -> None:
    with app.app_context():
        schedule.sweep(app)


def late(app: Flask, now: datetime) -> list[tuple[str, str]]:
    with app.test_request_context(), app.extensions["database"].reading() as connection:
        found = lateness.find(connection, ["2018-01", "2018-02"], now, schedule.sources.is_public)
        return [(one.month, one.why) for one in found]


def mails(app: Flask) -> list[EmailMessage]:
    folder = app.extensions["settings"].instance / "outbox"
    paths = sorted(folder.iterdir()) if folder.exists() else []
    return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths]


def test_an_archive_that_everybody_can_read_is_not_late(app: Flask, promote: Callable[[str], FlaskClient]) -> None:
    ina = promote("ina")
    sweep(app)
    subscribe(app, app.extensions["clock"]())
    assert late(app, TOO_LATE) == []
    assert "too late to go out" not in ina.get("/studio/issues").text
    assert mails(app) == []


def test_an_issue_that_could_not_be_built_for_a_week_is_late_and_told_once(
    app: Flask, clock: MovableClock, promote: Callable[[str], FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    ina = promote("ina")
    promote("ben")

    def fail(_month: str, _report: object) -> None:
        raise ValueError("2018-02.toml: no such article.")

    monkeypatch.setattr("publisher.sources.build", fail)
    clock.now = IN_TIME
    sweep(app)
    assert [one for one in late(app, clock()) if one[0] == "2018-02"] == []
    clock.now = TOO_LATE
    sweep(app)
    sweep(app)
    assert ("2018-02", "unbuilt") in late(app, clock())
    assert sorted(mail["To"] for mail in mails(app)) == ["ben@example.org"] * 2 + ["ina@example.org"] * 2
    [last] = [mail for mail in mails(app) if mail["To"] == "ina@example.org" and "February" in str(mail)]
    assert "late and not built: 2018-02.toml: no such article." in " ".join(last.get_content().split())
    assert "The issue of February 2018 is late and not built" in ina.get("/studio/issues").text


def test_readers_who_subscribed_in_time_are_what_makes_a_public_issue_late(app: Flask, clock: MovableClock) -> None:
    subscribe(app, datetime(2018, 1, 20, tzinfo=UTC))
    clock.now = TOO_LATE
    sweep(app)
    assert late(app, IN_TIME) == []
    assert late(app, clock()) == [("2018-02", "unsent")]


def test_an_issue_that_nobody_approves_is_late(app: Flask, clock: MovableClock) -> None:
    clock.now = TOO_LATE
    app.test_client().get("/issues/2018-01")
    app.extensions["settings"] = replace(app.extensions["settings"], approval=True)
    assert late(app, clock()) == [("2018-01", "unapproved"), ("2018-02", "unbuilt")]


def test_of_two_processes_one_tells(app: Flask, clock: MovableClock) -> None:
    database = app.extensions["database"]
    claims.fill(database, ["2018-01"], clock())
    for month in ("2018-01", "2018-02"):
        with database.writing() as connection:
            assert [lateness.mark_told(database, connection, month) for _ in range(2)] == [True, False]
