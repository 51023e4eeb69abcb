"""Pictures that come with items: judged by their bytes, named by their hash, and shown from our own address; pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from quizzes.formats.picture import MAXIMUM_PICTURE, picture_type
from quizzes.questions import Item

_ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif"}
_SHOWN = re.compile(r"\]\((?:file:([^)\s<>]+)|<file:([^)<>]+)>)\)")


@dataclass(frozen=True)
class Picture:
    """A picture by the SHA-256 of its bytes."""

    sha256: str
    media_type: str
    data: bytes

    @property
    def address(self) -> str:
        """Where it is served."""
        return f"/pictures/{self.sha256}.{_ENDINGS[self.media_type]}"


def read(data: bytes) -> Picture | None:
    """Return the picture of these bytes, or None where they are none that browsers show, or too many."""
    found = picture_type(data)
    if found is None or len(data) > MAXIMUM_PICTURE:
        return None
    return Picture(hashlib.sha256(data).hexdigest(), f"image/{found}", data)


def names(items: Sequence[Item]) -> set[str]:
    """Return the names of the pictures that items show as they came."""
    texts = (text for item in items for text in _texts(item) if "file:" in text)
    return {name for text in texts for found in _SHOWN.finditer(text) for name in found.groups() if name}


def shown(items: Sequence[Item], files: Mapping[str, bytes]) -> dict[str, Picture]:
    """Return the pictures that items show, by the names under which they came."""
    found = {name: read(files[name]) for name in names(items) if name in files}
    return {name: picture for name, picture in found.items() if picture is not None}


def placed(items: Sequence[Item], pictures: Mapping[str, Picture]) -> list[Item]:
    """Return the items with the addresses of their pictures in place of names."""
    return [_placed(item, pictures) if any(map(_SHOWN.search, _texts(item))) else item for item in items]


def shows_any(item: Item) -> bool:
    """Return whether an item shows a picture, which a book that prints the item does not hold."""
    return any("![" in text for text in (*_texts(item), item.key.today))


def _placed(item: Item, pictures: Mapping[str, Picture]) -> Item:
    def address(found: re.Match[str]) -> str:
        picture = pictures.get(found[1] or found[2])
        return f"]({picture.address})" if picture else found[0]

    def place(text: str) -> str:
        return _SHOWN.sub(address, text)

    question, key = item.question, item.key
    return replace(
        item,
        question=replace(
            question,
            stem=place(question.stem),
            stimulus=place(question.stimulus),
            options=tuple(replace(one, text=place(one.text)) for one in question.options),
            targets=tuple(replace(one, text=place(one.text)) for one in question.targets),
        ),
        key=replace(
            key,
            rationales=tuple((letter, place(text)) for letter, text in key.rationales),
            explanation=place(key.explanation),
        ),
    )


def _texts(item: Item) -> tuple[str, ...]:
    question, key = item.question, item.key
    options = (one.text for one in (*question.options, *question.targets))
    return (question.stem, question.stimulus, key.explanation, *options, *(text for _, text in key.rationales))
