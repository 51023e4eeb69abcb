"""The load test in real time: an HTTP endpoint on this machine under the same limiter, and a load tool that asks it."""

from __future__ import annotations

import asyncio
import csv
import io
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import repeat

from labs.findings import Report
from labs.parts.closed_loop import Function, Load, Trace, sample
from labs.parts.http_load import END_OF_HEAD, HOST, NO_ANSWER, Answer, Client, in_turn

TICK = 0.5
"""Real seconds between two reports."""

Answers = Mapping[str, tuple[int, str]]
"""The status and the body for what became of a request."""


class LoadToolError(RuntimeError):
    """A load tool that did not do its work; the message is its own."""


@dataclass
class Endpoint:
    """A function as an HTTP server sees it; real waiting is the model's, divided by ``scale``."""

    function: Function
    answers: Answers
    scale: float
    trace: Trace = field(default_factory=Trace)
    begun: float = 0.0

    def now(self) -> float:
        """Return the model's seconds since the beginning."""
        return (asyncio.get_running_loop().time() - self.begun) * self.scale

    def handle(self, send: Callable[[bytes], None]) -> None:
        """Answer one request, at once or after its execution."""
        cause, spent = self.function.answer(self.now())
        self.trace.causes[cause] += 1
        status, body = self.answers[cause]
        answer = f"HTTP/1.1 {status} -\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        if spent:
            asyncio.get_running_loop().call_later(spent / self.scale, send, answer)
        else:
            send(answer)


class Connection(asyncio.Protocol):
    """One client's connection, kept open between its requests, which have no bodies."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport: asyncio.WriteTransport = transport  # type: ignore[assignment]  # a TCP transport can be written to

    def data_received(self, data: bytes) -> None:
        """Answer each whole request."""
        *heads, self._received = (self._received + data).split(END_OF_HEAD)
        for _ in heads:
            self._endpoint.handle(self._send)

    def _send(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


async def play(load: Load, endpoint: Endpoint, report: Report, tool: str) -> Trace:
    """Serve, let the tool ("hey", or "own") send the load, and return what it saw in the model's seconds."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(endpoint), HOST, 0, backlog=1024)
    port = server.sockets[0].getsockname()[1]
    endpoint.begun = loop.time()
    telling = asyncio.create_task(_tell(load, endpoint, report))
    try:
        seconds = await (_ask_with_hey(load, port) if tool == "hey" else _ask(load, port))
        endpoint.trace.end = endpoint.now()
    finally:
        telling.cancel()
        server.close()
    endpoint.trace.latencies.extend([one * endpoint.scale for one in seconds])
    return endpoint.trace


def installed_tool(wanted: str) -> str:
    """Return "hey" where it is wanted and installed, else "own"."""
    return "hey" if wanted == "hey" and shutil.which("hey") else "own"


async def _tell(load: Load, endpoint: Endpoint, report: Report) -> None:
    while True:
        await asyncio.sleep(TICK)
        sample(endpoint.trace, endpoint.function, endpoint.now(), load, report)


async def _ask_with_hey(load: Load, port: int) -> list[float]:
    """Return the response times in seconds that hey measured."""
    process = await asyncio.create_subprocess_exec(
        *("hey", "-n", str(load.total), "-c", str(load.workers), "-t", "0", "-o", "csv", f"http://{HOST}:{port}/"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, errors = await process.communicate()
    seconds = [float(row["response-time"]) for row in csv.DictReader(io.StringIO(printed.decode()))]
    if process.returncode or len(seconds) != load.total:
        raise LoadToolError(f"hey measured {len(seconds)} of {load.total} requests. {errors.decode()[:500]}".strip())
    return seconds


async def _ask(load: Load, port: int) -> list[float]:
    """Return the response times in seconds of our own closed loop, one connection a worker."""
    answers: list[Answer] = []
    workers = [Client(port, 1, answers.append) for _ in range(load.workers)]
    await asyncio.gather(*(in_turn(worker, repeat("/", load.each)) for worker in workers))
    for worker in workers:
        worker.close()
    unanswered = sum(one.status == NO_ANSWER for one in answers)
    if unanswered:
        raise LoadToolError(f"{unanswered} of {load.total} requests got no answer.")
    return [one.seconds for one in answers]
