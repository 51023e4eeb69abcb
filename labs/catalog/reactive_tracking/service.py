"""The tracking service: it answers from its memory, asks Redis where it must, and leaves the event to its sender."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from granian.constants import Interfaces
from granian.server.embed import Server

from labs.parts.http_load import HOST
from labs.parts.journal import Journal, framed
from labs.parts.memory_cache import MemoryCache
from labs.parts.stream_process import StreamClient

from .programs import Program, event_of
from .redis_link import RedisLink, Subscription, UnavailableError
from .sender import MemoryQueue, Sender
from .settings import Parameters

CAPACITY, SECONDS = 100_000, 600
"""Programs that the first cache holds, and for how long."""
UNKNOWN_CAPACITY, UNKNOWN_SECONDS = 10_000, 5
LONGEST_USER_AGENT = 160
MOST_PUSHED = 10_000
"""Announcements whose delay is remembered."""

Scope = MutableMapping[str, Any]
Send = Callable[[Any], Awaitable[None]]
Receive = Callable[[], Awaitable[Any]]
Answer = tuple[int, dict[str, Any]]


@dataclass(frozen=True)
class Place:
    """Where a service finds what it needs: its port, its journal, Redis's socket, the stream's socket and name."""

    port: int
    journal: Path
    redis: Path
    stream: Path
    stream_name: str


@dataclass
class SharedMessage:
    """What the published code keeps in its cache: an object that every hit changes."""

    program: Program
    user_agent: str = ""
    message_id: str = ""

    def framed(self) -> bytes:
        """Return the event as it is now."""
        return framed_event(self.program, self.user_agent, self.message_id)


def _start(status: int) -> dict[str, Any]:
    headers = [(b"content-type", b"text/plain")]
    return {"type": "http.response.start", "status": status, "headers": headers}


def _body(body: bytes) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body}


STARTS = {status: _start(status) for status in (200, 400, 404, 410, 503)}
BODIES = {
    400: _body(b"The checksum is not that of the program."),
    404: _body(b"There is no such program."),
    410: _body(b"The program is over."),
    503: _body(b"Try again later."),
}


class Service:
    """The application that a server calls; nothing of it is shared with another process."""

    def __init__(self, parameters: Parameters, place: Place, *, memory: bool) -> None:
        self._validates = parameters.validation != "existence"
        self._waits = parameters.acknowledged == "by the stream"
        self._remembers = parameters.unknown_programs == "remembered"
        self._outage = int(parameters.outage_answer)
        self._event = framed_event if parameters.cached_message == "copied" else self._change
        self._cache = MemoryCache[Program](CAPACITY if memory else 0, SECONDS, time.monotonic)
        self._unknown = MemoryCache[bool](UNKNOWN_CAPACITY, UNKNOWN_SECONDS, time.monotonic)
        self._shared: dict[str, SharedMessage] = {}
        self._queue = _queue_of(parameters, place)
        self._link = RedisLink(place.redis)
        self._sender = Sender(self._queue, StreamClient(place.stream), place.stream_name, parameters.linger / 1000)
        self._work: list[Coroutine[Any, Any, None]] = [self._sender.work()]
        if memory:
            self._work.append(Subscription(place.redis, self._take, self._read_anew).listen())
        self._prefix, self._number = secrets.token_hex(8), 0
        self._pushed: deque[tuple[float, float]] = deque(maxlen=MOST_PUSHED)
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        path: str = scope.get("path", "")
        if path.startswith("/event/"):
            status, body = await self._tap(path[7:], scope)
        elif path == "/measurements":
            status, body = 200, _body(json.dumps(self._measurements()).encode())
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        else:
            status, body = 404, BODIES[404]
        await send(STARTS[status])
        await send(body)

    async def _tap(self, program_id: str, scope: Scope) -> Answer:
        program = self._cache.get(program_id)
        if program is None:
            try:
                program = await self._find(program_id)
            except UnavailableError:
                return self._outage, BODIES[self._outage]
            if program is None:
                return 404, BODIES[404]
        if self._validates:
            if scope["query_string"] != program.query:
                return 400, BODIES[400]
            if not program.is_valid:
                return 410, BODIES[410]
        self._number += 1
        message_id = f"{self._prefix}{self._number:08x}"
        if not self._queue.append(self._event(program, _user_agent(scope), message_id)):
            return 503, BODIES[503]
        if self._waits:
            await self._sender.sent()
        return 200, _body(message_id.encode())

    def _change(self, program: Program, user_agent: str, message_id: str) -> bytes | Callable[[], bytes]:
        """Do as the published code: put the request's own data into the object that all requests share."""
        shared = self._shared.setdefault(program.program_id, SharedMessage(program))
        shared.program, shared.user_agent, shared.message_id = program, user_agent, message_id
        # A journal takes bytes, so what is written into it is a copy already.
        return shared.framed() if isinstance(self._queue, Journal) else shared.framed

    async def _find(self, program_id: str) -> Program | None:
        """Ask Redis, and remember the answer; raise UnavailableError."""
        if self._remembers and self._unknown.get(program_id):
            return None
        program = await self._link.find(program_id)
        if program is not None:
            self._put(program)
        elif self._remembers:
            self._unknown.put(program_id, True)
        return program

    def _put(self, program: Program) -> None:
        """Keep a program unless a newer one is there: an announcement may overtake an answer."""
        kept = self._cache.get(program.program_id)
        if kept is None or kept.version <= program.version:
            self._cache.put(program.program_id, program)

    def _take(self, program: Program, published: float) -> None:
        self._put(program)
        self._pushed.append((published, time.monotonic() - published))

    def _read_anew(self) -> None:
        self._go(self._read_each([*self._cache]))

    async def _read_each(self, program_ids: list[str]) -> None:
        """Read what is kept anew; what Redis cannot tell stays as it is."""
        for program_id in program_ids:
            try:
                program = await self._link.find(program_id)
            except UnavailableError:
                return
            if program is not None:
                self._put(program)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                for work in self._work:
                    self._go(work)
            await send({"type": f"{message['type']}.complete"})

    def _go(self, work: Coroutine[Any, Any, None]) -> None:
        # The loop keeps no task alive: one that nobody holds may vanish in the middle of its work.
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _measurements(self) -> dict[str, Any]:
        return {
            "cpu_seconds": time.process_time(),
            "vain": self._link.vain,
            "queued": len(self._queue),
            "most_queued": self._sender.most_queued,
            "pushed": [*self._pushed],
        }


def _user_agent(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"user-agent":
            return str(value[:LONGEST_USER_AGENT], "ascii", "ignore")
    return ""


def framed_event(program: Program, user_agent: str, message_id: str) -> bytes:
    """Return the event of a tap as a record of the stream, by its message's id."""
    return framed(message_id.encode(), event_of(program, user_agent, message_id))


def _queue_of(parameters: Parameters, place: Place) -> Any:
    """Return the queue; one in memory takes also what gives an event later, as ``Service._change`` makes it."""
    if parameters.acknowledged == "in a journal":
        return Journal(place.journal, parameters.queue)
    return MemoryQueue(parameters.queue)


async def bare(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 (the interface of every application)
    """Answer as a server can at best: the same bytes to everyone."""
    if scope["type"] == "lifespan":
        return
    body = _body(b"0" * 24)
    if scope["path"] == "/measurements":
        body = _body(json.dumps({"cpu_seconds": time.process_time()}).encode())
    await send(STARTS[200])
    await send(body)


def serve(application: Any, port: int) -> None:
    """Serve an application at a port for as long as the process lives."""
    server = Server(application, HOST, port, interface=Interfaces.ASGI, log_enabled=False)
    asyncio.run(server.serve())
