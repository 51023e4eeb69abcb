"""The bell: wakes who waits for work on a topic, in this process and, through Redis, in every other.

A ring is a courtesy and may be lost: what must not be lost stands in a table, where whoever waits looks now and then
anyway. So a Redis that is down costs a pause and nothing else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from flask import current_app


class Line(Protocol):
    """What carries rings between processes."""

    def tell(self, topic: str) -> None:
        """Tell every process of a topic; where that cannot be, say so in the log alone."""
        ...

    def listen(self, heard: Callable[[str], None], missed: Callable[[], None]) -> None:
        """Call ``heard`` with each topic that is told, and ``missed`` when some may have been, for ever."""
        ...


class Bell:
    """One process's bell: anybody may ring, and one thread waits on each topic."""

    def __init__(self, line: Line | None = None) -> None:
        self._line = line
        self._rung: dict[str, threading.Event] = {}
        self._lock = threading.Lock()
        self._listens = False

    def ring(self, topic: str) -> None:
        """Wake who waits on the topic, in every process; call it after the commit of what there is to find."""
        self.wake(topic)
        if self._line is not None:
            self._line.tell(topic)

    def wake(self, topic: str) -> None:
        """Wake who waits on the topic in this process alone."""
        self._event(topic).set()

    def wait(self, topic: str, seconds: float) -> bool:
        """Return True as soon as the topic is rung, at once if it was since the last wait; False after ``seconds``."""
        self._listen()
        rung = self._event(topic)
        heard = rung.wait(seconds)
        rung.clear()
        return heard

    def _event(self, topic: str) -> threading.Event:
        # In one step: of two threads that name a topic first, both get the same event.
        return self._rung.setdefault(topic, threading.Event())

    def _listen(self) -> None:
        """Begin to listen, where that has not begun: only processes that wait need a thread and a connection for it."""
        with self._lock:
            if self._line is not None and not self._listens:
                self._listens = True
                to_all = [self.wake, self._wake_all]
                threading.Thread(target=self._line.listen, args=to_all, name="bell", daemon=True).start()

    def _wake_all(self) -> None:
        for topic in list(self._rung):
            self.wake(topic)


def make(redis_url: str) -> Bell:
    """Return a bell that the processes with the same Redis share, or one of this process alone."""
    if not redis_url:
        return Bell()
    from web.redis_line import RedisLine  # noqa: PLC0415 (its client takes a tenth of the time that a start imports)

    return Bell(RedisLine(redis_url))


def bell() -> Bell:
    """Return the running application's bell."""
    found: Bell = current_app.extensions["bell"]
    return found
