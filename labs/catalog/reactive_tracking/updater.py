"""The updater: it takes new core data off the update stream, writes it to Redis, and announces what was written."""

from __future__ import annotations

import json
import time
from pathlib import Path

from valkey import Valkey
from valkey.exceptions import ValkeyError

from .polling import Reader, Records
from .redis_link import CHANNEL


def update(reader: Reader, redis: Path, *, publishes: bool, replays: bool) -> None:
    """Update Redis for as long as the process lives; where it ``replays``, a Redis that began anew gets everything."""
    client = Valkey(unix_socket_path=str(redis), decode_responses=True, socket_timeout=1)
    known = ""

    def write(records: Records) -> None:
        for _, data in records:
            fields = json.loads(data)
            client.hset(fields["program_id"], mapping=fields)
            if publishes:
                told = {"program": fields, "published": time.monotonic()}
                client.publish(CHANNEL, json.dumps(told))

    def began_anew() -> bool:
        nonlocal known
        before, known = known, str(client.info("server")["run_id"])  # type: ignore[index]  # the client's types name both kinds of it
        return replays and bool(before) and before != known

    reader.each(write, (ValkeyError,), began_anew)
