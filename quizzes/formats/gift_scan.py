"""Where the questions of a GIFT file begin and end, found in one pass over its lines."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

_MARK = re.compile(r"\\.|[{}]")
_CATEGORY = re.compile(r"\$CATEGORY:(.*)", re.IGNORECASE)
_PRE = re.compile(r"<(/?)pre\b", re.IGNORECASE)
_ID = re.compile(r"\[id:([^\]]+)\]")
_TAG = re.compile(r"\[tag:([^\]]+)\]")


class Places:
    """Lines and columns of offsets in a text."""

    def __init__(self, text: str) -> None:
        """Note where each line begins."""
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def line(self, offset: int) -> int:
        """Return the line of an offset, counted from 1."""
        return bisect_right(self._starts, offset)

    def of(self, offset: int) -> tuple[int, int]:
        """Return the line and the column of an offset, counted from 1."""
        line = self.line(offset)
        return line, offset - self._starts[line - 1] + 1


@dataclass
class Block:
    """A question's text, comments in it blanked out, and where it begins in the file."""

    start: int
    lines: list[str] = field(default_factory=list)
    category: str = ""
    id: str = ""
    tags: list[str] = field(default_factory=list)
    open: bool = False
    """Whether a brace is open at the end of the lines so far."""
    closed: bool = False
    pre: int = 0

    @property
    def text(self) -> str:
        """The lines as one text, as long as in the file."""
        return "\n".join(self.lines)

    def take(self, line: str) -> None:
        """Add a line, and see which braces and ``<pre>`` it opens and closes."""
        self.lines.append(line)
        if "{" in line or "}" in line:
            for found in _MARK.finditer(line):
                self.open = found[0] == "{" or (self.open and found[0] != "}")
                self.closed = self.closed or found[0] == "}"
        if "<" in line:
            self.pre += sum(-1 if found[1] else 1 for found in _PRE.finditer(line))

    def ends_before(self, words: str) -> bool:
        """Return whether the block is over where a line with these words, spaces around them off, comes next."""
        if not self.lines:
            return False
        if not words:
            return not self.open and (self.pre <= 0 or self.closed)
        return words.startswith("::") or _CATEGORY.match(words) is not None


def blocks(text: str) -> Iterator[Block]:
    """Yield the questions of a file, faulty ones too; a blank line ends one, but not within braces or ``<pre>``."""
    offset, category = 0, ""
    block = Block(0)
    for line in text.split("\n"):
        words = line.strip()
        if block.ends_before(words):
            yield block
            block = Block(offset)
        if words.startswith("//"):
            _take_comment(block, line)
            # As long as the comment was, so that offsets stay.
            if block.lines:
                block.take(" " * len(line))
        elif not block.lines and (found := _CATEGORY.match(words)):
            category = found[1].strip()
        elif block.lines or words:
            if not block.lines:
                block.start, block.category = offset, category
            block.take(line)
        offset += len(line) + 1
    if block.lines:
        yield block


def _take_comment(block: Block, line: str) -> None:
    """Keep the id and the tags that programs write into comments."""
    if found := _ID.search(line):
        block.id = found[1].strip()
    block.tags += [one.strip() for one in _TAG.findall(line)]
