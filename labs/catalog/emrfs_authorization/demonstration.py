"""The article's demonstration: ``hadoop fs``, Hive and Spark, statement by statement, each granted or denied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from typing import Protocol

from labs.matrices import Answer, Cell, Matrix

SCIENCE = "emrfs-auth-data-science-bucket-demo"
ENGINEERING = "emrfs-auth-data-engineering-bucket-demo"
DEFAULT = "emrfs-auth-default-bucket-demo"
COLUMNS = {"id": "int", "name": "string"}
ROW = ("1", "claim")


class Action(Enum):
    """What a step does."""

    LIST = "hadoop fs -ls s3://{bucket}/"
    CREATE = "create table {table} ({columns}) row format delimited fields terminated by ',' location 's3://{bucket}/{table}/'"
    INSERT = "insert into {table} values ({row})"
    SHOW = "show tables"
    SELECT = "select * from {table}"


@dataclass(frozen=True)
class Step:
    """A statement of somebody, and whether the article shows it granted."""

    user: str
    action: Action
    granted: bool
    bucket: str = ""
    table: str = ""

    @property
    def statement(self) -> str:
        """The statement as one types it."""
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        row = f"{ROW[0]}, '{ROW[1]}'"
        return self.action.value.format(bucket=self.bucket, table=self.table, columns=columns, row=row)

    @property
    def location(self) -> str:
        """The table's location in its bucket, as the beginning of keys."""
        return f"{self.table}/"


@dataclass(frozen=True)
class Outcome:
    """What became of a step: whether it was granted, and what was answered or why not."""

    granted: bool
    said: str


STEPS = (
    Step("admin1", Action.LIST, True, SCIENCE),
    Step("dataeng1", Action.LIST, False, SCIENCE),
    Step("dataeng1", Action.LIST, True, ENGINEERING),
    Step("dataeng1", Action.CREATE, True, ENGINEERING, "table1_data_eng"),
    Step("dataeng1", Action.CREATE, False, SCIENCE, "table2_data_eng"),
    Step("dataeng1", Action.INSERT, True, ENGINEERING, "table1_data_eng"),
    Step("datascientist1", Action.CREATE, True, SCIENCE, "test2_datasci_tb"),
    Step("datascientist1", Action.SHOW, True),
    Step("datascientist1", Action.SELECT, False, ENGINEERING, "table1_data_eng"),
    Step("datascientist1", Action.SELECT, True, SCIENCE, "test2_datasci_tb"),
)
"""In the article's order. It does not name the table that is refused."""


class Engine(Protocol):
    """What carries statements out on the cluster, under a user's name."""

    def carry_out(self, user: str, steps: Sequence[Step]) -> Sequence[Outcome]:
        """Carry out a user's steps, in their order, and return what became of each."""


def show(engine: Engine, users: Mapping[str, object]) -> tuple[Outcome, ...]:
    """Carry out all steps; those of who is not among the users are refused."""
    outcomes: list[Outcome] = []
    for user, group in groupby(STEPS, key=lambda step: step.user):
        steps = tuple(group)
        if user in users:
            outcomes += engine.carry_out(user, steps)
        else:
            outcomes += [Outcome(False, f"The directory has no {user}.")] * len(steps)
    return tuple(outcomes)


def picture(outcomes: Sequence[Outcome]) -> Matrix:
    """Return what the article shows beside what came out."""
    rows, cells = [], []
    for number, (step, outcome) in enumerate(zip(STEPS, outcomes, strict=True), 1):
        rows.append(f"{number}. {step.user}: {step.statement}")
        shown = Cell("", (Answer("statement", step.granted, ""),))
        cells.append((shown, Cell("", (Answer("statement", outcome.granted, outcome.said),))))
    return Matrix(tuple(rows), ("Published", "Here"), tuple(cells), "succeeds", "denied")
