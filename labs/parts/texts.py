"""JSON objects that a learner writes as a parameter, and their refusal with the place of each fault."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from labs.findings import Fault, Refused
from labs.parts.json_document import Document, SyntaxFaultError, parse, place
from labs.parts.states.payload import Json


@dataclass(frozen=True)
class Text:
    """A parameter's text and the object in it."""

    parameter: str
    fields: Mapping[str, Json]
    document: Document

    def refused(self, faults: Iterable[tuple[str, str]]) -> Refused:
        """Return the refusal for faults, each the name of a field and a sentence."""
        found = self.document
        places = [(place(found.text, found.offset((name,))), sentence) for name, sentence in faults]
        return refused(self.parameter, [(*place, sentence) for place, sentence in places])


def read(parameter: str, text: str) -> Text:
    """Return the object in a parameter's text; raise Refused where there is none, or a name stands twice."""
    try:
        found = parse(text)
    except SyntaxFaultError as error:
        raise refused(parameter, [(*place(text, error.offset), error.sentence)]) from None
    if not isinstance(found.value, dict):
        raise refused(parameter, [(1, 1, "This is no object; write it in braces.")])
    twice = [(*place(text, offset), f"“{where[-1]}” stands twice here.") for where, offset in found.repeated]
    if twice:
        raise refused(parameter, twice)
    return Text(parameter, found.value, found)


def refused(parameter: str, faults: Iterable[tuple[int, int, str]]) -> Refused:
    """Return the refusal for faults in a parameter's text, each a line and a column from 1 and a sentence."""
    placed = [Fault(parameter, *one) for one in faults]
    first = placed[0]
    more = f" And {len(placed) - 1} more." if len(placed) > 1 else ""
    return Refused(f"{parameter}, line {first.line}, column {first.column}: {first.sentence}{more}", placed)
