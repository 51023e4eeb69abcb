"""The function and the delivery stream, in a process of its own: it takes messages from a file and may be killed.

What it has stored is written down only when it is asked for more, so after a kill it stores some messages once more and
loses none.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any, NamedTuple

from labs.parts.bucket import DirectoryBucket, objects
from labs.parts.delivery import BATCH_RECORDS, DeliveryStream, ServiceUnavailableError, Settings
from labs.parts.killable_process import KillableProcess, answer, wishes

STREAM, PREFIX = "AuroraChangesToS3", "CDC/"
RETRY = 0.25
"""Seconds of virtual time after which a refused call is made again."""

_JSON = json.JSONDecoder(parse_float=str)
"""Reads numbers as they are written, so that money keeps its cents."""


@dataclass(frozen=True)
class Job:
    """Files and settings: ``quoted`` and ``batched`` say how the function writes a line, and how it sends lines.

    A message is sent at ``opening``, in seconds since 1970, and its own second after that.
    """

    messages: str
    done: str
    bucket: str
    columns: tuple[str, ...]
    quoted: bool
    batched: bool
    opening: float
    buffer_mib: int
    buffer_seconds: int
    gzip: bool


class Sent(NamedTuple):
    """A message of the database, and the second in which it is sent."""

    second: float
    text: str


class DeliveryProcess(KillableProcess):
    """The process; its messages and what it has done are in files, so it can be started anew after it was killed."""

    def __init__(self, job: Job, messages: Iterable[Sent]) -> None:
        Path(job.messages).write_text(json.dumps(list(messages)))
        super().__init__(Path(__file__), json.dumps(asdict(job)))

    def store(self) -> dict[str, Any]:
        """Let it go on to the next object and return what is known then; raise OSError where the process is gone.

        ``messages`` are done by then. Of an ``object``: the virtual ``second`` in which it was stored, how long its
        oldest record ``waited`` in seconds, its ``lines`` and ``bytes`` before compression, and how many records were
        refused since the object before (``throttled``). At the end there is no object, but how many messages ``failed``
        and the most records of any second (``peak``).
        """
        return self.ask({})


def line(message: Mapping[str, Any], columns: Sequence[str], *, quoted: bool) -> str:
    """Return a message as the function writes it; raise KeyError where it lacks a column.

    As published, values stand between commas as they are. Quoted, they are CSV.
    """
    values = [message[name] for name in columns]
    if not quoted:
        return ",".join(map(str, values)) + "\n"
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()


class Place(NamedTuple):
    """How far the process has come: messages done, and how many of them the function could not read."""

    messages: int = 0
    failed: int = 0


class Record(NamedTuple):
    """A line that the stream took: when it was sent and taken, and how many messages are done once it is stored."""

    sent: float
    taken: float
    done: int


class Carrier:
    """Takes messages in their order, lets the function make lines, and gives them to the stream in virtual time."""

    def __init__(self, job: Job) -> None:
        bucket = DirectoryBucket(Path(job.bucket))
        # With another version come other keys: a successor does not overwrite what a killed process stored.
        version = 1 + sum(1 for _ in objects(bucket, PREFIX))
        settings = Settings(
            STREAM, PREFIX, buffer_mib=job.buffer_mib, buffer_seconds=job.buffer_seconds, gzip=job.gzip, version=version
        )
        self._job = job
        self._file = Path(job.done)
        self._place = Place(*json.loads(self._file.read_text())) if self._file.exists() else Place()
        self._now = job.opening
        self._failed: list[int] = []
        self._taken: list[Record] = []
        self._stored = self._deliveries = self._throttled = 0
        self._stream = DeliveryStream(settings, bucket, lambda: self._now)

    def run(self) -> Iterator[dict[str, Any]]:
        """Yield what is known at each object, which counts as done when more is asked for, and at the end."""
        messages = self._place.messages
        for moment, group in self._groups():
            self._now = max(self._now, moment)
            self._stream.advance()
            yield from self._news()
            self._put(messages, group)
            messages += len(group)
            yield from self._news()
        while (due := self._stream.next_due) is not None:
            self._now = due
            self._stream.advance()
            yield from self._news()
        failed = self._place_at(messages).failed
        yield {"messages": messages, "failed": failed, "peak": self._peak(), "throttled": self._throttled}

    def _groups(self) -> Iterator[tuple[float, list[Sent]]]:
        """Yield what is sent together, and when: each message by itself, or those of a second in one batch or more."""
        opening = self._job.opening
        messages = json.loads(Path(self._job.messages).read_text())
        rest = (Sent(*one) for one in messages[self._place.messages :])
        if not self._job.batched:
            yield from ((opening + one.second, [one]) for one in rest)
            return
        for second, together in groupby(rest, key=lambda one: int(one.second)):
            while batch := list(islice(together, BATCH_RECORDS)):
                yield opening + second + 1, batch

    def _put(self, before: int, group: Sequence[Sent]) -> None:
        """Give the lines of a group of messages to the stream, again and again until it has taken all of them."""
        lines = [(self._line(number, one.text), one.second) for number, one in enumerate(group, before)]
        waiting = [(text.encode(), second) for text, second in lines if text is not None]
        if not waiting:
            return
        while waiting:
            try:
                refused = self._stream.put_record_batch([data for data, _ in waiting])
            except ServiceUnavailableError:
                refused = tuple(range(len(waiting)))
            taken = [second for number, (_, second) in enumerate(waiting) if number not in refused]
            # The group counts as done with the last record of it, in whatever order they were taken.
            self._taken += [Record(second, self._now, before) for second in taken]
            waiting = [waiting[number] for number in refused]
            if waiting:
                self._throttled += len(waiting)
                self._now += RETRY
                self._stream.advance()
        self._taken[-1] = self._taken[-1]._replace(done=before + len(group))

    def _line(self, number: int, text: str) -> str | None:
        try:
            return line(_JSON.decode(text), self._job.columns, quoted=self._job.quoted)
        except (ValueError, KeyError, TypeError):
            # Lambda would try it twice more and then drop it.
            self._failed.append(number)
            return None

    def _news(self) -> Iterator[dict[str, Any]]:
        """Yield what is known at each object that was stored meanwhile; write down the place once it is told."""
        for one in self._stream.deliveries[self._deliveries :]:
            self._deliveries += 1
            first = self._taken[self._stored]
            self._stored += one.records
            second = one.at - self._job.opening
            place = self._place_at(self._taken[self._stored - 1].done)
            throttled, self._throttled = self._throttled, 0
            yield {
                "object": one.key,
                "second": round(second, 3),
                "waited": round(second - first.sent, 3),
                "messages": place.messages,
                "lines": one.records,
                "bytes": one.size,
                "throttled": throttled,
            }
            new = self._file.with_suffix(".new")
            new.write_text(json.dumps(place))
            new.replace(self._file)

    def _place_at(self, messages: int) -> Place:
        return Place(messages, self._place.failed + sum(one < messages for one in self._failed))

    def _peak(self) -> int:
        """Return the most records that were taken within any second."""
        times = [one.taken for one in self._taken]
        return max((bisect_left(times, at + 1) - number for number, at in enumerate(times)), default=0)


if __name__ == "__main__":
    carrier = Carrier(Job(**json.loads(sys.argv[1])))
    for _, news in zip(wishes(), carrier.run(), strict=False):
        answer(news)
