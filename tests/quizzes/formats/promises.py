"""What every reader of a format promises of any file, to which the corpora and the fuzzers hold it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from quizzes.formats.reading import Reading

Data = TypeVar("Data", str, bytes)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in a body that takes more of the processor's time."""

    def stop(_number: int, _frame: object) -> None:
        raise TimeoutError(f"more than {seconds} seconds")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def unaccounted(data: str | bytes, reading: Reading) -> str:
    """Return what is wrong with a reading of a file, whatever the file is."""
    kept = {one.number for one in reading.items}
    refused = {one.question for one in reading.findings if one.severity == "error"} - {0}
    if kept | refused != set(range(1, reading.questions + 1)):
        return "a question is neither an item nor an error"
    if kept & refused or len(kept) < len(reading.items):
        return "a question is an item twice, or an error too"
    ends = data.count("\n") if isinstance(data, str) else data.count(b"\n") + data.count(b"\r")
    if any(one.column < 1 or one.line < 1 or (one.line > ends + 1 and not one.member) for one in reading.findings):
        return "a finding stands outside of the file"
    ids = [one.item.question.id for one in reading.items]
    return "two items have one id" if len(set(ids)) < len(ids) else ""


def read_as_promised(read: Callable[[Data], Reading], data: Data, seconds: float = 10) -> tuple[Reading | None, str]:
    """Return what a reader makes of a file, if it comes to an end, and which promise it breaks by that, if any."""
    try:
        with at_most(seconds):
            reading = read(data)
    except Exception as error:  # noqa: BLE001 (whatever it is, a reader promises none)
        return None, repr(error)
    return reading, unaccounted(data, reading)


def _drop(reading: Reading) -> Reading:
    return replace(reading, items=reading.items[1:])


def _drop_uncounted(reading: Reading) -> Reading:
    return replace(reading, items=reading.items[1:], questions=reading.questions - len(reading.items[:1]))


def _keep_what_is_refused(reading: Reading) -> Reading:
    return replace(reading, findings=tuple(replace(one, severity="error") for one in reading.findings))


def _point_outside(reading: Reading) -> Reading:
    return replace(reading, findings=tuple(replace(one, line=10**6) for one in reading.findings))


def _raise(_reading: Reading) -> Reading:
    raise IndexError


def _hang(reading: Reading) -> Reading:
    while reading.items:
        pass
    return reading


PLANTED = (_drop, _drop_uncounted, _keep_what_is_refused, _point_outside, _raise, _hang)
"""What a reader with a fault would do to what it has read; each is to be found in every corpus."""
