"""The queue that outlives its process, and the cache that does not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from labs.parts.journal import SLOT, Journal, RecordTooLargeError, framed, unframed
from labs.parts.memory_cache import MemoryCache


def _frame(number: int) -> bytes:
    return framed(f"key{number}".encode(), b"x" * number)


def test_what_was_appended_is_there_when_the_process_was_killed(tmp_path: Path) -> None:
    code = """
import os, signal, sys
from pathlib import Path
from labs.parts.journal import Journal, framed
journal = Journal(Path(sys.argv[1]), 100)
for number in range(7):
    journal.append(framed(b"key%d" % number, b"x"))
journal.release(2)
os.kill(os.getpid(), signal.SIGKILL)
"""
    path = tmp_path / "journal"
    ended = subprocess.run([sys.executable, "-c", code, path], env={**os.environ, "PYTHONPATH": "."})
    assert ended.returncode == -signal.SIGKILL
    found = Journal(path, 100)
    assert [key for key, _ in unframed(found.oldest(100))] == [b"key%d" % number for number in range(2, 7)]


def test_a_full_journal_takes_nothing_until_something_is_released(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", 3)
    assert [journal.append(_frame(number)) for number in range(4)] == [True, True, True, False]
    journal.release(1)
    assert journal.append(_frame(9))
    assert len(journal) == 3


def test_the_ring_gives_its_records_in_order_wherever_it_wraps(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", 5)
    given, taken = 0, []
    for size in (3, 4, 1, 5, 2):
        for _ in range(size):
            given += journal.append(_frame(given))
        while slots := journal.oldest(2):
            taken += [data for _, data in unframed(slots)]
            journal.release(len(slots) // SLOT)
    assert taken == [b"x" * number for number in range(given)]
    assert given == 15


def test_a_record_has_room_in_a_slot_or_is_refused() -> None:
    assert len(framed(b"k", b"x" * (SLOT - 5))) == SLOT
    with pytest.raises(RecordTooLargeError, match=f"at most {SLOT} bytes"):
        framed(b"k", b"x" * (SLOT - 4))


def test_what_was_used_is_spared_once() -> None:
    cache = MemoryCache[int](2, 600, lambda: 0.0)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert [*cache] == ["c", "a"]
    cache.put("d", 4)
    assert [*cache] == ["a", "d"]
    cache.put("e", 5)
    assert [*cache] == ["d", "e"]


def test_an_entry_lives_for_ten_minutes_after_it_was_put_however_often_it_is_read() -> None:
    now = 0.0
    cache = MemoryCache[int](10, 600, lambda: now)
    cache.put("a", 1)
    now = 599
    assert cache.get("a") == 1
    now = 600
    assert cache.get("a") is None
    assert len(cache) == 0


def test_a_cache_without_capacity_keeps_nothing() -> None:
    cache = MemoryCache[int](0, 600, lambda: 0.0)
    cache.put("a", 1)
    assert cache.get("a") is None
