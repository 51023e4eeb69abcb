"""The EPUB package: ebooklib writes it, and what ebooklib 0.20 gets wrong is put right here and nowhere else.

Its own document classes send every page through an HTML 4 parser (which breaks SVG, ``pre`` and ``head``), make a
page list out of footnotes and give the NCX no language. So every document is a plain item with our bytes, checked
by a strict parser first. Its writer stamps the present time on every entry and cannot set the package's language,
so both steps are replaced.
"""

from __future__ import annotations

import copy
import io
import struct
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from ebooklib import epub
from lxml import etree

XHTML = "application/xhtml+xml"
NCX = "application/x-dtbncx+xml"
_XML_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_HTML = "{http://www.w3.org/1999/xhtml}"
_EPUB_TYPE = "{http://www.idpf.org/2007/ops}type"
_NAMESPACE_PROPERTIES = {
    "{http://www.w3.org/2000/svg}": "svg",
    "{http://www.w3.org/1998/Math/MathML}": "mathml",
}
_FETCHED = {f"{_HTML}{name}" for name in ("img", "audio", "video", "source", "iframe", "script", "link")}


class PackageError(ValueError):
    """A document that may not go into a book; the sentence names it."""


@dataclass(frozen=True)
class Resource:
    """A file of the book: its bytes, or where they lie until the book is written.

    Documents with ``linear`` are read in the order in which they are given.
    """

    name: str
    media_type: str
    content: bytes | Path
    linear: bool = False

    @property
    def data(self) -> bytes:
        """The bytes, read anew each time if they lie in a file; raise PackageError where it cannot be read."""
        if isinstance(self.content, bytes):
            return self.content
        try:
            return self.content.read_bytes()
        except OSError as error:
            raise PackageError(f"{self.content} cannot be read: {error.strerror}.") from None


@dataclass(frozen=True)
class Metadata:
    """What the package says of the book. ``accessibility`` holds (property of schema.org, value), in order."""

    identifier: str
    title: str
    languages: tuple[str, ...]
    creator: str
    description: str
    modified: datetime
    series: str
    position: str
    accessibility: tuple[tuple[str, str], ...]


def write(metadata: Metadata, resources: Sequence[Resource], cover: Resource) -> bytes:
    """Return the EPUB; the same arguments give the same bytes. Raise PackageError for a document that is not XML."""
    out = io.BytesIO()
    write_to(out, metadata, resources, cover)
    return out.getvalue()


def write_to(out: IO[bytes], metadata: Metadata, resources: Sequence[Resource], cover: Resource) -> None:
    """Write the EPUB to a file that can be sought in, with one picture in memory at a time; else as ``write``."""
    for name, count in Counter(resource.name for resource in (*resources, cover)).items():
        if count > 1:
            raise PackageError(f"Two files of the book are called “{name}”.")
    book = epub.EpubBook()
    _describe(book, metadata)
    book.add_item(_cover(cover))
    for resource in resources:
        item = book.add_item(_item(resource))
        if resource.linear:
            book.spine.append(item)
    # A failure must raise: by itself ebooklib warns and returns False.
    options = {"mtime": metadata.modified, "raise_exceptions": True, "epub3_pages": False, "epub3_landmark": False}
    _Writer(out, book, options).write()


def entries(data: bytes) -> Mapping[str, bytes]:
    """Return the uncompressed files of an EPUB by name, in their order."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def entry(data: bytes, name: str) -> bytes:
    """Return one uncompressed file of an EPUB."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name)


def replaced(data: bytes, files: Mapping[str, bytes]) -> bytes:
    """Return an EPUB with some files changed or added at the end; the others are copied as they are compressed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, _FixedZip(out, "w") as new:
        kept = [one for one in old.infolist() if one.filename not in files]
        for one in kept:
            new.take_over(one, data)
        for name, content in files.items():
            new.writestr(name, content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def parse(resource: Resource) -> etree._Element:
    """Parse a document strictly; raise PackageError with its name and line where it is not well-formed."""
    try:
        return etree.fromstring(resource.data, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise PackageError(f"{resource.name}, line {error.lineno}: this is not well-formed XML: {error.msg}.") from None


def _describe(book: Any, metadata: Metadata) -> None:
    book.set_identifier(metadata.identifier)
    book.set_title(metadata.title)
    for language in metadata.languages:
        book.add_metadata("DC", "language", language)
    book.language = metadata.languages[0]
    book.add_author(metadata.creator)
    book.add_metadata("DC", "publisher", metadata.creator)
    book.add_metadata("DC", "date", metadata.modified.strftime("%Y-%m-%d"))
    book.add_metadata("DC", "description", metadata.description)
    for value, attributes in (
        (metadata.series, {"property": "belongs-to-collection", "id": "series"}),
        ("series", {"refines": "#series", "property": "collection-type"}),
        (metadata.position, {"refines": "#series", "property": "group-position"}),
        *((value, {"property": f"schema:{name}"}) for name, value in metadata.accessibility),
        ("", {"name": "cover", "content": "cover-image"}),
    ):
        book.add_metadata(None, "meta", value, attributes)


def _cover(cover: Resource) -> Any:
    item = epub.EpubCover(uid="cover-image", file_name=cover.name)
    item.media_type, item.content = cover.media_type, cover.data
    return item


def _item(resource: Resource) -> Any:
    uid = "ncx" if resource.media_type == NCX else resource.name.replace("/", "-").replace(".", "-")
    item = _Item(f"f-{uid}" if uid != "ncx" else uid, resource.name, resource.media_type, resource)
    if resource.media_type in {XHTML, NCX}:
        root = parse(resource)
        item.properties = sorted(set(_properties(resource, root)))
    return item


def _properties(resource: Resource, root: etree._Element) -> Iterator[str]:
    """Yield what the manifest must say of a document; ebooklib finds none of it by itself."""
    for element in root.iter(etree.Element):
        namespace = str(element.tag).rpartition("}")[0] + "}"
        if namespace in _NAMESPACE_PROPERTIES:
            yield _NAMESPACE_PROPERTIES[namespace]
        if element.tag == f"{_HTML}nav" and element.get(_EPUB_TYPE) == "toc":
            yield "nav"
        if element.tag in _FETCHED and "//" in str(element.get("src") or element.get("href") or ""):
            raise PackageError(f"{resource.name} fetches {element.get('src')}; a book holds all it shows.")


class _Item(epub.EpubItem):  # type: ignore[misc]  # ebooklib has no types
    """An item whose bytes are read when they are written; its content is a Resource."""

    def get_content(self) -> bytes:
        return self.content.data  # type: ignore[no-any-return]


class _FixedZip(zipfile.ZipFile):
    """An archive whose entries carry no trace of when, where and by whom it was written.

    Pictures are stored as they are, since their formats are compressed already.
    """

    def writestr(
        self, name: Any, data: Any, compress_type: int | None = None, compresslevel: int | None = None
    ) -> None:
        entry = zipfile.ZipInfo(str(name), (1980, 1, 1, 0, 0, 0))
        entry.create_system, entry.external_attr = 3, 0o100644 << 16
        packed = entry.filename.endswith((".jpg", ".jpeg", ".png"))
        usual = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
        entry.compress_type = usual if compress_type is None else compress_type
        super().writestr(entry, data, compresslevel=compresslevel)

    def take_over(self, entry: zipfile.ZipInfo, data: bytes) -> None:
        """Copy an entry of the archive ``data`` without unpacking it, for which the library has no method."""
        if self.fp is None:
            raise ValueError("The archive is closed.")
        # After 30 bytes of a local header come its name and an extra field, whose lengths are its last four bytes.
        start = entry.header_offset
        name, extra = struct.unpack_from("<HH", data, start + 26)
        copied = copy.copy(entry)
        copied.header_offset = self.start_dir
        self.fp.write(data[start : start + 30 + name + extra + entry.compress_size])
        self.start_dir = self.fp.tell()
        self.filelist.append(copied)
        self.NameToInfo[copied.filename] = copied


class _Writer(epub.EpubWriter):  # type: ignore[misc]  # ebooklib has no types
    """ebooklib's writer, into a fixed archive, with the language of the package set."""

    def write(self) -> None:
        with _FixedZip(self.file_name, "w") as self.out:
            self.out.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
            self._write_container()
            self._write_opf()
            self._write_items()

    def _write_opf_file(self, root: etree._Element) -> None:
        root.set(_XML_LANGUAGE, self.book.language)
        super()._write_opf_file(root)
