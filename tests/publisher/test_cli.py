"""``flask publisher``: the book in a file, and every way in which it cannot be written."""

from __future__ import annotations

import hashlib
import resource
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

import config
from app import create_app
from publisher import schedule
from tests.conftest import MovableClock
from tests.databases import Databases


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that the command runs in."""
    found = tmp_path / "here"
    found.mkdir()
    monkeypatch.chdir(found)
    return found


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["publisher", *arguments])


def test_it_writes_the_book_here_and_prints_path_size_and_hash(app: Flask, folder: Path) -> None:
    result = run(app, "build", "2018-01")
    data = (folder / "archway-2018-01.epub").read_bytes()
    assert result.exit_code == 0
    assert result.stdout == f"archway-2018-01.epub {len(data)} {hashlib.sha256(data).hexdigest()}\n"
    assert stat.S_IMODE((folder / "archway-2018-01.epub").stat().st_mode) == 0o644
    assert [path.name for path in folder.iterdir()] == ["archway-2018-01.epub"]


def test_the_file_is_what_the_site_serves(app: Flask, folder: Path) -> None:
    run(app, "build", "2018-02", "--out", "new/book.epub")
    assert (folder / "new" / "book.epub").read_bytes() == app.test_client().get("/issues/2018-02.epub").data


def test_it_needs_no_server_that_ran_before(tmp_path: Path, folder: Path, databases: Databases) -> None:
    fresh = create_app(config.load(databases.environment(tmp_path / "fresh")))
    assert run(fresh, "build", "2018-01").exit_code == 0
    fresh.extensions["database"].engine.dispose()


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["2018-13"], 2, "“2018-13” is no month"),
        (["2018-03"], 1, "The library has nothing for 2018-03"),
        (["2018-01", "--out", "/dev/null/book.epub"], 1, "/dev/null/book.epub cannot be written"),
        (["2018-01", "--out", "/proc/book.epub"], 1, "/proc/book.epub cannot be written"),
        (["2018-01", "--out", "."], 1, ". cannot be written"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    app: Flask, folder: Path, arguments: list[str], status: int, sentence: str
) -> None:
    result = run(app, "build", *arguments)
    assert result.exit_code == status
    assert sentence in result.stderr
    assert "Traceback" not in result.output
    assert list(folder.iterdir()) == []


def test_publishing_puts_the_build_in_place_of_an_earlier_one(app: Flask, folder: Path) -> None:
    assert "due 2018-01-01 06:00 UTC  waiting" in run(app, "status").stdout
    printed = run(app, "build", "2018-01", "--publish").stdout.split()
    lines = run(app, "status").stdout.splitlines()
    assert lines[0] == f"2018-01  due 2018-01-01 06:00 UTC  published  {printed[1]} bytes, {printed[2]}"
    assert lines[1].endswith("waiting")


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """Let no file grow above ``size`` bytes, as on a disk that is nearly full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_no_half_of_a_book(app: Flask, folder: Path) -> None:
    assert run(app, "status").exit_code == 0
    with no_file_above(100_000):
        result = run(app, "build", "2018-01", "--publish")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("archway-2018-01.epub cannot be written: File too large")
    assert list(folder.iterdir()) == []
    assert "published" not in run(app, "status").stdout
    assert run(app, "build", "2018-01", "--publish").exit_code == 0
    assert run(app, "status").stdout.count("published") == 1


@pytest.mark.sqlite
def test_a_database_without_room_publishes_nothing(app: Flask, folder: Path) -> None:
    size = int(run(app, "build", "2018-01").stdout.split()[1])
    with no_file_above(size):
        result = run(app, "build", "2018-01", "--publish")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("The database cannot keep the issue: ")
    assert result.stderr.endswith("Nothing is published; the book is in archway-2018-01.epub.\n")
    assert [path.stat().st_size for path in folder.iterdir()] == [size]
    assert "published" not in run(app, "status").stdout
    assert run(app, "build", "2018-01", "--publish").exit_code == 0


@pytest.mark.sqlite
def test_a_scheduled_build_without_room_tells_the_operator_and_publishes_nothing(
    app: Flask, folder: Path, promote: Callable[[str], FlaskClient], clock: MovableClock
) -> None:
    admin = promote("ina")
    with app.extensions["database"].writing() as connection:
        connection.exec_driver_sql("UPDATE accounts_person SET role = 'admin'")
    size = int(run(app, "build", "2018-01").stdout.split()[1])
    with app.app_context():
        with no_file_above(size):
            schedule.sweep(app)
        page = admin.get("/publisher").text
        assert page.count("The database cannot keep the issue: ") == 2
        assert page.count("Nothing is published.") == 2
        assert "UTC  published" not in run(app, "status").stdout
        clock.advance(minutes=10)
        schedule.sweep(app)
    assert "The database cannot keep" not in admin.get("/publisher").text
    assert run(app, "status").stdout.count("UTC  published") == 2


def test_a_database_that_cannot_even_keep_the_failure_leaves_the_month_to_the_next_tick(
    app: Flask, clock: MovableClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_arguments: object) -> None:
        raise OperationalError("UPDATE", {}, Exception("disk I/O error"))

    with app.app_context(), monkeypatch.context() as broken:
        for name in ("publisher.store.save", "publisher.claims.release"):
            broken.setattr(name, full)
        schedule.sweep(app)
    assert "Nor can the database keep why" in caplog.text
    assert "UTC  published" not in run(app, "status").stdout
    clock.advance(minutes=5)
    with app.app_context():
        schedule.sweep(app)
    assert run(app, "status").stdout.count("UTC  published") == 2
