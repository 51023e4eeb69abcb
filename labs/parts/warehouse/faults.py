"""What is wrong with a statement, and where."""

from __future__ import annotations

from dataclasses import dataclass, field


class WarehouseError(ValueError):
    """A statement that was refused or failed: line and column in the text, both from 1, and a sentence."""

    def __init__(self, line: int, column: int, sentence: str) -> None:
        super().__init__(f"line {line}, column {column}: {sentence}")
        self.line = line
        self.column = column
        self.sentence = sentence


@dataclass(frozen=True)
class Place:
    """A character of a text, counted from 0."""

    text: str = field(repr=False)
    offset: int = 0

    def at(self, offset: int) -> Place:
        """Return another place in the same text."""
        return Place(self.text, offset)

    def fault(self, sentence: str) -> WarehouseError:
        """Return the fault that the sentence tells, at this place."""
        before = self.text[: self.offset]
        return WarehouseError(before.count("\n") + 1, self.offset - before.rfind("\n"), sentence)
