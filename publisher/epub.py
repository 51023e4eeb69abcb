"""An issue as a book: its documents, its cover and its metadata put into one EPUB, the same bytes each time."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid5

from publisher import cover, lint, package, pages
from publisher.issue import SERIES, Issue, IssueError, due_at
from publisher.package import Metadata, Resource

_SERIES_ID = UUID("5f0c3a52-8a5e-4c1f-9d0e-2b7a61d4c9e8")
_FEATURES = ("structuralNavigation", "tableOfContents", "readingOrder", "alternativeText", "displayTransformability")


@dataclass(frozen=True)
class Edition:
    """A finished issue. ``cover`` is a small rendition for the web; the hashes are SHA-256 in hexadecimal."""

    month: str
    title: str
    epub: bytes
    sha256: str
    manifest_sha256: str
    cover: bytes


def build(issue: Issue) -> Edition:
    """Make the book; raise IssueError or package.PackageError naming what may not go into it."""
    identifier = f"urn:uuid:{uuid5(_SERIES_ID, issue.month)}"
    full, small = _covers(issue)
    documents = pages.resources(issue, identifier)
    front = Resource("cover.jpg", "image/jpeg", full)
    data = package.write(_metadata(issue, identifier, documents), documents, front)
    entries = package.entries(data)
    found = lint.findings(entries)
    if found:
        raise IssueError(f"The issue of {issue.month} would be refused by some readers: {' '.join(found)}")
    return Edition(issue.month, issue.title, data, _sha256(data), manifest_hash(entries), small)


def _covers(issue: Issue) -> tuple[bytes, bytes]:
    """Return the cover of the book and its small rendition, both as JPEG."""
    picture = cover.draw(SERIES, issue.name, [note.page.title for note in issue.articles])
    return cover.jpeg(picture), cover.jpeg(picture, cover.WEB_WIDTH)


def manifest_hash(entries: Mapping[str, bytes]) -> str:
    """Return a hash of the uncompressed files, the same for every zlib: SHA-256 over lines of name and SHA-256."""
    return _sha256("".join(f"{name} {_sha256(entries[name])}\n" for name in sorted(entries)).encode())


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _metadata(issue: Issue, identifier: str, documents: tuple[Resource, ...]) -> Metadata:
    year, month = issue.month.split("-")
    return Metadata(
        identifier=identifier,
        title=issue.title,
        languages=tuple(dict.fromkeys(("en", *(note.page.language for note in issue.articles)))),
        creator="Archway",
        description=pages.description(issue),
        modified=due_at(issue.month),
        series=SERIES,
        position=f"{int(year)}.{int(month)}",
        accessibility=tuple(_accessibility(drawings=pages.has_drawings(documents))),
    )


def _accessibility(*, drawings: bool) -> list[tuple[str, str]]:
    """Say what is so, in schema.org's terms; conformance to a standard is claimed nowhere, as nobody certified it."""
    text = "The text can be resized and reflowed, and all of it can be read aloud in reading order. "
    shown = "Every drawing has a text alternative. " if drawings else "There are no pictures but the cover. "
    end = "Headings, tables and changes of language are marked; the contents list leads to every article."
    return [
        ("accessMode", "textual"),
        *([("accessMode", "visual")] if drawings else []),
        ("accessModeSufficient", "textual"),
        *(("accessibilityFeature", feature) for feature in _FEATURES),
        ("accessibilityHazard", "none"),
        ("accessibilitySummary", text + shown + end),
    ]
