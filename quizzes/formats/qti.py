"""QTI 2.1, 2.2 and 3.0, one item in a file of its own; packages of them are read by qti_package."""

from __future__ import annotations

from quizzes.formats.findings import Findings
from quizzes.formats.qti_item import read_item
from quizzes.formats.qti_tree import normalise
from quizzes.formats.reading import Reading, Severity
from quizzes.formats.xml_tree import Document, Element, XmlError, parse

_WEB_PAGE = (b"<!doctype html", b"<html")


def read(data: bytes) -> Reading:
    """Return the item of a QTI file; a file that is none is one error at its line."""
    findings = Findings()
    document = read_document(data, findings)
    if document is None:
        return findings.reading(0)
    root = normalise(document.root)
    if root.name != "assessmentItem":
        findings.add("error", root, _why_no_item(root))
        return findings.reading(0)
    findings.number = 1
    read_item(document, root, findings)
    return findings.reading(1)


def read_document(data: bytes, findings: Findings, severity: Severity = "error") -> Document | None:
    """Parse a file into a tree; None where it cannot be one, with the reason among the findings."""
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:14].lower().startswith(_WEB_PAGE):
        findings.add(severity, (1, 1), "This is a web page, not a file of QTI; download the file itself.")
        return None
    try:
        document = parse(data)
    except XmlError as error:
        findings.add(severity, (error.line, error.column), error.sentence)
        return None
    for line, column, sentence in document.mended:
        findings.add("loss" if "left out" in sentence else "note", (line, column), sentence)
    return document


def _why_no_item(root: Element) -> str:
    if root.name == "questestinterop":
        return "This is QTI 1.2, which is not read; export the questions as QTI 2.1 or later."
    if root.name in ("assessmentTest", "manifest", "assessmentSection", "assessmentStimulus"):
        return f"A <{root.name}> names questions that are in other files; give the whole package as a zip file."
    return f"A file of QTI begins with <assessmentItem> or <qti-assessment-item>, not <{root.name[:60]}>."
