"""Background work: a thread for each queue and the schedule beside them, until the process is told to stop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from flask import Flask
from sqlalchemy.exc import DBAPIError

from web.bell import Bell
from web.lifecycle import Worker
from web.logs import kind_of

PAUSE = 2.0
"""Seconds to wait where a database or a machine cannot for a while."""

log = logging.getLogger(__name__)


class Work:
    """Threads that work on queues; any number of processes may work on the same ones, for each piece is claimed."""

    def __init__(self, app: Flask, workers: Sequence[Worker]) -> None:
        self._bell: Bell = app.extensions["bell"]
        self._workers = workers
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=[one], name=f"{one.topic}-worker", daemon=True) for one in workers
        ]

    def start(self) -> None:
        """Begin on every queue."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Give back what is under way and return when that is done."""
        self._stop.set()
        for one in self._workers:
            self._bell.wake(one.topic)
        for thread in self._threads:
            thread.join()

    def _going(self) -> bool:
        return not self._stop.is_set()

    def _work(self, worker: Worker) -> None:
        trouble = ""
        while self._going():
            try:
                found, trouble = worker.run_next(self._going), ""
            except Exception as error:  # noqa: BLE001 (a queue outlives whatever happens to one piece of it)
                trouble = _say(worker.topic, error, trouble)
                self._stop.wait(PAUSE)
                continue
            if not found and self._going():
                self._bell.wait(worker.topic, worker.idle)


def _say(topic: str, error: Exception, said: str) -> str:
    """Log what is wrong, unless that was the last thing said, and return it."""
    trouble = kind_of(error)
    if trouble == said:
        return said
    if isinstance(error, DBAPIError | OSError):
        log.warning("The queue of %s cannot be worked on; trying again every %d s: %s", topic, PAUSE, trouble)
    else:
        log.error("The queue of %s cannot be worked on; trying again every %d s.", topic, PAUSE, exc_info=error)
    return trouble
