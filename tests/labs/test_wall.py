"""A run reads what programs need and writes in its own folder; without the wall it reads what the server's user may."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask

from labs import jobs, runner, wall
from labs.registry import Lab
from labs.runner import Limits
from tests.conftest import missing

MakeLab = Callable[..., Lab]
LIMITS = Limits(seconds=30)

WAYS = """
    def read(): return open(SITE / "secret-key").read()
    def read_binary_by_number(): return os.read(os.open(SITE / "secret-key", os.O_RDONLY), 9)
    def read_through_the_root_of_proc(): return open(f"/proc/self/root{SITE}/secret-key").read()
    def read_through_the_servers_proc(): return open(f"/proc/{SERVER}/root{SITE}/secret-key").read()
    def read_after_a_change_of_folder():
        before = os.getcwd()
        os.chdir(SITE)
        try:
            return open("secret-key").read()
        finally:
            os.chdir(before)
    def read_from_a_folders_number():
        return os.read(os.open("secret-key", os.O_RDONLY, dir_fd=os.open(SITE, os.O_PATH)), 9)
    def read_through_a_symbolic_link():
        os.symlink(SITE / "secret-key", "symbolic")
        return open("symbolic").read()
    def read_through_a_link_to_the_folder():
        os.symlink(SITE, "folder")
        return open("folder/secret-key").read()
    def read_through_a_hard_link():
        os.link(SITE / "secret-key", "hard")
        return open("hard").read()
    def move_into_ones_own_folder(): return os.rename(SITE / "moved", "moved") or "moved"
    def read_by_another_program():
        return subprocess.run(["cat", SITE / "secret-key"], capture_output=True, check=True).stdout
    def read_by_another_python():
        command = [sys.executable, "-c", f"print(open({str(SITE / 'secret-key')!r}).read())"]
        return subprocess.run(command, capture_output=True, check=True).stdout
    def open_the_database():
        import sqlite3
        return sqlite3.connect(SITE / "archway.sqlite3").execute("SELECT email FROM people").fetchall()
    def attach_the_database():
        import sqlite3
        connection = sqlite3.connect(":memory:")
        connection.execute("ATTACH ? AS site", [str(SITE / "archway.sqlite3")])
        return connection.execute("SELECT email FROM site.people").fetchall()
    def read_by_duckdb():
        import duckdb
        return duckdb.sql(f"SELECT content FROM read_text('{SITE}/secret-key')").fetchall()
    def list_the_folder(): return os.listdir(SITE)
    def read_another_runs_file(): return open(OTHER / "answer").read()
    def write_into_another_runs_folder(): return (OTHER / "planted").write_text("x")
    def append(): return open(SITE / "appended", "a").write("x")
    def empty(): return os.truncate(SITE / "emptied", 0) or "emptied"
    def remove(): return os.unlink(SITE / "removed") or "removed"
    def make_a_folder(): return os.mkdir(SITE / "made") or "made"
    def run_a_program_of_the_site(): return subprocess.run([SITE / "program"], capture_output=True, check=True).args
"""
NAMES = [line.split("def ")[1].partition("(")[0] for line in WAYS.splitlines() if line.startswith("    def ")]
TRY = f"""
from pathlib import Path
{WAYS.replace("    def ", "def ").replace(chr(10) + "    ", chr(10))}
def run(parameters, seed, report):
    done = []
    for name in NAMES:
        try:
            if globals()[name]():
                done.append(name)
        except Exception as error:
            report.log(f"{{name}}: {{error!r}}")
    Path("own").mkdir()
    Path("own/file").write_text("x")
    os.rename("own/file", "file")
    return {{"done": Finding(done, ""), "number": Finding(7, "")}}
"""


@pytest.fixture
def standing() -> None:
    if not wall.stands():
        missing("Landlock")


@pytest.fixture
def attempt(make_lab: MakeLab) -> Iterator[Callable[[], set[str]]]:
    """Return a function that lets a lab try everything, and returns what it could do."""
    # Beside the folders of runs: there are no hard links between two file systems.
    beside = Path(tempfile.mkdtemp())

    def run() -> set[str]:
        site, other = beside / "instance", beside / "archway-lab-other"
        for folder in (site, other):
            folder.mkdir()
        for name in ("secret-key", "moved", "appended", "emptied", "removed"):
            (site / name).write_text("a secret")
        (site / "program").write_text("#!/bin/sh\nexit 0\n")
        (site / "program").chmod(0o755)
        (other / "answer").write_text("42")
        with closing(sqlite3.connect(site / "archway.sqlite3")) as connection, connection:
            connection.execute("CREATE TABLE people (email TEXT)")
            connection.execute("INSERT INTO people VALUES ('ina@example.org')")
        known = f"SITE, OTHER, SERVER, NAMES = Path({str(site)!r}), Path({str(other)!r}), {os.getpid()}, {NAMES}"
        code = TRY.replace("from pathlib import Path", f"from pathlib import Path\n{known}")
        outcome = runner.execute(make_lab(code), {"number": 7}, 1, LIMITS)
        assert outcome.ending.done, outcome.ending.sentence
        return set(outcome.findings["done"]["value"])

    yield run
    shutil.rmtree(beside)


@pytest.mark.usefixtures("standing")
@pytest.mark.parametrize("apart", [True, False])
def test_nothing_of_the_site_is_within_reach(
    attempt: Callable[[], set[str]], monkeypatch: pytest.MonkeyPatch, *, apart: bool
) -> None:
    if not apart:
        monkeypatch.setattr(runner, "namespace", lambda _network: ())
    assert attempt() == set()


def test_without_the_wall_all_of_it_is(attempt: Callable[[], set[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    monkeypatch.setattr(wall, "stands", lambda: False)
    monkeypatch.setattr(runner, "namespace", lambda _network: ())
    assert attempt() == set(NAMES)


@pytest.mark.parametrize("standing", [True, False])
def test_an_operator_is_told_where_there_is_none(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *, standing: bool
) -> None:
    monkeypatch.setattr(wall, "stands", lambda: standing)
    jobs.worker_of(app)
    assert ("can read the files that this server's user can" in caplog.text) is not standing


BUILD = """
import sys, time
from labs import wall

version, folder = int(sys.argv[1]), sys.argv[2]
wall.version = lambda: version
begun = time.thread_time()
wall.close([sys.prefix], ".", folder)
print(1000 * (time.thread_time() - begun))
open(f"{folder}/own", "w").write("mine")
try:
    open("pyproject.toml")
except PermissionError:
    print("refused")
"""


@pytest.mark.usefixtures("standing")
@pytest.mark.parametrize("version", [2, 3, 5, 6])
def test_a_wall_is_built_with_what_the_kernel_knows_and_costs_next_to_nothing(tmp_path: Path, version: int) -> None:
    if version > wall.version():
        missing(f"version {version} of Landlock")
    ran = subprocess.run(
        [sys.executable, "-c", BUILD, str(version), str(tmp_path)], capture_output=True, text=True, check=True
    )
    milliseconds, refused = ran.stdout.split()
    assert refused == "refused"
    assert float(milliseconds) < 2
