"""A MariaDB of a run's own, without a network, and MariaDB's own command-line client to ask it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from urllib.parse import parse_qs, quote, unquote, urlsplit

PROGRAMS = ("mariadbd", "mariadb-install-db", "mariadb")
PLACES = os.pathsep.join(("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"))
"""Where the programs are looked for: servers are seldom on the PATH of an ordinary user."""

LONGEST_START = 30.0
"""Seconds."""

_SMALL = (
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=4M",
    "--innodb-log-buffer-size=2M",
    "--innodb-data-file-path=ibdata1:1M:autoextend",
    "--innodb-temp-data-file-path=ibtmp1:1M:autoextend",
    "--innodb-autoextend-increment=1",
    "--aria-log-file-size=1M",
    "--aria-pagecache-buffer-size=2M",
    "--key-buffer-size=1M",
    # The kernel's own queues for files count against limits that a run shares with everything else.
    "--innodb-use-native-aio=0",
)
_PASSING = (
    "--skip-networking",
    "--skip-name-resolve",
    "--performance-schema=off",
    # The data lives no longer than the run, so it need not survive a crash.
    "--skip-innodb-doublewrite",
    "--innodb-flush-log-at-trx-commit=0",
)


class MariaDBError(OSError):
    """What MariaDB, or its client, says is wrong."""


class Client:
    """Asks the database at ``address``: mariadb://user:password@host:port/database, or mariadb://user@/database?socket=/path.

    A lab's run has no network of its own; a socket in the file system is within its reach.
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        given = {
            "user": unquote(parts.username or ""),
            "host": parts.hostname or "",
            "port": str(parts.port or ""),
            "socket": parse_qs(parts.query).get("socket", [""])[0],
            "database": parts.path.strip("/"),
        }
        self._command = [_program("mariadb"), "--no-defaults", "--batch", "--raw", "--quick", "--skip-column-names"]
        self._command += [f"--{name}={value}" for name, value in given.items() if value]
        # Not on the command line, where every user of the machine could read it.
        self._environment = {"PATH": PLACES, "MYSQL_PWD": unquote(parts.password or "")}

    def execute(self, statements: str) -> None:
        """Execute statements as the client reads them, DELIMITER too; raise MariaDBError at the first that fails."""
        ran = subprocess.run(
            self._command, input=statements.encode(), env=self._environment, capture_output=True, check=False
        )
        if ran.returncode:
            raise MariaDBError(_last_line(ran.stderr))

    def lines(self, query: str) -> Iterator[bytes]:
        """Yield a query's rows as they come, each a line with tabs between its columns; raise MariaDBError."""
        with subprocess.Popen(
            [*self._command, f"--execute={query}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._environment,
        ) as client:
            yield from _pipe(client.stdout)
            said = _pipe(client.stderr).read()
        if client.returncode:
            raise MariaDBError(_last_line(said))


def is_installed() -> bool:
    """Return whether this machine has all that ``start`` needs."""
    return all(shutil.which(name, path=PLACES) for name in PROGRAMS)


def start(folder: Path) -> str:
    """Start a server with its data in ``folder``, and return the address of an empty database in it.

    The address's user may do everything. The server is reached by a socket in the folder, and ends with the session of
    the process that starts it. Raises MariaDBError where it does not answer.
    """
    folder = folder.absolute()
    folder.mkdir(parents=True)
    # The server refuses to run as root until it is told that this is meant.
    user = ["--user=root"] if os.geteuid() == 0 else []
    own = ["--no-defaults", f"--datadir={folder / 'data'}", *_SMALL, *user]
    installed = subprocess.run(
        [_program("mariadb-install-db"), *own, "--auth-root-authentication-method=normal", "--skip-test-db"],
        env={"PATH": PLACES, "TMPDIR": str(folder)},
        capture_output=True,
        check=False,
    )
    if installed.returncode:
        raise MariaDBError(_last_line(installed.stderr or installed.stdout))
    socket, log = folder / "socket", folder / "log"
    with log.open("wb") as said:
        server = subprocess.Popen(
            [_program("mariadbd"), *own, *_PASSING, f"--socket={socket}", f"--pid-file={folder / 'pid'}"],
            env={"PATH": PLACES, "TMPDIR": str(folder)},
            stdout=said,
            stderr=said,
        )
    _await(Client(f"mariadb://root@/?socket={quote(str(socket))}"), server, log)
    return f"mariadb://root@/archway?socket={quote(str(socket))}"


def _await(client: Client, server: subprocess.Popen[bytes], log: Path) -> None:
    """Make the database as soon as the server answers."""
    end = time.monotonic() + LONGEST_START
    while True:
        try:
            return client.execute("CREATE DATABASE archway")
        except MariaDBError:
            if server.poll() is not None or time.monotonic() > end:
                raise MariaDBError(f"MariaDB does not answer: {_last_line(log.read_bytes())}") from None
            time.sleep(0.02)


def _program(name: str) -> str:
    return shutil.which(name, path=PLACES) or name


def _pipe(one: IO[bytes] | None) -> IO[bytes]:
    assert one is not None  # noqa: S101 (it was asked for a pipe)
    return one


def _last_line(said: bytes) -> str:
    return said.decode("utf-8", "replace").strip().rpartition("\n")[2]
