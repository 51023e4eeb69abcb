"""The shell around a few pages of a test's own, on a fresh database."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Blueprint, Flask, abort, request
from flask.testing import FlaskClient
from sqlalchemy.exc import DataError, OperationalError

import config
from accounts.sessions import SignInRequired, ensure_person
from db import Base, Database
from tests.databases import Databases
from web import shell

pages = Blueprint("pages", __name__)


@pages.post("/begin")
def begin() -> str:
    return ensure_person().name


@pages.route("/thing", methods=["GET", "POST"])
def thing() -> str:
    return "done" if request.method == "POST" else "<p>a thing</p>"


@pages.get("/refused")
def refused() -> str:
    abort(403, "This belongs to somebody else; ask them.")


@pages.get("/members")
def members() -> str:
    raise SignInRequired


@pages.get("/broken")
def broken() -> str:
    raise RuntimeError("the secret of the house")


@pages.get("/database/<trouble>")
def database(trouble: str) -> str:
    raise OperationalError("UPDATE secret", {}, sqlite3.OperationalError(trouble))


@pages.get("/unfit/<kind>")
def unfit(kind: str) -> str:
    if kind == "large":
        raise OverflowError("Python int too large to convert to SQLite INTEGER")
    raise DataError("UPDATE secret", {}, ValueError("value too long for type character varying(80)"))


@pytest.fixture
def make(tmp_path: Path, databases: Databases) -> Iterator[Callable[..., Flask]]:
    """Return a function that makes the shell, with settings given as environment variables."""
    made: list[Flask] = []

    def build(**environment: str) -> Flask:
        settings = config.load({**databases.environment(tmp_path), **environment})
        app = Flask("tests.web", static_folder=None, template_folder=None, root_path=str(tmp_path))
        database = Database(settings.database_url)
        app.extensions.update(settings=settings, database=database, clock=lambda: datetime(2018, 2, 12, tzinfo=UTC))
        Base.metadata.create_all(database.engine)
        shell.init_app(app)
        app.register_blueprint(pages)
        made.append(app)
        return app

    yield build
    for app in made:
        app.extensions["database"].engine.dispose()


@pytest.fixture
def site(make: Callable[..., Flask]) -> Flask:
    return make()


@pytest.fixture
def visitor(site: Flask) -> FlaskClient:
    return site.test_client()


@pytest.fixture
def token() -> Callable[[FlaskClient], str]:
    """Return a function that reads a visit's form token from a page's head, as a script does."""

    def read(browser: FlaskClient) -> str:
        found = re.search(r'<meta name="csrf-token" content="(\w+)">', browser.get("/").text)
        assert found
        return found[1]

    return read
