"""The formats that banks come in and go out in, and which of them a file is."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import PurePath

from quizzes.formats import source
from quizzes.formats.reading import Finding, Reading, Writing, shortened
from quizzes.questions import Bank, Item

_START = 4096
"""How many bytes of a file tell its format."""
_AIKEN = re.compile(r"^\s*ANSWER\s*:", re.IGNORECASE | re.MULTILINE)
_OPTIONS = re.compile(r"^\s*[A-Z][.)]", re.MULTILINE)
_ROOT = re.compile(rb"<(?:\w+:)?(quiz|(?:qti-)?assessment-?(?:item|test)|manifest)\b", re.IGNORECASE)
_OWN = re.compile(r"---\n(?:[^\n]*\n){0,5}?pool:")
_FORGE = re.compile(r"^\s*[-*] \[[ xX]\]|<details", re.MULTILINE)
_TABLE = re.compile(r"^(?=.*\b(?:stem|question|answer|correct)\b).*[,;\t]", re.IGNORECASE)
_BY_EXTENSION = {".csv": "csv", ".tsv": "csv", ".gift": "gift", ".xml": "moodle"}


@dataclass(frozen=True)
class Format:
    """A format by its name on the command line, and the modules that read and write it, if any do.

    A module is imported when it is needed: a reader's process must start quickly.
    """

    name: str
    title: str
    extensions: tuple[str, ...]
    """The endings of its files, the one that is written first."""
    media_type: str
    reader: str = ""
    writer: str = ""
    is_text: bool = True
    whole: bool = False
    """Whether it writes a bank with its title rather than its items alone."""

    def read(self, data: bytes) -> Reading:
        """Return what the bytes of a file in this format hold."""
        module = import_module(f"quizzes.formats.{self.reader}")
        findings: tuple[Finding, ...] = ()
        given: bytes | str = data
        if self.is_text:
            given, findings = source.decode(data)
            if any(one.severity == "error" for one in findings):
                return Reading((), findings, 0)
        reading: Reading = module.read(given)
        return replace(reading, findings=shortened((*findings, *reading.findings)))

    def write(self, bank: Bank) -> Writing:
        """Return a bank in this format, with what the format cannot carry."""
        module = import_module(f"quizzes.formats.{self.writer}")
        if self.whole:
            writing: Writing = module.write_bank(bank)
            return writing
        write: Callable[[Sequence[Item]], Writing] = module.write
        return write(bank.items)


FORMATS = (
    Format("markdown", "Archway's Markdown", (".md",), "text/markdown", "own_markdown", "own_markdown", whole=True),
    Format("gift", "GIFT", (".gift", ".txt"), "text/plain", "gift_reader", "gift_writer"),
    Format("aiken", "Aiken", (".txt",), "text/plain", "aiken", "aiken"),
    Format("csv", "CSV", (".csv", ".tsv"), "text/csv", "csv_table", "csv_table"),
    Format("forge", "Markdown as people write it", (".md",), "text/markdown", "forge_markdown", "forge_markdown"),
    Format("moodle", "Moodle XML", (".xml",), "application/xml", "moodle_xml", "moodle_writer", is_text=False),
    Format("qti", "QTI 2.1, 2.2 or 3.0, one item", (".xml",), "application/xml", "qti", is_text=False),
    Format("qti-package", "QTI package", (".zip",), "application/zip", "qti_package", "qti_writer", is_text=False),
    Format("anki", "Anki", (".apkg",), "application/octet-stream", writer="anki"),
    Format("print", "Exam on paper", (".html",), "text/html", writer="printable", whole=True),
    Format("print-key", "Key of the exam on paper", (".html",), "text/html", writer="print_key", whole=True),
)


def find(name: str) -> Format | None:
    """Return the format of that name, or None."""
    return next((one for one in FORMATS if one.name == name), None)


def readable() -> list[Format]:
    """Return the formats that can be imported."""
    return [one for one in FORMATS if one.reader]


def writable() -> list[Format]:
    """Return the formats that can be exported."""
    return [one for one in FORMATS if one.writer]


def detect(name: str, data: bytes) -> Format | None:
    """Return the format of a file by what it holds, and by its name where that leaves a doubt; None for neither."""
    found = _by_content(PurePath(name).suffix.lower(), data)
    return find(found) if found else None


def _by_content(extension: str, data: bytes) -> str:
    if data.startswith(b"PK\x03\x04"):
        return "qti-package"
    root = _ROOT.search(data[: 4 * _START])
    if root and (data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") or extension == ".xml"):
        return "moodle" if root[1] == b"quiz" else "qti"
    text = source.decode(data)[0]
    if extension == ".md":
        return "markdown" if _OWN.match(text) else "forge"
    return _BY_EXTENSION.get(extension) or _by_text(text)


def _by_text(text: str) -> str:
    head = text.lstrip().partition("\n")[0]
    tests = {
        "markdown": bool(_OWN.match(text)),
        "aiken": bool(_AIKEN.search(text) and _OPTIONS.search(text)) and "{" not in text,
        "forge": bool(_FORGE.search(text)),
        "gift": "{" in text and "}" in text,
        "csv": bool(_TABLE.search(head)),
    }
    return next((name for name, fits in tests.items() if fits), "")
