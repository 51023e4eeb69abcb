"""Files of Moodle XML and QTI as people export them, each with what it must give; and files that mean harm."""

from __future__ import annotations

import gc
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from quizzes.formats import moodle_xml, qti, xml_tree
from quizzes.formats.reading import Reading
from tests.quizzes.formats.promises import PLANTED, read_as_promised

CORPUS = Path(__file__).parents[1] / "corpus"
FOLDERS = {"moodle_xml": moodle_xml.read, "qti21": qti.read, "qti22": qti.read, "qti30": qti.read}


def corpus_faults(folder: str, read: Callable[[bytes], Reading], seconds: float = 10) -> list[str]:
    """Return where a reader makes of a corpus something else than what is expected, or breaks a promise."""
    wrong = []
    for name, wanted in tomllib.loads((CORPUS / folder / "expected.toml").read_text("utf-8")).items():
        reading, broken = read_as_promised(read, (CORPUS / folder / name).read_bytes(), seconds)
        if reading is None or broken:
            wrong.append(f"{name}: {broken}")
            continue
        found = [f"{one.line} {one.severity} {one.sentence}" for one in reading.findings]
        if (len(reading.items), reading.questions) != (wanted["items"], wanted["questions"]):
            wrong.append(f"{name}: {len(reading.items)} items of {reading.questions} questions")
        if len(found) != len(wanted["findings"]) or not all(map(str.startswith, found, wanted["findings"])):
            wrong.append(f"{name}: {found} instead of {wanted['findings']}")
    return wrong


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_gives_what_is_expected_of_it(folder: str) -> None:
    assert corpus_faults(folder, FOLDERS[folder]) == []
    expected = tomllib.loads((CORPUS / folder / "expected.toml").read_text("utf-8"))
    assert {file.name for file in (CORPUS / folder).glob("*.xml")} == set(expected)


@pytest.mark.parametrize("planted", PLANTED)
@pytest.mark.parametrize("folder", FOLDERS)
def test_a_reader_with_a_fault_is_found_by_its_corpus(folder: str, planted: Callable[[Reading], Reading]) -> None:
    assert corpus_faults(folder, lambda data: planted(FOLDERS[folder](data)), 0.05)


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
