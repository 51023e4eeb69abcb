"""A program of ours that answers lines of JSON, and can be killed as the machine under it can.

Run as a program itself, it starts another that then finds the house's modules.
"""

from __future__ import annotations

import contextlib
import json
import runpy
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_STARTER = Path(__file__).resolve()


class KillableProcess:
    """A Python program in a process of its own; to be closed by a ``with`` statement."""

    def __init__(self, program: Path, *arguments: str) -> None:
        self._command = [sys.executable, "-I", str(_STARTER), str(program.resolve()), *arguments]
        self._process = self._start()

    def ask(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """Send a line and return the answer; raise OSError where the process is gone or tells an ``error``."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None or stdin.closed:
            raise OSError("The process does not run.")
        stdin.write(json.dumps(wish).encode() + b"\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            raise OSError("The process ended.")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise OSError(answer["error"])
        return answer

    def kill(self) -> int:
        """Kill the process where it stands, whatever it has not finished; return the signal that ended it."""
        self._process.kill()
        return -self._end()

    def restart(self) -> None:
        """Start the program once more, on what the one before left."""
        self._process = self._start()

    def close(self) -> None:
        """End the process, if it still runs."""
        self._process.kill()
        self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def _end(self) -> int:
        status = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            # A wish that the process did not read any more cannot be sent.
            with contextlib.suppress(BrokenPipeError):
                if pipe is not None:
                    pipe.close()
        return status


def wishes() -> Iterator[dict[str, Any]]:
    """Yield, in the program, what it is asked until nobody asks any more."""
    for line in sys.stdin.buffer:
        yield json.loads(line)


def answer(said: Mapping[str, Any]) -> None:
    """Answer, in the program, what was asked last."""
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.path.insert(0, str(_STARTER.parents[2]))
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name="__main__")
