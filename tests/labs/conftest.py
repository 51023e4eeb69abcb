"""A lab of a few lines, whose code a test writes; and a MariaDB of the tests' own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from labs import registry
from labs.parts import mariadb as parts_mariadb
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


@pytest.fixture
def listening() -> Callable[[int], list[str]]:
    """Return a function that finds the addresses, of TCP and UDP as /proc has them, at which a process listens."""

    def find(process: int) -> list[str]:
        links = []
        for descriptor in Path(f"/proc/{process}/fd").iterdir():
            with contextlib.suppress(OSError):
                links.append(str(descriptor.readlink()))
        tables = [Path(f"/proc/{process}/net/{name}").read_text() for name in ("tcp", "tcp6", "udp", "udp6")]
        rows = [line.split() for table in tables for line in table.splitlines()[1:]]
        # The state 0A is that of a socket of TCP which listens, 07 that of one of UDP which is bound.
        return [row[1] for row in rows if f"socket:[{row[9]}]" in links and row[3] in {"0A", "07"}]

    return find


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[str]]:
    """The processes that the test starts, as it goes on."""
    noted: list[subprocess.Popen[str]] = []
    start = subprocess.Popen

    def note(*arguments: Any, **options: Any) -> subprocess.Popen[str]:
        noted.append(start(*arguments, **options))
        return noted[-1]

    monkeypatch.setattr(subprocess, "Popen", note)
    return noted


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a MariaDB that the tests start, without a network."""
    if not parts_mariadb.is_installed():
        missing("MariaDB")
    folder = tmp_path_factory.mktemp("mariadb") / "server"
    yield parts_mariadb.start(folder)
    os.kill(int((folder / "pid").read_text()), signal.SIGTERM)
