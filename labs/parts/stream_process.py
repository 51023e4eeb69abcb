"""Streams in a process of their own, which can be frozen or killed: a server on a Unix socket, and its two clients.

What the server has accepted stands in a file first, so a killed one goes on where it was when it is started again.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from labs.parts.journal import SLOT, framed, unframed
from labs.parts.stream import (
    BATCH_RECORDS,
    READ_RECORDS,
    ProvisionedThroughputExceededError,
    Record,
    Stream,
)

_SIZES = struct.Struct(">II")
_ARRIVED = struct.Struct(">d")
_STORED = _ARRIVED.size + SLOT

Message = tuple[dict[str, Any], bytes]
"""What goes over the socket: a few named values, and slots of records."""


@dataclass(frozen=True)
class Batch:
    """Records that were read, (key, data) each; the number of the last; seconds behind the newest of the shard."""

    records: list[tuple[bytes, bytes]]
    last: str
    behind: float


def slots_of(records: list[tuple[bytes, bytes]]) -> bytes:
    """Return (key, data) records as the slots of a request."""
    return b"".join(framed(key, data).ljust(SLOT, b"\0") for key, data in records)


class KeptStream:
    """A stream whose records are also in a file."""

    def __init__(self, path: Path, shards: int) -> None:
        self._stream = Stream(shards, time.time)
        self._path = path
        path.touch()
        for slot, arrived in _stored(path):
            [(key, data)] = unframed(slot)
            self._stream.restore(data, key.decode(), arrived)
        # A record that was being written when the process was killed was not acknowledged.
        os.truncate(path, path.stat().st_size // _STORED * _STORED)

    def put(self, slots: bytes) -> int:
        """Append the records up to the first that its shard has no room for; return how many."""
        kept = []
        for key, data in unframed(slots[: BATCH_RECORDS * SLOT]):
            try:
                self._stream.put_record(data, key.decode())
            except ProvisionedThroughputExceededError:
                break
            kept.append(_ARRIVED.pack(time.time()) + framed(key, data).ljust(SLOT, b"\0"))
        with self._path.open("ab") as file:
            file.write(b"".join(kept))
        return len(kept)

    def read(self, shard: int, after: str) -> tuple[list[Record], float]:
        """Return the records of a shard after a sequence number, or from the oldest, and the seconds still behind."""
        kind = "AFTER_SEQUENCE_NUMBER" if after else "TRIM_HORIZON"
        try:
            batch = self._stream.get_records(self._stream.iterator(shard, kind, after), READ_RECORDS)  # type: ignore[arg-type]  # one of its kinds
        except ProvisionedThroughputExceededError:
            return [], 0.0
        return [*batch.records], batch.behind


async def serve(path: Path, folder: Path, shards: Mapping[str, int]) -> None:
    """Serve streams, by name so many shards each, on the socket at ``path`` until the process ends."""
    streams = {name: KeptStream(folder / f"{name}.stream", count) for name, count in shards.items()}
    server = await asyncio.start_unix_server(partial(_converse, streams), path, limit=1 << 24)
    await server.serve_forever()


class StreamClient:
    """A client for an event loop; each call is a request of its own, one after the other."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pair: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def put(self, stream: str, slots: bytes) -> int:
        """Return how many of the records the stream accepted, from the first; raise OSError where it is away."""
        try:
            if self._pair is None:
                self._pair = await asyncio.open_unix_connection(self._path)
            reader, writer = self._pair
            writer.write(_packed({"put": stream}, slots))
            answer, _ = await _received(reader)
        except (OSError, EOFError) as error:
            self.close()
            raise ConnectionError(str(error)) from None
        return int(answer["accepted"])

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._pair is not None:
            self._pair[1].close()
            self._pair = None


class BlockingStreamClient:
    """A client for a thread, which waits for each answer, however long the stream stands still."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket: socket.socket | None = None

    def put(self, stream: str, slots: bytes) -> int:
        """Return how many of the records the stream accepted, from the first; raise OSError where it is away."""
        return int(self._ask({"put": stream}, slots)[0]["accepted"])

    def read(self, stream: str, shard: int, after: str) -> Batch:
        """Read on after a sequence number, or from the oldest record; raise OSError where the stream is away."""
        answer, slots = self._ask({"read": stream, "shard": shard, "after": after})
        return Batch(unframed(slots), answer["last"], answer["behind"])

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _ask(self, header: dict[str, Any], slots: bytes = b"") -> Message:
        try:
            if self._socket is None:
                self._socket = socket.socket(socket.AF_UNIX)
                self._socket.connect(str(self._path))
            self._socket.sendall(_packed(header, slots))
            head, body = _SIZES.unpack(self._exactly(_SIZES.size))
            return json.loads(self._exactly(head)), self._exactly(body)
        except OSError:
            self.close()
            raise

    def _exactly(self, size: int) -> bytes:
        pieces = []
        while size:
            assert self._socket is not None  # noqa: S101 (only called by _ask, which has it)
            piece = self._socket.recv(min(size, 1 << 20))
            if not piece:
                raise ConnectionError("The stream's server closed the connection.")
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)


async def _converse(
    streams: Mapping[str, KeptStream], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    with suppress(EOFError, ConnectionError):
        while True:
            header, slots = await _received(reader)
            writer.write(_packed(*_answered(streams, header, slots)))
            await writer.drain()
    writer.close()


def _answered(streams: Mapping[str, KeptStream], header: dict[str, Any], slots: bytes) -> Message:
    if "put" in header:
        return {"accepted": streams[header["put"]].put(slots)}, b""
    records, behind = streams[header["read"]].read(header["shard"], header["after"])
    last = records[-1].sequence_number if records else header["after"]
    return {"last": last, "behind": behind}, slots_of([(one.partition_key.encode(), one.data) for one in records])


def _packed(header: dict[str, Any], slots: bytes) -> bytes:
    head = json.dumps(header).encode()
    return _SIZES.pack(len(head), len(slots)) + head + slots


async def _received(reader: asyncio.StreamReader) -> Message:
    head, body = _SIZES.unpack(await reader.readexactly(_SIZES.size))
    return json.loads(await reader.readexactly(head)), await reader.readexactly(body)


def _stored(path: Path) -> Iterator[tuple[bytes, float]]:
    with path.open("rb") as file:
        while len(piece := file.read(_STORED)) == _STORED:
            yield piece[_ARRIVED.size :], _ARRIVED.unpack_from(piece)[0]
