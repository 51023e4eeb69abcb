"""The database: one engine, a connection for reading and one for writing, and the types all tables share.

Tables are declared as typed classes; statements are SQLAlchemy Core, which costs a third of the ORM's time.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from flask import current_app
from sqlalchemy import BigInteger, Connection, Dialect, Engine, MetaData, create_engine, event, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

Result = TypeVar("Result")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WRITING = "archway_writing"
_PATIENCE = 4.5
"""Seconds to wait for one's turn: a little less than its holder waits for SQLite, so that all are told at once."""
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    # An acknowledged answer must survive a power cut: NORMAL lost commits in 289 of 300 simulated cuts, FULL in none.
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=5000",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA cell_size_check=ON",
)


class Base(DeclarativeBase):
    """The parent of every table, with names for constraints that are the same on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Instant(TypeDecorator[datetime]):
    """A moment as an aware datetime in UTC, stored as whole milliseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002, D102 (SQLAlchemy's)
        return None if value is None else milliseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002, D102 (same)
        return None if value is None else from_milliseconds(value)


def milliseconds(moment: datetime) -> int:
    """Return an aware datetime as whole milliseconds since 1970."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def from_milliseconds(count: int) -> datetime:
    """Return milliseconds since 1970 as an aware datetime in UTC."""
    return _EPOCH + timedelta(milliseconds=count)


@dataclass(frozen=True, eq=False)
class _Change:
    """Work that waits for its turn to be written, and what became of it."""

    work: Callable[[Connection], Any]
    outcome: Future[Any] = field(default_factory=Future)


class Database:
    """An engine and the three ways to use it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._is_sqlite = url.startswith("sqlite")
        self.engine = _sqlite_engine(url) if self._is_sqlite else create_engine(url, pool_pre_ping=True)
        # Who waits for SQLite's own lock asks again after ever longer pauses, and some starve: here threads stand in
        # line. The lock may be taken again, so that a transaction within another fails instead of waiting for itself.
        self._turn = threading.RLock()
        self._waiting: deque[_Change] = deque()
        self._writer = self.engine.execution_options(**{_WRITING: True})

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that sees one state of the database throughout."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection whose changes are committed together at the end, or not at all.

        On SQLite it holds the write lock from its first statement: a transaction that reads before it locks
        loses updates silently, or fails at once however long the busy timeout.
        """
        with self._in_turn() if self._is_sqlite else nullcontext(), self._writer.begin() as connection:
            yield connection

    def together(self, work: Callable[[Connection], Result]) -> Result:
        """Run ``work`` in a transaction, and return its result once that is committed; for what is short and frequent.

        On SQLite, which syncs the disk at each commit, the thread whose turn it is also runs what the others wait to
        write, in one transaction; see docs/decisions/0020. One work's error is not another's: it runs again alone,
        so ``work`` must do nothing but use its connection. Raises what ``work`` raises, and OperationalError.
        """
        if not self._is_sqlite:
            with self.writing() as connection:
                return work(connection)
        change = _Change(work)
        self._waiting.append(change)
        try:
            with self._in_turn():
                if not change.outcome.done():
                    self._commit([self._waiting.popleft() for _ in range(len(self._waiting))])
        except OperationalError:
            # Nobody had the time to write it; where somebody is writing it now, what they say holds.
            with suppress(ValueError):
                self._waiting.remove(change)
                raise
        result: Result = change.outcome.result()
        return result

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """Hold this thread's turn to write; raise OperationalError where it does not come in time."""
        if not self._turn.acquire(timeout=_PATIENCE):
            raise OperationalError("BEGIN IMMEDIATE", None, sqlite3.OperationalError("database is locked"))
        try:
            yield
        finally:
            self._turn.release()

    def _commit(self, group: Sequence[_Change]) -> None:
        try:
            with self._writer.begin() as connection:
                results = [change.work(connection) for change in group]
        except BaseException as error:  # noqa: BLE001 (whoever waits must be told, whatever it is)
            # An OperationalError (locked, full) is the database's and so everybody's; any other is of one change.
            if len(group) == 1 or isinstance(error, OperationalError):
                for change in group:
                    change.outcome.set_exception(error)
            else:
                for change in group:
                    self._commit([change])
        else:
            for change, result in zip(group, results, strict=True):
                change.outcome.set_result(result)

    def upsert(self, table: type[Base]) -> Any:
        """Return an INSERT for ``table`` that has ``on_conflict_do_update`` and ``on_conflict_do_nothing``."""
        if self.engine.dialect.name == "sqlite":
            return sqlite.insert(table)
        if self.engine.dialect.name == "postgresql":
            return postgresql.insert(table)
        return insert(table)


def database() -> Database:
    """Return the running application's database."""
    found: Database = current_app.extensions["database"]
    return found


def _sqlite_engine(url: str) -> Engine:
    Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def _connect(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get(_WRITING)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def upgrade(database: Database) -> None:
    """Bring the schema to the newest revision of the one history in ``migrations/``."""
    from alembic import command  # noqa: PLC0415 (only a start needs it, and it takes as long to import as Flask)
    from alembic.config import Config  # noqa: PLC0415 (the same)

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
