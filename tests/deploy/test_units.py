"""The units for systemd: what systemd itself says of them, and that they name what exists."""

from __future__ import annotations

import ctypes.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

import config
from labs import wall
from tests.conftest import missing

UNITS = sorted(Path("deploy/systemd").iterdir())
INSTANCES = ("archway-web@8001", "archway-worker@1", "archway-scheduler@1")
EXPOSURE = {"archway-web@8001": 20, "archway-worker@1": 30, "archway-scheduler@1": 20}
"""Tenths of what systemd calls the exposure level, which is at most 10; a service without any of it has 9.6."""


def _analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze") or missing("systemd-analyze")
    return subprocess.run([program, *arguments], capture_output=True, text=True)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units as they would stand in /etc/systemd/system, with this machine's paths for those of a server."""
    python = Path(sys.executable)
    for unit in UNITS:
        text = unit.read_text("utf-8").replace("/opt/archway/.venv/bin", str(python.parent))
        (tmp_path / unit.name).write_text(text.replace("/opt/archway", str(config.ROOT)))
    for name in INSTANCES:
        template = tmp_path / f"{name.partition('@')[0]}@.service"
        (tmp_path / f"{name}.service").write_text(template.read_text())
    return tmp_path


def test_systemd_finds_no_fault(installed: Path) -> None:
    units = [str(installed / f"{name}.service") for name in INSTANCES]
    found = _analyze("verify", "--man=no", str(installed / "archway.target"), *units)
    assert (found.returncode, [line for line in found.stderr.splitlines() if str(installed) in line]) == (0, [])


def test_the_control_a_misspelt_line_is_found(installed: Path) -> None:
    unit = installed / "archway-web@8001.service"
    unit.write_text(unit.read_text().replace("KillMode=mixed", "KillMode=fixed"))
    assert "Failed to parse kill mode" in _analyze("verify", "--man=no", str(unit)).stderr


@pytest.mark.parametrize("name", INSTANCES)
def test_little_is_open_to_a_process(installed: Path, name: str) -> None:
    unit = str(installed / f"{name}.service")
    found = _analyze("security", "--offline=true", f"--threshold={EXPOSURE[name]}", "--no-pager", unit)
    assert found.returncode == 0, found.stdout.splitlines()[-1]


def test_what_runs_labs_may_make_namespaces() -> None:
    worker = Path("deploy/systemd/archway-worker@.service").read_text("utf-8")
    for one in ("RestrictNamespaces", "PrivateUsers", "ProtectProc", "MemoryDenyWriteExecute"):
        assert f"\n{one}=" not in worker


def _filter(kind: str) -> str:
    """Return the system calls that a unit leaves open."""
    unit = Path(f"deploy/systemd/archway-{kind}@.service").read_text("utf-8")
    return re.search(r"(?m)^SystemCallFilter=(.+)$", unit)[1]


def _held(calls: str, *command: str) -> str:
    """Run a command as systemd would hold it, and return what it says."""
    if shutil.which("systemd-analyze") is None or ctypes.util.find_library("seccomp") is None:
        missing("systemd-analyze with libseccomp")
    held = [sys.executable, "-m", "tests.deploy.filtered", calls, *command]
    return subprocess.run(held, capture_output=True, text=True, check=True).stdout.strip()


WALLS = (sys.executable, "-c", "from labs import runner, wall; print(runner.namespace('none') != (), wall.stands())")


def test_a_worker_can_keep_its_runs_apart() -> None:
    free = subprocess.run(WALLS, capture_output=True, text=True, check=True).stdout.strip()
    assert _held(_filter("worker"), *WALLS) == free


def test_the_control_without_its_calls_it_cannot() -> None:
    if wall.stands():
        assert _held(_filter("web"), *WALLS).endswith("False")
    assert _held("@system-service", "sh", "-c", "unshare --user --mount true || echo refused") == "refused"


@pytest.mark.full  # What keeps a run apart is asked above.
@pytest.mark.parametrize("lab", ["lambda-concurrency", "aurora-redshift", "emrfs-authorization", "reactive-tracking"])
def test_a_lab_runs_in_a_held_worker(lab: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHWAY_INSTANCE", str(tmp_path))
    assert "○" in _held(_filter("worker"), sys.executable, "-m", "flask", "labs", "run", lab)


def test_they_start_commands_that_there_are(app: Flask) -> None:
    text = "".join(unit.read_text("utf-8") for unit in UNITS)
    assert set(re.findall(r"bin/flask (\w+)", text)) == {"scheduler", "worker"} <= set(app.cli.commands)
    assert "bin/python app.py --port %i" in text


def test_the_target_starts_what_nginx_passes_requests_to() -> None:
    started = re.findall(r"archway-web@(\d+)", Path("deploy/systemd/archway.target").read_text("utf-8"))
    passed = re.findall(r"server 127\.0\.0\.1:(\d+)", Path("deploy/nginx.conf").read_text("utf-8"))
    assert started == passed != []


def test_the_environment_file_has_settings_alone(tmp_path: Path) -> None:
    lines = Path("deploy/archway.env").read_text("utf-8").splitlines()
    settings = dict(line.removeprefix("#").split("=", 1) for line in lines if re.match(r"#?ARCHWAY_\w+=", line))
    del settings["ARCHWAY_METRICS_TOKEN"]
    loaded = config.load({**settings, "ARCHWAY_INSTANCE": str(tmp_path)})
    assert (loaded.https, loaded.proxies, loaded.log) == (True, 1, "json")
