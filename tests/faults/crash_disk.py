"""A disk that loses its power: SQLite writes through it, and at any moment only what was synced is sure to be there."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import apsw

SECTOR = 512
VFS_NAME = "recorded"
Operation = tuple[str, str, int, bytes]
"""(``write``, file, offset, data), (``truncate``, file, size, b""), (``sync``, file, 0, b"") or (``note``, text, …)."""


class _File(apsw.VFSFile):
    """A file of the real disk, each change of which is noted; nothing is synced, for no real power is cut."""

    def __init__(self, name: apsw.URIFilename | str, flags: list[int], noted: list[Operation]) -> None:
        super().__init__("", name, flags)
        self._name = Path(name if isinstance(name, str) else name.filename()).name
        self._noted = noted

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 (SQLite's name)
        self._noted.append(("write", self._name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 (the same)
        self._noted.append(("truncate", self._name, newsize, b""))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: ARG002, N802 (the same)
        self._noted.append(("sync", self._name, 0, b""))


class RecordedFiles(apsw.VFS):
    """The file system as SQLite has it, with a list of every change of a file in ``noted``."""

    def __init__(self) -> None:
        self.noted: list[Operation] = []
        super().__init__(VFS_NAME, "")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 (SQLite's name)
        return _File(name, flags, self.noted)


class _Cursor:
    """A cursor of apsw with the manners of the standard library's."""

    arraysize = 1
    lastrowid = None

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection, self._cursor = connection, connection.cursor()
        # At no other time apsw tells the columns of a statement that finds nothing.
        self._cursor.exec_trace = self._describe
        self.description: list[tuple[Any, ...]] | None = None
        self.rowcount = -1

    def execute(self, statement: str, values: Sequence[Any] = ()) -> _Cursor:
        return self.executemany(statement, [values])

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]]) -> _Cursor:
        before = self._connection.total_changes()
        # Fetched at once, for here a statement that has not ended stands in a commit's way.
        self._found = iter([found for row in rows for found in self._cursor.execute(statement, row)])
        self.rowcount = self._connection.total_changes() - before
        return self

    def _describe(self, cursor: apsw.Cursor, _statement: str, _values: object) -> bool:
        self.description = [(*one, *[None] * 5) for one in cursor.get_description()] or None
        return True

    def fetchone(self) -> Any:
        return next(self._found, None)

    def fetchall(self) -> list[Any]:
        return list(self._found)

    def fetchmany(self, size: int = 1) -> list[Any]:
        return list(islice(self._found, size))

    def close(self) -> None:
        self._cursor.close()


class Connection:
    """A connection through RecordedFiles, which SQLAlchemy takes for one of the standard library's."""

    isolation_level = None

    def __init__(self, path: str) -> None:
        self._connection = apsw.Connection(path, vfs=VFS_NAME)

    def cursor(self) -> _Cursor:
        return _Cursor(self._connection)

    def execute(self, statement: str) -> None:
        self.cursor().execute(statement)

    def create_function(self, *_function: object, **_options: object) -> None:
        """Leave out what SQLAlchemy adds for regular expressions."""

    def commit(self) -> None:
        if self._connection.in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        if self._connection.in_transaction:
            self.execute("ROLLBACK")

    def close(self) -> None:
        self._connection.close()


@dataclass
class Disk:
    """What is on a disk for sure, by file, and the changes of each since its last sync."""

    synced: dict[str, bytearray] = field(default_factory=dict)
    underway: dict[str, list[Operation]] = field(default_factory=dict)

    def apply(self, operation: Operation) -> None:
        kind, name, _, _ = operation
        if kind == "sync":
            image = self.synced.setdefault(name, bytearray())
            for one in self.underway.pop(name, []):
                _change(image, one)
        elif kind != "note":
            self.underway.setdefault(name, []).append(operation)

    def cut(self, dice: random.Random) -> dict[str, bytes]:
        """Return what the files hold when the power is back: of each sector underway the old, the new or garbage.

        As SQLite takes for granted, a write spoils no byte outside of it.
        """
        images = {name: bytearray(image) for name, image in self.synced.items()}
        for name, changes in self.underway.items():
            image = images.setdefault(name, bytearray())
            for kind, _, offset, data in changes:
                if kind == "write":
                    for part in _sectors(offset, data):
                        _keep_drop_or_garble(image, *part, dice)
                elif dice.random() < 0.5:
                    _change(image, (kind, name, offset, data))
        return {name: bytes(image) for name, image in images.items()}


def _change(image: bytearray, operation: Operation) -> None:
    kind, _, place, data = operation
    if kind == "truncate":
        del image[place:]
    else:
        image.extend(bytes(max(0, place - len(image))))
        image[place : place + len(data)] = data


def _sectors(offset: int, data: bytes) -> Iterable[tuple[int, bytes]]:
    """Return the parts of a write, each within one sector, with the offset of each."""
    begins = [offset, *range((offset // SECTOR + 1) * SECTOR, offset + len(data), SECTOR)]
    ends = [*begins[1:], offset + len(data)]
    return [(begin, data[begin - offset : end - offset]) for begin, end in zip(begins, ends, strict=True)]


def _keep_drop_or_garble(image: bytearray, offset: int, data: bytes, dice: random.Random) -> None:
    fate = dice.randrange(3)
    if fate:
        _change(image, ("write", "", offset, data if fate == 1 else dice.randbytes(len(data))))
