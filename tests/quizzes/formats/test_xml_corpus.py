"""Files of Moodle XML and QTI as people export them, each with what it must give; and files that mean harm."""

from __future__ import annotations

import gc
import sys
import time
import tomllib
from pathlib import Path

import pytest

from quizzes.formats import moodle_xml, qti, xml_tree
from quizzes.formats.reading import Reading

CORPUS = Path(__file__).parents[1] / "corpus"
FOLDERS = {"moodle_xml": moodle_xml.read, "qti21": qti.read, "qti22": qti.read, "qti30": qti.read}


def faults(name: str, reading: Reading, wanted: dict[str, object]) -> list[str]:
    """Return how a reading differs from what is expected of it, and from what every reader promises."""
    found = [f"{one.line} {one.severity} {one.sentence}" for one in reading.findings]
    expected = [str(one) for one in wanted["findings"]]
    wrong = []
    if (len(reading.items), reading.questions) != (wanted["items"], wanted["questions"]):
        wrong.append(f"{name}: {len(reading.items)} items of {reading.questions} questions")
    if len(found) != len(expected) or not all(map(str.startswith, found, expected)):
        wrong.append(f"{name}: {found} instead of {expected}")
    numbers = {one.number for one in reading.items}
    refused = {one.question for one in reading.findings if one.severity == "error"} - {0}
    if numbers | refused != set(range(1, reading.questions + 1)) or numbers & refused:
        wrong.append(f"{name}: {numbers} are items, {refused} are errors")
    return wrong


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_gives_what_is_expected_of_it(folder: str) -> None:
    expected = tomllib.loads((CORPUS / folder / "expected.toml").read_text("utf-8"))
    files = sorted((CORPUS / folder).glob("*.xml"))
    assert [file.name for file in files] == sorted(expected)
    wrong = []
    for file in files:
        data = file.read_bytes()
        reading = FOLDERS[folder](data)
        wrong += faults(file.name, reading, expected[file.name])
        lines = data.count(b"\n") + data.count(b"\r") + 1
        wrong += [f"{file.name}: {one}" for one in reading.findings if not (1 <= one.line <= lines and one.column >= 1)]
    assert wrong == []


def test_an_error_keeps_the_source_of_its_question() -> None:
    reading = moodle_xml.read((CORPUS / "moodle_xml" / "several_kinds.xml").read_bytes())
    refused = [one for one in reading.findings if one.severity == "error"]
    assert [one.question for one in refused] == [3]
    assert refused[0].raw.startswith('<question type="essay">')
    assert refused[0].raw.endswith("</question>")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<quiz>" + b"<a>" * 200_000 + b"</a>" * 200_000 + b"</quiz>", "nested deeper"),
        (b"<quiz>" + b"<a/>" * 200_001 + b"</quiz>", "more than 200000 elements"),
        (
            b"<quiz>" + b"<question type='essay'>" + b"<answer/>" * 100_000 + b"</question></quiz>",
            "more than 2000 parts",
        ),
        (b'<!DOCTYPE q [<!ENTITY a "x"><!ENTITY b "&a;&a;">]><quiz>&b;</quiz>', "document type"),
    ],
    ids=["deep", "wide", "parts", "entities"],
)
def test_a_file_that_means_harm_is_refused_within_seconds(data: bytes, words: str) -> None:
    started = time.process_time()
    reading = moodle_xml.read(data)
    assert time.process_time() - started < 10
    assert reading.items == ()
    assert [one.severity for one in reading.findings] == ["error"]
    assert words in reading.findings[0].sentence


def test_a_tree_is_freed_where_nobody_looks_for_garbage() -> None:
    gc.disable()
    try:
        root = xml_tree.parse(b"<quiz><question/></quiz>").root
        # One is the name here, the other the argument.
        assert sys.getrefcount(root) == 2
    finally:
        gc.enable()


def test_an_external_entity_is_never_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a secret")
    entity = f'<!DOCTYPE quiz [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]>'
    reading = moodle_xml.read(f"{entity}<quiz><question type='essay'>&x;</question></quiz>".encode())
    assert "a secret" not in repr(reading)
    assert reading.findings[0].line == 1
