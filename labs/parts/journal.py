"""A bounded queue of records in a file that outlives its process: a ring of slots, mapped into memory.

What was appended survives the death of the process, since the kernel keeps the pages; it does not survive the machine.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

SLOT = 320
"""Bytes of a record with its key and its two lengths."""
HEADER = mmap.PAGESIZE
_SIZES = struct.Struct(">HH")
_COUNT = struct.Struct(">Q")


class RecordTooLargeError(ValueError):
    """A record that has no room in a slot."""


def framed(key: bytes, data: bytes) -> bytes:
    """Return a record as it stands in a slot; raise RecordTooLargeError."""
    frame = _SIZES.pack(len(key), len(data)) + key + data
    if len(frame) > SLOT:
        raise RecordTooLargeError(f"A record has at most {SLOT} bytes with its key and lengths, this one {len(frame)}.")
    return frame


def unframed(slots: bytes) -> list[tuple[bytes, bytes]]:
    """Return the (key, data) of each slot."""
    found = []
    for start in range(0, len(slots), SLOT):
        key, data = _SIZES.unpack_from(slots, start)
        middle = start + _SIZES.size + key
        found.append((slots[middle - key : middle], slots[middle : middle + data]))
    return found


class Journal:
    """A queue of at most ``capacity`` records; opened again after a crash, it holds what was not yet taken off.

    One process uses it at a time. ``appended`` and ``released`` count all records since it was first made.
    """

    def __init__(self, path: Path, capacity: int) -> None:
        self.capacity = capacity
        size = HEADER + capacity * SLOT
        with path.open("ab") as file:
            file.truncate(size)
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), size)
        self.appended, self.released = (int(_COUNT.unpack_from(self._map, at)[0]) for at in (0, _COUNT.size))

    def __len__(self) -> int:
        return self.appended - self.released

    def append(self, frame: bytes) -> bool:
        """Append a framed record; return whether there was room for it."""
        if self.appended - self.released >= self.capacity:
            return False
        start = HEADER + self.appended % self.capacity * SLOT
        self._map[start : start + len(frame)] = frame
        # Counted after it is written: whoever opens the file later never finds half a record.
        self.appended += 1
        _COUNT.pack_into(self._map, 0, self.appended)
        return True

    def oldest(self, most: int) -> bytes:
        """Return the slots of the oldest records, at most so many, and no more than lie together."""
        place = self.released % self.capacity
        count = min(most, len(self), self.capacity - place)
        start = HEADER + place * SLOT
        return self._map[start : start + count * SLOT]

    def release(self, count: int) -> None:
        """Take so many of the oldest records off; others keep them now."""
        self.released += count
        _COUNT.pack_into(self._map, _COUNT.size, self.released)

    def close(self) -> None:
        """Give the file back."""
        self._map.close()
