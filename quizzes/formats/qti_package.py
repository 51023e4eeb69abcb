"""A QTI content package: a zip file whose manifest and tests name items, stimuli and pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from quizzes.formats.archive import Archive, ArchiveError, resolve
from quizzes.formats.findings import Findings
from quizzes.formats.html import picture_name
from quizzes.formats.qti import read_document
from quizzes.formats.qti_item import Stimulus, Surroundings, case_name, read_item
from quizzes.formats.qti_tree import convert, normalise
from quizzes.formats.reading import Reading, Severity
from quizzes.formats.source import MAXIMUM_QUESTIONS
from quizzes.formats.xml_tree import Document, Element

MANIFEST = "imsmanifest.xml"
_RULES = ("branchRule", "preCondition", "timeLimits", "selection", "weight", "itemSessionControl")
_RULE_SENTENCES = {"weight": "Weights of items are left out; every item counts one."}


def read(data: bytes) -> Reading:
    """Return the items of a package, in the order of its tests; a package that is none is one error."""
    findings = Findings()
    try:
        package = _Package(Archive(data), findings)
        return findings.reading(package.read())
    except ArchiveError as error:
        # An archive that could do harm gives nothing, not even what was read before.
        refused = Findings(member=error.member)
        refused.add("error", (1, 1), error.sentence)
        return refused.reading(0)


@dataclass
class _Package:
    """A package while it is read."""

    archive: Archive
    findings: Findings
    documents: dict[str, Document | None] = field(default_factory=dict)
    categories: dict[str, str] = field(default_factory=dict)
    count: int = 0

    def read(self) -> int:
        """Read every item and return how many questions there are."""
        named = list(dict.fromkeys(self._named()))
        in_tests = [name for name in self.categories if name in named]
        unnamed = [name for name in self._unnamed() if name not in self.categories and name not in named]
        for name in [*in_tests, *(one for one in named if one not in self.categories)]:
            self._read_item(name)
        for name in unnamed:
            self._read_unnamed(name)
        if not self.count and not any(one.severity == "error" for one in self.findings.found):
            self._say("error", MANIFEST, "The package has no QTI item; export the questions as QTI 2.1 or later.")
        return self.count

    def _named(self) -> Iterator[str]:
        """Yield the members that the manifest and the tests take for items."""
        manifests = [name for name in self.archive.names if name.rpartition("/")[2].lower() == MANIFEST]
        if not manifests:
            self._say("note", MANIFEST, "The package has no manifest; every item in it is read.")
        for manifest in manifests[:1]:
            document = self._document(manifest)
            for resource in document.root.walk("resource") if document else ():
                yield from self._resource(manifest, resource)

    def _resource(self, manifest: str, resource: Element) -> Iterator[str]:
        kind, name = resource.get("type").lower(), resolve(manifest, unquote(resource.get("href")))
        if "imsqti_test" in kind and name and name in self.archive:
            yield from self._test(name)
        elif "imsqti_item" in kind and "xmlv1p2" not in kind:
            yield name or resource.get("href")
        elif "qti" in kind and ("xmlv1p2" in kind or "assessment/" in kind):
            self.count = self.findings.number = self.count + 1
            sentence = "These questions are QTI 1.2, which is not read; export them as QTI 2.1 or later."
            self._say("error", manifest, sentence, resource)
            self.findings.number = 0

    def _test(self, test: str) -> Iterator[str]:
        document = self._document(test)
        if document is None:
            return
        root = normalise(document.root)
        for rule in dict.fromkeys(one.name for one in root.walk(*_RULES)):
            first = next(root.walk(rule))
            sentence = _RULE_SENTENCES.get(
                rule, f"The test's <{rule}> is left out; exams of Archway have rules of their own."
            )
            self._say("loss", test, sentence, first)
        yield from self._sections(test, root, ())

    def _sections(self, test: str, element: Element, titles: tuple[str, ...]) -> Iterator[str]:
        for child in element.elements():
            if child.name == "assessmentItemRef":
                name = resolve(test, unquote(child.get("href"))) or child.get("href")
                self.categories.setdefault(name, "/".join(titles))
                yield name
            elif child.name == "assessmentSection":
                title = " ".join(child.get("title").split())[:100]
                yield from self._sections(test, child, (*titles, title) if title else titles)
            elif child.name == "testPart":
                yield from self._sections(test, child, titles)

    def _unnamed(self) -> Iterator[str]:
        yield from (name for name in self.archive.names if name.lower().endswith(".xml"))

    def _read_item(self, name: str, note: str = "") -> None:
        if self.count >= MAXIMUM_QUESTIONS:
            return
        self.count = self.findings.number = self.count + 1
        self.findings.member = name
        document = self._document(name, "error")
        if document is None:
            if name not in self.archive:
                self._say("error", name, "The package names this item and has no such file; export it again.")
        elif normalise(document.root).name != "assessmentItem":
            self._say("error", name, f"The package takes this for an item, but it is a <{document.root.name[:60]}>.")
        else:
            if note:
                self._say("note", name, note)
            self._read_document(name, document)
        # An item is read once; to keep its tree would keep them all.
        self.documents.pop(name, None)
        self.findings.number, self.findings.member = 0, ""

    def _read_document(self, name: str, document: Document) -> None:
        around = Surroundings(
            self.categories.get(name, ""),
            lambda address: self._picture(name, document, address),
            lambda address: self._stimulus(name, address),
        )
        read_item(document, document.root, self.findings, around)

    def _picture(self, name: str, document: Document, address: str) -> str | None:
        member = resolve(name, unquote(address.partition("?")[0]))
        kept = picture_name(address)
        if not member or not kept or member not in self.archive:
            return None
        return self.findings.keep_picture(document.root, kept, self.archive.read(member))

    def _stimulus(self, name: str, address: str) -> Stimulus | None:
        member = resolve(name, unquote(address))
        document = self._document(member) if member and member in self.archive else None
        body = normalise(document.root).find("stimulusBody") if document else None
        if document is None or body is None:
            return None
        text = convert(
            self.findings, "shared text", body, lambda one: self._picture(str(member), document, one), one_line=False
        )
        identifier = document.root.get("identifier").removeprefix("case-")
        known = identifier.replace("-", "").isalnum() and identifier.isascii() and identifier.islower()
        return Stimulus(identifier if known else case_name(text), text) if text else None

    def _document(self, name: str, severity: Severity = "loss") -> Document | None:
        """Parse a member once; None where it is not there or cannot be parsed, with the reason among the findings."""
        if name not in self.documents:
            there = name in self.archive
            member, self.findings.member = self.findings.member, name
            found = read_document(self.archive.read(name), self.findings, severity) if there else None
            self.documents[name], self.findings.member = found, member
        return self.documents[name]

    def _read_unnamed(self, name: str) -> None:
        """Read a file that nobody named if it is an item, and say so where it cannot be told."""
        if name in self.documents:
            return
        quiet = Findings()
        document = read_document(self.archive.read(name), quiet)
        if document is None:
            self._say("loss", name, f"This file is left out. {quiet.found[0].sentence}")
        elif normalise(document.root).name == "assessmentItem":
            self._read_item(name, "No manifest names this item; it is read all the same.")

    def _say(self, severity: Severity, name: str, sentence: str, place: Element | None = None) -> None:
        member, self.findings.member = self.findings.member, name
        self.findings.add(severity, place or (1, 1), sentence)
        self.findings.member = member
