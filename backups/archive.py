"""The file that a backup is: a ZIP of one file of lines for each table, the secret key, and a manifest with sums."""

from __future__ import annotations

import contextlib
import json
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection

import db
from backups.rows import CopyError, Row, Sum, Summing, column_names, from_lines, read, tables, to_lines

FORMAT = 1
_PART = 10
"""Rows read at once from the file, which may hold files themselves."""


@dataclass(frozen=True)
class Manifest:
    """What an archive holds: the schema's revision, when it was made, and each table's sum."""

    schema: str
    made_at: datetime
    sums: Mapping[str, Sum]

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return sum(one.rows for one in self.sums.values())


def make(connection: Connection, path: Path, rebuilt: Iterable[str], secret_key: str, now: datetime) -> Manifest:
    """Write what the connection sees to ``path``, all of it or nothing, and read it back; raise CopyError.

    Nobody but the owner of the process can read the file; it is on the disk when this returns.
    """
    schema = db.revision(connection)
    if not schema:
        raise CopyError("The database is empty, so there is nothing to copy; look at ARCHWAY_DATABASE_URL.")
    if path.exists():
        raise CopyError(f"{path} exists; give the backup another name.")
    draft = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "wb") as file:  # noqa: PTH123 (opener)
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                sums = {}
                for table in tables(connection, rebuilt):
                    summing = Summing(column_names(table))
                    with archive.open(_member(table.name), "w", force_zip64=True) as member:
                        for rows in read(connection, table):
                            lines = to_lines(rows)
                            summing.add(lines)
                            member.write(lines)
                    sums[table.name] = summing.sum()
                manifest = Manifest(schema, now, sums)
                archive.writestr("secret-key", secret_key)
                archive.writestr("manifest.json", _described(manifest))
            file.flush()
            os.fsync(file.fileno())
        if check(draft) != manifest:
            raise CopyError(f"{path} could not be read back as it was written; look at the disk.")
        draft.rename(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise CopyError(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        draft.unlink(missing_ok=True)
    return manifest


def check(path: Path) -> Manifest:
    """Read an archive to its end and return its manifest; raise CopyError where anything in it is not as written."""
    with opened(path) as archive:
        manifest = described(archive)
        for name, expected in manifest.sums.items():
            summing = Summing(expected.columns)
            for lines in _pieces(archive, name):
                summing.add(lines)
            if summing.sum() != expected:
                raise CopyError(f"{path} is damaged: {name} is not what was written. Use another backup.")
        secret_key(archive)
    return manifest


@contextlib.contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive; raise CopyError where it cannot be read, also later on."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except OSError as error:
        raise CopyError(f"{path} cannot be read: {error.strerror}.") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, TypeError, NotImplementedError) as error:
        if isinstance(error, CopyError):
            raise
        raise CopyError(f"{path} is damaged or no backup of Archway; use another.") from error


def described(archive: zipfile.ZipFile) -> Manifest:
    """Return an archive's manifest; raise CopyError where a later release wrote it."""
    raw = json.loads(archive.read("manifest.json"))
    if raw["format"] != FORMAT:
        raise CopyError(
            f"The backup has format {raw['format']}, which this release does not know; install a later one."
        )
    sums = {name: Sum(tuple(one["columns"]), one["rows"], one["sha256"]) for name, one in raw["tables"].items()}
    return Manifest(raw["schema"], datetime.fromisoformat(raw["made_at"]), sums)


def rows_of(archive: zipfile.ZipFile, name: str) -> Iterator[list[Row]]:
    """Yield a table's rows, some at a time."""
    with archive.open(_member(name)) as member:
        rows = from_lines(member)
        while part := list(islice(rows, _PART)):
            yield part


def secret_key(archive: zipfile.ZipFile) -> str:
    """Return the secret key that the site had."""
    return archive.read("secret-key").decode("ascii")


def _described(manifest: Manifest) -> str:
    document = {
        "format": FORMAT,
        "schema": manifest.schema,
        "made_at": manifest.made_at.isoformat(),
        "tables": {name: asdict(one) for name, one in manifest.sums.items()},
    }
    return json.dumps(document, indent=1)


def _pieces(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    with archive.open(_member(name)) as member:
        while piece := member.read(1 << 20):
            yield piece


def _member(table: str) -> str:
    return f"tables/{table}.jsonl"


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
