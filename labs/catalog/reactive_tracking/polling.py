"""How consumer and updater read a stream: batch by batch, the place kept in a file after each that was done."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from labs.parts.stream_process import BlockingStreamClient

PAUSE = 0.25
"""Seconds between two looks at a shard, which allows five a second; Lambda looked once a second."""

Records = list[tuple[bytes, bytes]]


@dataclass
class Reader:
    """Reads all shards of a stream; ``place`` is the file that knows how far it came."""

    client: BlockingStreamClient
    stream: str
    shards: int
    place: Path

    def each(
        self,
        handle: Callable[[Records], None],
        failures: tuple[type[Exception], ...],
        starts_again: Callable[[], bool] = lambda: False,
    ) -> None:
        """Give each batch to ``handle`` for as long as the process lives.

        A batch whose handling raises one of ``failures`` is given again, whole; so is one during which the process
        died. Where ``starts_again`` says so, reading begins anew with the oldest record.
        """
        while True:
            # What failed is still there at the next look.
            with suppress(OSError, *failures):
                after = [""] * self.shards if starts_again() else self._kept()
                for shard in range(self.shards):
                    self._read(shard, after, handle)
            time.sleep(PAUSE)

    def _read(self, shard: int, after: list[str], handle: Callable[[Records], None]) -> None:
        batch = self.client.read(self.stream, shard, after[shard])
        if batch.records:
            handle(batch.records)
            after[shard] = batch.last
            new = self.place.with_suffix(".new")
            new.write_text(json.dumps(after))
            new.replace(self.place)

    def _kept(self) -> list[str]:
        return list(json.loads(self.place.read_text())) if self.place.exists() else [""] * self.shards
