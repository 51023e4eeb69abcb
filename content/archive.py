"""Runs of words that a text shares with the archive of posts it draws on; every sentence here is to be our own.

The archive itself is other people's work and not part of this project. What is kept of it is a fingerprint: a digest
of each run of eight words, from which no text can be read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from pathlib import Path

from content.errors import ContentError

RUN = 8
"""So many consecutive words, and more, are reported."""
NAMES = 5
"""A run in which so many words are capitalised or figures is a name, a title or a figure that one may quote."""
FINGERPRINT = Path(__file__).with_name("archive.fingerprint")

_DIGEST = 6
_WORD = re.compile(r"\w+")
_NO_PROSE = re.compile(r"(?:https?|s3)://\S+|arn:aws:\S+|\]\([^)\s]*\)|`[^`\s]+`")


def fingerprint(text: str) -> bytes:
    """Return the digests of every run of eight words of a text, sorted, each of six bytes."""
    words = [match[0] for match in _WORD.finditer(text)]
    return b"".join(sorted({_digest(words[start : start + RUN]) for start in range(len(words) - RUN + 1)}))


def shared(text: str, known: frozenset[bytes]) -> Iterator[tuple[int, str]]:
    """Yield (offset, words) for each longest run of a text that is known; addresses and identifiers are passed over."""
    found = list(_WORD.finditer(_NO_PROSE.sub(lambda match: " " * len(match[0]), text)))
    words = [match[0] for match in found]
    starts = [
        start
        for start in range(len(words) - RUN + 1)
        if _digest(words[start : start + RUN]) in known and not _is_name(words[start : start + RUN])
    ]
    for first, last in _runs(starts):
        begin, end = found[first].start(), found[last + RUN - 1].end()
        yield begin, text[begin:end]


def _runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """Yield (first, last) of each stretch of consecutive numbers."""
    for _, stretch in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        members = [number for _, number in stretch]
        yield members[0], members[-1]


def faults(path: Path, text: str) -> Iterator[ContentError]:
    """Yield what a file shares with the archive, each with its line and column."""
    for offset, words in shared(text, known()):
        line = text.count("\n", 0, offset) + 1
        column = offset - text.rfind("\n", 0, offset)
        quote = " ".join(words.split())
        yield ContentError(path, line, column, f"“{quote}” stands in the archive too; say it in words of your own.")


@cache
def known() -> frozenset[bytes]:
    """Return the digests of the archive's runs."""
    data = FINGERPRINT.read_bytes()
    return frozenset(data[start : start + _DIGEST] for start in range(0, len(data), _DIGEST))


def _digest(words: list[str]) -> bytes:
    return hashlib.blake2b(" ".join(words).casefold().encode(), digest_size=_DIGEST).digest()


def _is_name(words: list[str]) -> bool:
    return sum(word[0].isupper() or word[0].isdigit() for word in words) >= NAMES
