"""The load: who taps on what and when, and the answers of each service while they come."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile
from random import Random
from typing import Any

from labs.parts.forked import Telling
from labs.parts.http_load import Answer, Arrival, Client, by_schedule, for_seconds, in_turn

CONNECTIONS = 64
UNKNOWN_PROGRAMS = 20
FORGED = 0.02
"""The share of links whose checksum is another program's."""
PATIENCE = 20.0
"""Seconds in which the last answer must have come."""
TELL = 0.1
"""Seconds between two reports."""


@dataclass(frozen=True)
class Links:
    """The paths that can be asked for, by what is right or wrong with them."""

    good: Sequence[str]
    ended: Sequence[str]
    forged: Sequence[str]
    unknown: Sequence[str]

    def kinds(self) -> dict[str, str]:
        """Return the kind of each path."""
        return {path: kind for kind, paths in vars(self).items() for path in paths}


def links_to(programs: Sequence[Mapping[str, str]]) -> Links:
    """Return the links to programs, and some to none."""
    right = {f"/event/{one['program_id']}?c={one['checksum']}": one["is_valid"] == "1" for one in programs}
    others = [*programs[1:], programs[0]]
    return Links(
        [path for path, valid in right.items() if valid],
        [path for path, valid in right.items() if not valid],
        [f"/event/{one['program_id']}?c={other['checksum']}" for one, other in zip(programs, others, strict=True)],
        [f"/event/{900_000 + number}?c=00000000" for number in range(UNKNOWN_PROGRAMS)],
    )


def taps(links: Links, unknown_share: float, random: Random) -> Iterator[str]:
    """Yield paths for ever, programs that are over as often as others."""
    programs = [*links.good, *links.ended]
    while True:
        drawn = random.random()
        if drawn < unknown_share:
            yield random.choice(links.unknown)
        elif drawn < unknown_share + FORGED:
            yield random.choice(links.forged)
        else:
            yield random.choice(programs)


def arrivals(paths: Iterator[str], rate: float, seconds: float, random: Random) -> list[Arrival]:
    """Return requests that come at random, so many a second on average."""
    gaps = (random.expovariate(rate) for _ in iter(int, 1))
    return [Arrival(due, next(paths)) for due in takewhile(lambda due: due < seconds, accumulate(gaps))]


def scheduled(plans: Mapping[str, tuple[int, Sequence[Arrival]]], begun: float) -> Telling:
    """Return a process that plays the plan of each service, its port and arrivals, and tells the answers by name.

    ``begun`` is the moment, on the monotonic clock, from which arrivals are due.
    """

    async def play(tell: Callable[[Any], None]) -> None:
        answers: dict[str, list[Answer]] = {name: [] for name in plans}
        clients = {name: Client(port, CONNECTIONS, answers[name].append, begun) for name, (port, _) in plans.items()}
        playing = asyncio.gather(*(by_schedule(clients[name], plan) for name, (_, plan) in plans.items()))
        while not playing.done():
            await asyncio.wait([playing], timeout=TELL)
            tell({name: list(found) for name, found in answers.items()})
            for found in answers.values():
                found.clear()

    return Telling(lambda tell: asyncio.run(play(tell)))


@dataclass(frozen=True)
class Rush:
    """How many answers had each status, and how long all of them took."""

    statuses: Counter[int]
    seconds: float

    def rate(self, status: int) -> float:
        """Return the answers with a status a second."""
        return self.statuses[status] / self.seconds


def in_closed_loop(port: int, connections: int, seconds: float, paths: Iterator[str]) -> Rush:
    """Ask for so long as fast as answers come, from a process of its own, and wait for the last answer."""

    async def play(tell: Callable[[Any], None]) -> None:
        statuses = Counter[int]()
        client = Client(port, connections, lambda answer: statuses.update([answer.status]))
        await in_turn(client, for_seconds(client, seconds, paths))
        tell(Rush(statuses, client.now()))

    with Telling(lambda tell: asyncio.run(play(tell))) as asking:
        rush: Rush = asking.told(seconds + PATIENCE)[0]
        return rush
