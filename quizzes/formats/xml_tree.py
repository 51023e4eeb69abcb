"""XML of strangers as a tree whose elements know their line and column; what could hurt is refused before it is one.

A streaming parser counts depth and elements while it reads, so that neither a deep nor a wide file makes a tree.
Expat reads no external entities, and a document type, which may define entities, is refused at its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

MAXIMUM_DEPTH = 64
MAXIMUM_ELEMENTS = 200_000
MAXIMUM_RAW = 2_000
"""How many bytes of an element's own source are shown to an author."""

_DECLARATION = re.compile(rb"^\s*<\?xml[^>]{0,200}\?>")
_RUN_TOGETHER = re.compile(rb"(?<!=)([\"'])(?=[a-z])")
_JUNK_AFTER_ROOT = expat.errors.codes[expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT]


class XmlError(Exception):
    """A file that is not read: the line and the column, counted from 1, and one sentence."""

    def __init__(self, line: int, column: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line, self.column, self.sentence = line, column, sentence


@dataclass(slots=True)
class Element:
    """An element by its local name, with its texts and elements in order, and where it begins and ends in the file."""

    name: str
    attributes: dict[str, str]
    line: int = 0
    column: int = 0
    children: list[Element | str] = field(default_factory=list)
    start: int = 0
    end: int = 0

    def elements(self, *names: str) -> Iterator[Element]:
        """Yield the child elements of these names, or all."""
        for child in self.children:
            if isinstance(child, Element) and (not names or child.name in names):
                yield child

    def find(self, *names: str) -> Element | None:
        """Return the first child element of these names, or None."""
        return next(self.elements(*names), None)

    def walk(self, *names: str) -> Iterator[Element]:
        """Yield the descendants of these names, or all, in document order."""
        for child in self.elements():
            if not names or child.name in names:
                yield child
            yield from child.walk(*names)

    def text(self) -> str:
        """Return the words of the element and of all within it."""
        return "".join(child if isinstance(child, str) else child.text() for child in self.children)

    def get(self, name: str) -> str:
        """Return an attribute without spaces around it, or nothing."""
        return self.attributes.get(name, "").strip()


@dataclass(frozen=True)
class Document:
    """A file's root, its bytes, and what was mended on the way, as (line, column, sentence)."""

    root: Element
    data: bytes
    mended: tuple[tuple[int, int, str], ...]

    def raw(self, element: Element) -> str:
        """Return the source of an element as far as it is shown."""
        end = element.end if element.end > element.start else self.data.find(b">", element.start) + 1
        return self.data[element.start : min(end, element.start + MAXIMUM_RAW)].decode("utf-8", "replace")


def words(text: str) -> frozenset[str]:
    """Return names that are written in one text as a set."""
    return frozenset(text.split())


def parse(data: bytes) -> Document:
    """Parse a file; raise XmlError where it is not well-formed, has a document type, or is too deep or too wide."""
    mended = []
    declaration = _DECLARATION.match(data)
    if declaration and _RUN_TOGETHER.search(declaration[0]):
        # The space that is put in would move what follows on this line, so what is after the declaration stays.
        data = _RUN_TOGETHER.sub(rb"\1 ", declaration[0]).lstrip() + data[declaration.end() :]
        mended.append((1, 1, "The XML declaration lacked a space between its parts; it is read as if it were there."))
    elif declaration and declaration[0][:1] != b"<":
        data = data.lstrip()
        mended.append((1, 1, "There was space before the XML declaration; it is read as if it were not there."))
    builder = _Builder()
    try:
        builder.parser.Parse(data, True)
    except expat.ExpatError as error:
        sentence = f"The file is no well-formed XML: {expat.ErrorString(error.code)}."
        if error.code != _JUNK_AFTER_ROOT or builder.root is None:
            raise XmlError(error.lineno, error.offset + 1, sentence) from error
        mended.append((error.lineno, error.offset + 1, "What follows the end of the file's root is left out."))
    except (LookupError, ValueError) as error:
        raise XmlError(1, 1, "The file names an encoding that cannot be read; save it as UTF-8.") from error
    finally:
        # The two hold each other, and an import looks for no such garbage.
        del builder.parser
    if builder.root is None:
        raise XmlError(1, 1, "The file is empty.")
    return Document(builder.root, data, tuple(mended))


class _Builder:
    """Makes a tree of what expat tells, within bounds."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self.open: list[Element] = []
        self.count = 0
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.buffer_size = 65_536
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._doctype

    def _place(self) -> tuple[int, int]:
        return self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        line, column = self._place()
        self.count += 1
        if len(self.open) >= MAXIMUM_DEPTH:
            raise XmlError(line, column, f"Elements are nested deeper than {MAXIMUM_DEPTH}; this file is not read.")
        if self.count > MAXIMUM_ELEMENTS:
            raise XmlError(line, column, f"The file has more than {MAXIMUM_ELEMENTS} elements; split it.")
        local = {key.rpartition(":")[2]: value for key, value in attributes.items()} if attributes else {}
        element = Element(name.rpartition(":")[2], local, line, column, start=self.parser.CurrentByteIndex)
        if self.open:
            self.open[-1].children.append(element)
        else:
            self.root = element
        self.open.append(element)

    def _end(self, name: str) -> None:
        element = self.open.pop()
        # Of an element without content, expat gives the place where it begins.
        if self.parser.CurrentByteIndex > element.start:
            element.end = self.parser.CurrentByteIndex + len(name.encode()) + len("</>")

    def _text(self, text: str) -> None:
        self.open[-1].children.append(text)

    def _doctype(self, *_declaration: object) -> None:
        sentence = "The file has a document type (<!DOCTYPE …>), which may hide entities; take it out."
        raise XmlError(*self._place(), sentence)
