"""A backup holds everything, is read back when it is made, and is restored whole or not at all, on either database."""

from __future__ import annotations

import json
import shutil
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Connection, MetaData, Table, func, insert, select, update

import config
import db
from accounts.models import PersonRow
from app import create_app
from backups import archive, filling, rows
from backups.rows import CopyError
from content import search
from db import Base
from quizzes.models import PracticeRow, VersionRow
from tests.backups.conftest import KINDS
from tests.rows import fill
from web.server import prepare

NOW = datetime(2018, 2, 12, tzinfo=UTC)
Site = Callable[[str], Flask]
COPIED = MetaData()
for _table in Base.metadata.sorted_tables:
    if _table.name not in search.TABLES:
        _table.to_metadata(COPIED)


def _filled(app: Flask) -> Flask:
    db.upgrade(app.extensions["database"])
    with app.extensions["database"].writing() as connection:
        fill(connection, COPIED)
    return app


def _run(app: Flask, *arguments: object) -> str:
    result = app.test_cli_runner().invoke(args=list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    return result.output


def _refused(app: Flask, *arguments: object) -> str:
    result = app.test_cli_runner().invoke(args=list(map(str, arguments)))
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    assert len(result.stderr.strip().splitlines()) == 1
    return result.stderr


def _sums(app: Flask) -> dict[str, rows.Sum]:
    with app.extensions["database"].reading() as connection:
        return {table.name: rows.total(connection, table) for table in rows.tables(connection, search.TABLES)}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """A site on SQLite with rows in every table, which no test changes."""
    app = create_app(config.load({"ARCHWAY_INSTANCE": str(tmp_path_factory.mktemp("original"))}))
    yield _filled(app)
    app.extensions["database"].engine.dispose()


@pytest.fixture(scope="module")
def kept(original: Flask, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of it."""
    path = tmp_path_factory.mktemp("kept") / "a.zip"
    _run(original, "backup", path)
    return path


@pytest.fixture
def backup(kept: Path, tmp_path: Path) -> Path:
    """A copy of the backup, for one test."""
    return Path(shutil.copy(kept, tmp_path))


def test_what_is_restored_is_what_was_there_on_either_database(
    original: Flask, backup: Path, site: Site, tmp_path: Path
) -> None:
    between, here = site("postgresql"), site("sqlite")
    _run(between, "restore", backup)
    _make_a_person(between)
    _run(between, "backup", tmp_path / "b.zip")
    assert "sound" in _run(here, "restore", "--check", tmp_path / "b.zip")
    assert not _tables(here)
    _run(here, "restore", tmp_path / "b.zip")
    there, found = _sums(original), _sums(here)
    assert found.pop("accounts_person").rows == there.pop("accounts_person").rows + 1 == 4
    assert found == there
    assert {one.rows for one in found.values()} == {3}


def _tables(app: Flask) -> list[str]:
    with app.extensions["database"].reading() as connection:
        return [table.name for table in rows.tables(connection, search.TABLES)]


def _make_a_person(app: Flask) -> None:
    """Fail where the database gives a number that a restored row has."""
    with app.extensions["database"].writing() as connection:
        connection.execute(insert(PersonRow).values(name="x", role="learner", theme="auto", created_at=NOW))


def test_every_table_is_in_a_backup_but_for_those_made_anew(kept: Path) -> None:
    assert set(archive.check(kept).sums) == set(Base.metadata.tables) - search.TABLES


def test_search_finds_after_a_restore_and_a_start(app: Flask, site: Site, tmp_path: Path) -> None:
    _run(app, "backup", tmp_path / "a.zip")
    other = site("sqlite")
    _run(other, "restore", tmp_path / "a.zip")
    prepare(other)
    assert "Lambda" in other.test_client().get("/search?q=lambda").text


def test_a_backup_is_for_its_owner_and_replaces_nothing(original: Flask, backup: Path) -> None:
    assert backup.stat().st_mode & 0o777 == 0o600
    before = backup.read_bytes()
    assert "another name" in _refused(original, "backup", backup)
    assert backup.read_bytes() == before
    assert "cannot be written" in _refused(original, "backup", backup.parent / "nowhere" / "a.zip")
    assert list(backup.parent.iterdir()) == [backup]


def test_a_backup_of_nothing_is_refused(site: Site, tmp_path: Path) -> None:
    assert "ARCHWAY_DATABASE_URL" in _refused(site("sqlite"), "backup", tmp_path / "a.zip")


def test_a_damaged_backup_is_refused_wherever_it_is_damaged(site: Site, backup: Path) -> None:
    app, whole = site("sqlite"), backup.read_bytes()
    with zipfile.ZipFile(backup) as opened:
        members = [one for one in opened.infolist() if one.compress_size > 60]
    for member in members[::5]:
        place = member.header_offset + 60 + len(member.filename)
        backup.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        with pytest.raises(CopyError, match="damaged"):
            archive.check(backup)
    for end in (0, 1, len(whole) // 2, len(whole) - 1):
        backup.write_bytes(whole[:end])
        assert "damaged" in _refused(app, "restore", backup)
    assert not _tables(app)


def _rewrite(path: Path, member: str, change: Callable[[bytes], bytes]) -> None:
    """Change a member of an archive so that the ZIP itself is sound."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(path.with_suffix(".new"), "w") as new:
        for one in old.infolist():
            new.writestr(one.filename, change(old.read(one)) if one.filename == member else old.read(one))
    path.with_suffix(".new").replace(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: b"".join(lines.splitlines(keepends=True)[1:]),
        lambda lines: lines.replace(b"learner", b"learned") if b"learner" in lines else lines.replace(b"name", b"nbme"),
        lambda lines: b"".join(reversed(lines.splitlines(keepends=True))),
    ],
    ids=["a row is missing", "a letter differs", "the order differs"],
)
def test_the_sums_find_what_the_zip_does_not(site: Site, backup: Path, change: Callable[[bytes], bytes]) -> None:
    _rewrite(backup, "tables/accounts_person.jsonl", change)
    assert "accounts_person is not what was written" in _refused(site("sqlite"), "restore", backup)


def test_a_backup_of_a_later_release_is_refused(site: Site, backup: Path) -> None:
    app = site("sqlite")
    _rewrite(backup, "manifest.json", lambda text: json.dumps({**json.loads(text), "schema": "9000"}).encode())
    assert "schema 9000" in _refused(app, "restore", backup)
    _rewrite(backup, "manifest.json", lambda text: json.dumps({**json.loads(text), "format": 2}).encode())
    assert "format 2" in _refused(app, "restore", backup)
    assert not _tables(app)


@pytest.mark.parametrize("kind", KINDS)
def test_a_database_that_holds_something_is_replaced_only_on_demand(
    original: Flask, backup: Path, site: Site, kind: str
) -> None:
    app = site(kind)
    db.upgrade(app.extensions["database"])
    _make_a_person(app)
    before = _sums(app)
    assert "--replace" in _refused(app, "restore", backup)
    assert _sums(app) == before
    _run(app, "restore", "--replace", backup)
    assert _sums(app)["accounts_person"].rows == 3
    (earlier,) = backup.parent.glob("before-restore-*.zip")
    assert dict(archive.check(earlier).sums) == before
    key = app.extensions["settings"].instance / "secret-key"
    assert key.read_text() == original.extensions["settings"].secret_key, "so that links in mails hold"
    assert key.stat().st_mode & 0o777 == 0o600


def test_a_backup_of_an_older_schema_is_restored_and_brought_up_to_date(site: Site, tmp_path: Path) -> None:
    old, new = site("sqlite"), site("postgresql")
    with old.extensions["database"].writing() as connection:
        db.migrate(connection, "0003")
        schema = MetaData()
        schema.reflect(connection, only=lambda name, _: name not in {"alembic_version", *search.TABLES})
        fill(connection, schema)
    _run(old, "backup", tmp_path / "a.zip")
    assert archive.check(tmp_path / "a.zip").schema == "0003"
    db.upgrade(new.extensions["database"])
    _run(new, "restore", tmp_path / "a.zip")
    with new.extensions["database"].reading() as connection:
        assert db.revision(connection) == db.newest_revision()
        assert connection.execute(select(func.count()).select_from(PracticeRow)).scalar_one() == 3
        assert connection.execute(select(PracticeRow.credit).order_by(PracticeRow.id)).scalars().all() == [0, 1, 0]


def test_moving_to_postgresql_verifies_and_says_what_was_moved(original: Flask, site: Site) -> None:
    here, address = site("postgresql"), original.extensions["database"].url
    output = _run(here, "move-database", address)
    assert f"{len(COPIED.tables)} tables, {3 * len(COPIED.tables)} rows" in output
    assert _sums(here) == _sums(original)
    _make_a_person(here)
    assert "not empty" in _refused(here, "move-database", address)
    assert "own database" in _refused(original, "move-database", address)
    assert "does not exist" in _refused(here, "move-database", "sqlite:////nowhere/x.sqlite3")


def test_what_postgresql_does_not_take_is_named_and_nothing_is_changed(site: Site) -> None:
    there, here = site("sqlite"), site("postgresql")
    db.upgrade(there.extensions["database"])
    _make_a_person(there)
    for name, sentence in (("a\0b", "NUL"), ("x" * 81, "too long")):
        with there.extensions["database"].writing() as connection:
            connection.execute(update(PersonRow).values(name=name))
        reason = _refused(here, "move-database", there.extensions["database"].url)
        assert "accounts_person" in reason
        assert sentence in reason
    assert not _tables(here)


# Both databases have transactions; that restores of both are compared is the test above.
@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
def test_the_control_rows_that_are_lost_on_the_way_are_found_and_nothing_is_changed(
    original: Flask, backup: Path, site: Site, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    def forget_links(connection: Connection, table: Table, parts: Iterator[list[rows.Row]]) -> None:
        rows.write(connection, table, (part[table.name == "accounts_link" :] for part in parts))

    here = site(kind)
    _run(here, "restore", backup)
    with here.extensions["database"].writing() as connection:
        connection.execute(update(PersonRow).values(theme="dark"))
    before = _sums(here)
    monkeypatch.setattr(filling, "write", forget_links)
    assert "Not stored as they were: accounts_link." in _refused(here, "restore", "--replace", backup)
    assert _sums(here) == before


def test_a_backup_takes_little_memory_however_large_the_database_is(site: Site, tmp_path: Path) -> None:
    app = site("sqlite")
    db.upgrade(app.extensions["database"])
    fingerprints = [{"fingerprint": f"{number:064}", "question_id": "q", "key": {}} for number in range(6000)]
    with app.extensions["database"].writing() as connection:
        connection.execute(insert(VersionRow), [{**one, "question": {"text": "x" * 5000}} for one in fingerprints])
    tracemalloc.start()
    with app.extensions["database"].reading() as connection:
        archive.make(connection, tmp_path / "a.zip", search.TABLES, "x" * 64, NOW)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10e6, "of 30 MB"
