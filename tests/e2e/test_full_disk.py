"""A disk that is full: what cannot be stored is said and kept by the page, and stored when there is room again."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.conftest import missing
from tests.e2e.conftest import Server, free_port
from tests.e2e.test_main_job import LESSON, _begin_exam, _shown
from tests.e2e.test_sitting_faults import NO_STORAGE, _all_saved, _attempt, _choose, _stored

pytestmark = pytest.mark.browser
BEFORE, ANSWERS = 3, 12
"""How many answers are given before the disk is full, and in all."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder that is a disk of its own."""
    folder = tmp_path / "instance"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "archway", folder], capture_output=True).returncode:
        missing("the right to mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def server(small_disk: Path) -> Iterator[Server]:
    made = Server(small_disk, free_port())
    made.start()
    yield made
    made.stop()


@contextmanager
def _full(server: Server) -> Iterator[None]:
    """Let something else take all that is left of the disk."""
    with closing(sqlite3.connect(server.instance / "archway.sqlite3")) as connection:
        # What the log has of room within itself would be used first; it is known to who has read.
        connection.execute("SELECT 1 FROM quizzes_attempt").fetchone()
        assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)
    other = server.instance / "other"
    with other.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(1 << 16)):
            pass
    yield
    other.unlink()


@pytest.fixture
def forgetful(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that keeps nothing."""
    made = browser.new_context()
    made.add_init_script(NO_STORAGE)
    yield made
    made.close()


def _answer(page: Page, *places: int) -> None:
    for place in places:
        _choose(page, place, 0)


def _begin(page: Page, server: Server) -> None:
    _begin_exam(page, server)
    _answer(page, *range(1, BEFORE + 1))
    _all_saved(page, BEFORE)


def _answer_in_vain(page: Page) -> None:
    """Give the rest of the answers; the page is asked to send them later, and says that they are not stored."""
    with page.expect_response(lambda answer: answer.request.method == "POST") as caught:
        _answer(page, *range(BEFORE + 1, ANSWERS + 1))
    assert (caught.value.status, caught.value.headers["retry-after"]) == (503, "2")
    expect(page.locator("#saved")).to_contain_text(f"{ANSWERS - BEFORE} not yet")


def test_answers_wait_out_a_full_disk_and_pages_can_be_read(
    server: Server, context: BrowserContext, forgetful: BrowserContext, sized: Callable[[int, int], int]
) -> None:
    page, control = context.new_page(), forgetful.new_page()
    for _ in range(sized(1, 20)):
        for one in (page, control):
            _begin(one, server)
        with _full(server):
            for one in (page, control):
                _answer_in_vain(one)
            given = _shown(page)
            assert len(given) == len(_shown(control)) == ANSWERS
            for path in ("/", LESSON, "/exams/saa-c01"):
                assert page.context.request.get(f"{server.address}{path}").status == 200
            for one in (page, control):
                one.reload()
                expect(one.locator("#exam.live")).to_be_visible()
            assert _shown(page) == given
            assert len(_stored(server, _attempt(page))) == BEFORE
        _all_saved(page, ANSWERS)
        assert _stored(server, _attempt(page)) == given
        # The control: without the outbox, what was not stored is lost.
        assert _stored(server, _attempt(control)) == _shown(control)
        assert len(_shown(control)) == BEFORE
    with closing(sqlite3.connect(server.instance / "archway.sqlite3")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
