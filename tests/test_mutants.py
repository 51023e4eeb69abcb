"""Changes of a rule are noticed by the tests of that rule."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import config
from tests.mutants import RULES

RULE = '''
def passes(points: int, cut: int) -> bool:
    """Return whether points are enough."""
    return points >= cut
'''
TEST = "from rule import passes\n\ndef test_passes():\n    assert passes(4, 3)\n    assert not passes(2, 3)\n"


def _report(folder: Path, *given: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{config.ROOT}{os.pathsep}{folder}"}
    command = [sys.executable, "-m", "tests.mutants", *given]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.full
@pytest.mark.parametrize("path", RULES)
def test_changes_of_the_rules_are_noticed(path: str) -> None:
    done = _report(config.ROOT, path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("    assert passes(3, 3)\n", ["rule.py: 2 of 2 noticed (100%), 0 unexplained"]),
        ("", ["rule.py:4: points >= cut → points > cut", "rule.py: 1 of 2 noticed (50%), 1 unexplained"]),
    ],
    ids=["all tests", "the control: one test fewer"],
)
def test_a_change_that_no_test_notices_is_named(tmp_path: Path, more: str, said: list[str]) -> None:
    (tmp_path / "rule.py").write_text(RULE)
    (tmp_path / "test_rule.py").write_text(TEST + more)
    done = _report(tmp_path, "rule.py", "test_rule.py")
    assert done.stdout.splitlines() == said, done.stderr
    assert done.returncode == bool(not more)
