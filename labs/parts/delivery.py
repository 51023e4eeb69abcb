"""A delivery stream as Kinesis Data Firehose was in early 2018: it buffers records and stores them in a bucket.

Objects come at least once: what could not be stored is tried again, and what may have been stored too.
Limits and names are those of the Firehose Developer Guide, for us-east-1.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import md5
from heapq import heappop, heappush
from typing import Literal

from labs.parts.bucket import Bucket
from labs.parts.rates import PerSecond, take_all

KIBIBYTE, MEBIBYTE = 1 << 10, 1 << 20
RECORDS_PER_SECOND = 5000
CALLS_PER_SECOND = 2000
BYTES_PER_SECOND = 5 * MEBIBYTE
LARGEST_RECORD = 1000 * KIBIBYTE
BATCH_RECORDS = 500
BATCH_BYTES = 4 * MEBIBYTE

Fault = Literal["none", "refused", "unanswered"]
"""What becomes of an attempt to store: all is well, nothing is stored, or it is stored and nobody hears of it."""


class DeliveryError(ValueError):
    """A call or a setting that the service rejects; the sentence says why."""


class ServiceUnavailableError(RuntimeError):
    """The stream takes no more in this second; the caller is to try again later."""


@dataclass(frozen=True)
class Settings:
    """A delivery stream's configuration: sizes in MiB before compression, times in seconds.

    What is refused ``attempts`` times lands under the error prefix. Firehose itself tries for 24 hours and then
    drops the data; its own error prefix is for records that a transformation rejected.
    """

    name: str
    prefix: str = ""
    buffer_mib: int = 5
    buffer_seconds: int = 300
    gzip: bool = False
    retry_seconds: float = 60
    attempts: int = 3
    error_prefix: str = "errors/"
    version: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.buffer_mib <= 128:
            raise DeliveryError(f"A buffer of {self.buffer_mib} MiB is not offered; give 1 to 128.")
        if not 60 <= self.buffer_seconds <= 900:
            raise DeliveryError(f"A buffer interval of {self.buffer_seconds} s is not offered; give 60 to 900.")


@dataclass(frozen=True)
class Delivery:
    """An attempt to store: when, under which key, how many records and bytes before compression, and its outcome."""

    at: float
    key: str
    records: int
    size: int
    attempt: int
    outcome: Fault


@dataclass(frozen=True)
class _Batch:
    """Records that belong into one object, and when the oldest of them came."""

    data: bytes
    records: int
    since: float
    number: int


class DeliveryStream:
    """Buffers what it is given and stores it once the buffer is full or old enough, whichever comes first.

    Time is the clock's, in seconds since 1970; whatever is due happens at its own moment when ``advance`` or the
    next call comes.
    """

    def __init__(
        self,
        settings: Settings,
        bucket: Bucket,
        clock: Callable[[], float],
        fault: Callable[[str, int], Fault] = lambda _key, _attempt: "none",
    ) -> None:
        self.settings = settings
        self.deliveries: list[Delivery] = []
        self._bucket = bucket
        self._clock = clock
        self._fault = fault
        self._buffer: list[bytes] = []
        self._size = 0
        self._since = 0.0
        self._batches = 0
        self._objects = 0
        self._waiting: list[tuple[float, int, int, _Batch]] = []
        self._calls = PerSecond(CALLS_PER_SECOND)
        self._records = PerSecond(RECORDS_PER_SECOND)
        self._bytes = PerSecond(BYTES_PER_SECOND)

    def put_record(self, data: bytes) -> None:
        """Take one record; raise DeliveryError for one over 1,000 KiB, ServiceUnavailableError over a limit."""
        self._check(data)
        now = self._clock()
        self.advance()
        if not take_all([(self._calls, 1), (self._records, 1), (self._bytes, len(data))], now):
            raise ServiceUnavailableError("Slow down: the stream's records, calls or bytes a second are used up.")
        self._add(data, now)

    def put_record_batch(self, records: Sequence[bytes]) -> tuple[int, ...]:
        """Take up to 500 records of 4 MiB together; return the places of those that must be sent again.

        Raises DeliveryError for a batch or a record that is too large, ServiceUnavailableError over the calls.
        """
        if not 1 <= len(records) <= BATCH_RECORDS:
            raise DeliveryError(f"A batch has 1 to {BATCH_RECORDS} records, this one {len(records)}.")
        if sum(map(len, records)) > BATCH_BYTES:
            raise DeliveryError("A batch has at most 4 MiB.")
        for data in records:
            self._check(data)
        now = self._clock()
        self.advance()
        if not take_all([(self._calls, 1)], now):
            raise ServiceUnavailableError("Slow down: the stream's calls a second are used up.")
        failed = []
        for place, data in enumerate(records):
            if take_all([(self._records, 1), (self._bytes, len(data))], now):
                self._add(data, now)
            else:
                failed.append(place)
        return tuple(failed)

    def advance(self) -> None:
        """Do whatever was due by now, each at its own moment."""
        now = self._clock()
        while (due := self.next_due) is not None and due <= now:
            if self._waiting and self._waiting[0][0] == due:
                _, _, attempt, batch = heappop(self._waiting)
                self._deliver(batch, attempt, due)
            else:
                self._close_buffer(due)

    @property
    def next_due(self) -> float | None:
        """When something is next to be stored, if there is anything."""
        moments = [self._waiting[0][0]] if self._waiting else []
        if self._buffer:
            moments.append(self._since + self.settings.buffer_seconds)
        return min(moments, default=None)

    def _check(self, data: bytes) -> None:
        if len(data) > LARGEST_RECORD:
            raise DeliveryError(f"A record has at most 1,000 KiB, this one {len(data)} bytes.")

    def _add(self, data: bytes, now: float) -> None:
        if not self._buffer:
            self._since = now
        self._buffer.append(data)
        self._size += len(data)
        if self._size >= self.settings.buffer_mib * MEBIBYTE:
            self._close_buffer(now)

    def _close_buffer(self, moment: float) -> None:
        self._batches += 1
        batch = _Batch(b"".join(self._buffer), len(self._buffer), self._since, self._batches)
        self._buffer, self._size = [], 0
        self._deliver(batch, 1, moment)

    def _deliver(self, batch: _Batch, attempt: int, moment: float) -> None:
        given_up = attempt > self.settings.attempts
        key = self._key(batch, self.settings.error_prefix if given_up else self.settings.prefix)
        outcome: Fault = "none" if given_up else self._fault(key, attempt)
        if outcome != "refused":
            # A fixed time in the header: the same records make the same bytes.
            self._bucket.put(key, gzip.compress(batch.data, mtime=0) if self.settings.gzip else batch.data)
        if outcome != "none":
            due = moment + self.settings.retry_seconds
            heappush(self._waiting, (due, batch.number, attempt + 1, batch))
        self.deliveries.append(Delivery(moment, key, batch.records, len(batch.data), attempt, outcome))

    def _key(self, batch: _Batch, prefix: str) -> str:
        """Return prefix/YYYY/MM/DD/HH/name-version-YYYY-MM-DD-HH-MM-SS-…, of the oldest record's arrival in UTC."""
        self._objects += 1
        arrived = datetime.fromtimestamp(batch.since, UTC)
        settings = self.settings
        unique = md5(f"{settings.name} {self._objects}".encode(), usedforsecurity=False).hexdigest()
        name = f"{settings.name}-{settings.version}-{arrived:%Y-%m-%d-%H-%M-%S}-{unique}"
        return f"{prefix}{arrived:%Y/%m/%d/%H}/{name}{'.gz' if settings.gzip else ''}"
