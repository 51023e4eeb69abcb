"""How many processes the server answers in: what an operator may ask for, and what is refused with a sentence."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from config import ConfigError
from web import server


@pytest.fixture(autouse=True)
def _instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHWAY_INSTANCE", str(tmp_path))
    monkeypatch.setenv("ARCHWAY_WORKERS", "3")


def _asked_for(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["app.py", *arguments])
    return server._settings().workers


def test_the_command_line_counts_before_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _asked_for(monkeypatch) == 3
    assert _asked_for(monkeypatch, "--workers", "2") == 2


def test_a_number_that_cannot_be_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        _asked_for(monkeypatch, "--workers", "65")
    assert "--workers is 65; it accepts a whole number from 1 to 64" in capsys.readouterr().err


def test_waitress_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHWAY_SERVER", "waitress")
    with pytest.raises(ConfigError, match="ARCHWAY_SERVER is “waitress”, which is one process"):
        _asked_for(monkeypatch)
    assert _asked_for(monkeypatch, "--workers", "1") == 1
