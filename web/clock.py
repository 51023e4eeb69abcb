"""The time, injected: tests set ``app.extensions["clock"]``; nothing else asks the system what time it is."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from flask import current_app

TOLERANCE = timedelta(seconds=60)
"""Steps up to this size are a time server at work, and are followed."""

_log = logging.getLogger(__name__)


def now() -> datetime:
    """Return the present moment in UTC, as the application's clock tells it."""
    moment: datetime = current_app.extensions["clock"]()
    return moment


def system_clock() -> datetime:
    """Return the machine's time in UTC."""
    return datetime.now(UTC)


def uptime() -> float:
    """Return seconds that no setting of the machine's time changes; on Linux those of sleep count too."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if sys.platform == "linux" else time.monotonic()


class SteadyClock:
    """The machine's time, without its jumps: what the application goes by.

    A wrong hand or a broken time server can set a machine's time a day ahead while people sit exams. All their
    deadlines would pass at once, in the sweep, in their pages and in every answer that comes in; and what is closed
    stays closed, though the time be set right a minute later. So where the machine's time comes apart from its uptime
    by more than TOLERANCE, this clock goes on from the last moment at which both agreed, and a warning names the jump.

    Whether the jump was wrong or right (as after a virtual machine was paused), no program can tell. So it is followed
    only when it can harm nobody: ``accept`` is called, within a minute, once no exam with a time limit runs. An
    operator who knows that the new time is right restarts the server; one who sets the old time again finds that
    nothing happened. Each process keeps a clock of its own; those that run during a jump agree, since they agreed
    before it, and follow it within a minute of each other.
    """

    def __init__(self, machine: Callable[[], datetime] = system_clock, running: Callable[[], float] = uptime) -> None:
        self._machine, self._running = machine, running
        self._agreed = (machine(), running())
        self._named = timedelta(0)

    def __call__(self) -> datetime:
        """Return the present moment in UTC."""
        then, started = self._agreed
        running, machine = self._running(), self._machine()
        steady = then + timedelta(seconds=running - started)
        jump = machine - steady
        if abs(jump) > TOLERANCE:
            self._name(jump)
            return steady
        self._agreed, self._named = (machine, running), timedelta(0)
        return machine

    @property
    def jump(self) -> timedelta:
        """By how much the machine's time is ahead of this clock: zero where they agree."""
        steady = self()
        return self._machine() - steady if self._named else timedelta(0)

    def accept(self) -> None:
        """Follow the machine's time from now on."""
        self._agreed, self._named = (self._machine(), self._running()), timedelta(0)

    def _name(self, jump: timedelta) -> None:
        if abs(jump - self._named) > TOLERANCE:
            self._named = jump
            _log.warning(
                "The machine's time jumped by %.0f s against its uptime. Running exams go on by the time before; the "
                "new one counts when none is running. Set the time right, or restart the server if the new one is.",
                jump.total_seconds(),
            )
