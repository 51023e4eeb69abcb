"""What the docs show works: each command runs, each link leads somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from flask import Flask

DOCS = [Path("README.md"), Path("benchmarks/README.md"), *sorted(Path("docs").rglob("*.md"))]
COMMANDS = [
    line.removeprefix("$ flask ")
    for path in DOCS
    for block in re.findall(r"```console\n(.*?)```", path.read_text("utf-8"), re.DOTALL)
    for line in block.splitlines()
    if line.startswith("$ flask ")
]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_docs_runs(app: Flask, command: str, tmp_path: Path) -> None:
    arguments = [one.replace("build/", f"{tmp_path}/") for one in shlex.split(command)]
    result = app.test_cli_runner().invoke(args=arguments)
    assert result.exit_code == 0, result.output


def test_every_make_target_of_the_docs_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", Path("Makefile").read_text("utf-8"), re.MULTILINE))
    named = {
        name
        for path in DOCS
        for name in re.findall(r"`make ([a-z]+)`|^make ([a-z]+)", path.read_text("utf-8"), re.MULTILINE)
    }
    assert {one or other for one, other in named} <= targets


@pytest.mark.parametrize("path", DOCS, ids=str)
def test_links_between_docs_lead_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    text = re.sub(r"`[^`]*`", "", text)
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if "://" not in target:
            assert (path.parent / target).exists(), target
