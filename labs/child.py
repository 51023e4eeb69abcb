"""The child process of a run: a supervisor that ends everything with itself, and under it the lab with its limits.

A program of its own that imports little, so that it starts within a few hundredths of a second. It reads one job as a
line of JSON and then watches the same pipe: its end means that the server has died or wants no more of the run.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

DONE, REFUSED, TIME, MEMORY, ERROR, CANCELLED, DISK, PROCESSES = 0, 10, 11, 12, 13, 14, 15, 16
"""Exit statuses, one for each way a run ends."""

MEBIBYTE = 1 << 20
MOST_FILES = 10_000
LOOK = 0.25
"""Seconds between two looks at what the run as a whole takes."""


def main() -> int:
    """Read the job, run the lab and return how it ended."""
    job = _read_job()
    if job is None:
        return CANCELLED
    end = time.monotonic() + job["seconds"]
    if job["own_loopback"]:
        _open_loopback()
    events = os.dup(1)
    silence = os.open(os.devnull, os.O_RDWR)
    os.dup2(silence, 1)
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    lab = os.fork()
    if lab == 0:
        os.dup2(silence, 0)
        os.setsid()
        # os._exit: the lab must not come back into the supervisor's code, whatever it raises.
        os._exit(_run_lab(job, events))
    os.close(events)
    try:
        return _watch(lab, end, woken, job)
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(lab, signal.SIGKILL)


def _read_job() -> dict[str, Any] | None:
    text = b""
    while not text.endswith(b"\n"):
        piece = os.read(0, 65536)
        if not piece:
            return None
        text += piece
    job: dict[str, Any] = json.loads(text)
    return job


def _open_loopback() -> None:
    """Bring up the loopback interface of the run's own network, then give up the right to change anything there."""
    # Only labs that serve something to themselves need these, and each of them costs time at every start.
    import ctypes  # noqa: PLC0415
    import fcntl  # noqa: PLC0415
    import socket  # noqa: PLC0415
    import struct  # noqa: PLC0415

    set_flags, up = 0x8914, 1
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sH22x", b"lo", up))
    version_3, no_capabilities = struct.pack("Ii", 0x20080522, 0), bytes(24)
    ctypes.CDLL(None).capset(version_3, no_capabilities)


def _watch(lab: int, end: float, woken: int, job: Mapping[str, Any]) -> int:
    """Wait for the lab itself, not for the end of its output: what it started may hold that open for ever."""
    while True:
        left = end - time.monotonic()
        if left <= 0:
            return TIME
        if (excess := _excess(job)) is not None:
            return excess
        ready, _, _ = select.select([0, woken], [], [], min(left, LOOK))
        if 0 in ready:
            return CANCELLED
        if woken in ready:
            os.read(woken, 4096)
            status = _reap(lab)
            if status is not None:
                return _meaning(status)


def _excess(job: Mapping[str, Any]) -> int | None:
    """Return what the run as a whole takes too much of, if it does; the kernel limits only each process by itself."""
    if _is_full(".", job["disk_mib"] * MEBIBYTE):
        return DISK
    family = _family(job["processes"])
    if len(family) > job["processes"]:
        return PROCESSES
    return MEMORY if sum(map(_resident, family)) > job["memory_mib"] * MEBIBYTE else None


def _family(most: int) -> list[str]:
    """Return the numbers of this process and all below it, or the first of them that are more than ``most``.

    They are the numbers of the system that /proc is of, which may not be those of the run's own namespace.
    """
    found: list[str] = []
    # What ends at the same moment, and a system without these files, simply adds nothing.
    with contextlib.suppress(OSError):
        found.append(str(Path("/proc/self").readlink()))
    for process in found:
        with contextlib.suppress(OSError):
            for thread in Path(f"/proc/{process}/task").iterdir():
                found += (thread / "children").read_text().split()
        if len(found) > most:
            break
    return found


def _resident(process: str) -> int:
    """Return the bytes of memory that a process has."""
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * resource.getpagesize()
    return 0


def _is_full(folder: str, most_bytes: int) -> bool:
    """Return whether the files in ``folder`` and below take more than ``most_bytes`` of the disk, or are too many."""
    size = files = 0
    folders = [folder]
    while folders:
        # What the lab removes at the same moment is simply not counted.
        with contextlib.suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
                files += 1
                if size > most_bytes or files > MOST_FILES:
                    return True
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
    return False


def _reap(lab: int) -> int | None:
    """Collect every child that ended, as process 1 of a namespace must; return the lab's status if it is one."""
    found = None
    with contextlib.suppress(ChildProcessError):
        while True:
            process, status = os.waitpid(-1, os.WNOHANG)
            if process == 0:
                break
            if process == lab:
                found = status
    return found


def _meaning(status: int) -> int:
    if os.WIFEXITED(status):
        return os.WEXITSTATUS(status)
    # The kernel ends what uses up the machine's memory by SIGKILL; nobody else here sends it to a running lab.
    return {signal.SIGXCPU: TIME, signal.SIGKILL: MEMORY}.get(signal.Signals(os.WTERMSIG(status)), ERROR)


class Reporter:
    """Writes what a lab reports as lines of JSON; has servers of these names for it."""

    def __init__(self, descriptor: int, servers: Sequence[str] = ()) -> None:
        self._descriptor = descriptor
        self._servers = servers

    @cached_property
    def servers(self) -> Mapping[str, str]:
        """The addresses of servers of the run's own, each started when it is first asked for."""
        # Most runs ask for none, and need not wait for what starts them.
        from labs.servers import Servers  # noqa: PLC0415

        return Servers(self._servers)

    def progress(self, share: float) -> None:
        """Say that this share of the work is done, from 0 to 1."""
        self.write("progress", share=round(share, 4))

    def metric(self, at: float, **values: float) -> None:
        """Give values as they stand at the moment ``at``, in the lab's own seconds."""
        self.write("metric", at=round(at, 4), values=values)

    def log(self, text: str) -> None:
        """Say something in words."""
        self.write("log", text=text)

    def write(self, kind: str, **rest: Any) -> None:
        """Write one event."""
        line = memoryview(json.dumps({"kind": kind, **rest}).encode() + b"\n")
        while line:
            line = line[os.write(self._descriptor, line) :]


def _run_lab(job: Mapping[str, Any], events: int) -> int:
    reporter = Reporter(events, job["servers"])
    try:
        _limit(job)
        if job["walled"]:
            _wall_off(job["folder"])
        _perform(job, reporter)
    except MemoryError:
        return MEMORY
    except BaseException as error:  # noqa: BLE001 (a lab may raise anything, SystemExit too, and each end has a sentence)
        refused = type(error).__name__ == "Refused"
        for fault in getattr(error, "faults", ()):
            reporter.write("fault", **fault._asdict())
        reporter.write("end", text=str(error) if refused else _sentence(error))
        return REFUSED if refused else ERROR
    return DONE


def _limit(job: Mapping[str, Any]) -> None:
    for kind, limit in (
        (resource.RLIMIT_CPU, job["seconds"] + 1),
        (resource.RLIMIT_AS, job["memory_mib"] * MEBIBYTE),
        (resource.RLIMIT_FSIZE, job["file_mib"] * MEBIBYTE),
        (resource.RLIMIT_CORE, 0),
    ):
        # The machine may allow less already, and nobody may raise that.
        allowed = resource.getrlimit(kind)[1]
        limit = limit if allowed == resource.RLIM_INFINITY else min(limit, allowed)  # noqa: PLW2901 (the same limit, made possible)
        resource.setrlimit(kind, (limit, limit))


def _wall_off(lab: str) -> None:
    """Leave the lab what it needs: Python, the code of the labs, its own folder in the catalog, and that of the run."""
    # Not needed where there is no wall, and it takes a moment to load.
    from labs import wall  # noqa: PLC0415

    prefixes = {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix}
    labs = Path(__file__).parent
    wall.close([*prefixes, str(labs), lab], str(labs.parent), str(Path.cwd()))


def _perform(job: Mapping[str, Any], reporter: Reporter) -> None:
    """Run the lab, report its findings, and ask the checks about them."""
    folder = Path(job["folder"])
    lab, checks = load(folder / "lab.py"), load(folder / "checks.py")
    given = {name: tuple(one) if isinstance(one, list) else one for name, one in job["parameters"].items()}
    play = lab.live if job["live"] else lab.run
    findings = play(lab.Parameters(**given), job["seed"], reporter)
    shown = {name: {"value": found.value, "unit": found.unit} for name, found in findings.items()}
    reporter.write("findings", findings=shown)
    values = {name: found.value for name, found in findings.items() if isinstance(found.value, int | float)}
    for name in job["checks"]:
        reporter.write("check", name=name, passed=_passes(getattr(checks, name), values))
    reporter.progress(1)


def _passes(check: Callable[[Mapping[str, float]], object], values: Mapping[str, float]) -> bool:
    """Ask a check; one that asks for a finding which this run does not have is not met."""
    try:
        return bool(check(values))
    except KeyError:
        return False


def load(path: Path) -> ModuleType:
    """Load one of a lab's modules, which may import its neighbours as ``from .name import …``."""
    neighbours = [str(path.parent)]
    spec = importlib.util.spec_from_file_location(f"lab_{path.stem}", path, submodule_search_locations=neighbours)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} cannot be loaded")
    # The neighbours of another lab that was loaded before would be taken for this one's.
    for neighbour in [name for name in sys.modules if name.startswith(f"{spec.name}.")]:
        del sys.modules[neighbour]
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by its name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _sentence(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" in {Path(trace.tb_frame.f_code.co_filename).name} line {trace.tb_lineno}" if trace else ""
    return f"The lab failed{place}: {type(error).__name__}: {error}."


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    # Not sys.exit: as process 1 of a namespace, ending at once ends everything that the lab started.
    os._exit(main())
