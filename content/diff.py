"""Two texts side by side: what was taken out and put in, by lines, and by words within a line that was changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_TOKENS = re.compile(r"\w+|\s+|[^\w\s]")
_ALIKE = 0.4
"""The least share of two lines' words that must agree for one to be shown as a change of the other."""


@dataclass(frozen=True)
class Part:
    """A run of words that stayed (no sign), was put in (+) or was taken out (-)."""

    sign: str
    text: str


@dataclass(frozen=True)
class Line:
    """A line of either text: kept (no sign), new (+), gone (-), or changed within (~)."""

    sign: str
    parts: tuple[Part, ...]


def lines(before: str, after: str) -> list[Line]:
    """Return both texts as one list of lines; the parts without “-” are ``after``, those without “+” ``before``."""
    old, new = before.splitlines(), after.splitlines()
    found: list[Line] = []
    for operation, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if operation == "equal":
            found += [_whole("", line) for line in new[k:m]]
        else:
            found += _replaced(old[i:j], new[k:m])
    return found


def _replaced(old: Sequence[str], new: Sequence[str]) -> Iterator[Line]:
    if len(old) != len(new):
        yield from (_whole("-", line) for line in old)
        yield from (_whole("+", line) for line in new)
        return
    for gone, come in zip(old, new, strict=True):
        before, after = _TOKENS.findall(gone), _TOKENS.findall(come)
        words = SequenceMatcher(None, before, after, autojunk=False)
        if words.ratio() < _ALIKE:
            yield _whole("-", gone)
            yield _whole("+", come)
        else:
            yield Line("~", tuple(_parts(words, before, after)))


def _parts(words: SequenceMatcher[str], old: Sequence[str], new: Sequence[str]) -> Iterator[Part]:
    for operation, i, j, k, m in words.get_opcodes():
        if operation == "equal":
            yield Part("", "".join(new[k:m]))
            continue
        if i < j:
            yield Part("-", "".join(old[i:j]))
        if k < m:
            yield Part("+", "".join(new[k:m]))


def _whole(sign: str, text: str) -> Line:
    return Line(sign, (Part(sign, text),))
