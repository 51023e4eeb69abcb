"""The start as an operator meets it: both servers, a crash, a second start, a wrong setting."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.databases import Databases
from tests.e2e.conftest import Server
from tests.servers import free_port


@pytest.fixture(params=["granian", pytest.param("waitress", marks=pytest.mark.full)])
def site(request: pytest.FixtureRequest, tmp_path: Path, databases: Databases) -> Server:
    return Server(tmp_path / "instance", free_port(), request.param)


def test_it_serves_and_after_a_crash_starts_again_within_seconds(site: Server) -> None:
    site.start()
    assert site.said == [f"Archway is at {site.address}\n"]
    site.kill()
    site.start()
    took = _seconds_of_processor(site)
    assert urllib.request.urlopen(f"{site.address}/learn").status == 200
    site.stop()
    # It is three on a quiet machine; one that does much else counts up to twice as many.
    assert took < 7


def test_a_killed_server_leaves_no_process_behind(site: Server) -> None:
    if site.kind == "granian":
        site.program = (*site.program, "--workers", "2")
    site.start()
    site.kill()
    end = time.monotonic() + 30
    while (left := _processes(site)) and time.monotonic() < end:
        time.sleep(0.05)
    assert left == []


def test_of_several_processes_a_killed_one_is_started_again_and_another_does_its_background_work(
    tmp_path: Path,
) -> None:
    site = Server(tmp_path / "instance", free_port(), program=("app.py", "--workers", "3"))
    site.start()
    parent = site.process.pid

    def workers() -> set[int]:
        return set(_processes(site)) - {parent}

    _until(lambda: len(workers()) == 3 and _lock_of(site) in workers())
    holder, before = _lock_of(site), workers()
    os.kill(holder, signal.SIGKILL)
    _until(lambda: _lock_of(site) in workers() - {holder})
    _until(lambda: len(workers()) == 3 and len(workers() - before) == 1)
    site.wait_until_ready()
    site.process.terminate()
    assert site.process.wait(60) == 0
    log = (tmp_path / "server.log").read_text("utf-8")
    assert "set ARCHWAY_REDIS_URL to let them count together" in log
    assert "Traceback" not in log


def test_it_refuses_a_port_that_is_taken(site: Server, tmp_path: Path) -> None:
    site.start()
    other = {"PATH": os.environ["PATH"], "ARCHWAY_INSTANCE": str(tmp_path / "other"), "ARCHWAY_PORT": str(site.port)}
    done = subprocess.run([sys.executable, "app.py"], env=other, capture_output=True, text=True, timeout=120)
    site.stop()
    assert done.returncode == 1
    assert f"ARCHWAY_PORT {site.port}: Address already in use" in done.stderr


def test_the_first_start_prints_a_link_that_makes_the_admin(site: Server) -> None:
    site.start()
    link = re.search(r"http://\S+/first-admin/\S+", site.process.stdout.readline())
    assert link
    assert b"Make the first admin" in urllib.request.urlopen(link[0]).read()
    site.stop()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql+psycopg://ada:secret@127.0.0.1:1/none", "connection failed"),
        ("sqlite:////proc/x.sqlite3", "unable"),
    ],
)
def test_a_database_that_cannot_be_used_is_named_without_its_password(tmp_path: Path, url: str, reason: str) -> None:
    environment = {"PATH": os.environ["PATH"], "ARCHWAY_INSTANCE": str(tmp_path), "ARCHWAY_PORT": str(free_port())}
    environment["ARCHWAY_DATABASE_URL"] = url
    done = subprocess.run([sys.executable, "app.py"], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "ARCHWAY_DATABASE_URL is" in done.stderr
    assert reason in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [["app.py"], ["-m", "flask", "quizzes", "check"]])
def test_a_wrong_setting_stops_the_start_with_its_name(tmp_path: Path, command: list[str]) -> None:
    environment = {"PATH": os.environ["PATH"], "ARCHWAY_INSTANCE": str(tmp_path), "ARCHWAY_PORT": "high"}
    done = subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode != 0
    assert "ARCHWAY_PORT is “high”; it accepts a whole number from 1 to 65535" in done.stderr
    assert "Traceback" not in done.stderr


def _until(true: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def _lock_of(site: Server) -> int | None:
    """Return which process does the background work: who holds the lock, as the system lists it."""
    try:
        number = (site.instance / "background.lock").stat().st_ino
    except OSError:
        return None
    for line in Path("/proc/locks").read_text("ascii").splitlines():
        fields = line.split()
        if "->" not in fields and fields[5].endswith(f":{number}"):
            return int(fields[4])
    return None


def _seconds_of_processor(site: Server) -> float:
    """Return what the site's processes have used, in user and kernel mode."""
    fields = [Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split() for process in _processes(site)]
    return sum(int(one[11]) + int(one[12]) for one in fields) / os.sysconf("SC_CLK_TCK")


def _processes(site: Server) -> list[int]:
    marker, found = f"ARCHWAY_INSTANCE={site.instance}".encode(), []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if marker in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found
