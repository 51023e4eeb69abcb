"""A learner's JSON read field by field: what is wrong is collected with its place and refused at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from labs.parts import texts
from labs.parts.json_document import Document, Where, place
from labs.parts.states.payload import Json

T = TypeVar("T")
_WANTED: Mapping[type, str] = {str: "a text", dict: "an object in braces", list: "a list in square brackets"}


class Fields:
    """The fields of a parameter's text, and the faults that were found in them so far."""

    def __init__(self, parameter: str, text: str) -> None:
        found = texts.read(parameter, text)
        self.parameter = parameter
        self.document: Document = found.document
        self.top = found.fields
        self._faults: list[tuple[int, int, str]] = []

    def line(self, where: Where) -> int:
        """Return the line of a field or an element, from 1."""
        return place(self.document.text, self.document.offset(where))[0]

    def fault(self, where: Where, sentence: str) -> None:
        """Keep what is wrong at a field or an element."""
        self._faults.append((*place(self.document.text, self.document.offset(where)), sentence))

    def add(self, faults: Iterable[tuple[int, int, str]]) -> None:
        """Keep faults that somebody else found in this text: line, column and sentence of each."""
        self._faults.extend(faults)

    def is_a(self, kind: type[T], value: Json, where: Where) -> T | None:
        """Return the value if it is of that kind; else keep the fault and return None."""
        if isinstance(value, kind):
            return value
        self.fault(where, f"Write {_WANTED[kind]} here.")
        return None

    def get(self, kind: type[T], parent: dict[str, Json], name: str, where: Where) -> T | None:
        """Return the field of the object at ``where`` if it is there and of that kind; else keep the fault."""
        if name not in parent:
            self.fault(where, f"“{name}” is missing here; give {_WANTED[kind]}.")
            return None
        return self.is_a(kind, parent[name], (*where, name))

    def only(self, parent: dict[str, Json], names: Iterable[str], where: Where) -> None:
        """Keep a fault for each field of the object at ``where`` that nothing reads."""
        known = tuple(names)
        for name in parent:
            if name not in known:
                self.fault((*where, name), f"“{name[:60]}” is read by nothing; use {', '.join(known)}.")

    def check(self) -> None:
        """Raise Refused where faults were found."""
        if self._faults:
            raise texts.refused(self.parameter, sorted(set(self._faults)))
