"""Databases of one's own, on SQLite and on PostgreSQL, and sites on them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

import config
from app import create_app
from tests.conftest import MovableClock

KINDS = ("sqlite", "postgresql")


@pytest.fixture
def address(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[str], str]]:
    """Return a function that makes an empty database of a kind and returns its address."""
    made: list[str] = []

    def make(kind: str) -> str:
        name = f"archway_{uuid.uuid4().hex}"
        if kind == "sqlite":
            return f"sqlite:///{tmp_path}/{name}.sqlite3"
        server = request.getfixturevalue("postgresql_server")
        _execute(server, f"CREATE DATABASE {name}")
        made.append(name)
        return f"{server}/{name}"

    yield make
    for name in made:
        _execute(request.getfixturevalue("postgresql_server"), f"DROP DATABASE {name} WITH (FORCE)")


def _execute(server: str, statement: str) -> None:
    engine = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(statement))


@pytest.fixture
def site(tmp_path: Path, clock: MovableClock, address: Callable[[str], str]) -> Iterator[Callable[[str], Flask]]:
    """Return a function that makes a site on an empty database of a kind, in an instance folder of its own."""
    made: list[Flask] = []

    def make(kind: str) -> Flask:
        settings = {
            "ARCHWAY_INSTANCE": str(tmp_path / f"instance-{len(made)}"),
            "ARCHWAY_DATABASE_URL": address(kind),
        }
        app = create_app(config.load(settings))
        app.extensions["clock"] = clock
        app.config["RATELIMIT_ENABLED"] = False
        made.append(app)
        return app

    yield make
    for app in made:
        app.extensions["database"].engine.dispose()
