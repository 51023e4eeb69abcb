"""Bytes of a text file as text, in whichever encoding, with the places of what could not be kept."""

from __future__ import annotations

import codecs
import re

from quizzes.formats.reading import Finding, Reading

MAXIMUM_TEXT = 2_000_000
MAXIMUM_LINE = 100_000
MAXIMUM_QUESTIONS = 10_000
MAXIMUM_RAW = 500
"""How many characters of the source stand in a finding."""
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")


def decode(data: bytes) -> tuple[str, tuple[Finding, ...]]:
    r"""Return a file's text with ``\n`` at the end of its lines, and what had to be changed.

    A byte order mark decides the encoding, else it is UTF-8, else Windows-1252. Control characters become spaces, so
    that columns stay. A text or a line that is too long is an error of the whole file, and the text is empty.
    """
    if len(data) > 2 * MAXIMUM_TEXT:
        return "", (_too_long(),)
    text, findings = _decoded(data)
    text = lines_ended(text)
    if len(text) > MAXIMUM_TEXT:
        return "", (_too_long(),)
    for number, content in enumerate(text.split("\n"), 1):
        if len(content) > MAXIMUM_LINE:
            sentence = f"This line is longer than {MAXIMUM_LINE:,} characters; break it up."
            return "", (Finding(number, MAXIMUM_LINE + 1, "error", sentence),)
    if first := _CONTROL.search(text):
        line, column = place(text, first.start())
        findings += (Finding(line, column, "loss", "Control characters are replaced by spaces, here the first one."),)
        text = _CONTROL.sub(" ", text)
    return text, findings


def lines_ended(text: str) -> str:
    r"""Return a text whose lines end with ``\n``, whichever of the three ways they ended."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def place(text: str, offset: int) -> tuple[int, int]:
    """Return the line and the column of an offset, counted from 1."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def too_many() -> Reading:
    """Return the reading of a file that has too many questions: none of them, and an error."""
    sentence = f"The file has more than {MAXIMUM_QUESTIONS:,} questions; split it."
    return Reading((), (Finding(1, 1, "error", sentence),), 0)


def _too_long() -> Finding:
    return Finding(1, 1, "error", f"The file is longer than {MAXIMUM_TEXT:,} characters; split it.")


def _decoded(data: bytes) -> tuple[str, tuple[Finding, ...]]:
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), None)
    if encoding:
        text = data.decode(encoding, "replace").removeprefix("\ufeff")
    else:
        try:
            return data.decode(), ()
        except UnicodeDecodeError as error:
            text = data.decode("cp1252", "replace")
            before = lines_ended(text[: error.start])
            line, column = place(before, len(before))
            note = Finding(line, column, "note", "The file is not UTF-8 from here on; it is read as Windows-1252.")
            encoding, kept = "Windows-1252", (note,)
            return text, (*kept, *_replaced(text, encoding))
    return text, _replaced(text, encoding)


def _replaced(text: str, encoding: str) -> tuple[Finding, ...]:
    """Return a loss at the first character that stands for bytes the encoding does not have."""
    offset = text.find("\ufffd")
    if offset < 0:
        return ()
    line, column = place(lines_ended(text[:offset]), len(lines_ended(text[:offset])))
    return (Finding(line, column, "loss", f"Bytes that are no {encoding} stand as �, here the first one."),)
