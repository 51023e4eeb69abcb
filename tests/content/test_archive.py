"""Words shared with the archive are found where they stand; names, addresses and code are not counted."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from flask import Flask

from content import archive

SOURCE = "It was the best way of keeping every single message until somebody had read it, and nobody lost one."
KNOWN = frozenset(
    archive.fingerprint(SOURCE)[start : start + 6] for start in range(0, len(archive.fingerprint(SOURCE)), 6)
)
ROOMS = ("accounts", "content", "docs", "labs", "publisher", "quizzes", "web")
# docs/archive.md names the posts by their titles.
TEXTS = sorted(
    path
    for room in ROOMS
    for kind in ("md", "toml", "html", "xhtml")
    for path in Path(room).rglob(f"*.{kind}")
    if path != Path("docs/archive.md")
)


def _shared(text: str) -> list[str]:
    return [words for _, words in archive.shared(text, KNOWN)]


def test_eight_words_are_found_and_seven_are_not() -> None:
    assert _shared("So keeping every single message until somebody had done.") == []
    assert _shared("Surely keeping every single message until somebody had read it.") == [
        "keeping every single message until somebody had read it"
    ]


def test_case_punctuation_and_lines_do_not_hide_them() -> None:
    text = "KEEPING every -- single\nmessage, until *somebody* had\nread it"
    assert _shared(text.replace("KEEPING", "keeping")) == [
        "keeping every -- single\nmessage, until *somebody* had\nread it"
    ]


def test_two_runs_are_two_findings() -> None:
    text = "It was the best way of keeping every thing; until somebody had read it, and nobody lost."
    assert len(_shared(text)) == 2


def test_names_addresses_and_identifiers_are_not_counted() -> None:
    known = archive.fingerprint(
        "AWS Certified Solutions Architect Associate Exam Official Study Guide for everyone here"
    )
    digests = frozenset(known[start : start + 6] for start in range(0, len(known), 6))
    assert list(archive.shared("AWS Certified Solutions Architect Associate Exam Official Study", digests)) == []
    assert _shared("see https://example.org/keeping-every-single-message-until-somebody-had-read") == []
    assert _shared('"arn:aws:s3:::keeping-every-single-message-until-somebody-had-read/*"') == []
    assert _shared("s3://keeping-every-single-message-until-somebody-had-read/") == []
    assert _shared("see [x](keeping-every-single-message-until-somebody-had-read.md)") == []


@pytest.mark.parametrize("path", TEXTS, ids=str)
def test_no_text_of_ours_repeats_the_archive(path: Path) -> None:
    text = path.read_text("utf-8")
    if path.parent.name == "talks":
        text = "\n".join(line for line in text.split("\n") if not line.startswith("|"))
    assert [str(fault) for fault in archive.faults(path, text)] == []


def test_the_check_reports_a_repeated_run_with_its_place(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "content"
    shutil.copytree("content", root, ignore=shutil.ignore_patterns("*.py", "__pycache__", "templates", "static"))
    page = root / "notes" / "2018-01-lambda-concurrency.md"
    lines = page.read_text("utf-8").count("\n") + 1
    page.write_text(page.read_text("utf-8") + "\nHow keeping every single message until somebody had read it works.\n")
    monkeypatch.setattr(archive, "known", lambda: KNOWN)
    result = app.test_cli_runner().invoke(args=["content", "check", str(root)])
    assert result.exit_code == 1
    assert f"{page}:{lines + 1}:5: “keeping every single message" in result.stderr


def test_the_shipped_fingerprint_is_of_a_whole_archive() -> None:
    assert len(archive.known()) > 15_000
