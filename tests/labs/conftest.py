"""A lab of a few lines, whose code a test writes."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from labs import registry
from labs.registry import Lab

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
