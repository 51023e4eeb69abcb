"""How Kerberos travels over TCP (RFC 4120, 7.2.2): each message after its length in four bytes."""

from __future__ import annotations

import socket

Address = tuple[str, int]
"""A host and a port."""

LOOPBACK = "127.0.0.1"

LONGEST = 64 << 10
"""Bytes of the longest message that either side reads; the lab's own have less than two thousand."""

_SECONDS = 5


def framed(message: bytes) -> bytes:
    """Return a message with its length before it."""
    return len(message).to_bytes(4) + message


def exchange(address: Address, request: bytes) -> bytes:
    """Send a request to a KDC and return its answer; raise OSError where none comes."""
    with socket.create_connection(address, _SECONDS) as connection, connection.makefile("rb") as stream:
        connection.sendall(framed(request))
        size = int.from_bytes(stream.read(4))
        if not 0 < size <= LONGEST:
            raise ConnectionError("The answer has no length, or one that is too great.")
        answer = stream.read(size)
        if len(answer) < size:
            raise ConnectionError("The answer ended early.")
        return answer
