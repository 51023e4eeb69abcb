"""The warehouse and its sessions: DuckDB without a way out, a limit for everything, and statements carried out."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import singledispatchmethod
from types import TracebackType
from typing import Any, Self

import duckdb
from duckdb import DuckDBPyConnection
from sqlglot import exp

from labs.parts.bucket import Bucket, objects
from labs.parts.warehouse import writing
from labs.parts.warehouse.allowed import offset_of, table_references
from labs.parts.warehouse.explaining import explained
from labs.parts.warehouse.externals import Externals
from labs.parts.warehouse.faults import WarehouseError
from labs.parts.warehouse.files import BucketFiles
from labs.parts.warehouse.limits import Limits
from labs.parts.warehouse.reading import read
from labs.parts.warehouse.statements import (
    AddPartition,
    Change,
    Column,
    Copy,
    CreateExternalSchema,
    CreateExternalTable,
    CreateTable,
    Design,
    DropTable,
    Select,
    Statement,
    Transaction,
    Truncate,
    Unload,
)

MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Result:
    """What a statement brought: rows, or how many it changed; and the objects and bytes it read from buckets."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    truncated: bool = False
    changed: int = 0
    objects_read: int = 0
    bytes_read: int = 0

    @property
    def bytes_billed(self) -> int:
        """What Spectrum bills for a query: whole megabytes, at least 10 where it reads anything."""
        return max(10, -(-self.bytes_read // MEGABYTE)) * MEGABYTE if self.objects_read else 0


class Warehouse:
    """A database in memory over named buckets, to be closed by a ``with`` statement.

    DuckDB's own limit of memory is not tight, and it does not interrupt a single long computation. Whoever lets
    strangers write SQL runs this in a child process with limits of its own, as every lab is run.
    """

    def __init__(
        self, buckets: Mapping[str, Bucket], limits: Limits | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.limits = limits or Limits()
        self.clock = clock
        self.files = BucketFiles(buckets)
        self.externals = Externals(buckets)
        self.designs: dict[str, Design] = {}
        self._connection = duckdb.connect(
            config={
                "threads": 1,
                # Each thread would reserve 64 MiB of addresses, which a run's limit of memory counts.
                "async_threads": 0,
                "memory_limit": f"{self.limits.memory_mib}MiB",
                "max_temp_directory_size": "0MB",
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "allow_community_extensions": False,
                "allow_unsigned_extensions": False,
                "python_enable_replacements": False,
                # Otherwise what was read before would count as not read.
                "enable_external_file_cache": False,
                "integer_division": True,
            }
        )
        self._connection.execute("SET GLOBAL TimeZone = 'UTC'")
        self._connection.register_filesystem(self.files)
        places = ", ".join(writing.text(f"s3://{name}/") for name in buckets)
        self._connection.execute(f"SET allowed_directories = [{places}]")
        # In this order: afterwards nothing can be set any more.
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")

    def session(self, *permits: type[Statement]) -> Session:
        """Return a session with transactions of its own, which may run queries and these kinds of statements."""
        return Session(self, self._connection.cursor(), (Select, *permits))

    def close(self) -> None:
        """End the warehouse and all of its sessions."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Session:
    """A connection to the warehouse; ``run`` raises WarehouseError for whatever is refused or fails."""

    def __init__(
        self, warehouse: Warehouse, connection: DuckDBPyConnection, permits: tuple[type[Statement], ...]
    ) -> None:
        self._warehouse = warehouse
        self._externals = warehouse.externals
        self._connection = connection
        self._permits = permits
        self._in_transaction = False

    def run(self, text: str) -> list[Result]:
        """Carry out every statement of the text, one after the other; raise WarehouseError at the first that fails.

        Nothing at all is carried out where a statement cannot be read or is not permitted.
        """
        statements = read(text, self._warehouse.limits.text)
        for statement in statements:
            if not isinstance(statement, self._permits):
                raise statement.place.fault(f"{_called(statement)} is not permitted in this session.")
        return [self._run(statement) for statement in statements]

    def close(self) -> None:
        """End the session and what its transaction left undone."""
        self._connection.close()

    def _run(self, statement: Statement) -> Result:
        files = self._warehouse.files
        files.read.clear()
        try:
            with self._limited():
                result = self._carry_out(statement)
        except (duckdb.Error, MemoryError) as error:
            raise explained(error, statement, self._warehouse.limits) from None
        except RecursionError:
            raise statement.place.fault("The statement is nested too deeply to be carried out.") from None
        count, size = files.scanned()
        return replace(result, objects_read=count, bytes_read=size)

    @contextmanager
    def _limited(self) -> Iterator[None]:
        """Interrupt what runs longer than a statement may."""
        done = threading.Event()

        def watch() -> None:
            wait = self._warehouse.limits.seconds
            while not done.wait(wait):
                self._connection.interrupt()
                wait = 0.05

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()

    @singledispatchmethod
    def _carry_out(self, statement: Statement) -> Result:
        raise statement.place.fault("This statement is not offered here.")

    @_carry_out.register
    def _(self, statement: Select) -> Result:
        self._prepare(statement)
        most = self._warehouse.limits.rows
        made = writing.headed(statement.tree)
        limit = made.args.get("limit")
        if limit is None or int(limit.expression.name) > most:
            made = made.limit(most + 1)
        cursor = self._connection.execute(self._only(writing.query(made, self._warehouse.clock()), statement, "SELECT"))
        columns = tuple(one[0] for one in cursor.description or ())
        rows = tuple(cursor.fetchall())
        return Result(columns, rows[:most], truncated=len(rows) > most)

    @_carry_out.register
    def _(self, statement: Change) -> Result:
        target = statement.tree.find(exp.Table)
        self._prepare(statement, target)
        sql = writing.query(statement.tree, self._warehouse.clock())
        return Result(changed=self._changed(self._only(sql, statement, statement.tree.key.upper())))

    @_carry_out.register
    def _(self, statement: Transaction) -> Result:
        if (statement.verb == "BEGIN") == self._in_transaction:
            there = "a transaction already" if self._in_transaction else "no transaction"
            raise statement.place.fault(f"There is {there}.")
        # A COMMIT that fails ends the transaction too.
        self._in_transaction = statement.verb == "BEGIN"
        self._connection.execute(statement.verb)
        return Result()

    @_carry_out.register
    def _(self, statement: CreateTable) -> Result:
        new = not self._columns(statement.name)
        self._connection.execute(writing.create_table(statement))
        if new:
            self._warehouse.designs[statement.name] = statement.design
        return Result()

    @_carry_out.register
    def _(self, statement: DropTable) -> Result:
        self._connection.execute(writing.drop_table(statement))
        return Result()

    @_carry_out.register
    def _(self, statement: Truncate) -> Result:
        changed = self._changed(writing.truncate(statement))
        if self._in_transaction:
            self._in_transaction = False
            self._connection.execute("COMMIT")
        return Result(changed=changed)

    @_carry_out.register
    def _(self, statement: Copy) -> Result:
        columns = self._columns(statement.table)
        if not columns:
            raise statement.place.fault(f"There is no table “{statement.table}”.")
        wanted = statement.columns or tuple(columns)
        for one in wanted:
            if one not in columns:
                raise statement.place.fault(f"The table “{statement.table}” has no column “{one}”.")
        paths = self._externals.paths(statement.source, statement.place)
        if not paths:
            raise statement.place.fault(f"No object's key begins with “{statement.source.prefix}”.")
        loads = writing.loads(statement, [Column(one, columns[one]) for one in wanted], paths)
        with self._atomic():
            return Result(changed=sum(self._changed(one) for one in loads))

    @_carry_out.register
    def _(self, statement: Unload) -> Result:
        target = statement.target
        try:
            self._prepare(statement.query)
        except WarehouseError as error:
            raise statement.place.fault(f"In the quoted query, {error}") from None
        bucket = self._externals.bucket(target, statement.place)
        if not statement.overwrite and next(objects(bucket, target.prefix), None):
            raise statement.place.fault(
                "Objects with this prefix exist already; give another prefix or ALLOWOVERWRITE."
            )
        return Result(changed=self._changed(writing.store(statement, self._warehouse.clock())))

    @_carry_out.register
    def _(self, statement: CreateExternalSchema) -> Result:
        self._refuse_in_transaction(statement)
        self._externals.add_schema(statement)
        return Result()

    @_carry_out.register
    def _(self, statement: CreateExternalTable) -> Result:
        self._refuse_in_transaction(statement)
        self._externals.add_table(statement)
        return Result()

    @_carry_out.register
    def _(self, statement: AddPartition) -> Result:
        self._refuse_in_transaction(statement)
        self._externals.add_partitions(statement)
        return Result()

    def _only(self, sql: str, statement: Statement, kind: str) -> str:
        """Return the SQL if DuckDB too reads it as one statement of this kind: a second lock on the same door."""
        if [one.type.name for one in self._connection.extract_statements(sql)] != [kind]:
            raise statement.place.fault("This statement cannot be carried out.")
        return sql

    @contextmanager
    def _atomic(self) -> Iterator[None]:
        """Make several of DuckDB's statements one, whether or not a transaction is open."""
        if self._in_transaction:
            yield
            return
        self._connection.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def _changed(self, sql: str) -> int:
        row = self._connection.execute(sql).fetchone()
        return int(row[0]) if row else 0

    def _columns(self, table: str) -> dict[str, str]:
        """Return the types of a table's columns by name, as this session sees it."""
        found = self._connection.execute(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = 'main' AND table_name = ?"
            " AND NOT internal ORDER BY column_index",
            [table],
        )
        return dict(found.fetchall())

    def _prepare(self, statement: Select | Change, target: exp.Table | None = None) -> None:
        """Bring external tables up to their objects; raise WarehouseError for a table that is not there.

        The table that is changed cannot be an external one.
        """
        for table in table_references(statement.tree):
            schema, name = table.text("db").lower(), table.name.lower()
            external = self._externals.find(schema, name)
            if external and table is not target:
                self._connection.execute(self._externals.view(external, statement.place))
            elif external or schema not in {"", "public"} or not self._columns(name):
                place = statement.place.at(offset_of(table, statement.place.offset))
                called = f"“{schema}.{name}”" if schema else f"“{name}”"
                why = f"The external table {called} is read-only." if external else f"There is no table {called}."
                raise place.fault(why)

    def _refuse_in_transaction(self, statement: Statement) -> None:
        if self._in_transaction:
            raise statement.place.fault(f"{_called(statement)} cannot run inside a transaction.")


def _called(statement: Statement) -> str:
    found = re.match(r"\w+( EXTERNAL)?( TABLE| SCHEMA)?", statement.place.text[statement.place.offset :].upper())
    return found[0] if found else "This statement"
