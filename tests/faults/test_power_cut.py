"""A power cut at any moment keeps every acknowledged answer, and a log that is cut anywhere leaves a state that was."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy import insert, select

import db
from accounts.models import PersonRow
from db import Base, Database
from quizzes import store
from quizzes.models import AttemptRow
from quizzes.store import Change, Owner
from tests.faults.crash_disk import Connection, Disk, Operation, RecordedFiles

SAVES, CUTS_A_RECORDING = 200, 100
NOW = datetime(2018, 2, 12, 9, 0, tzinfo=UTC)
OWNER = Owner(select(PersonRow.id).where(PersonRow.id == 1).scalar_subquery(), {})
SAVING, ACKNOWLEDGED = ("note", "saving", 0, b""), ("note", "acknowledged", 0, b"")
State = dict[int, tuple[int, str]]
"""place → (revision, answer)."""


def _begin(database: Database) -> None:
    """Make every table, a person and an attempt."""
    Base.metadata.create_all(database.engine)
    person = {"id": 1, "name": "Ada", "role": "learner", "theme": "auto", "created_at": NOW}
    attempt = {"id": 1, "person_id": 1, "exam": "saa-c01", "seed": 1, "form": [], "places": 65}
    with database.writing() as connection:
        connection.execute(insert(PersonRow).values(**person))
        connection.execute(
            insert(AttemptRow).values(**attempt, started_at=NOW, deadline=NOW + timedelta(hours=2), closed_at=None)
        )


def _save(database: Database, number: int, dice: random.Random) -> State:
    """Save one to sixteen answers in one request, all with the revision ``number``; return them."""
    places = dice.sample(range(1, 66), dice.choice((1, 1, 1, 2, 16)))
    changes = [Change(place, number, dice.choice("abcd"), flagged=False, stamp=None) for place in places]
    saved = store.save(database, OWNER, 1, changes, NOW)
    assert saved is not None
    assert len(saved[1]) == len(changes)
    return {one.place: (number, one.answer) for one in changes}


def _states(saves: list[State]) -> list[State]:
    """Return what is stored before the first save and after each."""
    states: list[State] = [{}]
    for saved in saves:
        states.append({**states[-1], **saved})
    return states


def _find(path: Path) -> State | None:
    """Return what the database holds; None where it cannot be read or is not sound."""
    with closing(sqlite3.connect(path)) as connection, suppress(sqlite3.DatabaseError):
        # Who only looks need not wait for this machine's own disk.
        connection.execute("PRAGMA synchronous=OFF")
        if connection.execute("PRAGMA integrity_check").fetchone() == ("ok",):
            rows = connection.execute("SELECT place, revision, answer FROM quizzes_response")
            return {place: (revision, answer) for place, revision, answer in rows}
    return None


def _judge(found: State | None, states: list[State], acknowledged: int) -> str:
    """Return ``corrupt``, ``half`` (no state that ever was), ``lost`` (older than acknowledged) or nothing."""
    if found is None:
        return "corrupt"
    newest = max((revision for revision, _ in found.values()), default=0)
    if found != states[newest]:
        return "half"
    return "lost" if newest < acknowledged else ""


@pytest.fixture(scope="module")
def files() -> Iterator[RecordedFiles]:
    made = RecordedFiles()
    yield made
    made.unregister()


@pytest.fixture
def record(
    files: RecordedFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[list[Operation], list[State]]]:
    """Return a function that lets the product save answers, by settings of SQLite: (changes of files, states).

    All is as in the product, but that the log goes into the database after every 100 pages instead of 1000, so that
    this happens often enough, and that SQLite is apsw's.
    """
    settings = [*db._PRAGMAS, "PRAGMA wal_autocheckpoint=100"]

    def save(seed: int, **pragmas: str) -> tuple[list[Operation], list[State]]:
        monkeypatch.setattr(db, "_PRAGMAS", settings + [f"PRAGMA {name}={value}" for name, value in pragmas.items()])
        path, dice = tmp_path / f"recorded-{seed}.sqlite3", random.Random(seed)
        creator = partial(Connection, str(path))
        monkeypatch.setattr(
            db, "create_engine", lambda url, **more: sqlalchemy.create_engine(url, creator=creator, **more)
        )
        database, saves = Database(f"sqlite:///{path}"), []
        _begin(database)
        # What was there before the first answer is on the disk for sure.
        begun = [("sync", name, 0, b"") for name in (path.name, f"{path.name}-wal")]
        files.noted.extend(begun)
        for number in range(1, SAVES + 1):
            files.noted.append(SAVING)
            saves.append(_save(database, number, dice))
            files.noted.append(ACKNOWLEDGED)
        noted = files.noted.copy()
        database.engine.dispose()
        files.noted.clear()
        return noted, _states(saves)

    return save


def _cut(noted: list[Operation], states: list[State], folder: Path, cuts: int, dice: random.Random) -> Counter[str]:
    """Cut the power at so many moments by chance, each time from the beginning; count the verdicts."""
    disk, verdicts, acknowledged = Disk(), Counter[str](), 0
    begin = noted.index(SAVING)
    moments = Counter(dice.randrange(begin, len(noted)) for _ in range(cuts))
    folder.mkdir()
    for moment, operation in enumerate(noted):
        for _ in range(moments[moment]):
            verdicts[_judge(_find(_restored(disk.cut(dice), folder)), states, acknowledged)] += 1
        disk.apply(operation)
        acknowledged += operation == ACKNOWLEDGED
    return verdicts


def _restored(images: dict[str, bytes], folder: Path) -> Path:
    """Write the database and its log as the disk has them after a cut; return the database's path."""
    for left in folder.iterdir():
        left.unlink()
    name = min(images, key=len)
    for suffix in ("", "-wal"):
        (folder / f"{name}{suffix}").write_bytes(images[f"{name}{suffix}"])
    return folder / name


def test_no_acknowledged_answer_is_lost_in_a_power_cut(
    record: Callable[..., tuple[list[Operation], list[State]]], tmp_path: Path, sized: Callable[[int, int], int]
) -> None:
    verdicts = Counter[str]()
    for seed in range(sized(3, 50)):
        verdicts += _cut(*record(seed), tmp_path / f"cut-{seed}", CUTS_A_RECORDING, random.Random(seed))
    assert verdicts == {"": sized(300, 5000)}


@pytest.mark.parametrize(("synchronous", "verdict"), [("NORMAL", "lost"), ("OFF", "corrupt")])
def test_the_control_with_fewer_syncs_power_cuts_do_harm(
    record: Callable[..., tuple[list[Operation], list[State]]], tmp_path: Path, synchronous: str, verdict: str
) -> None:
    verdicts = _cut(*record(1, synchronous=synchronous), tmp_path / "cut", 20, random.Random(1))
    assert verdicts[verdict] >= 5


@dataclass(frozen=True)
class Written:
    """A database whose log holds some saves that are not in the database's own file yet."""

    path: Path
    log: bytes
    states: list[State]

    def with_log_of(self, length: int, folder: Path) -> State | None:
        """Return what is found by who opens a copy that has only the first bytes of the log."""
        return _find(_restored({"copy": self.path.read_bytes(), "copy-wal": self.log[:length]}, folder))


@pytest.fixture
def written(tmp_path: Path, sized: Callable[[int, int], int]) -> Iterator[Written]:
    database, dice, saves = Database(f"sqlite:///{tmp_path / 'written.sqlite3'}"), random.Random(7), []
    _begin(database)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    log = tmp_path / "written.sqlite3-wal"
    while log.stat().st_size < sized(50_000, 194_000):
        saves.append(_save(database, len(saves) + 1, dice))
    yield Written(tmp_path / "written.sqlite3", log.read_bytes(), _states(saves))
    database.engine.dispose()


def test_a_log_that_is_cut_anywhere_leaves_a_state_that_was(
    written: Written, tmp_path: Path, sized: Callable[[int, int], int]
) -> None:
    folder, reached = tmp_path / "cut", 0
    folder.mkdir()
    for length in [*range(0, len(written.log), sized(97, 1)), len(written.log)]:
        found = written.with_log_of(length, folder)
        assert _judge(found, written.states, reached) == "", length
        reached = max((revision for revision, _ in found.values()), default=0)
    assert reached == len(written.states) - 1


def test_the_control_half_a_save_and_a_file_that_is_cut_would_be_found(written: Written, tmp_path: Path) -> None:
    many = [[place for place, one in state.items() if one[0] == number] for number, state in enumerate(written.states)]
    last, places = next((number, places) for number, places in enumerate(many) if len(places) > 1)
    whole = written.states[last]
    half = {place: one for place, one in whole.items() if place != places[0]}
    assert _judge(whole, written.states, last) == ""
    assert _judge(half, written.states, last) == "half"
    assert _judge(whole, written.states, last + 1) == "lost"
    images = {"copy": written.path.read_bytes()[:50_000], "copy-wal": b""}
    (tmp_path / "cut").mkdir()
    assert _judge(_find(_restored(images, tmp_path / "cut")), written.states, 0) == "corrupt"
