"""A virtual clock: threads that wait without waiting, side by side, always in the same order."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import Any

from labs.parts.states.payload import Json, StateFailedError


@dataclass(frozen=True)
class Fork:
    """A wish to run threads side by side, at most ``limit`` at once (0 for all), and to get their results in order."""

    threads: Iterator[Steps]
    limit: int = 0


Steps = Generator[float | Fork, Any, Json]
"""A thread: yields the seconds that it waits, or a Fork whose results it is sent; returns its own result."""


class DeadlineError(Exception):
    """The clock came to its deadline before the first thread ended."""


@dataclass(eq=False, slots=True)
class _Thread:
    steps: Steps
    group: _Group | None = None
    index: int = 0
    children: _Group | None = None
    is_alive: bool = True


@dataclass(eq=False, slots=True)
class _Group:
    parent: _Thread
    rest: Iterator[tuple[int, Steps]]
    results: dict[int, Json] = field(default_factory=dict)
    running: dict[int, _Thread] = field(default_factory=dict)


class Clock:
    """Runs threads in virtual time; ``now`` is in seconds from the start.

    Threads that are due at the same instant run in the order in which they began to wait.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, _Thread, Any, StateFailedError | None]] = []
        self._order = count()

    def run(self, steps: Steps, deadline: float = math.inf) -> Json:
        """Run a thread and all that it forks, and return its result.

        Raises what the thread raises, and DeadlineError where it is not done at ``deadline``.
        """
        first = _Thread(steps)
        self._wake(first, self.now)
        while self._due:
            at, _, thread, value, failure = heappop(self._due)
            if not thread.is_alive:
                continue
            if at > deadline:
                self.now = deadline
                raise DeadlineError
            self.now = at
            try:
                wish = thread.steps.send(value) if failure is None else thread.steps.throw(failure)
            except StopIteration as end:
                if thread.group is None:
                    result: Json = end.value
                    return result
                self._ended(thread, thread.group, end.value)
            except StateFailedError as error:
                if thread.group is None:
                    raise
                self._failed(thread.group, error)
            else:
                if isinstance(wish, Fork):
                    self._fork(thread, wish)
                else:
                    self._wake(thread, at + wish)
        raise RuntimeError("no thread is left that could end the first one")

    def _wake(self, thread: _Thread, at: float, value: Any = None, failure: StateFailedError | None = None) -> None:
        heappush(self._due, (at, next(self._order), thread, value, failure))

    def _fork(self, parent: _Thread, wish: Fork) -> None:
        group = parent.children = _Group(parent, enumerate(wish.threads))
        while (not wish.limit or len(group.running) < wish.limit) and self._start(group):
            pass
        if not group.running:
            self._wake(parent, self.now, [])

    def _start(self, group: _Group) -> bool:
        index, steps = next(group.rest, (0, None))
        if steps is None:
            return False
        thread = group.running[index] = _Thread(steps, group, index)
        self._wake(thread, self.now)
        return True

    def _ended(self, thread: _Thread, group: _Group, result: Json) -> None:
        thread.is_alive = False
        del group.running[thread.index]
        group.results[thread.index] = result
        if not self._start(group) and not group.running:
            group.parent.children = None
            self._wake(group.parent, self.now, [group.results[index] for index in range(len(group.results))])

    def _failed(self, group: _Group, error: StateFailedError) -> None:
        _stop(group)
        group.parent.children = None
        self._wake(group.parent, self.now, failure=error)


def _stop(group: _Group) -> None:
    for thread in group.running.values():
        thread.is_alive = False
        thread.steps.close()
        if thread.children:
            _stop(thread.children)
