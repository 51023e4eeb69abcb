"""A finding that is a matrix: stored as JSON, shown on the page, taken away as CSV."""

from __future__ import annotations

import csv
import io
import json

from labs import display, documents, matrices, registry
from labs.documents import Result
from labs.matrices import Answer, Cell, Matrix

LAB = registry.read(registry.CATALOG / "lambda_concurrency")
CELLS = (
    Cell("By a mapping.", (Answer("list", True, "A statement allows it."), Answer("read", False, "No statement."))),
    Cell("", (Answer("list", False, "=No."),)),
)
MATRIX = Matrix(("guest",), ("payroll", "default"), (CELLS,))
FINDINGS = {
    "who_may": {"value": json.loads(json.dumps(MATRIX.value())), "unit": "requests"},
    "granted": {"value": 1, "unit": "requests"},
    "histogram": {"value": [[1.0, 2]], "unit": ""},
}


def test_a_matrix_is_the_same_after_it_was_stored() -> None:
    assert matrices.read(FINDINGS["who_may"]["value"]) == MATRIX
    assert matrices.read(FINDINGS["histogram"]["value"]) is None
    assert matrices.read({"kind": "another"}) is None


def test_a_page_is_given_the_matrices_by_their_names() -> None:
    assert display.matrices_of(FINDINGS) == {"Who may": MATRIX}


def test_a_cell_says_what_was_granted_and_what_was_not() -> None:
    assert (CELLS[0].asked(granted=True), CELLS[0].asked(granted=False)) == ("list", "read")


def test_a_table_has_a_row_for_each_answer() -> None:
    rows = list(csv.reader(io.StringIO(documents.table(Result(LAB, {}, 1, FINDINGS, {})))))
    assert [row for row in rows if row[1].startswith("who_may")] == [
        ["finding", "who_may: guest, payroll, list", "allowed", "requests"],
        ["finding", "who_may: guest, payroll, read", "denied", "requests"],
        ["finding", "who_may: guest, default, list", "denied", "requests"],
    ]
