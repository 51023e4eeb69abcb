"""Servers side by side: the same requests in turns, and the CPU and memory that each server spent on them."""

from __future__ import annotations

import http.client
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
ROUNDS = 5


@dataclass
class Client:
    """One kept connection to the server at a port of this machine."""

    port: int

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port)
        self._wire: socket.socket | None = None

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        """Send one request."""
        self.connection.request(method, path, body, headers or {})
        answer = self.connection.getresponse()
        return answer.status, answer.read(), answer.headers

    def post(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Send a body over a bare socket, to a server that tells its answers' length; cheaper than request."""
        if self._wire is None:
            self._wire = socket.create_connection(("127.0.0.1", self.port))
            self._wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{fields}Content-Length: {len(body)}\r\n\r\n"
        self._wire.sendall(head.encode() + body)
        received = b""
        while True:
            part = self._wire.recv(65536)
            if not part:
                raise ConnectionResetError("the server closed the connection")
            received += part
            start, _, rest = received.partition(b"\r\n\r\n")
            length = re.search(rb"\r\ncontent-length: (\d+)", start, re.IGNORECASE)
            if length and len(rest) >= int(length[1]):
                return int(start[9:12]), rest

    def close(self) -> None:
        """Close the connections; the next request opens another."""
        self.connection.close()
        if self._wire is not None:
            self._wire.close()
            self._wire = None


@dataclass
class Contestant(Client):
    """A running server, one connection to it, and what was measured of it."""

    name: str
    process: subprocess.Popen[bytes]
    cpu_ms: list[float] = field(default_factory=list)
    wall_ms: list[float] = field(default_factory=list)

    def cpu_seconds(self) -> float:
        """Return the user and system time of the server and all its children."""
        return cpu_of_family(self.process.pid)

    def megabytes(self, kind: str) -> float:
        """Return the memory of the server and all its children: their Rss, or their Pss, which counts nothing twice."""
        return sum(_memory_of(pid, kind) for pid in _family(self.process.pid)) / 1000

    def open_files(self) -> int:
        """Return how many descriptors the server and all its children have open."""
        return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in _family(self.process.pid))


@contextmanager
def serving(name: str, arguments: list[str], environment: dict[str, str]) -> Iterator[Contestant]:
    """Start a server of ours on a free port (given as ARCHWAY_PORT or PORT) and wait until it answers."""
    port = free_port()
    settings = {**environment, "ARCHWAY_PORT" if "app.py" in arguments else "PORT": str(port)}
    with running(name, [sys.executable, *arguments], settings, port) as contestant:
        yield contestant


@contextmanager
def running(name: str, command: list[str], environment: dict[str, str], port: int) -> Iterator[Contestant]:
    """Start any server and wait until it answers at its port."""
    settings = {**os.environ, **environment}
    process = subprocess.Popen(command, env=settings, stdout=subprocess.DEVNULL)
    try:
        _wait(port)
        yield Contestant(port, name, process)
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def archway(name: str = "Archway", folder: Path | None = None) -> Iterator[Contestant]:
    """Start the site in a folder, or on a database of its own, as ``python app.py`` does, without background work."""
    with tempfile.TemporaryDirectory() as new:
        environment = {"ARCHWAY_INSTANCE": str(folder or new), "ARCHWAY_BACKGROUND": "off"}
        with serving(name, ["app.py"], environment) as contestant:
            yield contestant


def race(turns: list[tuple[Contestant, Callable[[int], None]]], requests: int) -> None:
    """Let each contestant answer ``requests`` requests a round, in turns; the first round warms up."""
    for number in range(ROUNDS + 1):
        for contestant, send in turns:
            cpu, wall = contestant.cpu_seconds(), time.perf_counter()
            for index in range(requests):
                send(number * requests + index)
            if number:
                contestant.cpu_ms.append((contestant.cpu_seconds() - cpu) * 1000 / requests)
                contestant.wall_ms.append((time.perf_counter() - wall) * 1000 / requests)


def table(contestants: list[Contestant]) -> str:
    """Return a Markdown table; the last contestant is the ceiling that ratios refer to."""
    ceiling = min(contestants[-1].cpu_ms)
    rows = [
        "| | CPU ms a request, least | median | wall ms, median | CPU against the ceiling |",
        "|---|--:|--:|--:|--:|",
    ]
    for one in contestants:
        least, middle = min(one.cpu_ms), statistics.median(one.cpu_ms)
        rows.append(
            f"| {one.name} | {least:.3f} | {middle:.3f} | {statistics.median(one.wall_ms):.2f} "
            f"| × {least / ceiling:.2f} |"
        )
    return "\n".join(rows)


def form_token(page: bytes) -> str:
    """Return the form token that a page carries."""
    found = re.search(rb'name="csrf_token" value="(\w+)"', page)
    if found is None:
        raise ValueError("the page has no form")
    return found[1].decode()


def _family(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    children = [child for task in tasks for child in _read(task).split()]
    return [pid, *(member for child in children for member in _family(int(child)))]


def cpu_of_family(pid: int) -> float:
    """Return the user and system seconds of a process and all its children, those that ended included."""
    return sum(_cpu_of(member) for member in _family(pid))


def machine_seconds() -> float:
    """Return the seconds that all cores of the machine were busy since it started."""
    user, nice, system, _idle, _waiting, irq, softirq, *_ = map(int, _read(Path("/proc/stat")).split()[1:9])
    return (user + nice + system + irq + softirq) / TICK


def _cpu_of(pid: int) -> float:
    fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICK


def _read(path: Path) -> str:
    # A process may have ended since it was listed; what it took is its parent's then.
    try:
        return path.read_text("ascii")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _memory_of(pid: int, kind: str) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{kind}:"))


def free_port() -> int:
    """Return a port of this machine that nothing listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait(port: int) -> None:
    for _ in range(2400):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("the server did not start")
