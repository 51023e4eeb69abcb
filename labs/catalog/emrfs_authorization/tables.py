"""Hive's tables without Hive: one list of tables for all, and DuckDB reading with each user's own credentials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from labs.parts.bucket import ClientBucket, objects
from labs.parts.warehouse.files import BucketFiles

from .demonstration import COLUMNS, ROW, Action, Outcome, Step
from .emrfs import AccessDenied, Session

_TYPES = {"int": "INTEGER", "string": "VARCHAR"}


class DuckDBEngine:
    """DuckDB in the place of Hive and Spark; the list of tables is the metastore and is shown to everybody."""

    def __init__(self, sessions: Mapping[str, Session], buckets: Sequence[str]) -> None:
        self._sessions = sessions
        self._buckets = buckets
        self._tables: dict[str, Step] = {}

    def carry_out(self, user: str, steps: Sequence[Step]) -> Sequence[Outcome]:
        """Carry out a user's steps, in their order, and return what became of each."""
        session = self._sessions[user]
        return [self._outcome(session, step) for step in steps]

    def _outcome(self, session: Session, step: Step) -> Outcome:
        if step.bucket and step.bucket not in self._buckets:
            return Outcome(False, f"The account has no bucket {step.bucket}.")
        if step.action in {Action.INSERT, Action.SELECT} and step.table not in self._tables:
            return Outcome(False, f"There is no table {step.table}.")
        try:
            return Outcome(True, self._carry_out(session, step))
        except AccessDenied as error:
            return Outcome(False, error.sentence)

    def _carry_out(self, session: Session, step: Step) -> str:
        bucket = ClientBucket(session, step.bucket)
        if step.action is Action.LIST:
            return f"Found: {', '.join(one.key for one in bucket.list().objects)}."
        if step.action is Action.CREATE:
            # Hive makes the table's directory, which in S3 is an object without content.
            bucket.put(step.location, b"")
            self._tables[step.table] = step
            return "The table is made."
        if step.action is Action.SHOW:
            return f"Tables: {', '.join(self._tables)}."
        if step.action is Action.INSERT:
            bucket.put(f"{step.location}000000_0", f"{','.join(ROW)}\n".encode())
            return "One row is written."
        return self._select(bucket, step)

    def _select(self, bucket: ClientBucket, step: Step) -> str:
        keys = [one.key for one in objects(bucket, step.location) if one.size]
        for key in keys:
            # Asked here first: DuckDB would wrap the denial in an error of its own.
            bucket.head(key)
        if not keys:
            return "No row."
        files = [f"s3://{step.bucket}/{key}" for key in keys]
        declared = {name: _TYPES[kind] for name, kind in COLUMNS.items()}
        with duckdb.connect(config=_SETTINGS) as connection:
            connection.register_filesystem(BucketFiles({step.bucket: bucket}))
            rows = connection.read_csv(files, columns=declared, header=False, auto_detect=False).fetchall()
        return f"Rows: {', '.join(map(str, rows))}."


_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    # Each thread would reserve 64 MiB of addresses, which a run's limit of memory counts.
    "async_threads": 0,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
}
