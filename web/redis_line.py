"""The line that carries rings between processes: a channel of Redis, on which nothing is kept."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from valkey import Valkey
from valkey.client import PubSub
from valkey.exceptions import ValkeyError

CHANNEL = "archway:bell"
PAUSE = 1.0
"""Seconds after which a lost Redis is called again."""
PATIENCE = 1.0
"""Seconds for which somebody who tells waits for Redis."""

log = logging.getLogger(__name__)


class RedisLine:
    """One process's end of the line; ``listen`` holds a connection of its own."""

    def __init__(self, url: str) -> None:
        options = {"socket_connect_timeout": PATIENCE, "socket_timeout": PATIENCE, "health_check_interval": 30}
        self._redis = Valkey.from_url(url, decode_responses=True, **options)

    def tell(self, topic: str) -> None:
        """Tell every process that listens of a topic; where Redis cannot be reached, say so in the log alone."""
        try:
            self._redis.publish(CHANNEL, topic)
        except ValkeyError as error:
            log.warning("Redis cannot be told of work for “%s”; it is found at the next look: %s", topic, error)

    def listen(self, heard: Callable[[str], None], missed: Callable[[], None]) -> None:
        """Call ``heard`` with each topic that is told, and ``missed`` when some may have been, for ever."""
        said = ""
        while True:
            try:
                with PubSub(self._redis.connection_pool) as line:
                    line.subscribe(CHANNEL)  # type: ignore[no-untyped-call]  # (the library has types, but not for this)
                    _pass_on(line, heard, missed)
            except ValkeyError as error:
                if str(error) != said:
                    log.warning("Redis cannot be heard; work is found by looking until it can: %s", error)
                said = str(error)
            time.sleep(PAUSE)


def _pass_on(line: PubSub, heard: Callable[[str], None], missed: Callable[[], None]) -> None:
    while True:
        message = line.get_message(timeout=10)
        if message is None:
            continue
        if message["type"] == "message":
            heard(message["data"])
        else:
            # The connection is new, and what was told before it has not been heard.
            missed()
