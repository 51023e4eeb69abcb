"""Workers that are killed again and again lose no mail, double none, and leave at most one uncertain each."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from db import Base, Database
from publisher import outbox
from publisher.delivery import LEASE
from publisher.models import DeliveryRow, SubscriberRow
from tests.databases import Databases
from tests.faults.mail_sender import clock, send
from tests.publisher.smtp_sink import Sink, listening

READERS, WORKERS, BETWEEN_KILLS = (400, 5000), 2, 55
KINDS = (*["plain"] * 12, "grey", "grey", "late", "late", "gone", "gone", "drop", "void")
"""Refused for now before the mail or after it, refused for good, and lost after the mail, with it or without."""
SERVER = "postgresql+psycopg://postgres@127.0.0.1:5432"
MONTH = "2018-02"


@pytest.fixture
def database(tmp_path: Path, databases: Databases) -> Iterator[Database]:
    made = Database(databases.address(tmp_path))
    Base.metadata.create_all(made.engine)
    yield made
    made.engine.dispose()


def _fill(database: Database, readers: int = READERS[0]) -> None:
    """Subscribe readers, whose names tell the server what to do with their mail; two of five want the book itself."""
    now = clock()
    rows = [
        {
            "id": f"{number:024d}",
            "email": f"{KINDS[number % len(KINDS)]}-{number}@example.org",
            "channel": "kindle" if number % 5 < 2 else "link",
            "domain": "example.org",
            "created_at": now,
            "changed_at": now,
        }
        for number in range(readers)
    ]
    same = {"kindle": "", "language": "en", "country": "DE", "state": "active", "reason": ""}
    with database.writing() as connection:
        connection.execute(insert(SubscriberRow), [{**row, **same} for row in rows])
        assert outbox.enqueue(database, connection, MONTH, "sha", now) == readers
        assert outbox.enqueue(database, connection, MONTH, "sha", now) == 0


def _kill_and_replace(start: Callable[[], subprocess.Popen[bytes]], sink: Sink) -> int:
    """Let WORKERS send, and kill them in turns, each after some mails, until nothing is left; return the kills."""
    workers, kills, got, end = [start() for _ in range(WORKERS)], 0, 0, time.monotonic() + 1200
    while any(worker.poll() is None for worker in workers):
        assert time.monotonic() < end
        got += sink.got.acquire(timeout=0.2)
        if got >= BETWEEN_KILLS and workers[kills % WORKERS].poll() is None:
            victim = workers[kills % WORKERS]
            victim.send_signal(signal.SIGKILL)
            victim.wait()
            workers[kills % WORKERS] = start()
            kills, got = kills + 1, 0
    assert [worker.returncode for worker in workers] == [0] * WORKERS
    return kills


def _states(database: Database) -> dict[str, tuple[str, str]]:
    """Return (state, channel) by address."""
    rows = select(SubscriberRow.email, DeliveryRow.state, DeliveryRow.channel).join(DeliveryRow)
    with database.reading() as connection:
        return {email: (state, channel) for email, state, channel in connection.execute(rows)}


def test_no_mail_is_lost_or_doubled_under_kills(database: Database, sized: Callable[..., int]) -> None:
    _fill(database, sized(*READERS))
    with listening(pause=0.003) as sink:
        sink.busy = 40
        url = database.engine.url.render_as_string(hide_password=False)
        program = [sys.executable, "-m", "tests.faults.mail_sender", url, str(sink.port)]
        kills = _kill_and_replace(lambda: subprocess.Popen(program), sink)
        with database.writing() as connection:
            outbox.recover(connection, clock() + LEASE)
        got, states = Counter(sink.recipients()), _states(database)
        uncertain = {email for email, (state, _) in states.items() if state == "uncertain"}

        assert kills >= 5
        assert [email for email, count in got.items() if count > 1] == []
        assert {state for state, _ in states.values()} == {"sent", "refused", "uncertain"}
        refused = {email for email, (state, _) in states.items() if state == "refused"}
        gone = {email for email in states if email.startswith("gone")}
        # Whoever is killed between the refusal and its row leaves that one uncertain too.
        assert refused <= gone <= refused | uncertain
        assert set(states) - set(got) <= uncertain | gone
        assert sink.drops == sum(email.startswith(("drop", "void")) for email in states)
        assert len(uncertain) <= kills + sink.drops

        with database.writing() as connection:
            outbox.repeat_links(connection, clock(), timedelta(0) - LEASE)
        send(database, sink.port)
    names = {email: {name for recipient, name in sink.mails if recipient == email} for email in got}
    assert all(len(one) == 1 for one in names.values())
    again = Counter(sink.recipients())
    assert {states[email][1] for email, count in again.items() if count > 1} <= {"link"}
    assert max(again.values()) == 2


def test_the_control_a_worker_that_marks_its_mails_after_sending_doubles_them(database: Database) -> None:
    _fill(database)
    with listening(pause=0.005) as sink:
        program = [sys.executable, "-m", "tests.faults.mail_sender", database.url, str(sink.port), "hasty"]
        workers = [subprocess.Popen(program) for _ in range(WORKERS)]
        for _ in range(150):
            assert sink.got.acquire(timeout=60)
        for worker in workers:
            worker.kill()
            worker.wait()
    assert max(Counter(sink.recipients()).values()) > 1
