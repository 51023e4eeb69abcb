"""The warehouse's process: it is really killed, and what was committed is all that is left."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs.parts.bucket import DirectoryBucket
from labs.parts.report_table import ReportTable
from labs.parts.warehouse_process import WarehouseProcess

NAMES = ("record", "campaign", "measure_1")
OBJECT = b'1,"MCS2017",7\n2,"MCS2017",0\n3,"MCS2017",9\n'
KEY = "exports/it's [odd] *.csv"


@pytest.fixture
def bucket(tmp_path: Path) -> DirectoryBucket:
    found = DirectoryBucket(tmp_path / "bucket")
    found.put(KEY, OBJECT)
    return found


@pytest.fixture
def process(tmp_path: Path, bucket: DirectoryBucket) -> Iterator[WarehouseProcess]:
    with WarehouseProcess(tmp_path / "report.duckdb", tmp_path / "bucket") as running:
        yield running


@pytest.fixture
def table(process: WarehouseProcess) -> ReportTable:
    made = ReportTable(process, NAMES, "2018-02-13")
    made.fill("MCF2017", 5, "2018-02-12")
    return made


def test_what_is_loaded_is_what_the_object_holds(table: ReportTable, process: WarehouseProcess) -> None:
    assert table.copy(KEY) == 3
    rows = process.look(
        "SELECT record, campaign, measure_1, loaded::TEXT FROM report WHERE loaded > '2018-02-12'::DATE"
    )
    assert rows == [[1, "MCS2017", 7, "2018-02-13"], [2, "MCS2017", 0, "2018-02-13"], [3, "MCS2017", 9, "2018-02-13"]]
    assert table.summary() == (5, 3, 3)
    table.copy(KEY)
    assert table.summary() == (5, 6, 3)


def test_an_object_that_was_written_again_is_read_anew(table: ReportTable, bucket: DirectoryBucket) -> None:
    assert table.copy(KEY) == 3
    bucket.put(KEY, OBJECT[:28])
    assert table.copy(KEY) == 2


@pytest.mark.parametrize("committed", [True, False])
def test_a_kill_keeps_what_was_committed_and_nothing_else(
    table: ReportTable, process: WarehouseProcess, committed: bool
) -> None:
    table.begin()
    table.empty()
    table.copy(KEY)
    assert process.run("SELECT count(*) FROM report") == [[3]]
    assert table.rows() == 5
    if committed:
        table.commit()
    assert table.kill() == 9
    assert table.summary() == ((0, 3, 3) if committed else (5, 0, 0))
    table.begin()
    table.empty()
    table.copy(KEY)
    table.commit()
    assert table.summary() == (0, 3, 3)


def test_the_process_that_is_killed_is_gone(process: WarehouseProcess) -> None:
    before = process.run("SELECT 1")
    first = process._process.pid
    assert process.kill() == 9
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
    with pytest.raises(OSError, match="does not run"):
        process.look("SELECT 1")
    process.restart()
    assert (process.run("SELECT 1"), process._process.pid != first) == (before, True)


def test_a_statement_that_fails_is_told_and_the_process_goes_on(process: WarehouseProcess, table: ReportTable) -> None:
    with pytest.raises(OSError, match="no_such_table"):
        process.run("SELECT * FROM no_such_table")
    with pytest.raises(OSError, match="bucket"):
        table.copy("exports/none.csv")
    assert table.rows() == 5
