"""One learner's whole evening, request by request: what each kind costs the web process and the database server.

From the start page to the review of all items, on SQLite and on PostgreSQL; what an attempt leaves on the disk, what
is sent, and how often this disk syncs. ``benchmarks.load_model`` reckons with what is found.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.learners import QUESTIONS
from benchmarks.measure import Client, Contestant, form_token, serving
from benchmarks.postgresql import Cluster, cluster
from benchmarks.promises import record

EVENINGS = 40
CHANGES = 15
WARMING = 10
"""How many evenings pass before anything counts: tables and indexes have their first pages by then."""
LOOKS = 20
"""How often the page looks for answers of another device here; it does so all the time, so a sample is enough."""


@dataclass
class Learner:
    """Somebody with a browser, the exam they sit, and the bytes they were sent."""

    client: Client
    headers: dict[str, str] = field(default_factory=dict)
    attempt: str = ""
    version: int = 0
    received: int = 0

    def ask(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> bytes:
        """Send a request with cookie and form token, keep those of the answer, and return its body."""
        sent = {**self.headers, "Content-Type": kind or "application/x-www-form-urlencoded"}
        status, page, headers = self.client.request(method, path, body, sent)
        if status not in {200, 303}:
            raise AssertionError((status, path))
        self.received += len(page) + len(headers.as_bytes())
        if headers["Set-Cookie"]:
            self.headers["Cookie"] = headers["Set-Cookie"].partition(";")[0]
        if b'name="csrf_token"' in page:
            self.headers["X-CSRF-Token"] = form_token(page)
        if method == "POST" and path.startswith("/exams/"):
            self.attempt = headers["Location"]
        return page

    def answer(self) -> None:
        """Answer every question and change some of the answers."""
        for number in range(QUESTIONS + CHANGES):
            change = {"place": number % QUESTIONS + 1, "revision": number // QUESTIONS + 1, "answer": "b"}
            body = json.dumps({"responses": [{**change, "flagged": False, "stamp": None}]}).encode()
            self.ask("POST", f"{self.attempt}/responses", body, "application/json")
        self.version = json.loads(self.ask("GET", f"{self.attempt}/responses"))["version"]

    def look(self) -> None:
        """Look whether another device answered, as the page does every few seconds; none did."""
        for _ in range(LOOKS):
            self.ask("GET", f"{self.attempt}/responses?version={self.version}")


STEPS: dict[str, tuple[Callable[[Learner], object], int]] = {
    "start page": (lambda one: one.ask("GET", "/"), 1),
    "exam's page": (lambda one: one.ask("GET", "/exams/saa-c01"), 1),
    "start": (lambda one: one.ask("POST", "/exams/saa-c01/attempts", b""), 1),
    "page of the exam": (lambda one: one.ask("GET", one.attempt), 1),
    "answer": (Learner.answer, QUESTIONS + CHANGES + 1),
    "look": (Learner.look, LOOKS),
    "submission": (lambda one: one.ask("POST", f"{one.attempt}/submit", b""), 1),
    "report": (lambda one: one.ask("GET", f"{one.attempt}/report"), 1),
    "review": (lambda one: one.ask("GET", f"{one.attempt}/review"), 1),
}
"""Each kind of request: what a learner does, and how many requests that is."""


@dataclass(frozen=True)
class Site:
    """A site with its database server, where it has one, and what tells the size of its database in bytes."""

    web: Contestant
    server: Cluster | None
    size: Callable[[], int]

    def cpu(self) -> tuple[float, float]:
        """Return the CPU seconds of the web process and of the database server."""
        return self.web.cpu_seconds(), self.server.cpu_seconds() if self.server else 0.0


def main() -> None:
    """Let the learners' evenings pass on both databases, and print a table of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evenings", type=int, default=EVENINGS)
    evenings = parser.parse_args().evenings
    found: dict[str, Any] = {"syncs_a_second": syncs_a_second()}
    print(f"This disk syncs {found['syncs_a_second']:,.0f} times a second, one write of 8 kB after another.\n")
    for database in ("SQLite", "PostgreSQL"):
        with site(database) as one:
            pass_by(one, WARMING)
            before = one.size()
            costs = pass_by(one, evenings)
            stored, memory = (one.size() - before) / evenings, one.web.megabytes("Pss")
        found[database] = {"requests": costs, "stored_bytes": stored, "web_megabytes": memory}
        print(f"{table(database, costs)}\n")
        print(f"{stored / 1000:.1f} kB stored an attempt; the web process holds {memory:.0f} MB.\n", flush=True)
    record("evening", [], **found)


@contextmanager
def site(database: str) -> Iterator[Site]:
    """Start a site on a database server of its own, or on a file."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {"ARCHWAY_INSTANCE": folder, "ARCHWAY_BACKGROUND": "off"}
        if database == "SQLite":
            with serving("Archway", ["app.py"], settings) as web:
                yield Site(web, None, lambda: _size_of(Path(folder, "archway.sqlite3")))
        else:
            with cluster() as server:
                settings["ARCHWAY_DATABASE_URL"] = server.create("archway")
                with serving("Archway", ["app.py"], settings) as web:
                    yield Site(web, server, lambda: server.stored_bytes("archway"))


def pass_by(site: Site, evenings: int) -> dict[str, dict[str, float]]:
    """Let so many learners take each step together, for the CPU's clock ticks in 10 ms; return what a request cost."""
    learners = [Learner(Client(site.web.port)) for _ in range(evenings)]
    costs = {}
    for kind, (step, requests) in STEPS.items():
        before, received = site.cpu(), sum(one.received for one in learners)
        for one in learners:
            step(one)
        web, database = (last - first for first, last in zip(before, site.cpu(), strict=True))
        count = requests * evenings
        costs[kind] = {
            "web_ms": web * 1000 / count,
            "database_ms": database * 1000 / count,
            "bytes": (sum(one.received for one in learners) - received) / count,
        }
    for one in learners:
        one.client.close()
    return costs


def table(database: str, costs: dict[str, dict[str, float]]) -> str:
    """Return a Markdown table of the kinds of requests."""
    rows = [f"| {database} | CPU ms: web | database | kB sent |", "|---|--:|--:|--:|"]
    for kind, one in costs.items():
        rows.append(f"| {kind} | {one['web_ms']:.2f} | {one['database_ms']:.2f} | {one['bytes'] / 1000:.1f} |")
    return "\n".join(rows)


def syncs_a_second() -> float:
    """Return how many writes of 8 kB one writer syncs to the disk of the temporary files in a second."""
    count, page = 0, b"x" * 8192
    with tempfile.TemporaryFile(buffering=0) as file:
        start = time.perf_counter()
        while (seconds := time.perf_counter() - start) < 2:
            file.write(page)
            os.fdatasync(file.fileno())
            count += 1
    return count / seconds


def _size_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        count, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    return int(count * size)


if __name__ == "__main__":
    main()
