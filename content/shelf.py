"""The library in memory: read at the start, and again, where it has changed, while people read."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from content import library
from content.errors import ContentError
from content.library import Library
from content.pages import Files, Reader, Recall, scan

log = logging.getLogger(__name__)

Lay = Callable[[Mapping[str, str]], Mapping[str, str]]
"""(texts that lie over files now, by path) → those that shall, the same object where nothing has changed."""
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
        self._lay: Lay = lambda texts: texts
        self._laid: Mapping[str, str] = {}
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

    def lay_from(self, lay: Lay) -> None:
        """Let texts from elsewhere take the place of files, or stand beside them where there is none."""
        self._lay, self._laid = lay, {}
        self.look_again()

    def look_again(self) -> None:
        """Let the next reader see what has just been changed."""
        self._look_at = 0.0

    def trial(self, path: Path, text: str) -> tuple[Library, list[ContentError]]:
        """Return the library as it would be with this text in a file's place, and the faults that it would bring."""
        _present, known = self._current()
        files = (self._files or scan(self.root)).lay({str(path): text})
        with self._lock:
            reader = self._reader.apart()
        found, errors = library.load(self.root, reader, files)
        return found, [one for one in errors if one.path == path or one not in known]

    def texts(self) -> Files:
        """Return the state of every file, with what lies over them."""
        self._current()
        return self._files or scan(self.root)

    def sound_texts(self) -> dict[Path, str]:
        """Return the texts of the files that are sound as they are on disk."""
        faulty = {error.path for error in self.errors()} | {Path(path) for path in self._laid}
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

    def _look(self) -> None:
        start = time.monotonic()
        if start < self._look_at:
            return
        try:
            files = scan(self.root)
            self._laid = self._lay(self._laid)
            files = files.lay(self._laid) if self._laid else files
        except OSError as error:
            # Somebody is moving folders about; what was read stays until the next look.
            log.warning("The content cannot be read just now: %s", error)
            files = self._files or Files({}, {})
        looked = time.monotonic()
        if files != self._files:
            known = self._found[1]
            self._found = library.load(self.root, self._reader, files)
            self._files = files
            for fault in self._found[1]:
                if fault not in known:
                    log.error("%s", fault)
        self._look_at = time.monotonic() + max(PAUSE, SHARE * (looked - start))
