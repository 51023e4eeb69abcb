"""A lab of a few lines, whose code a test writes; and a MariaDB of the tests' own."""

from __future__ import annotations

import shutil
import subprocess
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labs import registry
from labs.registry import Lab
from tests.conftest import missing

TOML = """
title = "A small lab"
summary = "It says a number."
fact = "one number"
minutes = 1
level = "associate"
source = "https://example.org/"
domains = []

[[parameters]]
name = "number"
kind = "integer"
label = "Number"
help = "The number to say."
default = 7
minimum = 0
maximum = 100

[[tasks]]
check = "is_seven"
title = "Say seven."
"""
HEAD = """
import os, signal, subprocess, sys, time
from dataclasses import dataclass
from labs.findings import Finding, Refused

@dataclass(frozen=True)
class Parameters:
    number: int

"""
SAY = """
def run(parameters, seed, report):
    report.progress(0.5)
    return {"number": Finding(parameters.number, ""), "seed": Finding(seed, "")}
"""
CHECKS = '''
def is_seven(values):
    """Seven is the number."""
    return values["number"] == 7
'''


@pytest.fixture
def make_lab(tmp_path: Path) -> Callable[..., Lab]:
    """Return a function that writes a lab's folder, its code given, and reads it."""

    def make(code: str = SAY, name: str = "small_lab") -> Lab:
        folder = tmp_path / "catalog" / name
        folder.mkdir(parents=True)
        (folder / "lab.toml").write_text(TOML)
        (folder / "lab.py").write_text(HEAD + textwrap.dedent(code))
        (folder / "checks.py").write_text(CHECKS)
        (folder / "brief.md").write_text("## A number\n")
        (folder / "published.toml").write_text("")
        (folder / "solution.toml").write_text("")
        return registry.read(folder)

    return make


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a MariaDB that the tests start, without a network."""
    if not all(map(shutil.which, ("mariadbd", "mariadb-install-db", "mariadb"))):
        missing("MariaDB")
    folder = tmp_path_factory.mktemp("mariadb")
    socket, data = folder / "socket", folder / "data"
    common = ["--no-defaults", f"--datadir={data}", "--user=root"]
    install = ["mariadb-install-db", *common, "--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run(install, check=True, capture_output=True)
    server = subprocess.Popen(
        ["mariadbd", *common, f"--socket={socket}", "--skip-networking", f"--pid-file={folder / 'pid'}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        client = ["mariadb", "--no-defaults", f"--socket={socket}", "--user=root", "--execute=CREATE DATABASE archway"]
        end = time.monotonic() + 30
        while subprocess.run(client, capture_output=True, check=False).returncode:
            assert time.monotonic() < end, "MariaDB does not answer"
            with pytest.raises(subprocess.TimeoutExpired):
                server.wait(0.1)
        yield f"mariadb://root@/archway?socket={socket}"
    finally:
        server.terminate()
        server.wait()
