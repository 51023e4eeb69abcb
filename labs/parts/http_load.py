"""A load generator for HTTP/1.1: requests by a schedule, or each after an answer, over kept connections."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

HOST = "127.0.0.1"
END_OF_HEAD = b"\r\n\r\n"
NO_ANSWER = 0
"""The status of a request that got none: nobody listened, or the connection broke."""


class Arrival(NamedTuple):
    """A request and when it is due, in seconds since the beginning."""

    due: float
    path: str


class Answer(NamedTuple):
    """What became of a request, ``seconds`` after it was due."""

    due: float
    seconds: float
    status: int
    path: str
    body: bytes


class Connection(asyncio.Protocol):
    """One kept connection with at most one request under way; answers must give their length."""

    def __init__(self, answered: Callable[[Connection, int, bytes], None], lost: Callable[[Connection], None]) -> None:
        self._answered, self._lost = answered, lost
        self._received = b""
        self.request: Arrival | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]  # a TCP transport can be written to

    def data_received(self, data: bytes) -> None:
        """Take the answer when it is whole."""
        received = self._received = self._received + data
        head = received.find(END_OF_HEAD)
        if head < 0:
            return
        length = received[:head].lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        body = head + len(END_OF_HEAD)
        if len(received) >= body + int(length or 0):
            self._received = b""
            self._answered(self, int(received[9:12]), received[body:])

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (why does not matter to a load)
        """Say so."""
        self._lost(self)

    def send(self, request: Arrival) -> None:
        """Write a request."""
        self.request = request
        self.transport.write(f"GET {request.path} HTTP/1.1\r\nHost: {HOST}\r\nUser-Agent: load\r\n\r\n".encode())


@dataclass
class Client:
    """Connections to a port of this machine, and what is told each answer.

    A request that finds all connections busy waits for the first to be free, so no more than ``connections`` are under
    way; its seconds count from when it was due. Times are on the loop's clock, from ``begun``.
    """

    port: int
    connections: int
    take: Callable[[Answer], None]
    begun: float = field(default_factory=lambda: asyncio.get_running_loop().time())
    _idle: list[Connection] = field(default_factory=list)
    _waiting: deque[Arrival] = field(default_factory=deque)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _all_answered: asyncio.Event = field(default_factory=asyncio.Event)
    _open: int = 0
    _under_way: int = 0

    def now(self) -> float:
        """Return the seconds since the beginning."""
        return asyncio.get_running_loop().time() - self.begun

    def send(self, request: Arrival) -> None:
        """Send a request as soon as a connection is free."""
        self._under_way += 1
        self._all_answered.clear()
        self._waiting.append(request)
        self._go_on()

    async def answered(self) -> None:
        """Wait until nothing is under way."""
        if self._under_way:
            await self._all_answered.wait()

    def close(self) -> None:
        """Close the connections that are idle."""
        for one in self._idle:
            one.transport.abort()

    def _go_on(self) -> None:
        while self._waiting and self._idle:
            self._idle.pop().send(self._waiting.popleft())
        if self._waiting and self._open < self.connections:
            self._open += 1
            task = asyncio.create_task(self._connect())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, made = await loop.create_connection(lambda: Connection(self._answered, self._lost), HOST, self.port)
        except OSError:
            self._open -= 1
            if self._waiting:
                self._tell(self._waiting.popleft(), NO_ANSWER, b"")
        else:
            self._idle.append(made)
        self._go_on()

    def _answered(self, connection: Connection, status: int, body: bytes) -> None:
        request, connection.request = connection.request, None
        self._idle.append(connection)
        if request is not None:
            self._tell(request, status, body)
        self._go_on()

    def _lost(self, connection: Connection) -> None:
        self._open -= 1
        if connection.request is None:
            self._idle.remove(connection)
        else:
            self._tell(connection.request, NO_ANSWER, b"")
        self._go_on()

    def _tell(self, request: Arrival, status: int, body: bytes) -> None:
        self.take(Answer(request.due, self.now() - request.due, status, request.path, body))
        self._under_way -= 1
        if not self._under_way:
            self._all_answered.set()


async def by_schedule(client: Client, requests: Iterable[Arrival]) -> None:
    """Send each request when it is due, whatever became of those before it, and wait for the last answer.

    An open loop: a server that stands still is asked on, and what waits for it meanwhile counts its seconds.
    """
    for request in requests:
        await asyncio.sleep(max(0.0, request.due - client.now()))
        client.send(request)
    await client.answered()


async def in_turn(client: Client, paths: Iterator[str]) -> None:
    """Send the next request on each answer, as many at a time as there are connections, and wait for the last.

    A closed loop: a server that stands still is not asked on, so a stall shows in few answers only.
    """
    take = client.take

    def follow(answer: Answer) -> None:
        take(answer)
        for path in islice(paths, 1):
            client.send(Arrival(client.now(), path))

    client.take = follow
    for path in [*islice(paths, client.connections)]:
        client.send(Arrival(client.now(), path))
    await client.answered()


def for_seconds(client: Client, seconds: float, paths: Iterable[str]) -> Iterator[str]:
    """Yield paths for so long."""
    end = client.now() + seconds
    for path in paths:
        if client.now() >= end:
            return
        yield path
