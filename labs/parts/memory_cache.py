"""A cache in a process's memory: what was not used lately gives way, and each entry lives for so long at most."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Entry(Generic[T]):
    value: T
    ends: float
    used: bool = False


class MemoryCache(Generic[T]):
    """Values by key, at most ``capacity``, each for ``seconds`` on the clock since it was put, as Guava's cache has it.

    Values are handed out as they are, so they ought to be immutable. Who was used least recently is known roughly: the
    oldest entry gives way, unless it was used since it was put or last spared, which spares it once.
    """

    def __init__(self, capacity: int, seconds: float, clock: Callable[[], float]) -> None:
        self._capacity, self._seconds, self._clock = capacity, seconds, clock
        self._entries: OrderedDict[str, _Entry[T]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def get(self, key: str) -> T | None:
        """Return the value, or None where there is none or its time is over."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if self._clock() >= entry.ends:
            del self._entries[key]
            return None
        entry.used = True
        return entry.value

    def put(self, key: str, value: T) -> None:
        """Keep the value from now on."""
        self._entries.pop(key, None)
        self._entries[key] = _Entry(value, self._clock() + self._seconds)
        while len(self._entries) > self._capacity:
            oldest, entry = self._entries.popitem(last=False)
            if entry.used:
                entry.used = False
                self._entries[oldest] = entry
