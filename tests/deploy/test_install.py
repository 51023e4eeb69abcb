"""The install into a clean environment, line by line as the container file has it, and what runs from there."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.conftest import Server, free_port
from tests.test_imports import ROOMS

FILE = Path("deploy/Containerfile").read_text("utf-8").replace("\\\n", "")
BUILD, FINAL = re.split(r"(?m)^FROM .+$", FILE)[1:]


def _lines(stage: str, instruction: str) -> list[str]:
    return re.findall(rf"(?m)^{instruction} (.+)$", stage)


def _copy(stage: str, folder: Path) -> None:
    """Copy into ``folder`` what the COPY lines of a stage name."""
    for line in _lines(stage, "COPY"):
        *sources, target = line.split()
        for source in map(Path, sources):
            if source.is_dir():
                shutil.copytree(source, folder / target)
            else:
                (folder / target).mkdir(parents=True, exist_ok=True)
                shutil.copy(source, folder / target)


def test_it_copies_all_that_runs_and_nothing_else(tmp_path: Path) -> None:
    _copy(BUILD, tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {*ROOMS, "migrations", "deploy", "app.py", "config.py", "db.py", "requirements.txt"}
    command = [sys.executable, "-c", "import app, web.server; print(app.__file__)"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(tmp_path / "app.py")


def test_it_runs_as_nobody_in_particular() -> None:
    assert _lines(FINAL, "USER") == ["archway"]
    assert FINAL.index("USER archway") < FINAL.index("CMD [")


def test_the_script_is_sound() -> None:
    subprocess.run(["sh", "-n", "deploy/install.sh"], check=True)
    text = Path("deploy/install.sh").read_text("utf-8")
    assert "--require-hashes" in text
    assert os.access("deploy/install.sh", os.X_OK)


@dataclass
class Installed(Server):
    """A server that runs as the container would: its command, from its folder, with its environment alone."""

    folder: Path = Path()

    def start(self) -> None:
        (command,) = (json.loads(line) for line in re.findall(r"(?m)^CMD (.+)$", FINAL))
        self.process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment(),
            executable=str(self.folder / ".venv/bin" / command[0]),
            stdout=subprocess.DEVNULL,
            stderr=(self.instance.parent / "server.log").open("a"),
        )
        self.wait_until_ready(120)

    def environment(self) -> dict[str, str]:
        path = f"{self.folder}/.venv/bin:/usr/bin:/bin"
        return {"PATH": path, "ARCHWAY_INSTANCE": str(self.instance), "ARCHWAY_PORT": str(self.port)}


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installed]:
    folder = tmp_path / "opt"
    folder.mkdir()
    _copy(BUILD, folder)
    for line in _lines(BUILD, "RUN"):
        environment = {**os.environ, "PYTHON": sys.executable}
        subprocess.run(shlex.split(line), cwd=folder, env=environment, check=True)
    server = Installed(tmp_path / "instance", free_port(), folder=folder)
    yield server
    if server.process is not None:
        server.stop()


@pytest.mark.full  # It downloads every package; that the copied code runs is tested above, with those that are here.
def test_what_it_installs_serves_and_has_no_installer(installed: Installed) -> None:
    python = installed.folder / ".venv/bin/python"
    gone = "import importlib.util as it; print([it.find_spec(name) for name in ('pip', 'setuptools', 'pytest')])"
    done = subprocess.run([python, "-c", gone], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[None, None, None]"
    installed.start()
    check = json.loads(re.search(r"(?m)^HEALTHCHECK .*CMD (.+)$", FINAL)[1])
    check[0] = str(python)
    check[-1] = check[-1].replace(":8000/", f":{installed.port}/")
    assert subprocess.run(check, env=installed.environment(), capture_output=True).returncode == 0
    installed.stop()
    failed = subprocess.run(check, env=installed.environment(), capture_output=True)
    assert failed.returncode != 0
