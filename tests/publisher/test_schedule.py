"""The schedule: what is due, one build whoever ticks, dead and stale builders, failures, and downtime."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from db import Base, Database
from publisher import claims, schedule, store
from publisher.epub import Edition
from publisher.models import IssueRow, RunRow
from publisher.news import Printed
from publisher.progress import Report, Stage, to_nobody
from tests.databases import Databases

MONTHS = ("2018-01", "2018-02", "2018-04")
TICKER = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from db import Database
from publisher import schedule
from publisher.epub import Edition
from publisher.news import Printed

def build(month, report):
    with Path(sys.argv[2]).open("a") as log:
        log.write(month + "\\n")
    return Edition(month, "T", b"e", "s", "m", b"k", b"c", Printed(month), None)

sys.stdin.readline()
now = datetime(2018, 2, 12, tzinfo=UTC)
schedule.tick(Database(sys.argv[1]), lambda: now, ("2018-01", "2018-02"), build, sys.argv[3])
"""


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2018, 2, 12, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Press:
    """Builds at once and remembers what it built; ``during`` runs in the middle of each build."""

    def __init__(self, during: Callable[[], object] = lambda: None, name: str = "T") -> None:
        self.built: list[str] = []
        self.during, self.name = during, name

    def __call__(self, month: str, _report: Report = to_nobody) -> Edition:
        self.built.append(month)
        self.during()
        return Edition(month, self.name, b"book", "sha", "manifest", b"kindle", b"cover", Printed(month), None)


@pytest.fixture
def moment() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path, databases: Databases) -> Iterator[Database]:
    found = Database(databases.address(tmp_path))
    Base.metadata.create_all(found.engine)
    yield found
    found.engine.dispose()


def titles(database: Database) -> dict[str, str]:
    with database.reading() as connection:
        return {one.month: one.title for one in store.published(connection)}


def states(database: Database) -> dict[str, tuple[str, str]]:
    with database.reading() as connection:
        return {run.month: (run.state, run.failure) for run in store.runs(connection)}


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (datetime(2018, 1, 1, 5, 59, tzinfo=UTC), ()),
        (datetime(2018, 1, 1, 6, 0, tzinfo=UTC), ("2018-01",)),
        (datetime(2018, 3, 31, tzinfo=UTC), ("2018-01", "2018-02")),
        (datetime(2026, 1, 1, tzinfo=UTC), MONTHS),
    ],
)
def test_a_month_with_content_is_due_from_its_first_day_on(now: datetime, due: tuple[str, ...]) -> None:
    assert schedule.due_months(reversed(MONTHS), now) == due


def test_the_first_tick_builds_every_month_that_came_due_once(database: Database, moment: Clock) -> None:
    press = Press()
    assert schedule.tick(database, moment, MONTHS, press, "a") == ("2018-01", "2018-02")
    assert schedule.tick(database, moment, MONTHS, press, "b") == ()
    assert press.built == ["2018-01", "2018-02"]
    assert states(database) == {"2018-01": ("done", ""), "2018-02": ("done", "")}


def test_a_month_that_came_due_while_nothing_ran_is_built_at_the_next_tick(database: Database, moment: Clock) -> None:
    schedule.tick(database, moment, MONTHS, Press(), "a")
    moment.now += timedelta(days=400)
    assert schedule.tick(database, moment, MONTHS, Press(), "a") == ("2018-04",)


def test_an_issue_that_a_reader_asked_for_first_is_not_built_again(database: Database, moment: Clock) -> None:
    with database.writing() as connection:
        store.save(database, connection, Press(name="early")("2018-01"), moment())
    assert schedule.tick(database, moment, MONTHS, Press(), "a") == ("2018-02",)
    assert titles(database)["2018-01"] == "early"


def test_ticks_at_once_in_threads_build_once(database: Database, moment: Clock) -> None:
    press, barrier = Press(), threading.Barrier(8)

    def tick(name: int) -> None:
        barrier.wait()
        schedule.tick(database, moment, MONTHS, press, str(name))

    threads = [threading.Thread(target=tick, args=[name]) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(press.built) == ["2018-01", "2018-02"]


def test_ticks_at_once_in_processes_build_once(database: Database, tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-c", TICKER, database.url, str(log)]
    processes = [
        subprocess.Popen(
            [*command, str(n)], stdin=subprocess.PIPE, stderr=subprocess.PIPE, env={"PYTHONPATH": str(Path.cwd())}
        )
        for n in range(3)
    ]
    # They wait for a line, so that the slowest to import does not come after the others have finished.
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    assert [process.communicate()[1] for process in processes] == [b""] * 3
    assert sorted(log.read_text().split()) == ["2018-01", "2018-02"]


def test_a_builder_that_is_killed_in_the_middle_leaves_its_month_to_the_next(
    database: Database, tmp_path: Path, moment: Clock
) -> None:
    hang = TICKER.replace("    return", "    sys.stdin.read()\n    return")
    command = [sys.executable, "-c", hang, database.url, str(tmp_path / "log"), "killed"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, env={"PYTHONPATH": str(Path.cwd())})
    assert process.stdin is not None
    process.stdin.write(b"go\n")
    process.stdin.flush()
    while not (tmp_path / "log").exists():
        assert process.poll() is None
    process.kill()
    process.wait()
    process.stdin.close()
    assert states(database)["2018-01"] == ("building", "")
    moment.now += claims.LEASE
    assert schedule.tick(database, moment, ["2018-01"], Press(), "next") == ("2018-01", "2018-02")


def test_of_two_that_saw_the_same_month_one_takes_it(database: Database, moment: Clock) -> None:
    claims.fill(database, ["2018-01"], moment())
    with database.reading() as connection:
        seen_by_both = [claims.waiting(connection, moment()) for _ in range(2)]
    assert seen_by_both == [["2018-01"]] * 2
    taken = [claims.take(database, "2018-01", owner, moment()) for owner in ("a", "b")]
    assert taken == [claims.Claim("2018-01", "a", 1), None]


def test_a_month_whose_builder_died_is_taken_over_after_its_lease(database: Database, moment: Clock) -> None:
    claims.fill(database, ["2018-01"], moment())
    assert claims.take(database, "2018-01", "dead", moment()) is not None
    moment.now += claims.LEASE - timedelta(seconds=1)
    assert schedule.tick(database, moment, ["2018-01"], Press(), "living") == ()
    moment.now += timedelta(seconds=1)
    assert schedule.tick(database, moment, ["2018-01"], Press(), "living") == ("2018-01",)


def test_a_builder_that_was_stopped_for_longer_than_its_lease_writes_nothing(database: Database, moment: Clock) -> None:
    def sleep_while_another_builds() -> None:
        moment.now += claims.LEASE
        assert schedule.tick(database, moment, ["2018-01"], Press(name="successor"), "b") == ("2018-01",)

    stale = Press(during=sleep_while_another_builds, name="stale")
    assert schedule.tick(database, moment, ["2018-01"], stale, "a") == ()
    assert titles(database) == {"2018-01": "successor"}


@pytest.mark.parametrize("successor", [False, True])
def test_a_finish_after_the_lease_is_refused(database: Database, moment: Clock, successor: bool) -> None:
    claims.fill(database, ["2018-01"], moment())
    claim = claims.take(database, "2018-01", "a", moment())
    assert claim is not None
    moment.now += claims.LEASE
    if successor:
        # The same owner again: only the token tells the two claims apart.
        claims.take(database, "2018-01", "a", moment())
    with database.writing() as connection:
        assert not claims.finish(connection, claim, moment())
    assert states(database)["2018-01"][0] == "building"


def test_a_stale_builder_that_fails_does_not_free_its_successors_claim(database: Database, moment: Clock) -> None:
    claims.fill(database, ["2018-01"], moment())
    stale = claims.take(database, "2018-01", "a", moment())
    moment.now += claims.LEASE
    claims.take(database, "2018-01", "b", moment())
    assert stale is not None
    claims.release(database, stale, "late", moment())
    assert states(database)["2018-01"] == ("building", "")


def test_a_failed_build_frees_its_month_says_why_and_does_not_stop_the_others(
    database: Database, moment: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(month: str, _report: Report) -> Edition:
        if month == "2018-01":
            raise ValueError("2018-01.toml: no such article.")
        return Press()(month)

    assert schedule.tick(database, moment, MONTHS, fail, "a") == ("2018-02",)
    assert states(database)["2018-01"] == ("waiting", "2018-01.toml: no such article.")
    assert "2018-01 could not be built" in caplog.text
    assert schedule.tick(database, moment, MONTHS, Press(), "a") == ()
    moment.now += claims.PAUSE
    assert schedule.tick(database, moment, MONTHS, Press(), "a") == ("2018-01",)
    assert states(database)["2018-01"] == ("done", "")


def test_a_tick_with_nothing_to_do_writes_nothing(database: Database, moment: Clock) -> None:
    schedule.tick(database, moment, MONTHS, Press(), "a")
    with database.writing() as connection:
        before = list(connection.execute(select(RunRow.month, RunRow.token, RunRow.lease_until)))
        # Were the next tick to write, it would wait for this lock and fail.
        assert schedule.tick(database, moment, MONTHS, Press(), "b") == ()
    with database.reading() as connection:
        assert list(connection.execute(select(RunRow.month, RunRow.token, RunRow.lease_until))) == before


def test_the_bytes_are_kept_with_the_end_of_the_run(database: Database, moment: Clock) -> None:
    schedule.tick(database, moment, ["2018-01"], Press(), "a")
    with database.reading() as connection:
        row = connection.execute(select(IssueRow.size, IssueRow.built_at)).one()
        assert tuple(row) == (4, moment())
        assert store.epub(connection, "2018-01") == b"book"
        assert store.cover(connection, "2018-01") == b"cover"


def test_an_announcement_with_nothing_to_send_writes_nothing(database: Database, moment: Clock) -> None:
    moment.now = datetime(2018, 2, 2, tzinfo=UTC)
    schedule.tick(database, moment, ["2018-02"], Press(), "a")
    with database.writing():
        # Were the announcement to write, it would wait for this lock and fail.
        assert schedule.announce(database, moment(), ["2018-02"], lambda _book: True) == 0


def at(database: Database) -> Stage | None:
    with database.reading() as connection:
        return store.runs(connection)[0].stage


def test_a_build_keeps_what_it_is_at_once_a_second_and_renews_its_lease(database: Database, moment: Clock) -> None:
    seen: list[Stage | None] = []

    def build(month: str, report: Report) -> Edition:
        for number in range(1, 13):
            moment.now += timedelta(seconds=0.25)
            report(Stage("documents", number, 31))
            seen.append(at(database))
        moment.now += claims.LEASE - timedelta(seconds=1)
        return Press()(month)

    assert schedule.tick(database, moment, ["2018-01"], build, "a") == ("2018-01",)
    assert [one.done for one in seen if one] == [1] * 4 + [5] * 4 + [9] * 4
    assert at(database) is None


def test_a_build_that_cannot_be_watched_is_made_all_the_same(
    database: Database, moment: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_arguments: object) -> None:
        raise OperationalError("UPDATE", {}, Exception("database is locked"))

    def build(month: str, report: Report) -> Edition:
        report(Stage("cover"))
        return Press()(month)

    monkeypatch.setattr("publisher.claims.note", locked)
    assert schedule.tick(database, moment, ["2018-01"], build, "a") == ("2018-01",)


def test_a_build_that_outlived_its_lease_reports_in_nobodys_name(database: Database, moment: Clock) -> None:
    claims.fill(database, ["2018-01"], moment())
    claim = claims.take(database, "2018-01", "a", moment())
    assert claim is not None
    moment.now += claims.LEASE
    claims.note(database, claim, Stage("cover"), moment())
    assert at(database) is None
    assert claims.take(database, "2018-01", "b", moment()) is not None
