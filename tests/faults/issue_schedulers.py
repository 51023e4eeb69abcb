"""Schedulers to be killed: forked at once at the word of a test, they tick while months go by in parts of a second."""

from __future__ import annotations

import math
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, insert, update

from db import Database
from publisher import claims, schedule, store
from publisher.claims import Claim
from publisher.epub import Edition
from publisher.models import RunRow
from publisher.news import Printed
from publisher.progress import Report

BEGIN = datetime(2000, 12, 1, tzinfo=UTC)
MONTH = timedelta(days=30.5)
SECONDS_A_MONTH = 0.2
LEASE_IN_SECONDS = 0.5
SAVED = Table(
    "saved", MetaData(), Column("id", Integer, primary_key=True), Column("month", String(7)), Column("owner", String(9))
)
"""A row for each time that an issue was kept, committed with it."""


def months(number: int) -> list[str]:
    return [f"{2001 + place // 12}-{place % 12 + 1:02}" for place in range(number)]


def clock(start: float) -> datetime:
    return BEGIN + (time.time() - start) / SECONDS_A_MONTH * MONTH


def keep_counted(owner: str) -> Callable[..., None]:
    keep = store.save

    def save(database: Database, connection: Connection, edition: Edition, now: datetime) -> None:
        keep(database, connection, edition, now)
        connection.execute(insert(SAVED).values(month=edition.month, owner=owner))

    return save


def take_anyway(database: Database, month: str, owner: str, now: datetime) -> Claim:
    """Claim a month without asking whether somebody has it."""
    claimed = update(RunRow).where(RunRow.month == month)
    with database.writing() as connection:
        connection.execute(claimed.values(state="building", owner=owner, lease_until=now, token=RunRow.token + 1))
    return Claim(month, owner, 0)


def finish_anyway(connection: Connection, claim: Claim, _now: datetime) -> bool:
    return bool(connection.execute(update(RunRow).where(RunRow.month == claim.month).values(state="done")).rowcount)


def run(url: str, log: Path, start: float, number: int, owner: str, longest: float) -> None:
    """Tick for ever; a build takes up to ``longest`` seconds, and may so outlast its lease.

    One of infinite seconds ends when there is a file ``wake`` beside the log.
    """
    database, chance, due = Database(url), random.Random(owner), months(number)
    store.save = keep_counted(owner)

    def say(word: str, month: str = "") -> None:
        with log.open("a") as file:
            file.write(f"{word} {owner} {month}\n")

    def build(month: str, _report: Report) -> Edition:
        say("builds", month)
        if math.isinf(longest):
            while not log.with_name("wake").exists():
                time.sleep(0.02)
        else:
            time.sleep(chance.uniform(0.5, 1) * longest)
        return Edition(month, owner, b"book", "sha", "manifest", b"kindle", b"cover", Printed(month), None)

    while True:
        schedule.tick(database, lambda: clock(start), due, build, owner)
        schedule.announce(database, clock(start), due, lambda _book: True)
        say("ticked")
        time.sleep(0.02)


def serve(url: str, log: str, start: str, number: str, *mode: str) -> None:
    """Fork a scheduler for each line ``owner seconds`` of standard input, and answer with its process id."""
    claims.LEASE = LEASE_IN_SECONDS / SECONDS_A_MONTH * MONTH
    schedule.TIMELY = 1000 * MONTH
    if mode == ("hasty",):
        replaced: Any = claims
        replaced.take, replaced.finish = take_anyway, finish_anyway
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        owner, longest = line.split()
        child = os.fork()
        if child == 0:
            sys.stdin.close()
            run(url, Path(log), float(start), int(number), owner, float(longest))
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve(*sys.argv[1:])
