"""The relational source: SQLite and MariaDB give the same lines for the same records."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

import pytest

from labs import child, registry
from labs.parts.source import MariaDBSource, Source, SQLiteSource, columns

MakeSource = Callable[[int], Source]


@pytest.fixture(params=["sqlite", "mariadb"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> MakeSource:
    """Return a function that makes a source for records of so many columns."""
    if request.param == "sqlite":
        return lambda count: SQLiteSource(tmp_path / f"source-{count}", count)
    address = request.getfixturevalue("mariadb")
    return lambda count: MariaDBSource(address.replace("/archway", f"/{_database(address, count)}"), count)


def _database(address: str, count: int) -> str:
    socket = address.partition("socket=")[2]
    name = f"archway_{count}"
    statement = f"--execute=CREATE OR REPLACE DATABASE {name}"
    subprocess.run(["mariadb", "--no-defaults", f"--socket={socket}", "--user=root", statement], check=True)
    return name


def ignore(_: int) -> None:
    """Hear how far a source is."""


@pytest.mark.parametrize("count", [3, 102, 103, 600])
def test_records_come_out_as_they_went_in(make: MakeSource, tmp_path: Path, count: int) -> None:
    source, told = make(count), list[int]()
    source.fill("MCS2017", 4100, Random(3), told.append)
    source.fill("MCF2017", 7, Random(4), ignore)
    lines = b"".join(source.extract("MCS2017", told.append))
    assert sum(told) == 8200
    rows = list(csv.reader(lines.decode().splitlines()))
    assert [int(row[0]) for row in rows] == list(range(1, 4101))
    assert {row[1] for row in rows} == {"MCS2017"}
    assert {len(row) for row in rows} == {count} == {len(columns(count))}
    assert {int(value) for row in rows for value in row[2:]} == set(range(10))
    peer = SQLiteSource(tmp_path / "peer", count)
    peer.fill("MCS2017", 4100, Random(3), ignore)
    assert b"".join(peer.extract("MCS2017", ignore)) == lines


def test_the_same_seed_makes_the_same_measures(make: MakeSource) -> None:
    source = make(5)
    for campaign, seed in (("A", 1), ("B", 1), ("C", 2)):
        source.fill(campaign, 9, Random(seed), ignore)
    first, same, other = (b"".join(source.extract(one, ignore)) for one in ("A", "B", "C"))
    assert first.replace(b'"A"', b'"B"') == same != other.replace(b'"C"', b'"B"')


@pytest.mark.parametrize("campaign", ["MCF2018", "../../etc/passwd", "x' OR '1'='1", "", "x\0y", "MCS2017 ", "mcs2017"])
def test_what_is_no_campaign_has_no_records(make: MakeSource, campaign: str) -> None:
    source = make(3)
    source.fill("MCS2017", 3, Random(1), ignore)
    assert list(source.extract(campaign, ignore)) == []


def test_the_lab_finds_the_same_with_either_source(
    mariadb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = registry.CATALOG / "stepfunctions_etl"
    lab, code = registry.read(folder), child.load(folder / "lab.py")
    found, report = [], Silence({"mariadb": mariadb.replace("/archway", f"/{_database(mariadb, 9)}")})
    for source in ("SQLite", "MariaDB"):
        values, _ = lab.read({"records": "60", "columns": "9", "fault": "load killed", "source": source})
        place = tmp_path / source
        place.mkdir()
        monkeypatch.chdir(place)
        found.append(code.run(code.Parameters(**values), 1, report))
    sys.modules.pop("lab_lab")
    assert found[0] == found[1]


class Silence:
    """A report that nobody reads, with these servers."""

    def __init__(self, servers: Mapping[str, str]) -> None:
        self.servers = servers

    def progress(self, share: float) -> None: ...

    def metric(self, at: float, **values: float) -> None: ...

    def log(self, text: str) -> None: ...
