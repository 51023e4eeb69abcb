"""A PostgreSQL of the benchmark's own, so that all its CPU can be counted and nobody else's is."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.measure import cpu_of_family, free_port

USER = "postgres"


@dataclass(frozen=True)
class Cluster:
    """A running server with its defaults: each commit is synced to the disk before it is told."""

    port: int
    process: subprocess.Popen[bytes]
    administrator: psycopg.Connection[Any]

    def cpu_seconds(self) -> float:
        """Return the user and system time of the server and all its children, those that ended included."""
        return cpu_of_family(self.process.pid)

    def create(self, name: str) -> str:
        """Make an empty database and return its address."""
        self.administrator.execute(f'CREATE DATABASE "{name}"')
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/{name}"

    def stored_bytes(self, name: str) -> int:
        """Return the bytes of a database's own tables and indexes."""
        with psycopg.connect(host="127.0.0.1", port=self.port, user=USER, dbname=name) as connection:
            found = connection.execute("SELECT sum(pg_relation_size(oid)) FROM pg_class WHERE oid >= 16384").fetchone()
        return int(found[0]) if found else 0


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Make a server in a temporary folder, start it, and remove it at the end; raise FileNotFoundError without one."""
    port = free_port()
    # PostgreSQL refuses to run as root.
    user: dict[str, Any] = {"user": USER, "group": USER, "extra_groups": []} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        if user:
            shutil.chown(folder, USER, USER)
        subprocess.run(
            [_program("initdb"), "-D", folder, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C"],
            check=True,
            stdout=subprocess.DEVNULL,
            **user,
        )
        options = ("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=")
        command = [_program("postgres"), "-D", folder, "-p", str(port), *options]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **user)
        try:
            with _connect(port) as administrator:
                yield Cluster(port, process, administrator)
        finally:
            process.send_signal(signal.SIGINT)  # Not SIGTERM, which waits until the last client has gone.
            process.wait(30)


def _program(name: str) -> str:
    # Debian keeps the server's programs out of the search path.
    found = [*sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), shutil.which(name)]
    path = next((one for one in reversed(found) if one), None)
    if path is None:
        raise FileNotFoundError(f"{name} of PostgreSQL is not on this machine")
    return str(path)


def _connect(port: int) -> psycopg.Connection[Any]:
    for _ in range(200):
        try:
            return psycopg.connect(host="127.0.0.1", port=port, user=USER, dbname="postgres", autocommit=True)
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise TimeoutError("PostgreSQL did not start")
