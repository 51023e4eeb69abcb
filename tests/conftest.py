"""Fixtures: an application on a fresh database, a clock that tests move, people who use it, and a test's two sizes."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import shutil
import socket
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, NoReturn, TypeVar

import hypothesis
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import update
from werkzeug.routing import Rule

import config
from accounts import credentials
from accounts.models import PersonRow
from app import create_app
from tests import databases as tests_databases
from tests import servers
from tests.databases import Databases, PostgreSQL
from web.server import prepare

Result = TypeVar("Result")
Sized = TypeVar("Sized")


SHARED_MEMORY = Path("/dev/shm")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--full",
        action="store_true",
        help="run only what has a full size or draws examples, at that size, with new ones",
    )
    parser.addoption("--postgresql", action="store_true", help="run what uses a database on PostgreSQL and Redis")


_SERVERS = pytest.StashKey[ExitStack]()
_ADDRESSES = pytest.StashKey[dict[str, str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Choose how examples are drawn, and where files and databases are made; start the servers of --postgresql once.

    Files are kept in memory where there is room: thousands of databases sync each commit to the disk. No test here
    tells a disk from memory, for a killed process leaves its files' state to either.
    """
    # A change is judged by the same examples as the one before it; new ones are looked for before a release.
    hypothesis.settings.register_profile("archway", derandomize=not config.getoption("full"), deadline=None)
    hypothesis.settings.load_profile("archway")
    if SHARED_MEMORY.is_dir() and shutil.disk_usage(SHARED_MEMORY).free > 4 << 30:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(SHARED_MEMORY))
    if not config.getoption("postgresql"):
        return
    if lacking := servers.lacking():
        raise pytest.UsageError(f"--postgresql needs programs that are not on this machine: {lacking}.")
    told = getattr(config, "workerinput", None)
    if told is None:
        stack = config.stash[_SERVERS] = ExitStack()
        told = {name: stack.enter_context(start()).url for name, start in servers.BOTH.items()}
    config.stash[_ADDRESSES] = {name: told[name] for name in servers.BOTH}
    worker = told.get("workerid", "gw0").removeprefix("gw")
    tests_databases.current = PostgreSQL(told["postgresql"], f"{told['redis']}/{worker}")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker where the servers are."""
    node.workerinput |= node.config.stash.get(_ADDRESSES, {})


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With --full, keep the tests that have a size, draw examples or are marked ``full``; else all but the marked ones.

    With --postgresql, keep of these the tests that use a database, that is the fixture ``databases``, if only by way
    of others such as ``app`` and ``server``, and are not about SQLite itself; else all that are not about PostgreSQL.
    """
    full, postgresql = config.getoption("full"), config.getoption("postgresql")

    def runs(item: pytest.Item) -> bool:
        marks, fixtures = {mark.name for mark in item.iter_markers()}, getattr(item, "fixturenames", ())
        sized = bool(marks & {"full", "hypothesis"}) or "sized" in fixtures if full else "full" not in marks
        placed = "databases" in fixtures and "sqlite" not in marks if postgresql else "postgresql" not in marks
        return sized and placed

    others = [item for item in items if not runs(item)]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in set(others)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Drop the databases that the test had to itself."""
    yield
    if folder := getattr(item, "funcargs", {}).get("tmp_path"):
        tests_databases.current.drop(folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash.get(_SERVERS, ExitStack()).close()


def pytest_collection_finish() -> None:
    """Let the garbage collector not look again and again at the thousands of tests, which stay to the end."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def sized(pytestconfig: pytest.Config) -> Callable[[Sized, Sized], Sized]:
    """Return a function that chooses between a test's quick size, for every commit, and its full one."""
    full = pytestconfig.getoption("full")
    return lambda quick, complete: complete if full else quick


class CompiledTemplates(BytecodeCache):
    """What the templates were compiled to, for every application of this process: that took a third of a test."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": CompiledTemplates()}


class CompiledRule(Rule):
    """A route that compiles the function which builds its addresses once for all applications of this process.

    Such a function depends on the route's pattern and defaults alone; compiling them took half of a test's start.
    """

    _compiled: ClassVar[dict[tuple[str, str, bool], Callable[..., tuple[str, str]]]] = {}

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        what = (self.rule, repr(self.defaults), append_unknown)
        if what not in self._compiled:
            self._compiled[what] = super()._compile_builder(append_unknown)
        return self._compiled[what]


Flask.url_rule_class = CompiledRule


@dataclass
class MovableClock:
    """A clock that stands still until a test moves it."""

    now: datetime = field(default_factory=lambda: datetime(2018, 2, 12, 9, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **units: float) -> None:
        self.now += timedelta(**units)


def missing(what: str) -> NoReturn:
    """Skip the test with the reason, or fail it where everything must be there."""
    if os.environ.get("ARCHWAY_REQUIRE_ALL") == "1":
        pytest.fail(f"{what} is required here")
    pytest.skip(f"{what} is not on this machine")


def run_async(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine in a thread of its own: a browser that another test left open has a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


REAL_HASHER = credentials._HASHER


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    """Hash passwords with little work: hundreds of people sign up within the tests."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(credentials, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        yield


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture(scope="session")
def databases() -> Databases:
    """Where databases are made, on SQLite or on PostgreSQL."""
    return tests_databases.current


@pytest.fixture(scope="session")
def postgresql_server(pytestconfig: pytest.Config) -> Iterator[str]:
    """The address of a PostgreSQL of the tests' own, which begins with the first who asks for it."""
    told = pytestconfig.stash.get(_ADDRESSES, {})
    if told:
        yield told["postgresql"]
        return
    if lacking := servers.lacking():
        missing(lacking)
    with servers.postgresql() as own:
        yield own.url


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Path:
    """The folder of an instance whose database was migrated and loaded as at a start; tests get copies of it."""
    folder = tmp_path_factory.mktemp("prepared")
    app = create_app(config.load(databases.environment(folder)))
    prepare(app)
    app.extensions["database"].engine.dispose()
    return folder


@pytest.fixture
def settings(tmp_path: Path, prepared: Path, databases: Databases) -> config.Settings:
    return config.load(databases.copy(prepared, tmp_path))


@pytest.fixture
def app(settings: config.Settings, clock: MovableClock) -> Iterator[Flask]:
    application = create_app(settings)
    application.extensions["clock"] = clock
    application.testing = True
    application.config["RATELIMIT_ENABLED"] = False
    yield application
    application.extensions["database"].engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def csrf() -> Callable[[FlaskClient], str]:
    """Return a function that gets the form token of a client's visit."""

    def token(client: FlaskClient) -> str:
        found = re.search(r'name="csrf_token" value="(\w+)"', client.get("/sign-in").text)
        assert found
        return found[1]

    return token


@pytest.fixture
def post(csrf: Callable[[FlaskClient], str]) -> Callable[..., object]:
    """Return a function that sends a form as a browser does, its token included."""

    def send(client: FlaskClient, address: str, **fields: object) -> object:
        return client.post(address, data={"csrf_token": csrf(client), **fields})

    return send


@pytest.fixture
def people(app: Flask, post: Callable[..., object]) -> Callable[[str], FlaskClient]:
    """Return a function that signs somebody up and returns their browser."""

    def sign_up(name: str) -> FlaskClient:
        browser = app.test_client()
        post(browser, "/sign-up", name=name, email=f"{name}@example.org", password="a calm long sentence")
        return browser

    return sign_up


@pytest.fixture
def promote(app: Flask, people: Callable[[str], FlaskClient]) -> Callable[[str], FlaskClient]:
    """Return a function that signs an instructor up and returns their browser."""

    def make(name: str) -> FlaskClient:
        browser = people(name)
        with app.extensions["database"].writing() as connection:
            connection.execute(update(PersonRow).where(PersonRow.name == name).values(role="instructor"))
        return browser

    return make


LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0", "::ffff:127.")
"""Where a test may connect to, and what it may ask the address of."""


@dataclass
class Watch:
    """What was tried outside this machine, each as a host."""

    tried: list[str] = field(default_factory=list)

    def check(self, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else None
        if isinstance(host, str) and not host.startswith(LOOPBACK):
            self.tried.append(host)
            raise OSError(f"A test may connect to this machine only, not to {host}.")


@pytest.fixture(scope="session", autouse=True)
def outside() -> Iterator[Watch]:
    """Let nothing in this process connect to another machine; at the end nothing may have tried."""
    watch = Watch()
    with pytest.MonkeyPatch.context() as patched:
        for name in ("connect", "connect_ex", "sendto"):
            real = getattr(socket.socket, name)

            def watched(self: socket.socket, *given: Any, real: Any = real) -> Any:
                watch.check(given[-1])
                return real(self, *given)

            patched.setattr(socket.socket, name, watched)
        ask = socket.getaddrinfo

        def watched_ask(host: Any, *given: Any, **more: Any) -> Any:
            watch.check((host,) if host else None)
            return ask(host, *given, **more)

        patched.setattr(socket, "getaddrinfo", watched_ask)
        yield watch
    assert watch.tried == []
