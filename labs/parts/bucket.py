"""A bucket of objects: one contract, kept in a directory or asked of anything that speaks the S3 API."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

KEY_BYTES = 1024
PAGE = 1000
"""A listing's page has at most as many keys and common prefixes (Amazon S3 API reference, ListObjectsV2)."""


class NoSuchKeyError(LookupError):
    """The bucket has no object under that key."""


class InvalidKeyError(ValueError):
    """A key that no object can have; the sentence says why."""


@dataclass(frozen=True)
class StoredObject:
    """What a bucket tells of an object: size in bytes, the MD5 of its content in hex, seconds since 1970."""

    key: str
    size: int
    etag: str
    modified: float


@dataclass(frozen=True)
class Listing:
    """One page of a listing; ``continuation`` asks for the next page and is empty on the last."""

    objects: tuple[StoredObject, ...]
    prefixes: tuple[str, ...] = ()
    continuation: str = ""


class Bucket(Protocol):
    """The contract; ``tests/labs/test_bucket.py`` holds every kind of bucket to it."""

    def put(self, key: str, content: bytes) -> StoredObject:
        """Store the content, whole or not at all; raise InvalidKeyError."""

    def get(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """Return the content from byte ``start`` on; raise NoSuchKeyError."""

    def head(self, key: str) -> StoredObject:
        """Return what is known of the object; raise NoSuchKeyError."""

    def list(
        self, prefix: str = "", delimiter: str = "", start_after: str = "", limit: int = PAGE, continuation: str = ""
    ) -> Listing:
        """Return a page of the keys in UTF-8 order; what shares a prefix up to a delimiter is one entry."""

    def delete(self, key: str) -> None:
        """Remove the object; a key without one is no fault, as in S3."""

    def copy(self, source: str, target: str) -> StoredObject:
        """Store the content of ``source`` under ``target`` too; raise NoSuchKeyError, InvalidKeyError."""


def objects(bucket: Bucket, prefix: str = "") -> Iterator[StoredObject]:
    """Yield every object whose key begins with the prefix, in the order of the keys."""
    continuation = ""
    while True:
        page = bucket.list(prefix, continuation=continuation)
        yield from page.objects
        continuation = page.continuation
        if not continuation:
            return


def check_key(key: str) -> None:
    """Raise InvalidKeyError unless the key has 1 to 1,024 bytes of UTF-8."""
    try:
        size = len(key.encode("utf-8"))
    except UnicodeEncodeError:
        raise InvalidKeyError("The key has half a character (a lone surrogate); keys are UTF-8.") from None
    if not 1 <= size <= KEY_BYTES:
        raise InvalidKeyError(f"The key has {size} bytes of UTF-8; it must have 1 to {KEY_BYTES}.")


class DirectoryBucket:
    """A bucket in a directory of its own, which one bucket at a time may use.

    A file's name is the SHA-256 of its key, so no key can leave the directory, be too long for the file system, or
    meet another that differs only in case. Each file holds a line of JSON and then the content.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        folder.mkdir(parents=True, exist_ok=True)
        found = [_read_header(path) for path in folder.glob("*.object")]
        self._objects = {one.key: one for one in found}
        # Code points sort as their UTF-8 does.
        self._keys = sorted(self._objects)

    def put(self, key: str, content: bytes) -> StoredObject:
        """Store the content, whole or not at all; raise InvalidKeyError."""
        check_key(key)
        stored = StoredObject(key, len(content), hashlib.md5(content, usedforsecurity=False).hexdigest(), self._clock())
        header = json.dumps({"key": key, "etag": stored.etag, "modified": stored.modified}).encode()
        descriptor, name = tempfile.mkstemp(dir=self._folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(header + b"\n" + content)
            Path(name).replace(self._path(key))
        except BaseException:
            Path(name).unlink()
            raise
        if key not in self._objects:
            self._keys.insert(bisect_left(self._keys, key), key)
        self._objects[key] = stored
        return stored

    def get(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """Return the content from byte ``start`` on; raise NoSuchKeyError."""
        self.head(key)
        with self._path(key).open("rb") as file:
            file.readline()
            file.seek(start, os.SEEK_CUR)
            return file.read(length)

    def head(self, key: str) -> StoredObject:
        """Return what is known of the object; raise NoSuchKeyError."""
        try:
            return self._objects[key]
        except KeyError:
            raise NoSuchKeyError(f"The bucket has no object “{key}”.") from None

    def list(
        self, prefix: str = "", delimiter: str = "", start_after: str = "", limit: int = PAGE, continuation: str = ""
    ) -> Listing:
        """Return a page of the keys in UTF-8 order; what shares a prefix up to a delimiter is one entry.

        The continuation is the last key that the page before it looked at.
        """
        found: list[StoredObject] = []
        prefixes: list[str] = []
        last = ""
        first = max(bisect_left(self._keys, prefix), bisect_right(self._keys, max(start_after, continuation)))
        for key in self._keys[first:]:
            if not key.startswith(prefix):
                break
            cut = key.find(delimiter, len(prefix)) if delimiter else -1
            group = key[: cut + len(delimiter)] if cut >= 0 else ""
            # A group whose prefix is not after start_after is left out whole, as moto has it too.
            if not group or (group > start_after and prefixes[-1:] != [group]):
                if len(found) + len(prefixes) >= min(limit, PAGE):
                    return Listing(tuple(found), tuple(prefixes), last)
                if group:
                    prefixes.append(group)
                else:
                    found.append(self._objects[key])
            last = key
        return Listing(tuple(found), tuple(prefixes))

    def delete(self, key: str) -> None:
        """Remove the object; a key without one is no fault, as in S3."""
        if self._objects.pop(key, None):
            del self._keys[bisect_left(self._keys, key)]
            self._path(key).unlink()

    def copy(self, source: str, target: str) -> StoredObject:
        """Store the content of ``source`` under ``target`` too; raise NoSuchKeyError, InvalidKeyError."""
        return self.put(target, self.get(source))

    def _path(self, key: str) -> Path:
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()}.object"


def _read_header(path: Path) -> StoredObject:
    with path.open("rb") as file:
        line = file.readline()
    header = json.loads(line)
    return StoredObject(header["key"], path.stat().st_size - len(line), header["etag"], header["modified"])


class ClientBucket:
    """A bucket behind any client with the methods of boto3's S3 client, which the caller brings along."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def put(self, key: str, content: bytes) -> StoredObject:
        """Store the content, whole or not at all; raise InvalidKeyError."""
        check_key(key)
        self._client.put_object(Bucket=self._name, Key=key, Body=content)
        return self.head(key)

    def get(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """Return the content from byte ``start`` on; raise NoSuchKeyError."""
        size = self.head(key).size
        end = size if length is None else min(size, start + length)
        if start >= end:
            # S3 answers an empty range with an error.
            return b""
        answer = self._client.get_object(Bucket=self._name, Key=key, Range=f"bytes={start}-{end - 1}")
        content: bytes = answer["Body"].read()
        return content

    def head(self, key: str) -> StoredObject:
        """Return what is known of the object; raise NoSuchKeyError."""
        if not key:
            raise NoSuchKeyError("The bucket has no object without a key.")
        try:
            answer = self._client.head_object(Bucket=self._name, Key=key)
        except self._client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in {"404", "NoSuchKey", "NotFound"}:
                raise
            raise NoSuchKeyError(f"The bucket has no object “{key}”.") from None
        return StoredObject(key, answer["ContentLength"], answer["ETag"].strip('"'), answer["LastModified"].timestamp())

    def list(
        self, prefix: str = "", delimiter: str = "", start_after: str = "", limit: int = PAGE, continuation: str = ""
    ) -> Listing:
        """Return a page of the keys in UTF-8 order; what shares a prefix up to a delimiter is one entry."""
        given = {
            "Prefix": prefix,
            "Delimiter": delimiter,
            "StartAfter": start_after,
            "ContinuationToken": continuation,
        }
        answer = self._client.list_objects_v2(
            Bucket=self._name, MaxKeys=min(limit, PAGE), **{name: one for name, one in given.items() if one}
        )
        found = tuple(
            StoredObject(one["Key"], one["Size"], one["ETag"].strip('"'), one["LastModified"].timestamp())
            for one in answer.get("Contents", ())
        )
        prefixes = tuple(one["Prefix"] for one in answer.get("CommonPrefixes", ()))
        return Listing(found, prefixes, answer.get("NextContinuationToken", ""))

    def delete(self, key: str) -> None:
        """Remove the object; a key without one is no fault, as in S3."""
        self._client.delete_object(Bucket=self._name, Key=key)

    def copy(self, source: str, target: str) -> StoredObject:
        """Store the content of ``source`` under ``target`` too; raise NoSuchKeyError, InvalidKeyError."""
        self.head(source)
        check_key(target)
        origin = {"Bucket": self._name, "Key": source}
        self._client.copy_object(Bucket=self._name, Key=target, CopySource=origin)
        return self.head(target)
