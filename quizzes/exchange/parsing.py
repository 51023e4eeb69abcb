"""A file of a stranger becomes a compared file: in a child process, under limits, with progress and cancelling."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from quizzes.exchange import child, wire
from quizzes.exchange.compare import Known
from quizzes.exchange.wire import Compared

MOST_BYTES = 20_000_000
"""The largest file that is read: a package with pictures; texts have a limit of their own."""
_MEBIBYTE = 1 << 20
_ROOT = Path(__file__).parents[2]
_TICK = 0.2
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Limits:
    """What reading one file may take: seconds of CPU and of waiting, and mebibytes of memory."""

    seconds: int = 10
    wait: int = 30
    memory_mib: int = 256


@dataclass(frozen=True)
class Upload:
    """A file as it came: its name, its bytes, and the format that its sender chose, or nothing."""

    name: str
    data: bytes
    format: str = ""


class ParseError(ValueError):
    """The file could not be read at all; the message is a sentence for its author."""


class CancelledError(Exception):
    """Whoever asked for the file to be read wants it no more."""


@dataclass(frozen=True)
class Parsed:
    """A file as it was read and compared, and the same as the bytes that the database keeps."""

    compared: Compared
    packed: bytes


Going = Callable[[str, int], bool]
"""Is told each step (reading, comparing) with its count, and also now and then; False cancels."""


def parse(
    upload: Upload, known: Sequence[Known], going: Going = lambda _step, _count: True, limits: Limits = Limits()
) -> Parsed:
    """Return the file as it was read and compared; raise ParseError or CancelledError."""
    if len(upload.data) > MOST_BYTES:
        raise ParseError(f"The file has {len(upload.data):,} bytes; at most {MOST_BYTES:,} are read. Split it.")
    body = json.dumps([{"place": one.place, "item": wire.item_values(one.item)} for one in known]).encode()
    job = {
        "format": upload.format,
        "name": upload.name,
        "root": str(_ROOT),
        "known": len(body),
        "size": len(upload.data),
        "seconds": limits.seconds,
        "memory": limits.memory_mib * _MEBIBYTE,
    }
    command = [sys.executable, "-I", str(Path(child.__file__))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            output = _talk(process, [json.dumps(job).encode(), b"\n", body, upload.data], going, limits)
        finally:
            process.kill()
    return _outcome(process.returncode, output, limits)


def _talk(process: subprocess.Popen[bytes], parts: Sequence[bytes], going: Going, limits: Limits) -> bytes:
    """Send the job and collect what the child says, telling each step to ``going``."""
    assert process.stdin is not None  # noqa: S101 (it is a pipe)
    assert process.stdout is not None  # noqa: S101 (it is a pipe)
    threading.Thread(target=_send, args=(process.stdin, parts), daemon=True).start()
    output, step, end = bytearray(), ("reading", 0), time.monotonic() + limits.wait
    while True:
        if not going(*step):
            raise CancelledError
        if time.monotonic() > end:
            raise ParseError(f"The file could not be read within {limits.wait} seconds. Split it, or try again later.")
        if select.select([process.stdout], [], [], _TICK)[0]:
            chunk = os.read(process.stdout.fileno(), _CHUNK)
            if not chunk:
                process.wait()
                return bytes(output)
            output += chunk
            step = _last_step(output) or step


def _send(pipe: IO[bytes], parts: Sequence[bytes]) -> None:
    """Write the job; a child that died has said why by its status."""
    with suppress(BrokenPipeError, ValueError):
        pipe.writelines(parts)
        pipe.close()


def _last_step(output: bytes | bytearray) -> tuple[str, int] | None:
    lines = [line for line in bytes(output[:1000]).split(b"\n")[:-1] if line.startswith(b'{"step"')]
    values = json.loads(lines[-1]) if lines else None
    return (values["step"], values["count"]) if values else None


def _outcome(status: int, output: bytes, limits: Limits) -> Parsed:
    if status == child.MEMORY or status in {-11, -6}:
        raise ParseError(f"The file needs more than {limits.memory_mib} MB of memory to be read. Split it.")
    if status in {-24, -9}:
        raise ParseError(f"The file needs more than {limits.seconds} seconds of work to be read. Split it.")
    step = _last_step(output)
    if step and step[0] == "unknown":
        raise ParseError("This is no format that can be imported. Choose the format, or save the file as one of them.")
    if status != child.DONE or step is None or step[0] != "done":
        raise ParseError("The file could not be read. Choose its format; if that was right, please report the file.")
    packed = output[len(output) - step[1] :]
    return Parsed(wire.load(packed), packed)
