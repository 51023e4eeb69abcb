"""The message that the database sends for a sale: a template that a learner writes, as expressions of SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from labs.parts import texts
from labs.parts.states.payload import Json

COLUMNS = ("ItemID", "Category", "Price", "Quantity", "OrderDate", "DestinationState", "ShippingType", "Referral")
"""The columns that the published message carries, in its order."""
KEY = "InvoiceID"
LONGEST = 100
"""Characters of a text that stands for NULL."""


@dataclass(frozen=True)
class Dialect:
    """How a database writes a column's value as text, a literal, and texts joined so that one NULL makes all NULL."""

    value: Callable[[str], str]
    literal: Callable[[str], str]
    concat: Callable[[Sequence[str]], str]


@dataclass(frozen=True)
class Message:
    """How a message is made: as text or as JSON, of which columns, and what stands for NULL in some of them."""

    is_text: bool
    columns: tuple[str, ...]
    instead_of_null: Mapping[str, str]

    def values(self, row: Mapping[str, str | None], columns: Sequence[str]) -> tuple[str | None, ...]:
        """Return what the message of a row ought to carry of these columns."""
        return tuple(self.instead_of_null.get(name) if row[name] is None else row[name] for name in columns)

    def expression(self, dialect: Dialect) -> str:
        """Return the expression of SQL that makes the message of a row."""
        given = {name: self._guarded(name, dialect) for name in self.columns}
        if not self.is_text:
            return f"JSON_OBJECT({', '.join(f'{dialect.literal(name)}, {one}' for name, one in given.items())})"
        parts = []
        opening = '{ "'
        for name, one in given.items():
            parts += [dialect.literal(f'{opening}{name}" : "'), one]
            opening = '", "'
        return dialect.concat([*parts, dialect.literal('"}')])

    def _guarded(self, name: str, dialect: Dialect) -> str:
        value, text = dialect.value(name), self.instead_of_null.get(name)
        return value if text is None else f"COALESCE({value}, {dialect.literal(text)})"


def read(text: str) -> Message:
    """Return the message that the template describes; raise Refused with the place of each fault."""
    found = texts.read("message", text)
    faults = [
        (name, f"A template has no “{name}”; it has make, columns and instead_of_null.")
        for name in found.fields
        if name not in {"make", "columns", "instead_of_null"}
    ]
    make = found.fields.get("make")
    if make not in ("CONCAT", "JSON_OBJECT"):
        faults.append(("make", "Write “CONCAT” or “JSON_OBJECT” here."))
    columns = found.fields.get("columns")
    if not isinstance(columns, list) or sorted(map(str, columns)) not in _COMPLETE:
        faults.append(("columns", f"A list of these belongs here, in any order: {', '.join(COLUMNS)}, maybe {KEY}."))
    instead = found.fields.get("instead_of_null", {})
    if not isinstance(instead, dict) or not all(map(_can_stand, instead, instead.values())):
        faults.append(("instead_of_null", f"By column, a text of at most {LONGEST} letters belongs here."))
    if faults:
        raise found.refused(faults)
    return Message(make == "CONCAT", tuple(map(str, columns)), dict(instead))  # type: ignore[arg-type]  # they were checked


_COMPLETE = (sorted(COLUMNS), sorted((*COLUMNS, KEY)))


def _can_stand(column: str, text: Json) -> bool:
    """Whether the text may stand for NULL; control characters and halves of characters may not."""
    return column in COLUMNS and isinstance(text, str) and len(text) <= LONGEST and text.isprintable()
