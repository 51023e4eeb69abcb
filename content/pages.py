"""One file of the course: read, checked and rendered together, once for each state that it is in on disk."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, unquote

from content import faults, front_matter, render
from content.errors import ContentError, Fault
from content.front_matter import REQUIRED, Field
from content.render import Rendered, Section

Stamp = tuple[int, int]
"""A file's time of change in nanoseconds and its size in bytes: the state that it is in."""

PICTURE_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
"""Pictures that are files of their own, with their media types; a drawing in SVG stands in the page itself."""
PICTURES = (".svg", *PICTURE_TYPES)
PICTURES_AT = "/learn/pictures/"
PAGE_FIELDS = {
    "title": Field(front_matter.text, REQUIRED),
    "summary": Field(front_matter.text, REQUIRED),
    "lang": Field(front_matter.pattern(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", "a language code such as en or bg"), "en"),
    "sources": Field(
        front_matter.pattern(r"https?://[^\s/<>\"{}|\\^`]+[^\s<>\"{}|\\^`]*", "a web address"), (), many=True
    ),
}


@dataclass(frozen=True)
class Files:
    """The state of every page by its path, and of a folder's pictures together, at one moment.

    ``laid`` are texts that take the place of files, by path; a page may have one and no file.
    """

    stamps: Mapping[str, Stamp]
    pictures: Mapping[str, tuple[Stamp, ...]]
    laid: Mapping[str, str] = field(default_factory=dict)

    def lay(self, texts: Mapping[str, str]) -> Files:
        """Return the files with these texts in place of theirs, besides those that lie there already."""
        stamps = {path: (-int.from_bytes(hashlib.sha256(text.encode()).digest()), 0) for path, text in texts.items()}
        return replace(self, stamps={**self.stamps, **stamps}, laid={**self.laid, **texts})

    def text(self, path: Path) -> str:
        """Return a page's text: what is laid over its file, or what that has."""
        laid = self.laid.get(str(path))
        return path.read_text("utf-8", "replace") if laid is None else laid


@dataclass(frozen=True)
class Page:
    """A Markdown text with what its front matter says of it, ready to be shown at ``address``."""

    root: Path
    path: Path
    address: str
    title: str
    summary: str
    language: str
    sources: tuple[str, ...]
    body: str
    first_line: int
    rendered: Rendered
    sections: tuple[Section, ...]

    @property
    def folder(self) -> Path:
        """Where the page's pictures lie."""
        return self.path.parent

    def address_of(self, target: str) -> str:
        """Return where the page behind a relative link of this one is shown."""
        return link_address(self.root, self.path, target)


Recall = Callable[[Path], str | None]
"""path → the text of a file's last sound state, as an earlier process kept it, or None."""
Make = Callable[[Page, Mapping[str, Any]], tuple[Any, list[Fault]]]
"""(page, front matter) → what the file is, a lesson or a schedule, and what is wrong in its own part of the text."""


@dataclass(frozen=True)
class Reading:
    """What a file turned out to be: its value (None where it is unusable) and every fault of it."""

    value: Any
    errors: tuple[ContentError, ...]


@dataclass
class Reader:
    """Reads the files of one folder, and again only those that have changed.

    While a file is faulty, what it was in its last sound state stays in its place; where this process has not seen
    one, ``recall`` is asked for the text of such a state.
    """

    root: Path
    recall: Recall = lambda _path: None
    sound: dict[Path, Any] = field(default_factory=dict)
    """What each file that ever was sound is, by its path."""
    _known: dict[Path, tuple[tuple[Stamp, ...], Reading]] = field(default_factory=dict)

    def read(self, path: Path, schema: Mapping[str, Field], make: Make, files: Files) -> Reading:
        """Return what the file is in the state that ``files`` tells, or was in its last sound one."""
        state = (files.stamps.get(str(path), (0, 0)), *files.pictures.get(str(path.parent), ()))
        known = self._known.get(path)
        if known is not None and known[0] == state:
            return known[1]
        laid = files.laid.get(str(path))
        reading = self._from_disk(path, schema, make) if laid is None else self._parse(path, laid, schema, make)
        if laid is not None and reading.value is None and path.is_file():
            reading = replace(self._from_disk(path, schema, make), errors=reading.errors)
        self._known[path] = (state, reading)
        return reading

    def apart(self) -> Reader:
        """Return a reader that knows what this one does, and tells it nothing."""
        return Reader(self.root, self.recall, dict(self.sound), dict(self._known))

    def _from_disk(self, path: Path, schema: Mapping[str, Field], make: Make) -> Reading:
        """Return what the file is, or was in its last sound state."""
        text, unreadable = text_of(path)
        reading = Reading(None, _errors(path, [unreadable])) if unreadable else self._parse(path, text, schema, make)
        if not reading.errors:
            self.sound[path] = reading.value
        elif path not in self.sound and (kept := self.recall(path)) is not None:
            earlier = self._parse(path, kept, schema, make)
            if not earlier.errors:
                self.sound[path] = earlier.value
        if reading.errors and path in self.sound:
            reading = replace(reading, value=self.sound[path])
        return reading

    def _parse(self, path: Path, text: str, schema: Mapping[str, Field], make: Make) -> Reading:
        try:
            head, body, first_line = front_matter.split(text)
        except ValueError as error:
            return Reading(None, _errors(path, [Fault(1, 1, str(error))]))
        front = front_matter.read(head, schema)
        tokens = render.parse(body)
        found = [
            *front.faults,
            *faults.find(body, path.parent, first_line, tokens),
            *faults.unsourced_claims(body, tokens, front.fields.get("sources") or (), first_line),
        ]
        if not body.strip():
            found.append(Fault(first_line, 1, "The page has no text."))
        if not front.usable:
            return Reading(None, _errors(path, found))
        address, picture = (partial(one, self.root, path) for one in (link_address, picture_address))
        rendered = render.render_tokens(tokens, path.parent, address=address, picture=picture, marks=True)
        page = Page(
            root=self.root,
            path=path,
            address=address_of(self.root, path),
            title=front.fields["title"],
            summary=front.fields["summary"],
            language=front.fields["lang"],
            sources=tuple(front.fields["sources"]),
            body=body,
            first_line=first_line,
            rendered=rendered,
            sections=tuple(render.sections(tokens)),
        )
        value, more = make(page, front.fields)
        return Reading(value, _errors(path, [*found, *more]))


def scan(root: Path) -> Files:
    """Return the state of every file of the content under ``root``."""
    stamps: dict[str, Stamp] = {}
    pictures: dict[str, list[Stamp]] = {}
    folders = [str(root)]
    while folders:
        folder = folders.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith((".", "_")):
                    continue
                if entry.is_dir():
                    folders.append(entry.path)
                elif entry.name.endswith(".md"):
                    stamps[entry.path] = _stamp(entry)
                elif entry.name.endswith(PICTURES):
                    pictures.setdefault(folder, []).append(_stamp(entry))
    return Files(stamps, {folder: tuple(sorted(found)) for folder, found in pictures.items()})


def _stamp(entry: os.DirEntry[str]) -> Stamp:
    state = entry.stat()
    return state.st_mtime_ns, state.st_size


def address_of(root: Path, path: Path) -> str:
    """Return where a file of the content is shown, or nothing if it is shown nowhere.

    ``courses/saa/1-resilient/2-queues.md`` stands at ``/learn/saa/resilient/queues``: places are no part of an address.
    """
    steps = path.relative_to(root).parts if path.is_relative_to(root) else ()
    match steps:
        case ("courses", course, "course.md"):
            return f"/learn/{course}"
        case ("courses", course, module, "overview.md"):
            return f"/learn/{course}/{_without_place(module)}/"
        case ("courses", course, module, lesson):
            return f"/learn/{course}/{_without_place(module)}/{_without_place(lesson.removesuffix('.md'))}"
        case ("talks" | "startups" | "notes" as room, name):
            return f"/{room}/{name.removesuffix('.md')}"
        case (render.GLOSSARY,):
            return "/glossary"
        case _:
            return ""


def link_address(root: Path, page: Path, target: str) -> str:
    """Return where the page behind a relative link of ``page`` is shown, its anchor included."""
    name, hash_sign, anchor = target.partition("#")
    return address_of(root, Path(os.path.normpath(page.parent / name))) + hash_sign + anchor


def picture_address(root: Path, page: Path, source: str) -> str:
    """Return where a picture that lies beside ``page`` is served; one outside the content stays as it is written."""
    path = Path(os.path.normpath(page.parent / unquote(source)))
    return PICTURES_AT + quote(path.relative_to(root).as_posix()) if path.is_relative_to(root) else source


def picture_path(root: Path, address: str) -> Path | None:
    """Return the file of a picture that is served, PNG or JPEG, or None where that is no address of one.

    What the content's reader passes over, as drafts whose name begins with a dot or a line, is not served either.
    """
    name = unquote(address.removeprefix(PICTURES_AT))
    steps = PurePosixPath(name).parts
    hidden = any(step.startswith((".", "_", "/")) for step in steps)
    if not address.startswith(PICTURES_AT) or hidden or not name.endswith(tuple(PICTURE_TYPES)):
        return None
    return root.joinpath(*steps)


def _without_place(name: str) -> str:
    return re.sub(r"^\d{1,2}-", "", name)


def _errors(path: Path, found: list[Fault]) -> tuple[ContentError, ...]:
    return tuple(ContentError(path, one.line, one.column, one.sentence) for one in found)


def text_of(path: Path) -> tuple[str, Fault | None]:
    """Return a file's text, or what makes it unreadable."""
    try:
        data = path.read_bytes()
    except OSError as error:
        return "", Fault(1, 1, f"The file cannot be read: {error.strerror}.")
    if len(data) > render.MAXIMUM_BYTES:
        return "", Fault(1, 1, f"The file has {len(data)} bytes; split it, {render.MAXIMUM_BYTES} is the limit.")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8")) + 1
        return "", Fault(before.count(b"\n") + 1, column, "This is not UTF-8; save the file as UTF-8.")
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    control = re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text)
    if control is not None:
        line = text.count("\n", 0, control.start()) + 1
        column = control.start() - text.rfind("\n", 0, control.start())
        return "", Fault(line, column, "There is a control character here; remove it.")
    return text, None
