"""A lab and a run as JSON and CSV: everything that repeats the run, and nothing that gives a task away."""

from __future__ import annotations

import csv
import io
import json

from labs import documents, registry
from labs.documents import Result

LAB = registry.read(registry.CATALOG / "lambda_concurrency")
FINDINGS = {
    "rejected": {"value": 2500, "unit": "requests"},
    "reserved": {"value": True, "unit": "yes or no"},
    "histogram": {"value": [[0.5, 3], [1.0, 2]], "unit": "responses up to each edge in s"},
}


def _rows(result: Result) -> list[list[str]]:
    return list(csv.reader(io.StringIO(documents.table(result))))


def test_a_table_has_a_row_for_everything() -> None:
    values, _faults = LAB.read({"reserved_concurrency": "25", "other_reservations": "350, 200"})
    rows = _rows(Result(LAB, values, 7, FINDINGS, {"half_is_refused": True, "kill_switch": False}))
    assert rows[0] == ["kind", "name", "value", "unit"]
    assert {tuple(row) for row in rows} >= {
        ("parameter", "reserved_concurrency", "25", "executions"),
        ("parameter", "other_reservations", "350 200", "executions"),
        ("parameter", "seed", "7", ""),
        ("finding", "rejected", "2500", "requests"),
        ("finding", "reserved", "yes", "yes or no"),
        ("finding", "histogram up to 0.5", "3", "responses up to each edge in s"),
        ("check", "half_is_refused", "yes", ""),
        ("check", "kill_switch", "no", ""),
    }
    assert len(rows) == 1 + len(LAB.parameters) + 1 + 4 + 2


def test_no_cell_is_a_formula() -> None:
    values = {"query": '=HYPERLINK("x")\nSELECT', "less": -5, "sum": "+1", "plain": "a=b"}
    cells = {row[1]: row[2] for row in _rows(Result(LAB, values, 1, {}, {}))}
    assert cells["query"] == '\'=HYPERLINK("x")\nSELECT'
    assert (cells["less"], cells["sum"], cells["plain"]) == ("-5", "'+1", "a=b")


def test_each_row_of_a_table_has_a_row() -> None:
    findings = {
        "result": {"value": {"kind": "table", "columns": ["a", "b"], "rows": [["=1+1", 2], ["x", None]]}, "unit": ""}
    }
    rows = _rows(Result(LAB, {}, 7, findings, {}))
    assert rows[2:] == [["finding", "result row 1", "'=1+1 2", ""], ["finding", "result row 2", "x None", ""]]


def test_a_lab_is_described_without_its_hints_and_its_solution() -> None:
    described = documents.describe(LAB, ())
    text = json.dumps(described)
    assert described["slug"] == LAB.slug
    by_name = {one["name"]: one for one in described["parameters"]}
    assert (by_name["requests"]["minimum"], by_name["requests"]["maximum"]) == (1, 10_000_000)
    assert by_name["preset"]["choices"] == ("exact", "fitted")
    assert "minimum" not in by_name["preset"]
    assert [one["check"] for one in described["tasks"]] == [task.check for task in LAB.tasks]
    assert not any(task.hint in text for task in LAB.tasks)
