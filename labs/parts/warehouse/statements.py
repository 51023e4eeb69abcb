"""Redshift's statements as frozen values; sqlglot reads queries and changes, ``forms`` what only Redshift has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlglot import exp

from labs.parts.warehouse.faults import Place


@dataclass(frozen=True)
class Column:
    """A column: its type as DuckDB names it, the most bytes of a string, and what its table's design says of it."""

    name: str
    type: str
    bytes: int | None = None
    required: bool = False
    encoding: str = ""


@dataclass(frozen=True)
class Design:
    """How Redshift would lay a table out; it has no effect here, but checks may ask for it."""

    distribution: str = "even"
    distribution_key: str = ""
    sort_keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Location:
    """A place in a bucket: s3://bucket/prefix."""

    bucket: str
    prefix: str


@dataclass(frozen=True)
class Format:
    """How the lines of a file become rows; ``quote`` is empty where nothing is quoted."""

    kind: Literal["text", "csv", "parquet"] = "text"
    delimiter: str = ""
    quote: str = ""
    null: str = "\\N"
    header_lines: int = 0
    gzip: bool = False
    date_format: str = ""
    time_format: str = ""
    empty_as_null: bool = False

    @property
    def separator(self) -> str:
        """The delimiter that holds."""
        return self.delimiter or ("," if self.kind == "csv" else "|")


@dataclass(frozen=True)
class Statement:
    """Any statement, and where it begins in the text."""

    place: Place


@dataclass(frozen=True)
class Select(Statement):
    """A query."""

    tree: exp.Query


@dataclass(frozen=True)
class Change(Statement):
    """INSERT, UPDATE or DELETE."""

    tree: exp.Insert | exp.Update | exp.Delete


@dataclass(frozen=True)
class Transaction(Statement):
    """BEGIN, COMMIT or ROLLBACK."""

    verb: str


@dataclass(frozen=True)
class CreateTable(Statement):
    """A table of the warehouse itself."""

    name: str
    columns: tuple[Column, ...]
    design: Design
    if_not_exists: bool


@dataclass(frozen=True)
class DropTable(Statement):
    """The end of a table."""

    name: str
    if_exists: bool


@dataclass(frozen=True)
class Truncate(Statement):
    """All rows of a table deleted; as in Redshift, it commits the transaction in which it stands."""

    name: str


@dataclass(frozen=True)
class Copy(Statement):
    """A load of every object whose key begins with the location's prefix."""

    table: str
    columns: tuple[str, ...]
    source: Location
    format: Format


@dataclass(frozen=True)
class Unload(Statement):
    """A query whose rows are written to a bucket."""

    query: Select
    target: Location
    format: Format
    parallel: bool
    overwrite: bool


@dataclass(frozen=True)
class CreateExternalSchema(Statement):
    """A schema for external tables."""

    name: str
    if_not_exists: bool


@dataclass(frozen=True)
class CreateExternalTable(Statement):
    """A table over the objects of a location; with partitions it has no rows before they are added."""

    schema: str
    name: str
    columns: tuple[Column, ...]
    partition_columns: tuple[Column, ...]
    location: Location
    format: Format
    if_not_exists: bool


@dataclass(frozen=True)
class Partition:
    """Values of the partition columns, in their order, and where the rows that have them lie."""

    values: tuple[str, ...]
    location: Location


@dataclass(frozen=True)
class AddPartition(Statement):
    """Partitions for an external table, each with the names of its columns."""

    schema: str
    name: str
    partitions: tuple[tuple[tuple[str, ...], Partition], ...]
    if_not_exists: bool


EVERYTHING: tuple[type[Statement], ...] = (
    *(Select, Change, Transaction, CreateTable, DropTable, Truncate, Copy, Unload),
    *(CreateExternalSchema, CreateExternalTable, AddPartition),
)
