"""The database: one engine, a connection for reading and one for writing, and the types all tables share.

Tables are declared as typed classes; statements are SQLAlchemy Core, which costs a third of the ORM's time.
"""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click
from flask import current_app
from sqlalchemy import (
    BigInteger,
    Connection,
    Dialect,
    Engine,
    MetaData,
    create_engine,
    event,
    func,
    inspect,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, OperationalError
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlalchemy.types import TypeDecorator

from config import ConfigError, name_of

Result = TypeVar("Result")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WRITING = "archway_writing"
_NO_TRANSACTION = {"isolation_level": "AUTOCOMMIT"}
_ONE_STATE = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
_PATIENCE = 4.5
"""Seconds to wait for one's turn: a little less than its holder waits for SQLite, so that all are told at once."""
_MIGRATIONS = Path(__file__).with_name("migrations")
_TURNS = 60
"""How often an upgrade waits for its turn, on SQLite 5 s each."""
_RESTED_SINCE = "archway_rested_since"
_TRUSTED = 1.0
"""Seconds for which a connection to a server is taken to live after it was used; one that rested longer is asked."""
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
    """An engine and the four ways to use it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._is_sqlite = url.startswith("sqlite")
        self.engine = _sqlite_engine(url) if self._is_sqlite else _postgresql_engine(url)
        # Who waits for SQLite's own lock asks again after ever longer pauses, and some starve: here threads stand in
        # line. The lock may be taken again, so that a transaction within another fails instead of waiting for itself.
        self._turn = threading.RLock()
        self._waiting: deque[_Change] = deque()
        self._writer = self.engine.execution_options(**{_WRITING: True})
        self.tell_wait: Callable[[float], None] | None = None
        """Is told how many seconds each writer stood in line, where somebody counts them."""
        self._reader = self.engine if self._is_sqlite else self.engine.execution_options(**_ONE_STATE)
        self._asker = self.engine if self._is_sqlite else self.engine.execution_options(**_NO_TRANSACTION)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that sees one state of the database throughout."""
        with self._reader.connect() as connection:
            yield connection

    @contextmanager
    def asking(self) -> Iterator[Connection]:
        """Yield a connection for a frequent question; two statements may see two states of the database.

        On PostgreSQL it spares the two round trips that begin and end a transaction.
        """
        with self._asker.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection whose changes are committed together at the end, or not at all.

        On SQLite it holds the write lock from its first statement: a transaction that reads before it locks
        loses updates silently, or fails at once however long the busy timeout. On PostgreSQL others write meanwhile:
        what is written because of what was read must be locked when it is read, or done ``in_turns``.
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
        asked = time.perf_counter()
        has_turn = self._turn.acquire(timeout=_PATIENCE)
        if self.tell_wait is not None:
            self.tell_wait(time.perf_counter() - asked)
        if not has_turn:
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

    def upsert(self, table: type[Base]) -> sqlite.Insert | postgresql.Insert:
        """Return an INSERT for ``table`` that has ``on_conflict_do_update`` and ``on_conflict_do_nothing``."""
        return upsert(self.engine, table)


def upsert(on: Engine | Connection, table: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT for ``table`` that has ``on_conflict_do_update`` and ``on_conflict_do_nothing``."""
    return postgresql.insert(table) if on.dialect.name == "postgresql" else sqlite.insert(table)


def database() -> Database:
    """Return the running application's database."""
    found: Database = current_app.extensions["database"]
    return found


def in_turns(connection: Connection, work: str, *, shared: bool = False) -> None:
    """Let transactions that do the same work follow each other, from here to the end of each; SQLite's do anyway.

    For what has no row that could be locked. Those that say ``shared`` do not wait for each other.
    """
    if connection.dialect.name == "postgresql":
        lock = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
        connection.execute(select(lock(func.hashtextextended(work, 0))))


def _sqlite_engine(url: str) -> Engine:
    Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, hide_parameters=True)

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


def _postgresql_engine(url: str) -> Engine:
    # A lost server would be waited for minutes.
    engine = create_engine(url, hide_parameters=True, connect_args={"connect_timeout": 5})

    @event.listens_for(engine, "checkin")
    def _rest(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info[_RESTED_SINCE] = time.monotonic()

    # What ``pool_pre_ping`` does each time, one round trip of five that an answer takes.
    @event.listens_for(engine, "checkout")
    def _ping(connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
        if time.monotonic() - record.info.get(_RESTED_SINCE, -math.inf) < _TRUSTED:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.OperationalError:
            # The server was started anew, so the others are dead too; the pool connects again.
            raise InvalidatePoolError from None

    return engine


@contextmanager
def needed(database: Database) -> Iterator[None]:
    """Raise ConfigError, which names the setting and the reason, where a start cannot use its database."""
    try:
        yield
    except DBAPIError as error:
        where = database.engine.url.set(query={}).render_as_string(hide_password=True)
        reason = str(error.orig).strip().partition("\n")[0]
        raise ConfigError(f"{name_of('database_url')} is “{where}”, which cannot be used: {reason}.") from None


class SchemaError(click.ClickException):
    """A database whose schema this release does not know."""


def newest_revision() -> str:
    """Return the newest revision of the history in ``migrations/``; each file's name begins with its own."""
    return max(path.name.partition("_")[0] for path in _MIGRATIONS.glob("versions/[0-9]*.py"))


def revision(connection: Connection) -> str:
    """Return the revision of a database's schema, empty where there is none yet."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or ""


def upgrade(database: Database) -> None:
    """Bring the schema to the newest revision, all steps in one transaction; raise SchemaError where it is newer.

    Any number of processes may do this at once: one migrates, the others wait for it.
    """
    for left in reversed(range(_TURNS)):
        try:
            with database.reading() as connection:
                if revision(connection) == newest_revision():
                    return
            with database.writing() as connection:
                migrate(connection)
        except OperationalError as error:
            # Another process may be migrating for longer than SQLite waits.
            if not left or "locked" not in str(error.orig):
                raise


def migrate(connection: Connection, target: str = "head") -> None:
    """Bring the schema to ``target`` within the connection's transaction; raise SchemaError where it is newer."""
    from alembic import command  # noqa: PLC0415 (only a migration needs it, and it takes as long to import as Flask)
    from alembic.config import Config  # noqa: PLC0415 (the same)

    in_turns(connection, "upgrade")
    found, newest = revision(connection), newest_revision()
    if found > newest:
        raise SchemaError(
            f"The database has schema {found}, and this release knows schemas up to {newest}: "
            "install the release that it was last used with, or restore a backup that was made before."
        )
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, target)
