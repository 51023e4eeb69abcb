"""What rooms do when the server starts and while it runs: prepare once, work on queues, sweep each minute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from flask import Flask
from sqlalchemy import Connection

from accounts.personal import Claim

Step = Callable[[Flask], None]
Adoption = Callable[[Connection, int, int], None]
Expiry = Callable[[Connection, datetime, timedelta, int], int]
Going = Callable[[], bool]


class Worker(Protocol):
    """Works on a queue that is a table. ``topic`` names it, for people and for the bell that tells of new work.

    ``idle``: seconds between two looks at an empty queue of which no bell tells.
    """

    topic: str
    idle: float

    def run_next(self, going: Going) -> bool:
        """Claim and do one piece of work; return whether there was one. Give it back once ``going`` says no."""
        ...


@dataclass
class Lifecycle:
    """``prepare`` runs before the first request is served, ``workers`` make those for the queues, ``sweep`` recurs.

    A sweep is done once for all processes, ``tend`` by each process, for what it keeps in memory.
    ``adopt`` gives what a guest did in a room to the account they signed in to: (connection, guest's id, account's id).
    ``expire`` forgets what was kept for long enough: (connection, now, how long, most at once) → how much went.
    """

    prepare: list[Step] = field(default_factory=list)
    workers: list[Callable[[Flask], Worker]] = field(default_factory=list)
    sweep: list[Step] = field(default_factory=list)
    tend: list[Step] = field(default_factory=list)
    adopt: list[Adoption] = field(default_factory=list)
    expire: list[Expiry] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    """Each says, of a person's id and address, which rows are theirs though no key that cascades says so."""
    rebuilt: set[str] = field(default_factory=set)
    """Names of tables that ``prepare`` fills anew where they are empty, so that a backup leaves them out."""


def lifecycle(app: Flask) -> Lifecycle:
    """Return the register of ``app``."""
    found: Lifecycle = app.extensions.setdefault("lifecycle", Lifecycle())
    return found
