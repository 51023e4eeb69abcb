"""The library in memory: read at the start, and again, where it has changed, while people read."""

from __future__ import annotations

import gc
import logging
import threading
import time
from pathlib import Path

from content import library
from content.faults import ContentError
from content.library import Library
from content.pages import Files, Reader, Recall, scan

log = logging.getLogger(__name__)

PAUSE = 0.1
"""Seconds for which nobody looks again whether a file has changed."""
SHARE = 8
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

    def recall_from(self, recall: Recall) -> None:
        """Let the files' last sound states, from an earlier process, stand in for files that are faulty now."""
        self._reader.recall = recall

    def sound_texts(self) -> dict[Path, str]:
        """Return the texts of the files that are sound as they are on disk."""
        faulty = {error.path for error in self.errors()}
        return {path: path.read_text("utf-8") for path in self._reader.sound if path not in faulty and path.is_file()}

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

    def _load(self) -> tuple[Library, tuple[ContentError, ...]]:
        # Parsing makes and drops objects by the million; looking among them for cycles took a quarter of the time.
        collecting = gc.isenabled()
        gc.disable()
        try:
            return library.load(self.root, self._reader)
        finally:
            if collecting:
                gc.enable()

    def _look(self) -> None:
        start = time.monotonic()
        if start < self._look_at:
            return
        try:
            files = scan(self.root)
        except OSError as error:
            # Somebody is moving folders about; what was read stays until the next look.
            log.warning("The content cannot be read just now: %s", error)
            files = self._files or Files({}, {})
        looked = time.monotonic()
        if files != self._files:
            known = self._found[1]
            self._found = self._load()
            self._files = files
            for fault in self._found[1]:
                if fault not in known:
                    log.error("%s", fault)
        self._look_at = time.monotonic() + max(PAUSE, SHARE * (looked - start))
