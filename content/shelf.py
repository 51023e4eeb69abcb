"""The library in memory: read once, each page rendered once."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from content import library, render
from content.library import ContentError, Library, Page
from content.render import Rendered


class Shelf:
    """The content of one folder. What is faulty is left out and its faults are kept for the operator."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._rendered: dict[Path, Rendered] = {}

    @cached_property
    def _loaded(self) -> tuple[Library, tuple[ContentError, ...]]:
        return library.load(self.root)

    def current(self) -> Library:
        """Return everything there is to read."""
        return self._loaded[0]

    def errors(self) -> tuple[ContentError, ...]:
        """Return the faults that were met."""
        return self._loaded[1]

    def rendered(self, page: Page, link_base: str = "") -> Rendered:
        """Return the page as XHTML; it is rendered at its first reading and kept."""
        if page.path not in self._rendered:
            self._rendered[page.path] = render.render(page.body, page.folder, link_base=link_base)
        return self._rendered[page.path]
