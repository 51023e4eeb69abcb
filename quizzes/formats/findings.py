"""What a reader of XML keeps in mind about a file: its findings, and the pictures that come along."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field, replace

from quizzes.formats.build import Built, with_ids_of_their_own
from quizzes.formats.html import Converted
from quizzes.formats.picture import MAXIMUM_PICTURE, picture_type
from quizzes.formats.reading import Finding, Imported, Reading, Severity
from quizzes.formats.xml_tree import Document, Element

MAXIMUM_PICTURES = 20_000_000
"""How many bytes all pictures of a file may have together."""
MAXIMUM_PARTS = 2_000
"""How many elements one question may have."""
MAXIMUM_HTML = 100_000
"""How many characters one text of a question may have before it is converted."""


@dataclass
class Findings:
    """Findings of one file, its items so far, and its pictures by name."""

    member: str = ""
    found: list[Finding] = field(default_factory=list)
    items: list[Imported] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)
    number: int = 0
    """The question that is being read, 0 between questions."""
    name: str = ""

    def add(self, severity: Severity, place: Element | tuple[int, int], sentence: str, raw: str = "") -> None:
        """Keep a finding of the question that is being read."""
        line, column = (place.line, place.column) if isinstance(place, Element) else place
        self.found.append(Finding(line, column, severity, sentence, self.number, self.member, raw))

    def converted(self, part: str, place: Element, converted: Converted) -> str:
        """Return a converted text, and keep what it lost."""
        if converted.losses:
            self.add("loss", place, f"The {part} loses what cannot be kept: {', '.join(converted.losses)}.")
        return converted.text

    def start(self, element: Element, name: str) -> tuple[int, int, int, str]:
        """Return what every builder begins with: the question's number, its line and column, and its name."""
        self.name = " ".join(name.split())[:200]
        return self.number, element.line, element.column, self.name

    def take(self, element: Element, document: Document, built: Built) -> None:
        """Keep a question that was built, or, where it has faults, those with its source."""
        made, found = built
        source = document.raw(element) if made is None else ""
        for one in found:
            raw, source = (source, "") if one.severity == "error" else (one.raw, source)
            self.found.append(replace(one, member=self.member, raw=raw))
        if made is not None:
            self.items.append(replace(made, name=self.name, member=self.member))

    def keep_picture(self, place: Element, name: str, data: bytes) -> str | None:
        """Keep a picture and return its name in this file; None with a loss where it is none, or too large."""
        if not name or picture_type(data) is None:
            self.add("loss", place, f"“{name[:100]}” is no PNG, JPEG or GIF picture; it is left out.")
            return None
        if len(data) > MAXIMUM_PICTURE or sum(map(len, self.pictures.values())) + len(data) > MAXIMUM_PICTURES:
            self.add("loss", place, f"The picture “{name[:100]}” is too large; it is left out.")
            return None
        if self.pictures.get(name, data) != data:
            name = f"{hashlib.sha256(data).hexdigest()[:8]}-{name}"
        self.pictures[name] = data
        return name

    def reading(self, questions: int) -> Reading:
        """Return what was read; findings stand in the order of the questions."""
        items, notes = with_ids_of_their_own(self.items)
        found = tuple(sorted([*self.found, *notes], key=lambda one: (one.question, one.line, one.column)))
        return Reading(items, found, questions, self.pictures)


def decode_base64(text: str) -> bytes:
    """Return the bytes of a base64 text, or none where it is not one."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""
