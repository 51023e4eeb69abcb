"""Zip files of strangers: names are judged before anything is read, and bytes are counted while they are inflated."""

from __future__ import annotations

import lzma
import stat
import struct
import zipfile
import zlib
from io import BytesIO
from pathlib import PurePosixPath

MAXIMUM_ARCHIVE = 20_000_000
MAXIMUM_ENTRIES = 1_000
MAXIMUM_INFLATED = 100_000_000
MAXIMUM_MEMBER = 20_000_000
MAXIMUM_RATIO = 100
"""How many times a member may grow; what stays under ``HARMLESS`` bytes may."""
HARMLESS = 65_536
_CHUNK = 65_536
_DIRECTORY_ENTRY = 46
_FAULTS = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, OSError),
    *(ValueError, struct.error, IndexError, KeyError, OverflowError, LookupError),
)
"""What the standard library raises for archives that are broken, encrypted, or packed in ways that it does not know."""


class ArchiveError(Exception):
    """An archive, or a member of it, that is not read, and why, in one sentence."""

    def __init__(self, sentence: str, member: str = "") -> None:
        super().__init__(sentence)
        self.sentence, self.member = sentence, member


class Archive:
    """The members of a zip file by name; opening raises ArchiveError where a name could do harm."""

    def __init__(self, data: bytes) -> None:
        if len(data) > MAXIMUM_ARCHIVE:
            raise ArchiveError(f"The package has more than {MAXIMUM_ARCHIVE // 1_000_000} MB; split it.")
        _check_directory(data)
        try:
            self._zip = zipfile.ZipFile(BytesIO(data))
        except _FAULTS as error:
            raise ArchiveError("The package is no zip file, or a broken one; export it again.") from error
        entries = [one for one in self._zip.infolist() if not one.filename.endswith("/")]
        if len(self._zip.infolist()) > MAXIMUM_ENTRIES:
            raise ArchiveError(f"The package has more than {MAXIMUM_ENTRIES} files; split it.")
        self._members: dict[str, zipfile.ZipInfo] = {}
        self._inflated = 0
        for entry in entries:
            _check_name(entry)
            if entry.filename in self._members:
                raise ArchiveError("Two files of the package have the same name.", entry.filename)
            self._members[entry.filename] = entry
        if sum(one.file_size for one in entries) > MAXIMUM_INFLATED:
            raise ArchiveError(f"The package unpacks to more than {MAXIMUM_INFLATED // 1_000_000} MB; split it.")

    def __contains__(self, name: str) -> bool:
        return name in self._members

    @property
    def names(self) -> list[str]:
        """The names of all members, as the archive lists them."""
        return list(self._members)

    def read(self, name: str) -> bytes:
        """Inflate a member; raise ArchiveError where it is broken, or grows beyond a bound."""
        entry, parts, size = self._members[name], list[bytes](), 0
        try:
            with self._zip.open(entry) as stream:
                while chunk := stream.read(_CHUNK):
                    size += len(chunk)
                    self._count(entry, size, len(chunk))
                    parts.append(chunk)
        except _FAULTS as error:
            raise ArchiveError("This file of the package is broken or encrypted; export it again.", name) from error
        return b"".join(parts)

    def _count(self, entry: zipfile.ZipInfo, size: int, more: int) -> None:
        self._inflated += more
        if size > HARMLESS and size > MAXIMUM_RATIO * max(1, entry.compress_size):
            raise ArchiveError(f"This file grows more than {MAXIMUM_RATIO}-fold; it is not read.", entry.filename)
        if size > MAXIMUM_MEMBER or self._inflated > MAXIMUM_INFLATED:
            raise ArchiveError("The package unpacks to more than may be read; split it.", entry.filename)


def resolve(name: str, address: str) -> str | None:
    """Return the member that an address within the member ``name`` means, or None where it leaves the archive."""
    steps = [] if address.startswith("/") else list(PurePosixPath(name).parent.parts)
    for step in address.lstrip("/").split("/"):
        if step == "..":
            if not steps:
                return None
            steps.pop()
        elif step not in ("", "."):
            steps.append(step)
    return "/".join(steps)


def _check_directory(data: bytes) -> None:
    """Refuse a directory that is larger than so many entries need, before it is read into memory."""
    end = data.rfind(b"PK\x05\x06")
    if end >= 0 and len(data) >= end + 20:
        count, size = struct.unpack_from("<HI", data, end + 10)
        if count > MAXIMUM_ENTRIES or size > MAXIMUM_ENTRIES * (_DIRECTORY_ENTRY + 1_000):
            raise ArchiveError(f"The package has more than {MAXIMUM_ENTRIES} files; split it.")


def _check_name(entry: zipfile.ZipInfo) -> None:
    # What follows a NUL is cut off from ``filename``; the archive's own name still has it.
    name, original = entry.filename, entry.orig_filename
    parts = PurePosixPath(original).parts
    if not name or not original.isprintable():
        raise ArchiveError(
            "The name of a file in the package is empty or has control characters.", ascii(original)[1:-1][:100]
        )
    if "\\" in original or original.startswith("/") or ".." in parts or original[1:2] == ":" or name != original:
        raise ArchiveError("The name of a file leads out of the package; such a package is not read.", original[:100])
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise ArchiveError("A file of the package is a link to another; such a package is not read.", original[:100])
