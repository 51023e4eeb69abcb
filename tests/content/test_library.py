"""The library: what is on disk becomes values, and every fault is found with its line and column."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from content import library

LESSON = "---\ntitle: T\nsummary: S.\ntask: 1.1\nminutes: 5\n---\n\n## First\n\nText.\n"
OVERVIEW = "---\ntitle: T\nsummary: S.\nweight: 100\ntasks: [1.1 Do]\nsources: https://example.org/exam\n---\n\nText.\n"
COURSE = "---\ntitle: T\nsummary: S.\n---\n\nText.\n"
TALKS = "---\ntitle: T\nsummary: S.\nzone: America/Los_Angeles\n---\n\n"
NOTE = "---\ntitle: T\nsummary: S.\nkind: trend\n---\n\nText.\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    module = tmp_path / "courses" / "c" / "1-m"
    module.mkdir(parents=True)
    (module.parent / "course.md").write_text(COURSE)
    (module / "overview.md").write_text(OVERVIEW)
    (module / "1-lesson.md").write_text(LESSON)
    for name in ("talks", "startups", "notes"):
        (tmp_path / name).mkdir()
    return tmp_path


def _write(root: Path, name: str, text: str) -> list[str]:
    """Write a file and return the faults found, as ``line:column: sentence``."""
    path = root / name
    path.write_text(text) if isinstance(text, str) else path.write_bytes(text)
    _, errors = library.load(root)
    errors = [error for error in errors if "has no lesson" not in error.sentence]
    assert all(error.path == path for error in errors)
    return [f"{error.line}:{error.column}: {error.sentence}" for error in errors]


def test_a_sound_folder_has_no_fault(root: Path) -> None:
    found, errors = library.load(root)
    assert errors == ()
    assert [lesson.slug for _, lesson in found.courses[0].lessons()] == ["lesson"]


LESSON_FAULTS = [
    ("1:1", "must begin with front matter", "## Heading\n"),
    ("1:1", "never closed", "---\ntitle: T\n"),
    ("1:1", "lacks “minutes”", LESSON.replace("minutes: 5\n", "")),
    ("4:7", "must be a task code", LESSON.replace("1.1", "one")),
    ("5:10", "from 1 to 240", LESSON.replace("minutes: 5", "minutes: 0")),
    ("4:1", "is none of this module's", LESSON.replace("1.1", "2.1")),
    (
        "3:1",
        "is given twice",
        LESSON.replace("summary: S.", "title: again\nsummary: S.").replace("title: T", "title: T"),
    ),
    ("2:1", "is no field", LESSON.replace("title: T", "titel: T\ntitle: T")),
    ("4:5", "cannot be read", LESSON.replace("summary: S.", "summary: [S")),
    ("2:8", "must not be empty", LESSON.replace("title: T", "title: ''")),
    ("8:1", "start sections with ##", LESSON.replace("## First", "# First")),
    ("8:1", "jumps from level 1 to 3", LESSON.replace("## First", "### First")),
    ("12:1", "share the anchor", LESSON + "\n## First\n"),
    ("12:1", "never closed", LESSON + "\n:::note x\ntext\n"),
    ("12:1", "This :::measured is never closed", LESSON + "\n:::measured a-lab seed=1\nrejected: Refused\n"),
    ("13:1", "is not closed before this one", LESSON + "\n:::measured a-lab\n:::note x\ntext\n:::\n"),
    ("12:1", "must name what it shows", LESSON + "\n:::measured\nrejected: Refused\n:::\n"),
    ("12:1", "closes nothing", LESSON + "\n:::\n"),
    ("12:1", "no container “:::warning”", LESSON + "\n:::warning\ntext\n:::\n"),
    ("12:1", "must name what it shows", LESSON + "\n:::lab\n"),
    ("12:1", "no text alternative", LESSON + "\n![](1-lesson.md)\n"),
    ("12:6", "There is no picture", LESSON + "\n![a](none.png)\n"),
    ("12:6", "never fetched from elsewhere", LESSON + "\n![a](https://example.org/a.png)\n"),
    ("12:8", "leads nowhere", LESSON + "\ngo [a](none.md)\n"),
    ("12:8", "no heading with the anchor", LESSON + "\ngo [a](overview.md#none)\n"),
    ("12:8", "No heading of this page", LESSON + "\ngo [a](#none)\n"),
    ("12:8", "Links may not use ftp:", LESSON + "\ngo [a](ftp://example.org)\n"),
    ("12:4", "HTML such as <b>", LESSON + "\ngo <b>bold</b>\n"),
    ("12:6", "not read as a link", LESSON + "\ngo [a](overview .md\n"),
    ("12:6", "not read as a link", LESSON + "\ngo [a][missing]\n"),
    ("12:4", "This link has no words", LESSON + "\ngo [](overview.md)\n"),
    ("12:1", "This block of code is never closed", LESSON + "\n```sh\nls\n"),
    ("14:1", "This row has 3 cells; the table's head has 2", LESSON + "\n| a | b |\n|---|---|\n| 1 | 2 | 3 |\n"),
    ("12:3", "There is no footnote “a”", LESSON + "\ngo[^a]\n"),
    ("12:1", "Nothing refers to this footnote", LESSON + "\n[^a]: words\n"),
    ("15:2", "is defined twice", LESSON + "\ngo[^a]\n\n[^a]: words\n [^a]: words\n"),
    ("12:3", "control character", LESSON + "\ngo\x07\n"),
    ("7:1", "has no text", LESSON.partition("\n## ")[0]),
]


@pytest.mark.parametrize(("place", "sentence", "text"), LESSON_FAULTS, ids=[one[1] for one in LESSON_FAULTS])
def test_it_finds_a_fault_in_a_lesson(root: Path, place: str, sentence: str, text: str) -> None:
    faults = _write(root, "courses/c/1-m/1-lesson.md", text)
    assert any(fault.startswith(f"{place}: ") and sentence in fault for fault in faults), faults


@pytest.mark.parametrize(
    ("place", "sentence", "row"),
    [
        ("11:11", "not after it starts", "| 11:00 | 10:45 | C | 200 | T |"),
        ("11:3", "is not a time", "| 25:00 | 10:45 | C | 200 | T |"),
        ("11:23", "is no level", "| 11:00 | 11:45 | C | 250 | T |"),
        ("11:1", "five cells", "| 11:00 | 11:45 | C | 200 |"),
        ("11:1", "a category and a title", "| 11:00 | 11:45 |  | 200 | T |"),
    ],
)
def test_it_finds_a_fault_in_a_talk(root: Path, place: str, sentence: str, row: str) -> None:
    table = "## 2018-01-22 Monday\n\n| Start | End | Category | Level | Title |\n|---|---|---|---|---|\n"
    faults = _write(root, "talks/2018-01.md", TALKS + table + row + "\n")
    assert any(fault.startswith(f"{place}: ") and sentence in fault for fault in faults), faults


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("talks/january.md", TALKS + "x", "must be its month"),
        ("talks/2018-01.md", TALKS + "## 2018-01-22 Sunday\n", "is a Monday, not a Sunday"),
        ("talks/2018-01.md", TALKS.replace("Los_Angeles", "Nowhere") + "x", "must be a time zone"),
        ("talks/notes.txt", "x", "Nothing reads this file"),
        ("startups/2018-02.md", COURSE, "has no startup"),
        ("startups/2018-02.md", COURSE + "\n## Name\n\nx\n", "## Name (City, Country)"),
        ("startups/2018-02.md", COURSE + "\n## Name (City)\n", "Nothing is said about Name"),
        ("notes/2018-13-x.md", NOTE, "must be its month and a slug"),
        ("notes/2018-01-x.md", NOTE.replace("trend", "gossip"), "must be one of whitepaper"),
        ("courses/c/1-m/overview.md", OVERVIEW.replace("100", "34"), "must start"),
        ("courses/c/course.md", COURSE.replace("S.", "S.\nexam: Not A Slug"), "lower-case words"),
    ],
)
def test_it_finds_a_fault_elsewhere(root: Path, name: str, text: str, sentence: str) -> None:
    if "overview" in name:
        (root / name).write_text(text)
        assert [str(error) for error in library.load(root)[1] if "add up to 34, not 100" in str(error)]
    else:
        assert any(sentence in fault for fault in _write(root, name, text))


def test_bytes_that_are_not_utf8_are_placed(root: Path) -> None:
    assert _write(root, "notes/2018-01-x.md", NOTE.encode() + b"\nab\xff") == [
        "9:3: This is not UTF-8; save the file as UTF-8."
    ]


def test_a_faulty_file_leaves_the_others_standing(root: Path) -> None:
    (root / "courses/c/1-m/2-other.md").write_text("nonsense")
    found, errors = library.load(root)
    assert len(errors) == 1, errors
    assert [lesson.slug for _, lesson in found.courses[0].lessons()] == ["lesson"]


def test_a_folder_without_content_says_so(tmp_path: Path) -> None:
    assert "There is no content here" in str(library.load(tmp_path)[1][0])


def test_a_talk_has_its_instant(root: Path) -> None:
    head = "## 2018-01-22\n\n| Start | End | Category | Level | Title |\n|---|---|---|---|---|\n"
    (root / "talks/2018-01.md").write_text(f"{TALKS}{head}| 11:00 | 11:45 | C | 200 | T |\n")
    (talk,) = library.load(root)[0].schedules[0].talks
    assert talk.start.astimezone(UTC) == datetime(2018, 1, 22, 19, 0, tzinfo=UTC)
