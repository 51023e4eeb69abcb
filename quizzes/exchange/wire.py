"""A file as it was read and compared, as JSON and back: the child tells it to the server, the database keeps it."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass
from typing import Any

from content.garbage import without_collecting
from quizzes.formats.reading import Finding, Imported, Reading
from quizzes.questions import Item, item_of


@dataclass(frozen=True)
class Likeness:
    """Another item that one of the file is like: ``kind`` as in quizzes.alike, where it stands, and its stem.

    ``number`` counts the questions of the same file; it is 0 for an item of a bank.
    """

    kind: str
    place: str
    stem: str
    question_id: str
    number: int = 0


@dataclass(frozen=True)
class Compared:
    """A file as it was read, with what each of its items is like, by the item's number."""

    format: str
    reading: Reading
    likenesses: dict[int, tuple[Likeness, ...]]


def dump(compared: Compared) -> bytes:
    """Return a compared file as compressed JSON."""
    reading = compared.reading
    values = {
        "format": compared.format,
        "questions": reading.questions,
        "items": [_item_values(one) for one in reading.items],
        "findings": [vars(one) for one in reading.findings],
        "files": {name: base64.b64encode(data).decode() for name, data in reading.files.items()},
        "likenesses": [[number, vars(one)] for number, likenesses in compared.likenesses.items() for one in likenesses],
    }
    # The lowest level: a report is written once and read a few times.
    return zlib.compress(json.dumps(values, ensure_ascii=False).encode(), 1)


@without_collecting()
def load(data: bytes) -> Compared:
    """Return the compared file that ``dump`` made bytes of."""
    values = json.loads(zlib.decompress(data))
    reading = Reading(
        tuple(map(_imported, values["items"])),
        tuple(Finding(**one) for one in values["findings"]),
        values["questions"],
        {name: base64.b64decode(text) for name, text in values["files"].items()},
    )
    likenesses: dict[int, list[Likeness]] = {}
    for number, one in values["likenesses"]:
        likenesses.setdefault(number, []).append(Likeness(**one))
    return Compared(values["format"], reading, {number: tuple(named) for number, named in likenesses.items()})


def item_values(item: Item) -> dict[str, Any]:
    """Return an item as plain values, its tags among them."""
    values = item.content()
    if item.question.tags:
        values["question"]["tags"] = list(item.question.tags)
    return values


def _item_values(one: Imported) -> dict[str, Any]:
    own = {"number": one.number, "line": one.line, "column": one.column, "name": one.name}
    return {**own, "category": one.category, "member": one.member, "item": item_values(one.item)}


def _imported(values: dict[str, Any]) -> Imported:
    return Imported(**{**values, "item": item_of(**values["item"])})
