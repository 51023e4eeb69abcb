"""The article's magical pizza, recorded from the limiter itself: who holds which slice, second by second.

Slices are executions, friends are functions, and what each may hold is its limit. ``animation.json`` is the output of
``python -m labs.catalog.lambda_concurrency.pizza``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from labs.parts.limiter import RunningCounter

SLICES, SECONDS, SEED = 8, 40, 3
NOBODY = "-"
EATING = (2, 5)
"""The least and the most seconds that a slice takes."""


@dataclass
class Friend:
    """Somebody who wants to hold so many slices at a time, and may if the limiter, own or shared, admits it."""

    name: str
    wants: int
    limiter: RunningCounter
    holds: list[tuple[int, int]] = field(default_factory=list)
    """The slices in hand, as (place on the pizza, second in which it is there again)."""

    def put_back(self, now: int) -> None:
        """Let the slices re-appear that have been eaten."""
        self.holds = [(place, until) for place, until in self.holds if until > now]

    def take(self, now: int, free: list[int], random: Random) -> None:
        """Take slices until enough are in hand or the limiter admits no more."""
        while len(self.holds) < self.wants and self.limiter.admits(now):
            until = now + random.randint(*EATING)
            self.limiter.hold_until(until)
            self.holds.append((free.pop(0), until))


def record(wants: dict[str, int], limits: Sequence[int], seed: int = SEED) -> list[dict[str, Any]]:
    """Return for each second the letter of who holds each slice, and how many more each friend waits for.

    Without ``limits`` all friends share the pizza's one limit.
    """
    random = Random(seed)  # noqa: S311 (a repeatable experiment, no secret)
    shared = RunningCounter(SLICES)
    limiters = [RunningCounter(limit) for limit in limits] or [shared] * len(wants)
    friends = [Friend(name, many, limiter) for (name, many), limiter in zip(wants.items(), limiters, strict=True)]
    frames = []
    for now in range(SECONDS):
        for friend in friends:
            friend.put_back(now)
        taken = {place for friend in friends for place, _ in friend.holds}
        free = [place for place in range(SLICES) if place not in taken]
        for friend in random.sample(friends, len(friends)):
            friend.take(now, free, random)
        frames.append(_frame(friends))
    return frames


def recording() -> dict[str, Any]:
    """Return the three evenings of the article: one slice each, three who take two, and an agreement."""
    names = ("Shawn", "Kate", "Daniela", "Chuck", "Ian", "Avleen")
    modest = dict.fromkeys(names, 1)
    hungry = modest | {"Shawn": 2, "Kate": 2, "Daniela": 2}
    return {
        "names": names,
        "evenings": [
            {"title": "One slice each", "frames": record(modest, ())},
            {"title": "Three friends want two", "frames": record(hungry, ())},
            {
                "title": "They agree: two for Shawn and Kate, one for each other",
                "frames": record(hungry, (2, 2, 1, 1, 1, 1)),
            },
        ],
    }


def _frame(friends: Sequence[Friend]) -> dict[str, Any]:
    holders = [NOBODY] * SLICES
    for friend in friends:
        for place, _ in friend.holds:
            holders[place] = friend.name[0]
    return {"slices": "".join(holders), "waits": [friend.wants - len(friend.holds) for friend in friends]}


if __name__ == "__main__":
    print(json.dumps(recording(), separators=(",", ":")))  # noqa: T201 (the output is the file)
