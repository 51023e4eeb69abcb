"""What a lab's code and the rest of the house say to each other: findings, reports and refusals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol


class Finding(NamedTuple):
    """One measured value and its unit; a histogram's value is a list of [upper edge, count]. See also ``table``."""

    value: Any
    unit: str


TABLES = ("table", "bars", "line")
"""How a table is shown: by itself, or drawn above it, with its first column's texts and its last column's numbers."""


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], kind: str = "table") -> Finding:
    """Return a finding that is a table of texts and numbers, shown as one of TABLES."""
    return Finding({"kind": kind, "columns": list(columns), "rows": [list(row) for row in rows]}, "")


Findings = Mapping[str, Finding]
"""What a run found, by name."""

Values = Mapping[str, float]
"""The findings that are numbers, by name: what a check is given."""


class Fault(NamedTuple):
    """What is wrong in a text that a learner wrote: the parameter, the line and column from 1, and a sentence."""

    parameter: str
    line: int
    column: int
    sentence: str


class Refused(ValueError):  # noqa: N818 (an answer of the lab, not a fault in it)
    """The lab cannot run with these parameters; the sentence says which of them to change.

    The page shows each of ``faults`` at its line.
    """

    def __init__(self, sentence: str, faults: Iterable[Fault] = ()) -> None:
        super().__init__(sentence)
        self.faults = tuple(faults)


class Report(Protocol):
    """How a lab tells what it is doing while it runs, and what it asks for."""

    @property
    def servers(self) -> Mapping[str, str]:
        """The addresses of real servers of the run's own, by name, each started when it is first asked for.

        Asking for one that this machine does not offer raises Refused.
        """

    def progress(self, share: float) -> None:
        """Say that this share of the work is done, from 0 to 1."""

    def metric(self, at: float, **values: float) -> None:
        """Give values as they stand at the moment ``at``, in the lab's own seconds."""

    def log(self, text: str) -> None:
        """Say something in words."""
