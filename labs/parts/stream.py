"""A data stream as Kinesis has it: shards by hash of the partition key, limits for each shard, records kept for a day.

Limits are those of the Kinesis Data Streams Developer Guide of early 2018. A shard's bytes a second count the data
alone; Kinesis counts the partition keys too.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import md5
from typing import Literal

from labs.parts.rates import PerSecond, take_all

MEBIBYTE = 1 << 20
HASH_KEYS = 1 << 128
WRITTEN_RECORDS_PER_SECOND = 1000
WRITTEN_BYTES_PER_SECOND = MEBIBYTE
READS_PER_SECOND = 5
READ_BYTES_PER_SECOND = 2 * MEBIBYTE
LARGEST_RECORD = MEBIBYTE
BATCH_RECORDS = 500
BATCH_BYTES = 5 * MEBIBYTE
READ_RECORDS = 10_000
READ_BYTES = 10 * MEBIBYTE
RETENTION = 24 * 3600
ITERATOR_LIFE = 300
_FIRST_NUMBER = 10**55

IteratorKind = Literal["TRIM_HORIZON", "LATEST", "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER", "AT_TIMESTAMP"]


class StreamError(ValueError):
    """A call that the service rejects; the sentence says why."""


class ProvisionedThroughputExceededError(RuntimeError):
    """A shard's limit is reached; the caller is to try again later."""


class ExpiredIteratorError(RuntimeError):
    """An iterator that was not used for five minutes."""


@dataclass(frozen=True)
class Record:
    """A record of a shard: its sequence number only grows; ``arrived`` is in seconds since 1970."""

    sequence_number: str
    partition_key: str
    data: bytes
    arrived: float


@dataclass(frozen=True)
class Put:
    """What became of a record: its shard, and its sequence number, or nothing where it must be sent again."""

    shard: int
    sequence_number: str = ""


@dataclass(frozen=True)
class ShardIterator:
    """A place in a shard, counted over all records that it ever had."""

    shard: int
    position: int
    expires: float


@dataclass(frozen=True)
class Batch:
    """Records that were read, where to read on, and by how many seconds the reader is behind the newest record."""

    records: tuple[Record, ...]
    following: ShardIterator
    behind: float


class _Shard:
    """The records of a shard, the count of those already dropped, and its limits."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.dropped = 0
        self.written = (PerSecond(WRITTEN_RECORDS_PER_SECOND), PerSecond(WRITTEN_BYTES_PER_SECOND))
        self.reads = PerSecond(READS_PER_SECOND)
        self.read_bytes = PerSecond(READ_BYTES_PER_SECOND)
        self.closed_until = 0.0

    @property
    def end(self) -> int:
        return self.dropped + len(self.records)

    def drop_before(self, moment: float) -> None:
        count = bisect_left(self.records, moment, key=lambda one: one.arrived)
        del self.records[:count]
        self.dropped += count


class Stream:
    """A stream of so many shards; time is the clock's, in seconds since 1970."""

    def __init__(self, shards: int, clock: Callable[[], float]) -> None:
        if shards < 1:
            raise StreamError("A stream has at least one shard.")
        self._clock = clock
        self._shards = [_Shard() for _ in range(shards)]
        self._number = 0

    def shard_of(self, partition_key: str) -> int:
        """Return the shard whose range of hash keys has the key's MD5; the ranges are equal but for the last."""
        value = int.from_bytes(md5(partition_key.encode(), usedforsecurity=False).digest())
        return min(value // (HASH_KEYS // len(self._shards)), len(self._shards) - 1)

    def put_record(self, data: bytes, partition_key: str) -> Put:
        """Append a record; raise StreamError for one that is too large, ProvisionedThroughputExceededError."""
        _check(data, partition_key)
        put = self._put(data, partition_key)
        if not put.sequence_number:
            raise ProvisionedThroughputExceededError(f"Shard {put.shard} takes 1,000 records or 1 MiB a second.")
        return put

    def put_records(self, records: Sequence[tuple[bytes, str]]) -> tuple[Put, ...]:
        """Append (data, partition key) pairs, each for itself; raise StreamError for a call that is too large."""
        if not 1 <= len(records) <= BATCH_RECORDS:
            raise StreamError(f"A call has 1 to {BATCH_RECORDS} records, this one {len(records)}.")
        if sum(len(data) + len(key.encode()) for data, key in records) > BATCH_BYTES:
            raise StreamError("A call has at most 5 MiB, the partition keys counted.")
        for data, key in records:
            _check(data, key)
        return tuple(self._put(data, key) for data, key in records)

    def restore(self, data: bytes, partition_key: str, arrived: float) -> None:
        """Append a record that was accepted at ``arrived``, before a restart; records come in their old order."""
        self._append(self._shards[self.shard_of(partition_key)], data, partition_key, arrived)

    def iterator(
        self, shard: int, kind: IteratorKind, sequence_number: str = "", timestamp: float = 0
    ) -> ShardIterator:
        """Return a place in a shard; a record that is no longer kept stands for the oldest that is."""
        now = self._clock()
        found = self._fresh(shard, now)
        place = _place(found.records, kind, sequence_number, timestamp)
        return ShardIterator(shard, found.dropped + place, now + ITERATOR_LIFE)

    def get_records(self, iterator: ShardIterator, limit: int = READ_RECORDS) -> Batch:
        """Read on from the iterator, at most 10,000 records or 10 MiB.

        Raises ExpiredIteratorError, StreamError for a limit, and ProvisionedThroughputExceededError for a sixth read
        of a shard in a second, for more than 2 MiB a second, and for 5 s after 10 MiB were read at once.
        """
        now = self._clock()
        if not 1 <= limit <= READ_RECORDS:
            raise StreamError(f"A read asks for 1 to {READ_RECORDS} records.")
        if now > iterator.expires:
            raise ExpiredIteratorError("The iterator is older than five minutes; get a new one.")
        shard = self._fresh(iterator.shard, now)
        if now < shard.closed_until or not shard.read_bytes.admits(1, now) or not take_all([(shard.reads, 1)], now):
            raise ProvisionedThroughputExceededError(f"Shard {iterator.shard} gives 5 reads or 2 MiB a second.")
        start = max(0, iterator.position - shard.dropped)
        records, size = _first(shard.records[start : start + limit])
        shard.read_bytes.take(min(size, READ_BYTES_PER_SECOND), now)
        if size > READ_BYTES_PER_SECOND:
            shard.closed_until = now + size / READ_BYTES_PER_SECOND
        rest = shard.records[start + len(records) :]
        following = ShardIterator(iterator.shard, shard.dropped + start + len(records), now + ITERATOR_LIFE)
        return Batch(records, following, now - rest[0].arrived if rest else 0.0)

    def _put(self, data: bytes, key: str) -> Put:
        now = self._clock()
        number = self.shard_of(key)
        shard = self._fresh(number, now)
        count, size = shard.written
        if not take_all([(count, 1), (size, len(data))], now):
            return Put(number)
        return Put(number, self._append(shard, data, key, now))

    def _append(self, shard: _Shard, data: bytes, key: str, arrived: float) -> str:
        self._number += 1
        record = Record(str(_FIRST_NUMBER + self._number), key, data, arrived)
        shard.records.append(record)
        return record.sequence_number

    def _fresh(self, shard: int, now: float) -> _Shard:
        if not 0 <= shard < len(self._shards):
            raise StreamError(f"The stream has the shards 0 to {len(self._shards) - 1}.")
        found = self._shards[shard]
        found.drop_before(now - RETENTION)
        return found


def _place(records: list[Record], kind: IteratorKind, sequence_number: str, timestamp: float) -> int:
    if kind == "TRIM_HORIZON":
        return 0
    if kind == "LATEST":
        return len(records)
    if kind == "AT_TIMESTAMP":
        return bisect_left(records, timestamp, key=lambda one: one.arrived)
    cut = bisect_left if kind == "AT_SEQUENCE_NUMBER" else bisect_right
    return cut(records, sequence_number, key=lambda one: one.sequence_number)


def _check(data: bytes, key: str) -> None:
    if len(data) > LARGEST_RECORD:
        raise StreamError(f"A record has at most 1 MiB of data, this one {len(data)} bytes.")
    if not 1 <= len(key) <= 256:
        raise StreamError("A partition key has 1 to 256 characters.")


def _first(records: list[Record]) -> tuple[tuple[Record, ...], int]:
    """Return as many records as one read gives, and their bytes."""
    size = 0
    for count, record in enumerate(records):
        if size + len(record.data) > READ_BYTES:
            return tuple(records[:count]), size
        size += len(record.data)
    return tuple(records), size
