"""Databases for tests, all made here: files of SQLite, or with ``--postgresql`` databases of one PostgreSQL."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import create_engine, text
from valkey import Valkey

from db import Database


class Databases(Protocol):
    """Gives each instance folder a database of its own, which lasts until it is dropped."""

    def address(self, instance: Path) -> str:
        """Return the URL of an instance's database, which has no tables if nobody asked for it before."""
        ...

    def environment(self, instance: Path) -> dict[str, str]:
        """Return the settings of an instance that make it use its database."""
        ...

    def copy(self, prepared: Path, instance: Path) -> dict[str, str]:
        """Make an instance's database as a copy of another's that nobody is connected to; return its settings."""
        ...

    def drop(self, below: Path) -> None:
        """Drop the databases of the instances in a folder."""
        ...


class SQLite:
    """A file in each instance folder, which goes when the folder goes."""

    def address(self, instance: Path) -> str:
        return f"sqlite:///{instance / 'archway.sqlite3'}"

    def environment(self, instance: Path) -> dict[str, str]:
        return {"ARCHWAY_INSTANCE": str(instance)}

    def copy(self, prepared: Path, instance: Path) -> dict[str, str]:
        instance.mkdir(exist_ok=True)
        shutil.copy(prepared / "archway.sqlite3", instance)
        return self.environment(instance)

    def drop(self, below: Path) -> None:
        pass


class PostgreSQL:
    """A database of a server for each instance folder; a database of Redis for all, emptied when another begins."""

    def __init__(self, server: str, redis: str) -> None:
        self._server, self._redis = server, redis
        self._admin = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
        self._names: dict[Path, str] = {}

    def address(self, instance: Path) -> str:
        if instance not in self._names:
            self._create(instance, "template0")
        return f"{self._server}/{self._names[instance]}"

    def environment(self, instance: Path) -> dict[str, str]:
        return {
            "ARCHWAY_INSTANCE": str(instance),
            "ARCHWAY_DATABASE_URL": self.address(instance),
            "ARCHWAY_REDIS_URL": self._redis,
        }

    def copy(self, prepared: Path, instance: Path) -> dict[str, str]:
        self._create(instance, self._names[prepared])
        return self.environment(instance)

    def drop(self, below: Path) -> None:
        for instance in [one for one in self._names if one.is_relative_to(below)]:
            self._execute(f"DROP DATABASE {self._names.pop(instance)} WITH (FORCE)")

    def _create(self, instance: Path, template: str) -> None:
        self._names[instance] = f"archway_test_{uuid.uuid4().hex}"
        # Where nothing waits for the disk, to copy files takes a quarter of the time that it takes to copy pages.
        self._execute(f"CREATE DATABASE {self._names[instance]} TEMPLATE {template} STRATEGY FILE_COPY")
        with Valkey.from_url(self._redis) as redis:
            redis.flushdb()

    def _execute(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(statement))


current: Databases = SQLite()
"""What the options of this run ask for, as tests/conftest.py has read them."""


def rows(instance: Path, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a query, in which ``:name`` stands for a value, from an instance's database."""
    database = Database(current.address(instance))
    with database.reading() as connection:
        found = [tuple(row) for row in connection.execute(text(statement), values)]
    database.engine.dispose()
    return found


def change(instance: Path, statement: str, **values: Any) -> None:
    """Run a statement that changes an instance's database."""
    database = Database(current.address(instance))
    with database.writing() as connection:
        connection.execute(text(statement), values)
    database.engine.dispose()
