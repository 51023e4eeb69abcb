"""The service's way to Redis: one question at a time for each program, and none at all while Redis does not answer."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from valkey.asyncio import Valkey
from valkey.asyncio.retry import Retry
from valkey.backoff import NoBackoff
from valkey.exceptions import ValkeyError

from .programs import Program, program_of

CHANNEL = "programs"
TIMEOUT = 0.5
"""Seconds after which a question counts as unanswered."""


class UnavailableError(RuntimeError):
    """Redis did not answer, so nobody knows whether the program exists."""


@dataclass
class Breaker:
    """Stops asking after so many failures in a row, and lets a single question through each ``pause`` seconds."""

    failures: int = 5
    pause: float = 0.25
    _failed: int = 0
    _closed_until: float = 0.0

    def admits(self, now: float) -> bool:
        """Return whether a question may be asked."""
        if self._failed < self.failures:
            return True
        if now < self._closed_until:
            return False
        self._closed_until = now + self.pause
        return True

    def note(self, now: float, *, answered: bool) -> None:
        """Keep what became of a question."""
        self._failed = 0 if answered else self._failed + 1
        if self._failed == self.failures:
            self._closed_until = now + self.pause


class RedisLink:
    """Reads programs; whoever asks for one that is just being read waits for the same answer."""

    def __init__(self, path: Path) -> None:
        self._redis = _client(path, TIMEOUT)
        self._breaker = Breaker()
        self._under_way: dict[str, asyncio.Task[Program | None]] = {}
        self.lookups = self.vain = 0

    async def find(self, program_id: str) -> Program | None:
        """Return the program, or None where Redis has none; raise UnavailableError."""
        task = self._under_way.get(program_id)
        if task is None:
            task = self._under_way[program_id] = asyncio.create_task(self._ask(program_id))
            task.add_done_callback(lambda _: self._under_way.pop(program_id, None))
        return await asyncio.shield(task)

    async def _ask(self, program_id: str) -> Program | None:
        if not self._breaker.admits(time.monotonic()):
            raise UnavailableError(program_id)
        self.lookups += 1
        try:
            fields = await self._redis.hgetall(program_id)  # type: ignore[misc]  # the client's types name both kinds of it
        except (ValkeyError, OSError) as error:
            self._breaker.note(time.monotonic(), answered=False)
            raise UnavailableError(program_id) from error
        self._breaker.note(time.monotonic(), answered=True)
        if not fields:
            self.vain += 1
            return None
        return program_of(fields)


class Subscription:
    """Takes announced programs as they come.

    Redis delivers an announcement once, to who listens at that moment. So after each new connection ``missed`` is
    called, to read anew what may have changed meanwhile.
    """

    def __init__(self, path: Path, take: Callable[[Program, float], None], missed: Callable[[], object]) -> None:
        self._redis = _client(path, None)
        self._take, self._missed = take, missed

    async def listen(self) -> None:
        """Listen for as long as the process lives."""
        while True:
            try:
                async with self._redis.pubsub() as channel:
                    await channel.subscribe(CHANNEL)
                    self._missed()
                    async for message in channel.listen():
                        if message["type"] == "message":
                            told = json.loads(message["data"])
                            self._take(program_of(told["program"]), told["published"])
            except (ValkeyError, OSError):
                await asyncio.sleep(0.1)


def _client(path: Path, seconds: float | None) -> Valkey:
    # The client would repeat a failed question by itself, and whoever waits would wait longer.
    never = Retry(NoBackoff(), 0)
    return Valkey(unix_socket_path=str(path), socket_timeout=seconds, retry=never, decode_responses=True)
