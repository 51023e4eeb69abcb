"""The library in memory: read at the start, and again, where it has changed, while people read."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

from content import library
from content.faults import ContentError
from content.library import Library
from content.pages import Files, Reader, scan

log = logging.getLogger(__name__)

PAUSE = 0.1
"""Seconds for which nobody looks again whether a file has changed."""
SHARE = 10
"""And at least this many times as long as the last look took, so that looking stays cheap however much there is."""


class Shelf:
    """The content of one folder, always as it is on disk.

    What is faulty is left out, or stays as it was in its last sound state, and its faults are kept for the operator.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._reader = Reader(root)
        self._lock = threading.Lock()
        self._files: Files | None = None
        self._found: tuple[Library, tuple[ContentError, ...]] = (Library(), ())
        self._look_at = 0.0

    def current(self) -> Library:
        """Return everything there is to read; a change on disk shows at most ``PAUSE`` seconds later."""
        return self._current()[0]

    def errors(self) -> tuple[ContentError, ...]:
        """Return the faults that were met."""
        return self._current()[1]

    def _current(self) -> tuple[Library, tuple[ContentError, ...]]:
        if time.monotonic() < self._look_at:
            return self._found
        # Whoever comes while another looks is served what is there; only the very first reading must be waited for.
        if self._lock.acquire(blocking=self._files is None):
            try:
                self._look()
            finally:
                self._lock.release()
        return self._found

    def _look(self) -> None:
        start = time.monotonic()
        if start < self._look_at:
            return
        files = scan(self.root)
        looked = time.monotonic()
        if files != self._files:
            known = self._found[1]
            self._found = library.load(self.root, self._reader)
            self._files = files
            for error in self._found[1]:
                if error not in known:
                    log.error("%s", error)
        self._look_at = time.monotonic() + max(PAUSE, SHARE * (looked - start))
