"""A wire of adjustable length before Redis: it passes on what comes, the answers later by so many seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

CHUNK = 1 << 16


async def serve(path: Path, behind: Path, seconds: Callable[[], float]) -> None:
    """Listen at ``path`` and pass on to ``behind``; ``seconds`` is asked anew for each piece of an answer."""
    loop = asyncio.get_running_loop()

    async def connected(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            server, to_server = await asyncio.open_unix_connection(behind)
            await asyncio.gather(_pass(client, to_server), answers(server, to_client))
        to_client.close()

    async def answers(server: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        while piece := await server.read(CHUNK):
            loop.call_later(seconds(), to_client.write, piece)
        to_client.close()

    listening = await asyncio.start_unix_server(connected, path, backlog=512)
    await listening.serve_forever()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(CHUNK):
            writer.write(piece)
    writer.close()
