"""A server for a KDC's answers over UDP and TCP, on the loopback interface only, in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress

from labs.parts.kerberos.transport import LONGEST, LOOPBACK, Address, framed

Answer = Callable[[bytes], bytes | None]
"""What the server asks: for a request the reply, or None to what deserves none."""

_MOST_CONNECTIONS = 64
"""How many are served at the same time; others wait."""

_PATIENCE = 2
"""Seconds that a connection may take over one request and its reply."""


@contextmanager
def serving(answer: Answer) -> Iterator[Address]:
    """Serve until the end of the ``with``; give the address, one port for both protocols."""
    stream, datagrams = _sockets()
    started: Future[Callable[[], object]] = Future()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(answer, stream, datagrams, started)))
    thread.start()
    stop = started.result()
    try:
        yield stream.getsockname()
    finally:
        stop()
        thread.join()


def _sockets() -> tuple[socket.socket, socket.socket]:
    """Return a stream and a datagram socket at one free port."""
    while True:
        stream = socket.create_server((LOOPBACK, 0))
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with suppress(OSError):
            datagrams.bind(stream.getsockname())
            return stream, datagrams
        stream.close()
        datagrams.close()


async def _serve(
    answer: Answer, stream: socket.socket, datagrams: socket.socket, started: Future[Callable[[], object]]
) -> None:
    loop, finish = asyncio.get_running_loop(), asyncio.Event()
    server = await asyncio.start_server(_Connections(answer).serve, sock=stream, limit=LONGEST)
    datagrams.setblocking(False)
    loop.add_reader(datagrams, _answer_datagram, datagrams, answer)
    started.set_result(lambda: loop.call_soon_threadsafe(finish.set))
    await finish.wait()
    loop.remove_reader(datagrams)
    datagrams.close()
    server.close()


def _answer_datagram(datagrams: socket.socket, answer: Answer) -> None:
    with suppress(OSError):
        request, sender = datagrams.recvfrom(LONGEST)
        reply = answer(request)
        if reply is not None:
            datagrams.sendto(reply, sender)


class _Connections:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._turns = asyncio.Semaphore(_MOST_CONNECTIONS)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request after the other; whoever sends none, or too much, loses the connection."""
        try:
            async with self._turns:
                with suppress(OSError, asyncio.IncompleteReadError):
                    while True:
                        async with asyncio.timeout(_PATIENCE):
                            await self._serve_one(reader, writer)
        finally:
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = int.from_bytes(await reader.readexactly(4))
        if not 0 < size <= LONGEST:
            raise ConnectionError("The request has no length, or one that is too great.")
        reply = self._answer(await reader.readexactly(size))
        if reply is None:
            raise ConnectionError("The request is none.")
        writer.write(framed(reply))
        await writer.drain()
