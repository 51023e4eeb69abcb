"""Schedulers that are killed again and again build each due issue once; one that slept too long writes nothing."""

from __future__ import annotations

import math
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from db import Base, Database
from publisher import store
from publisher.models import DeliveryRow, SubscriberRow
from tests.databases import Databases
from tests.faults.issue_schedulers import LEASE_IN_SECONDS, SAVED, SECONDS_A_MONTH, months

SCHEDULERS, READERS, STOPPED = 4, 3, 5
SLOW = LEASE_IN_SECONDS * 1.2
"""The longest build, in seconds: one of six or so outlasts its lease."""


@pytest.fixture
def database(tmp_path: Path, databases: Databases) -> Iterator[Database]:
    made = Database(databases.address(tmp_path))
    Base.metadata.create_all(made.engine)
    SAVED.create(made.engine)
    yield made
    made.engine.dispose()


@dataclass
class Schedulers:
    """Processes that tick on one database, by owner."""

    program: subprocess.Popen[str]
    log: Path
    running: dict[str, int] = field(default_factory=dict)

    def start(self, owner: str, longest: float) -> None:
        assert self.program.stdin is not None
        assert self.program.stdout is not None
        self.program.stdin.write(f"{owner} {longest}\n")
        self.program.stdin.flush()
        self.running[owner] = int(self.program.stdout.readline())

    def signal(self, owner: str, number: int) -> None:
        os.kill(self.running[owner], number)

    def kill(self, owner: str) -> None:
        self.signal(owner, signal.SIGKILL)
        del self.running[owner]

    def said(self, word: str, owner: str = "") -> int:
        lines = self.log.read_text("utf-8").splitlines() if self.log.exists() else []
        return sum(line.startswith(f"{word} {owner}") for line in lines)


@contextmanager
def schedulers(database: Database, folder: Path, number: int, *mode: str) -> Iterator[Schedulers]:
    """Let ``number`` months become due, one each SECONDS_A_MONTH, and yield who will build them."""
    url = database.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.faults.issue_schedulers", url, str(folder / "log"), str(time.time())]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    program = subprocess.Popen([*command, str(number), *mode], text=True, **pipes)  # type: ignore[call-overload]
    found = Schedulers(program, folder / "log")
    try:
        yield found
    finally:
        for owner in list(found.running):
            found.kill(owner)
        program.communicate()


def wait_until(true: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def saved(database: Database) -> list[tuple[str, str]]:
    """Return (month, owner) for each time that an issue was kept."""
    with database.reading() as connection:
        return [(month, owner) for month, owner in connection.execute(select(SAVED.c.month, SAVED.c.owner))]


def built(database: Database) -> set[str]:
    return {month for month, _owner in saved(database)}


def subscribe(database: Database) -> None:
    same = {"channel": "link", "kindle": "", "domain": "example.org", "language": "en", "country": "DE"}
    now = datetime(2000, 1, 1, tzinfo=UTC)
    rows = [{"id": f"{number:024d}", "email": f"{number}@example.org"} for number in range(READERS)]
    state = {"state": "active", "reason": "", "created_at": now, "changed_at": now}
    with database.writing() as connection:
        connection.execute(insert(SubscriberRow), [{**row, **same, **state} for row in rows])


def queued(database: Database) -> dict[str, int]:
    """Return how many mails there are by month."""
    by_month = select(DeliveryRow.occasion, func.count()).group_by(DeliveryRow.occasion)
    with database.reading() as connection:
        return {row[0]: row[1] for row in connection.execute(by_month)}


def kill_and_replace(found: Schedulers, kills: int) -> None:
    """Kill one scheduler after another at moments of chance, each time starting another in its place."""
    chance = random.Random(kills)
    for number in range(SCHEDULERS):
        found.start(f"{number}", SLOW)
    wait_until(lambda: found.said("builds") > 0)
    for number in range(SCHEDULERS, SCHEDULERS + kills):
        time.sleep(chance.uniform(0, 2 * SECONDS_A_MONTH))
        found.kill(chance.choice(list(found.running)))
        found.start(f"{number}", SLOW)


def test_each_due_issue_is_built_and_announced_once_under_kills(
    database: Database, tmp_path: Path, sized: Callable[[int, int], int]
) -> None:
    kills = sized(12, 200)
    due = months(kills)
    subscribe(database)
    with schedulers(database, tmp_path, kills) as found:
        kill_and_replace(found, kills)
        wait_until(lambda: built(database) == set(due), 120 + kills)
        wait_until(lambda: len(queued(database)) == kills)
        builds = found.said("builds")
    assert Counter(month for month, _owner in saved(database)) == dict.fromkeys(due, 1)
    assert queued(database) == dict.fromkeys(due, READERS)
    with database.reading() as connection:
        assert [(run.month, run.state) for run in store.runs(connection)] == [(month, "done") for month in due]
    # Otherwise no kill and no lease ended in the middle of a build, and nothing was tried.
    assert builds > kills


def test_the_control_without_the_claims_conditions_issues_are_built_twice(database: Database, tmp_path: Path) -> None:
    with schedulers(database, tmp_path, 3, "hasty") as found:
        for number in range(SCHEDULERS):
            found.start(f"{number}", SLOW)
        wait_until(lambda: len(built(database)) == 3)
        wait_until(lambda: max(Counter(month for month, _owner in saved(database)).values()) > 1)


def stop_holders(found: Schedulers, number: int) -> list[str]:
    """Let schedulers begin builds that last past their leases, stop each in the middle, and let another do the work."""
    holders = [f"holder{place}" for place in range(number)]
    for holder in holders:
        found.start(holder, math.inf)
        wait_until(lambda: found.said("builds", holder) > 0)  # noqa: B023 (asked before the next turn)
        found.signal(holder, signal.SIGSTOP)
    found.start("next", 0)
    return holders


def wake(found: Schedulers, holders: list[str]) -> None:
    """Let stopped schedulers go on, and wait until each has ended its build."""
    ticks = {holder: found.said("ticked", holder) for holder in holders}
    for holder in holders:
        found.signal(holder, signal.SIGCONT)
    found.log.with_name("wake").touch()
    wait_until(lambda: all(found.said("ticked", holder) > ticks[holder] for holder in holders))


def test_schedulers_that_were_stopped_past_their_leases_write_nothing(
    database: Database, tmp_path: Path, sized: Callable[[int, int], int]
) -> None:
    due = months(STOPPED)
    for turn in range(sized(1, 20)):
        folder = tmp_path / f"{turn}"
        folder.mkdir()
        _empty(database)
        with schedulers(database, folder, STOPPED) as found:
            holders = stop_holders(found, STOPPED)
            wait_until(lambda: built(database) == set(due))
            wake(found, holders)
        assert sorted(saved(database)) == [(month, "next") for month in due]
        with database.reading() as connection:
            assert {(book.month, book.title) for book in store.published(connection)} == set(saved(database))


def test_the_control_without_the_claims_conditions_a_stopped_scheduler_writes(
    database: Database, tmp_path: Path
) -> None:
    with schedulers(database, tmp_path, 1, "hasty") as found:
        holders = stop_holders(found, 1)
        wait_until(lambda: bool(saved(database)))
        found.kill("next")
        wake(found, holders)
    assert {"next", "holder0"} <= {owner for _month, owner in saved(database)}


def _empty(database: Database) -> None:
    with database.writing() as connection:
        for table in [*reversed(Base.metadata.sorted_tables), SAVED]:
            connection.execute(table.delete())
