"""The worker that reads queued files, one after the other, and keeps their reports."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from db import Database
from quizzes.exchange import parsing, store
from quizzes.exchange.compare import Known
from quizzes.exchange.parsing import CancelledError, ParseError

IDLE = 5.0
"""Seconds between two looks at an empty queue; an upload to this process wakes the worker at once."""
_HEARD = timedelta(seconds=1)
"""How often a reading says how far it is."""

log = logging.getLogger(__name__)


@dataclass
class Worker:
    """One worker: where the queue is, which items files are compared with, and what wakes it."""

    database: Database
    known: Callable[[], Sequence[Known]]
    clock: Callable[[], datetime]
    woken: threading.Event = field(default_factory=threading.Event)
    name: str = field(default_factory=lambda: uuid.uuid4().hex)

    def start(self) -> None:
        """Work in a thread that ends with the process."""
        threading.Thread(target=self._work, name="imports-worker", daemon=True).start()

    def run_next(self) -> bool:
        """Read one file to its report; return whether there was one."""
        claimed = store.claim(self.database, self.name, self.clock())
        if claimed is None:
            return False
        import_id, upload = claimed
        try:
            found = parsing.parse(upload, self.known(), _Progress(self, import_id).going)
        except CancelledError:
            return True
        except ParseError as error:
            with self.database.writing() as connection:
                store.fail(connection, import_id, self.name, str(error), self.clock())
            return True
        with self.database.writing() as connection:
            store.finish(connection, import_id, self.name, found, self.clock())
        return True

    def _work(self) -> None:
        while True:
            try:
                found = self.run_next()
            except (SQLAlchemyError, OSError):
                # What was being read is read again when its lease is over.
                log.exception("An import could not be worked on; trying again.")
                found = False
            if not found:
                self.woken.wait(IDLE)
                self.woken.clear()


@dataclass
class _Progress:
    """Tells the database how far a reading is, and the reading whether it is still wanted."""

    worker: Worker
    import_id: int
    told: tuple[str, int] = ("", 0)
    heard_at: datetime | None = None

    def going(self, step: str, count: int) -> bool:
        now = self.worker.clock()
        if (step, count) == self.told and self.heard_at is not None and now - self.heard_at < _HEARD:
            return True
        self.told, self.heard_at = (step, count), now
        with self.worker.database.writing() as connection:
            return store.advance(connection, self.import_id, self.worker.name, (step, count), now + store.LEASE)
