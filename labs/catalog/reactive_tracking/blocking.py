"""The same service as it is often written: a thread for each request, which waits for Redis and for the stream."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

import waitress
from valkey import Valkey
from valkey.exceptions import ValkeyError

from labs.parts.http_load import HOST
from labs.parts.stream_process import BlockingStreamClient, slots_of

from .programs import event_of, program_of
from .service import Place
from .settings import Parameters

STACK = 1 << 19
"""Bytes of a thread's stack."""

StartResponse = Callable[[str, list[tuple[str, str]]], object]


class BlockingService:
    """A WSGI application without a memory of programs and without a queue of events."""

    def __init__(self, parameters: Parameters, place: Place) -> None:
        self._outage = parameters.outage_answer
        self._redis = Valkey(unix_socket_path=str(place.redis), decode_responses=True)
        self._place = place
        self._own = threading.local()
        self._prefix, self._numbers = secrets.token_hex(8), count(1)

    def __call__(self, environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        """Answer a request when all its work is done."""
        try:
            status, body = self._tap(environ["PATH_INFO"].removeprefix("/event/"), environ)
        except (ValkeyError, OSError):
            status, body = self._outage, b"Redis or the stream is away."
        start(f"{status} -", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]

    def _tap(self, program_id: str, environ: dict[str, Any]) -> tuple[str, bytes]:
        fields: Any = self._redis.hgetall(program_id)
        if not fields:
            return "404", b"There is no such program."
        message_id = f"{self._prefix}{next(self._numbers):08x}"
        event = event_of(program_of(fields), environ.get("HTTP_USER_AGENT", ""), message_id)
        if not self._stream.put(self._place.stream_name, slots_of([(message_id.encode(), event)])):
            return "503", b"The stream takes no more for now."
        return "200", message_id.encode()

    @property
    def _stream(self) -> BlockingStreamClient:
        """The thread's own connection to the stream."""
        if not hasattr(self._own, "stream"):
            self._own.stream = BlockingStreamClient(self._place.stream)
        client: BlockingStreamClient = self._own.stream
        return client


def serve(parameters: Parameters, place: Place) -> None:
    """Serve with so many threads for as long as the process lives."""
    # A run may reserve little address space, and each thread reserves eight mebibytes of it for its stack.
    threading.stack_size(STACK)
    # It warns of every request that waits for a thread; that they wait is what is measured.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    application = BlockingService(parameters, place)
    waitress.serve(
        application, host=HOST, port=place.port, threads=parameters.threads, connection_limit=512, _quiet=True
    )
