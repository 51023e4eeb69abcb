"""A file's bytes as text whose lines and columns are the file's own, with what had to be done to read it."""

from __future__ import annotations

import codecs
import re

from quizzes.formats.reading import Finding

MOST_BYTES = 2_000_000
LONGEST_LINE = 100_000

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029]")


def decode(data: bytes) -> tuple[str, tuple[Finding, ...]]:
    """Return a file as text with line feeds between its lines; where a finding is an error, there is no text.

    UTF-8 is assumed, or what a byte order mark says; what is neither is taken for Windows-1252, with a note.
    """
    if len(data) > MOST_BYTES:
        sentence = f"The file has {len(data):,} bytes; a text may have {MOST_BYTES:,}. Split it."
        return "", (Finding(1, 1, "error", sentence),)
    mark, encoding = next((pair for pair in _MARKS if data.startswith(pair[0])), (b"", "utf-8"))
    text, findings = _text(data[len(mark) :], encoding)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    findings += _line_findings(text)
    if any(one.severity == "error" for one in findings):
        return "", tuple(findings)
    controls = _CONTROL.search(text)
    if controls:
        line, column = place(text, controls.start())
        sentence = "A control character stands here; it and others like it were read as spaces."
        findings.append(Finding(line, column, "note", sentence))
    return _CONTROL.sub(" ", text), tuple(findings)


def place(text: str, offset: int) -> tuple[int, int]:
    """Return the line and the column of an offset, both counted from 1."""
    start = text.rfind("\n", 0, offset) + 1
    return text.count("\n", 0, offset) + 1, offset - start + 1


def _text(data: bytes, encoding: str) -> tuple[str, list[Finding]]:
    try:
        return data.decode(encoding), []
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before) - before.rfind(b"\n")
    if encoding == "utf-8":
        try:
            text = data.decode("cp1252")
        except UnicodeDecodeError:
            pass
        else:
            sentence = "The file is not UTF-8 from here on; it was read as Windows-1252. Look at its accented letters."
            return text, [Finding(line, column, "note", sentence)]
    return "", [Finding(line, column, "error", "This is no text in UTF-8, UTF-16 or Windows-1252; save it as UTF-8.")]


def _line_findings(text: str) -> list[Finding]:
    if len(text) <= LONGEST_LINE:
        return []
    return [
        Finding(number, 1, "error", f"This line has {len(line):,} characters; a line may have {LONGEST_LINE:,}.")
        for number, line in enumerate(text.split("\n"), 1)
        if len(line) > LONGEST_LINE
    ][:1]
