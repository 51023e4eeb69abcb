"""Findings that are a matrix: who got what from whom, each answer with its explanation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

KIND = "matrix"


@dataclass(frozen=True)
class Answer:
    """What was asked, in a word or two, whether it was granted, and a sentence that says why, if there is one."""

    asked: str
    granted: bool
    why: str


@dataclass(frozen=True)
class Cell:
    """The answers of one cell, and what explains all of them."""

    why: str
    answers: tuple[Answer, ...]

    @property
    def is_explained(self) -> bool:
        """Whether there is a sentence that says why."""
        return bool(self.why) or any(one.why for one in self.answers)

    def asked(self, *, granted: bool) -> str:
        """Return what was granted, or what was not, as a list in words."""
        return ", ".join(one.asked for one in self.answers if one.granted is granted)


@dataclass(frozen=True)
class Matrix:
    """A cell for each row and column, both with their names; ``granted`` and ``refused`` are the answers in words."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]
    granted: str = "allowed"
    refused: str = "denied"

    def value(self) -> dict[str, Any]:
        """Return the matrix as the value of a finding, made of what JSON has."""
        return {"kind": KIND, **asdict(self)}

    def word(self, answer: Answer) -> str:
        """Return an answer in a word."""
        return self.granted if answer.granted else self.refused

    def named(self) -> Iterator[tuple[str, Answer]]:
        """Yield every answer with the words that name its place."""
        for row, cells in zip(self.rows, self.cells, strict=True):
            for column, cell in zip(self.columns, cells, strict=True):
                for answer in cell.answers:
                    yield f"{row}, {column}, {answer.asked}", answer


def read(value: Any) -> Matrix | None:
    """Return the matrix that is a finding's value, as it was stored; None where the value is something else."""
    if not isinstance(value, dict) or value.get("kind") != KIND:
        return None
    cells = tuple(
        tuple(Cell(cell["why"], tuple(Answer(**answer) for answer in cell["answers"])) for cell in row)
        for row in value["cells"]
    )
    return Matrix(tuple(value["rows"]), tuple(value["columns"]), cells, value["granted"], value["refused"])
