"""A bucket as DuckDB's file system, which counts what is really read."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fsspec import AbstractFileSystem

from labs.parts.bucket import Bucket, NoSuchKeyError


class BucketFiles(AbstractFileSystem):  # type: ignore[misc]  # fsspec is not typed
    """Files named s3://bucket/key; only what the warehouse itself names is ever asked for."""

    protocol = "s3"
    cachable = False

    def __init__(self, buckets: Mapping[str, Bucket]) -> None:
        super().__init__()
        self._buckets = buckets
        self.read: Counter[str] = Counter()
        """Bytes read since the last ``clear``, by file."""

    def scanned(self) -> tuple[int, int]:
        """Return (files opened, bytes read of them), none counted beyond its size."""
        return len(self.read), sum(min(count, self.size(path)) for path, count in self.read.items())

    def size(self, path: str) -> int:
        """Return the bytes of a file."""
        bucket, key = self._find(path)
        return bucket.head(key).size

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Tell fsspec of a file."""
        return {"name": path, "size": self.size(path), "type": "file"}

    def modified(self, path: str) -> datetime:
        """Return when a file was written."""
        bucket, key = self._find(path)
        return datetime.fromtimestamp(bucket.head(key).modified, UTC)

    def exists(self, path: str, **_: Any) -> bool:
        """Return whether there is such a file."""
        try:
            self.size(path)
        except NoSuchKeyError:
            return False
        return True

    def glob(self, path: str, **_: Any) -> list[str]:
        """Return the path itself: keys may hold any character, so none is a wildcard."""
        return [path]

    def _open(self, path: str, mode: str = "rb", **_: Any) -> io.IOBase:
        bucket, key = self._find(path)
        if "r" not in mode:
            return _Writing(bucket, key)
        self.read[path] += 0
        return _Reading(bucket, key, self.read, path)

    def _find(self, path: str) -> tuple[Bucket, str]:
        name, _, key = path.removeprefix("s3://").partition("/")
        return self._buckets[name], key

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return path


class _Reading(io.RawIOBase):
    """An object that is read piece by piece."""

    def __init__(self, bucket: Bucket, key: str, read: Counter[str], path: str) -> None:
        self._bucket, self._key, self._counts, self._path = bucket, key, read, path
        self._size = bucket.head(key).size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        piece = self._bucket.get(self._key, self._at, len(buffer))
        buffer[: len(piece)] = piece
        self._at += len(piece)
        self._counts[self._path] += len(piece)
        return len(piece)


class _Writing(io.BytesIO):
    """An object that is stored when it is closed."""

    def __init__(self, bucket: Bucket, key: str) -> None:
        super().__init__()
        self._bucket, self._key = bucket, key

    def close(self) -> None:
        if not self.closed:
            self._bucket.put(self._key, self.getvalue())
        super().close()
