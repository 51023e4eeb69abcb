"""An issue as a book: its documents, its cover and its metadata put into one EPUB, the same bytes each time."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO
from uuid import UUID, uuid5

from publisher import lint, package, pages
from publisher.issue import SERIES, Choice, Issue, IssueError, check_month, due_at
from publisher.news import Printed
from publisher.package import Metadata, Resource
from publisher.progress import Report, Stage, to_nobody

SERIES_ID = UUID("5f0c3a52-8a5e-4c1f-9d0e-2b7a61d4c9e8")
COVER = "cover.jpg"
PUBLISHER = "Archway"
_FEATURES = ("structuralNavigation", "tableOfContents", "readingOrder", "alternativeText", "displayTransformability")


@dataclass(frozen=True)
class Edition:
    """A finished issue: the book, its form for Kindle, a small cover for the web. Hashes are SHA-256 in hexadecimal."""

    month: str
    title: str
    epub: bytes
    sha256: str
    manifest_sha256: str
    kindle: bytes
    cover: bytes
    printed: Printed
    choice: Choice | None


def build(issue: Issue, report: Report = to_nobody) -> Edition:
    """Make the book; raise IssueError or package.PackageError naming what may not go into it."""
    report(Stage("cover"))
    full, small = covers(issue)
    found = documents(issue, report)
    report(Stage("packing", 0, 2))
    book = _write(issue, found, full)
    report(Stage("packing", 1, 2))
    for_kindle = _write(issue, (pages.title_page(issue, kindle=True), *found[1:]), full)
    report(Stage("checking"))
    entries = package.entries(book)
    refused = lint.findings(package.entries(for_kindle))
    if refused:
        raise IssueError(f"The issue of {issue.month} would be refused by some readers: {' '.join(refused)}")
    return Edition(
        month=issue.month,
        title=issue.title,
        epub=book,
        sha256=_sha256(book),
        manifest_sha256=manifest_hash(entries),
        kindle=for_kindle,
        cover=small,
        printed=issue.printed,
        choice=issue.choice,
    )


def identifier(month: str) -> str:
    """Return the name under which the book of a month is known everywhere, whatever its build."""
    return f"urn:uuid:{uuid5(SERIES_ID, month)}"


def position(month: str) -> str:
    """Return the place of a month's issue in the series: 2018.1 for January 2018."""
    year, number = check_month(month)
    return f"{year}.{number}"


def languages(issue: Issue) -> tuple[str, ...]:
    """Return the languages of an issue, its own first."""
    return tuple(dict.fromkeys(("en", *(note.page.language for note in issue.articles))))


def covers(issue: Issue) -> tuple[bytes, bytes]:
    """Return the cover of the book and its small rendition, both as JPEG."""
    from publisher import cover  # noqa: PLC0415 (a book that is given its cover need not wait for Pillow)

    picture = cover.draw(SERIES, issue.name, [note.page.title for note in issue.articles])
    return cover.jpeg(picture), cover.jpeg(picture, cover.WEB_WIDTH)


def documents(issue: Issue, report: Report = to_nobody) -> tuple[Resource, ...]:
    """Return every file of the book but its cover, its title page first; raise IssueError for what is missing."""
    return pages.resources(issue, identifier(issue.month), report)


def write_to(out: IO[bytes], issue: Issue, cover_jpeg: bytes) -> None:
    """Write the book alone, with that cover, to a file that can be sought in; what is wrong raises as in ``build``."""
    found = documents(issue)
    package.write_to(out, _metadata(issue, found), found, _cover(cover_jpeg))


def _write(issue: Issue, found: tuple[Resource, ...], cover_jpeg: bytes) -> bytes:
    return package.write(_metadata(issue, found), found, _cover(cover_jpeg))


def _cover(data: bytes) -> Resource:
    return Resource(COVER, "image/jpeg", data)


def manifest_hash(entries: Mapping[str, bytes]) -> str:
    """Return a hash of the uncompressed files, the same for every zlib: SHA-256 over lines of name and SHA-256."""
    return _sha256("".join(f"{name} {_sha256(entries[name])}\n" for name in sorted(entries)).encode())


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _metadata(issue: Issue, documents: tuple[Resource, ...]) -> Metadata:
    return Metadata(
        identifier=identifier(issue.month),
        title=issue.title,
        languages=languages(issue),
        creator=PUBLISHER,
        description=pages.description(issue),
        modified=due_at(issue.month),
        series=SERIES,
        position=position(issue.month),
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
