"""A run in a child process under limits: its events as they come, its cancelling, and one sentence for its end."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from labs import child, wall
from labs.parameters import Value
from labs.registry import Lab

Event = dict[str, Any]
TICK = 0.25
"""Seconds between two batches of events."""

_CHILD = Path(child.__file__).resolve()
_PROCESSES = ("unshare", "--user", "--pid", "--fork", "--kill-child")
_APART = (*_PROCESSES, "--net", "--ipc", "--uts")
_NAMESPACES = {"none": (_APART, _PROCESSES), "loopback": ((*_APART, "--keep-caps"), _PROCESSES)}
"""By the network that a lab asks for, the commands that give a run namespaces of its own, the best first."""


@dataclass(frozen=True)
class Limits:
    """What one run may take: wall and CPU time, memory, size of a file and of all, processes, and output.

    ``servers`` names the real servers of its own that it may start.
    """

    seconds: int = 60
    memory_mib: int = 1024
    file_mib: int = 64
    disk_mib: int = 256
    processes: int = 256
    events: int = 20_000
    output_bytes: int = 8 << 20
    servers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ending:
    """How a run ended and what to tell the learner.

    The reason is done, refused, cancelled, time, memory, disk, processes, output or error.
    """

    reason: str
    sentence: str = ""

    @property
    def done(self) -> bool:
        """Whether the run came to its findings."""
        return self.reason == "done"


@dataclass(frozen=True)
class Outcome:
    """What a finished run left: how it ended, its findings by name, and which checks they pass."""

    ending: Ending
    findings: Mapping[str, Mapping[str, Any]]
    checks: Mapping[str, bool]


class Run:
    """One run, to be used in a ``with`` statement; at its end nothing that the lab started is left.

    Where the system has user namespaces for everyone, that includes processes which left the lab's session, and the
    lab has no network but what it serves to itself; elsewhere the lab's process group is ended.
    """

    def __init__(
        self, lab: Lab, parameters: Mapping[str, Value], seed: int, limits: Limits, *, live: bool = False
    ) -> None:
        self.ending = Ending("error", "The run was left before its end.")
        self._limits = limits
        self._namespace = namespace(lab.network)
        self._job = {
            "folder": str(lab.folder.resolve()),
            "checks": [task.check for task in lab.tasks],
            "parameters": dict(parameters),
            "seed": seed,
            "live": live,
            "seconds": limits.seconds,
            "memory_mib": limits.memory_mib,
            "file_mib": limits.file_mib,
            "disk_mib": limits.disk_mib,
            "processes": limits.processes,
            "servers": limits.servers,
            "own_loopback": "--keep-caps" in self._namespace,
            "walled": wall.stands(),
        }
        self._last_words = ""
        self._found = False
        self._rest = b""
        self._bytes = self._events = 0
        self._stopped: str = ""

    def __enter__(self) -> Self:
        self._folder = tempfile.mkdtemp(prefix="archway-lab-")
        self._process = subprocess.Popen(
            [*self._namespace, sys.executable, "-I", str(_CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            env={"PATH": os.defpath, "LANG": "C.UTF-8", "TMPDIR": self._folder},
            start_new_session=True,
        )
        with contextlib.suppress(BrokenPipeError):
            self._stdin.write(json.dumps(self._job).encode() + b"\n")
            self._stdin.flush()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_process()
        self._stdout.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def batches(self) -> Iterator[list[Event]]:
        """Yield the new events, an empty list too, every quarter of a second until the run has ended."""
        running = True
        end = time.monotonic() + self._limits.seconds + 1
        while running and not self._stopped:
            running, events = self._collect(time.monotonic() + TICK)
            # The supervisor keeps the time; this is for the day when it cannot.
            if running and time.monotonic() > end:
                self._stopped = "time"
            yield events
        self._end_process()
        self.ending = self._explain(self._process.returncode)

    def cancel(self) -> None:
        """End the run; the next batch is the last."""
        self._stopped = self._stopped or "cancelled"

    @property
    def _stdin(self) -> Any:
        return self._process.stdin

    @property
    def _stdout(self) -> Any:
        return self._process.stdout

    def _collect(self, until: float) -> tuple[bool, list[Event]]:
        """Return (whether the run goes on, the events that came until then)."""
        events: list[Event] = []
        while not self._stopped and (left := until - time.monotonic()) > 0:
            readable, _, _ = select.select([self._stdout], [], [], left)
            if readable and not self._read(events):
                # All who could write have closed the pipe, which may be a little before the end, or long before.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(max(0, until - time.monotonic()))
                return self._process.poll() is None, events
        if self._process.poll() is None:
            return True, events
        os.set_blocking(self._stdout.fileno(), False)
        with contextlib.suppress(BlockingIOError):
            while not self._stopped and self._read(events):
                pass
        return False, events

    def _read(self, events: list[Event]) -> bool:
        """Read once from the pipe into ``events``; return whether it is still open."""
        piece = os.read(self._stdout.fileno(), 1 << 16)
        *lines, self._rest = (self._rest + piece).split(b"\n")
        self._bytes += len(piece)
        self._events += len(lines)
        if self._bytes > self._limits.output_bytes or self._events > self._limits.events:
            self._stopped = "output"
            return True
        for line in lines:
            with contextlib.suppress(ValueError, KeyError, TypeError):
                event = json.loads(line)
                if event["kind"] == "end":
                    self._last_words = str(event["text"])
                else:
                    self._found = self._found or event["kind"] == "findings"
                    events.append(event)
        return bool(piece)

    def _end_process(self) -> None:
        """Let the supervisor end the run by closing its pipe; kill it where it does not within a second."""
        with contextlib.suppress(BrokenPipeError):
            self._stdin.close()
        try:
            self._process.wait(1)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _explain(self, status: int) -> Ending:
        statuses = {
            child.DONE: "done",
            child.REFUSED: "refused",
            child.TIME: "time",
            child.MEMORY: "memory",
            child.CANCELLED: "cancelled",
            child.DISK: "disk",
            child.PROCESSES: "processes",
        }
        reason = self._stopped or statuses.get(status, "error")
        if reason == "done" and not self._found:
            reason = "error"
        limits = self._limits
        sentences = {
            "done": "",
            "cancelled": "The run was cancelled.",
            "time": f"The run was stopped after {limits.seconds} s, the longest that one may take; ask less of it.",
            "memory": f"The run needed more than {limits.memory_mib} MiB of memory and was stopped; ask less of it.",
            "disk": f"The run wrote more than {limits.disk_mib} MiB or {child.MOST_FILES:,} files and was stopped.",
            "processes": f"The run started more than {limits.processes} processes and was stopped.",
            "output": f"The run reported more than {limits.events:,} events or"
            f" {limits.output_bytes >> 20} MiB and was stopped.",
        }
        unexplained = f"The lab ended without its findings (status {status})."
        return Ending(reason, sentences.get(reason, self._last_words or unexplained))


def execute(  # noqa: PLR0913 (all that makes a run, and who listens)
    lab: Lab,
    parameters: Mapping[str, Value],
    seed: int,
    limits: Limits,
    tell: Callable[[Event], None] = lambda event: None,  # noqa: ARG005 (nobody listens)
    *,
    live: bool = False,
) -> Outcome:
    """Run to the end, giving each event to ``tell``, and return what is left; ``live`` is in real time."""
    findings: dict[str, Any] = {}
    checks: dict[str, bool] = {}
    with Run(lab, parameters, seed, limits, live=live) as run:
        for event in (event for batch in run.batches() for event in batch):
            gather(event, findings, checks)
            tell(event)
    return Outcome(run.ending, findings, checks)


def gather(event: Event, findings: dict[str, Any], checks: dict[str, bool]) -> None:
    """Put the findings or the check of an event, if it has any, to the others."""
    if event["kind"] == "findings":
        findings.update(event["findings"])
    elif event["kind"] == "check":
        checks[event["name"]] = event["passed"]


@cache
def namespace(network: str) -> tuple[str, ...]:
    """Return the command that gives a run process numbers and a network of its own, or nothing where none works."""
    for command in _NAMESPACES[network]:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            if subprocess.run([*command, "true"], check=False, capture_output=True, timeout=5).returncode == 0:
                return command
    return ()
