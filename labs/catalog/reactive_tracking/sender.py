"""The way of events out of the service: a bounded queue, and a sender that puts them on the stream in batches."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from labs.parts.journal import SLOT
from labs.parts.stream import BATCH_RECORDS
from labs.parts.stream_process import StreamClient

AGAIN = 0.05
"""Seconds before a stream that is away, or full, is asked again."""


class Queue(Protocol):
    """Events that the stream does not have yet, oldest first; ``appended`` and ``released`` count since the start."""

    appended: int
    released: int

    def __len__(self) -> int: ...

    def append(self, frame: bytes) -> bool:
        """Append an event; return whether there was room for it."""

    def oldest(self, most: int) -> bytes:
        """Return the slots of the oldest, at most so many."""

    def release(self, count: int) -> None:
        """Take so many of the oldest off."""


class MemoryQueue:
    """A queue in the memory of the process, gone with it; what it is given to write may be written only when sent."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._frames: deque[bytes | Callable[[], bytes]] = deque()
        self.appended = self.released = 0

    def __len__(self) -> int:
        return len(self._frames)

    def append(self, frame: bytes | Callable[[], bytes]) -> bool:
        """Append an event, or what gives it later; return whether there was room for it."""
        if len(self._frames) >= self._capacity:
            return False
        self._frames.append(frame)
        self.appended += 1
        return True

    def oldest(self, most: int) -> bytes:
        """Return the slots of the oldest, at most so many."""
        count = min(most, len(self._frames))
        frames = (self._frames[place] for place in range(count))
        return b"".join((one if isinstance(one, bytes) else one()).ljust(SLOT, b"\0") for one in frames)

    def release(self, count: int) -> None:
        """Take so many of the oldest off."""
        for _ in range(count):
            self._frames.popleft()
        self.released += count


@dataclass
class Sender:
    """Sends what is queued every ``linger`` seconds, with one request under way; nobody who answers waits for it."""

    queue: Queue
    client: StreamClient
    stream: str
    linger: float
    most_queued: int = 0
    _waiting: deque[tuple[int, asyncio.Future[None]]] = field(default_factory=deque)

    async def sent(self) -> None:
        """Wait until the stream has the event that was appended last."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((self.queue.appended, future))
        await future

    async def work(self) -> None:
        """Send for as long as the process lives."""
        while True:
            pause = self.linger if await self._send() else AGAIN
            await asyncio.sleep(pause)

    async def _send(self) -> bool:
        """Send until the queue is empty; return False where the stream is away or takes no more for now."""
        while slots := self.queue.oldest(BATCH_RECORDS):
            try:
                accepted = await self.client.put(self.stream, slots)
            except ConnectionError:
                return False
            finally:
                self.most_queued = max(self.most_queued, len(self.queue))
            self.queue.release(accepted)
            while self._waiting and self._waiting[0][0] <= self.queue.released:
                future = self._waiting.popleft()[1]
                if not future.done():
                    future.set_result(None)
            if accepted * SLOT < len(slots):
                return False
        return True
