"""JSON text → plain values that know where in the text they stand."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from labs.parts.states.payload import Json

NESTING = 128
VALUES = 100_000
"""Our own bounds; a text of 1 MB written by hand has about 50,000 values, nested 20 deep."""

Where = tuple[str | int, ...]
"""The names and indices that lead from the whole text to a value."""

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,79}")
_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?(?![0-9A-Za-z.+-])")
_WORD = re.compile(r"[^\s\[\]{},:\"]{1,20}")
_WORDS: Mapping[str, Json] = {"true": True, "false": False, "null": None}
_DIGITS = 40
_STRINGS = json.JSONDecoder()


class SyntaxFaultError(ValueError):
    """The text is not JSON, or more than we read; ``where`` leads to the value around ``offset``."""

    def __init__(self, sentence: str, offset: int, where: Where) -> None:
        super().__init__(sentence)
        self.sentence, self.offset, self.where = sentence, offset, where


@dataclass(frozen=True)
class Document:
    """A text's value, the place of each field and element, and the fields that stand twice."""

    text: str
    value: Json
    offsets: Mapping[int, Mapping[str | int, int]]
    repeated: tuple[tuple[Where, int], ...]

    def at(self, where: Where) -> Json:
        """Return the value to which ``where`` leads; it has to lead to one."""
        value = self.value
        for step in where:
            value = value[step]  # type: ignore[index]
        return value

    def offset(self, where: Where) -> int:
        """Return where the field's name or the element begins; as near as possible where it does not exist."""
        value, offset = self.value, self.offsets.get(0, {}).get(0, 0)
        for step in where:
            found = self.offsets.get(id(value), {}).get(step)
            if found is None:
                break
            offset = found
            value = value[step]  # type: ignore[index]
        return offset


def place(text: str, offset: int) -> tuple[int, int]:
    """Return the line and the column of an offset, both from 1."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def json_path(where: Where) -> str:
    """Return the way to a value as a path, long names cut."""
    steps = []
    for step in where:
        if isinstance(step, int):
            steps.append(f"[{step}]")
        else:
            name = step if len(step) <= 80 else step[:79] + "…"
            steps.append(f".{step}" if _IDENTIFIER.fullmatch(step) else f"['{name}']")
    return "$" + "".join(steps)


def parse(text: str, *, nesting: int = NESTING, values: int = VALUES) -> Document:
    """Return the document in ``text``; raise SyntaxFaultError at the first place that is not JSON.

    Takes time and memory linear in the text. ``nesting`` and ``values`` bound what is read.
    """
    scanner = _Scanner(text, nesting, values)
    value = scanner.document()
    return Document(text, value, scanner.offsets, tuple(scanner.repeated))


@dataclass
class _Scanner:
    text: str
    nesting: int
    values: int
    at: int = 0
    where: list[str | int] = field(default_factory=list)
    offsets: dict[int, dict[str | int, int]] = field(default_factory=dict)
    repeated: list[tuple[Where, int]] = field(default_factory=list)

    def document(self) -> Json:
        self._skip()
        self.offsets[0] = {0: self.at}
        value = self._value()
        if self._skip() < len(self.text):
            raise self._fault("The text ends before this; remove what follows, or the brace that closes too early.")
        return value

    def _fault(self, sentence: str, at: int | None = None) -> SyntaxFaultError:
        return SyntaxFaultError(sentence, self.at if at is None else at, tuple(self.where))

    def _skip(self) -> int:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.at

    def _next(self) -> str:
        return self.text[self._skip() : self.at + 1]

    def _value(self) -> Json:
        self.values -= 1
        if self.values < 0:
            raise self._fault("There are more values than are read here; make the text shorter.")
        first = self._next()
        if first == '"':
            return self._string()
        if first in {"{", "["}:
            if len(self.where) >= self.nesting:
                raise self._fault(f"This is nested deeper than {self.nesting} levels; flatten it.")
            return self._object() if first == "{" else self._array()
        return self._scalar()

    def _string(self) -> str:
        try:
            value, self.at = _STRINGS.raw_decode(self.text, self.at)
        except json.JSONDecodeError as error:
            if error.msg.startswith("Unterminated"):
                raise self._fault('This string has no end; close it with ".') from None
            sentence = "A string holds a line break or another control character; write \\n and the like."
            if "escape" in error.msg:
                sentence = "A backslash begins no escape that JSON knows; write \\\\ for a backslash."
            raise self._fault(sentence, error.pos) from None
        return str(value)

    def _scalar(self) -> Json:
        found = _NUMBER.match(self.text, self.at)
        if found:
            if len(found[0]) > _DIGITS:
                raise self._fault(f"This number has more than {_DIGITS} digits; write a shorter one.")
            number = float(found[0]) if found[1] or found[2] else int(found[0])
            if not math.isfinite(number):
                raise self._fault(f"The number {found[0]} is too great.")
            self.at = found.end()
            return number
        word = _WORD.match(self.text, self.at)
        if word and word[0] in _WORDS:
            self.at = word.end()
            return _WORDS[word[0]]
        raise self._fault(self._complaint("a value"))

    def _object(self) -> dict[str, Json]:
        value: dict[str, Json] = {}
        offsets = self.offsets[id(value)] = {}
        self.at += 1
        while self._next() != "}":
            if value:
                self._comma("}")
            if self._next() != '"':
                raise self._fault(self._complaint('a field\'s name in straight quotes, such as "Next"'))
            begin, name = self.at, self._string()
            self.where.append(name)
            if name in value:
                self.repeated.append((tuple(self.where), begin))
            if self._next() != ":":
                raise self._fault(self._complaint("a colon after the field's name"))
            self.at += 1
            value[name] = self._value()
            offsets[name] = begin
            self.where.pop()
        self.at += 1
        return value

    def _array(self) -> list[Json]:
        value: list[Json] = []
        offsets = self.offsets[id(value)] = {}
        self.at += 1
        while self._next() != "]":
            if value:
                self._comma("]")
            self.where.append(len(value))
            offsets[len(value)] = self._skip()
            value.append(self._value())
            self.where.pop()
        self.at += 1
        return value

    def _comma(self, end: str) -> None:
        if self._next() != ",":
            raise self._fault(self._complaint(f"a comma, or {end}"))
        comma = self.at
        self.at += 1
        if self._next() == end:
            raise self._fault(f"A comma stands before {end}; remove it.", comma)

    def _complaint(self, wanted: str) -> str:
        if self.at >= len(self.text):
            return f"The text ends where {wanted} should stand; close what is open."
        found = self.text[self.at]
        if found in "“”„‘’":
            return f'Here stands the typographic quote {found}; write the straight quote ".'
        if found == "'":
            return "JSON's strings stand between double quotes; write \" in place of '."
        if self.text.startswith(("//", "/*"), self.at):
            return "JSON has no comments; remove it."
        word = _WORD.match(self.text, self.at)
        return f"Here stands {word[0] if word else found}, where {wanted} should stand."
