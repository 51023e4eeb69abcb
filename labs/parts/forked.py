"""Processes that a run forks off itself, so that they begin at once; each may be frozen, killed and started again."""

from __future__ import annotations

import mmap
import multiprocessing
import os
import signal
import struct
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkContext, ForkProcess
from typing import Any, Self

FORK: ForkContext = multiprocessing.get_context("fork")


class Shared:
    """A number that a process and all that are forked off it see alike; no file stands behind it."""

    _FORM = struct.Struct("d")

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, self._FORM.size)

    def get(self) -> float:
        """Return the number, 0 at first."""
        number: float = self._FORM.unpack_from(self._memory)[0]
        return number

    def set(self, number: float) -> None:
        """Let it be this from now on."""
        self._FORM.pack_into(self._memory, 0, number)


@dataclass
class Forked:
    """A process that does ``work``; to be used in a ``with`` statement, at whose end it is gone.

    The process that forks it must have neither threads nor a running event loop.
    """

    work: Callable[[], None]
    process: ForkProcess | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, anew if it was killed."""
        self.process = FORK.Process(target=self.work, daemon=True)
        self.process.start()

    def kill(self) -> None:
        """End it as a crash does, and wait until it is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.process = None

    def freeze(self) -> None:
        """Let it stand still."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.pid is not None:
            os.kill(self.process.pid, number)


class Telling(Forked):
    """A process that tells what it finds while it works; ``work`` is given where to put it."""

    def __init__(self, work: Callable[[Callable[[Any], None]], None]) -> None:
        self._here, there = FORK.Pipe(duplex=False)
        super().__init__(lambda: work(there.send))
        self._there: Connection = there

    def start(self) -> None:
        """Start it, and keep only its end that is read."""
        super().start()
        self._there.close()

    def told(self, seconds: float) -> list[Any]:
        """Return what it has told, once something is there or so many seconds are over."""
        found: list[Any] = []
        while self._here.poll(0 if found else seconds):
            try:
                found.append(self._here.recv())
            except EOFError:
                break
        return found

    @property
    def working(self) -> bool:
        """Whether it has not yet ended."""
        return self.process is not None and self.process.is_alive()
