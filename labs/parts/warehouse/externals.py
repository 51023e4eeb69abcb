"""What lies outside the warehouse: buckets, and Spectrum's schemas, tables and partitions over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from labs.parts.bucket import Bucket, objects
from labs.parts.warehouse import writing
from labs.parts.warehouse.faults import Place
from labs.parts.warehouse.statements import (
    AddPartition,
    CreateExternalSchema,
    CreateExternalTable,
    Location,
    Partition,
)


@dataclass
class ExternalTable:
    """An external table and its partitions so far, by their values."""

    made: CreateExternalTable
    partitions: dict[tuple[str, ...], Partition]


class Externals:
    """The data catalog; every method raises WarehouseError for what does not fit what is there."""

    def __init__(self, buckets: Mapping[str, Bucket]) -> None:
        self._buckets = buckets
        self._schemas: set[str] = set()
        self._tables: dict[tuple[str, str], ExternalTable] = {}

    def add_schema(self, statement: CreateExternalSchema) -> None:
        """Add a schema."""
        if statement.name in self._schemas | {"public"} and not statement.if_not_exists:
            raise statement.place.fault(f"The schema “{statement.name}” exists already.")
        self._schemas.add(statement.name)

    def add_table(self, statement: CreateExternalTable) -> None:
        """Add a table."""
        if statement.schema not in self._schemas:
            raise statement.place.fault(f"There is no external schema “{statement.schema}”.")
        self.bucket(statement.location, statement.place)
        known = (statement.schema, statement.name)
        if known in self._tables and not statement.if_not_exists:
            raise statement.place.fault(f"The external table “{statement.name}” exists already.")
        self._tables.setdefault(known, ExternalTable(statement, {}))

    def add_partitions(self, statement: AddPartition) -> None:
        """Add partitions to a table."""
        table = self.find(statement.schema, statement.name)
        if table is None:
            raise statement.place.fault(f"There is no external table “{statement.schema}.{statement.name}”.")
        expected = tuple(one.name for one in table.made.partition_columns)
        for names, partition in statement.partitions:
            if names != expected:
                raise statement.place.fault(f"The table is partitioned by {', '.join(expected) or 'nothing'}.")
            self.bucket(partition.location, statement.place)
            if partition.values in table.partitions and not statement.if_not_exists:
                raise statement.place.fault(f"The partition {', '.join(partition.values)} exists already.")
            table.partitions.setdefault(partition.values, partition)

    def find(self, schema: str, name: str) -> ExternalTable | None:
        """Return the table with that name."""
        return self._tables.get((schema, name))

    def view(self, table: ExternalTable, place: Place) -> str:
        """Return the SQL of a view over the objects that the table has now."""
        made = table.made
        if made.partition_columns:
            return writing.view(made, [(one, self._visible(one.location, place)) for one in table.partitions.values()])
        return writing.view(made, [(Partition((), made.location), self._visible(made.location, place))])

    def paths(self, location: Location, place: Place) -> list[str]:
        """Return the objects whose keys begin with the location's prefix, but for the empty ones."""
        found = objects(self.bucket(location, place), location.prefix)
        return [f"s3://{location.bucket}/{one.key}" for one in found if one.size]

    def bucket(self, location: Location, place: Place) -> Bucket:
        """Return the location's bucket."""
        try:
            return self._buckets[location.bucket]
        except KeyError:
            raise place.fault(f"There is no bucket “{location.bucket}”.") from None

    def _visible(self, location: Location, place: Place) -> list[str]:
        """Return what Spectrum reads of a folder: no file that begins with a period, "_" or "#" or ends with "~"."""
        inside = location.prefix.rstrip("/")
        folder = Location(location.bucket, f"{inside}/" if inside else "")
        paths = self.paths(folder, place)
        return [one for one in paths if one.rpartition("/")[2][:1] not in {"_", ".", "#"} and not one.endswith("~")]
