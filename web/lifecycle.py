"""What rooms do when the server starts and while it runs: prepare once, start background work, sweep each minute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Flask
from sqlalchemy import Connection

Step = Callable[[Flask], None]
Adoption = Callable[[Connection, int, int], None]


@dataclass
class Lifecycle:
    """``prepare`` runs before the first request is served, ``start`` begins background work, ``sweep`` recurs.

    A sweep is done once for all processes, ``tend`` by each process, for what it keeps in memory.
    ``adopt`` gives what a guest did in a room to the account they signed in to: (connection, guest's id, account's id).
    """

    prepare: list[Step] = field(default_factory=list)
    start: list[Step] = field(default_factory=list)
    sweep: list[Step] = field(default_factory=list)
    tend: list[Step] = field(default_factory=list)
    adopt: list[Adoption] = field(default_factory=list)


def lifecycle(app: Flask) -> Lifecycle:
    """Return the register of ``app``."""
    found: Lifecycle = app.extensions.setdefault("lifecycle", Lifecycle())
    return found
