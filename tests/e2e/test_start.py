"""The start as an operator meets it: both servers, a crash, a second start, a wrong setting."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.e2e.conftest import Server, free_port


@pytest.fixture(params=["granian", "waitress"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Server:
    return Server(tmp_path / "instance", free_port(), request.param)


def test_it_serves_and_after_a_crash_starts_again_within_seconds(site: Server) -> None:
    site.start()
    assert site.said == [f"Archway is at {site.address}\n"]
    site.kill()
    begin = time.monotonic()
    site.start()
    took = time.monotonic() - begin
    assert urllib.request.urlopen(f"{site.address}/learn").status == 200
    site.stop()
    # Three seconds are promised, and a machine that is busy takes half as long again.
    assert took < 5


def test_a_killed_server_leaves_no_process_behind(site: Server) -> None:
    site.start()
    marker = f"ARCHWAY_INSTANCE={site.instance}".encode()
    site.kill()
    end = time.monotonic() + 2
    while (left := _processes_with(marker)) and time.monotonic() < end:
        time.sleep(0.05)
    assert left == []


def test_it_refuses_a_port_that_is_taken(site: Server, tmp_path: Path) -> None:
    site.start()
    other = {"PATH": os.environ["PATH"], "ARCHWAY_INSTANCE": str(tmp_path / "other"), "ARCHWAY_PORT": str(site.port)}
    done = subprocess.run([sys.executable, "app.py"], env=other, capture_output=True, text=True, timeout=30)
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
    done = subprocess.run([sys.executable, "app.py"], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "ARCHWAY_DATABASE_URL is" in done.stderr
    assert reason in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [["app.py"], ["-m", "flask", "quizzes", "check"]])
def test_a_wrong_setting_stops_the_start_with_its_name(tmp_path: Path, command: list[str]) -> None:
    environment = {"PATH": os.environ["PATH"], "ARCHWAY_INSTANCE": str(tmp_path), "ARCHWAY_PORT": "high"}
    done = subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, timeout=30)
    assert done.returncode != 0
    assert "ARCHWAY_PORT is “high”; it accepts a whole number from 1 to 65535" in done.stderr
    assert "Traceback" not in done.stderr


def _processes_with(marker: bytes) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if marker in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found
