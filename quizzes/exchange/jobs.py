"""The worker that reads queued files, one after the other, and keeps their reports."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from db import Database
from quizzes.exchange import parsing, store
from quizzes.exchange.compare import Known
from quizzes.exchange.parsing import CancelledError, ParseError

TOPIC = "imports"
"""What the queue of files is called."""
_HEARD = timedelta(seconds=1)
"""How often a reading says how far it is."""


@dataclass
class Worker:
    """One worker: where the queue is, and which items files are compared with."""

    database: Database
    known: Callable[[], Sequence[Known]]
    clock: Callable[[], datetime]
    name: str = field(default_factory=lambda: uuid.uuid4().hex)
    topic: str = TOPIC
    idle: float = 2.0

    def run_next(self, going: Callable[[], bool] = lambda: True) -> bool:
        """Read one file to its report; return whether there was one.

        Once ``going`` says no, the reading ends and the file is queued again.
        """
        claimed = store.claim(self.database, self.name, self.clock())
        if claimed is None:
            return False
        import_id, upload = claimed
        try:
            found = parsing.parse(upload, self.known(), _Progress(self, import_id, going).told)
        except CancelledError:
            if not going():
                store.release(self.database, import_id, self.name)
            return True
        except ParseError as error:
            with self.database.writing() as connection:
                store.fail(connection, import_id, self.name, str(error), self.clock())
            return True
        with self.database.writing() as connection:
            store.finish(connection, import_id, self.name, found, self.clock())
        return True


@dataclass
class _Progress:
    """Tells the database how far a reading is, and the reading whether it is still wanted."""

    worker: Worker
    import_id: int
    going: Callable[[], bool]
    last: tuple[str, int] = ("", 0)
    heard_at: datetime | None = None

    def told(self, step: str, count: int) -> bool:
        if not self.going():
            return False
        now = self.worker.clock()
        if (step, count) == self.last and self.heard_at is not None and now - self.heard_at < _HEARD:
            return True
        self.last, self.heard_at = (step, count), now
        with self.worker.database.writing() as connection:
            return store.advance(connection, self.import_id, self.worker.name, (step, count), now + store.LEASE)
