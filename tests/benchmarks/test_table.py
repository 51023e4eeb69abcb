"""The table of promises: what counts as kept, what it says of old and missing results, and that bench fills it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks import promises
from benchmarks.promises import Promise, Result, find_result, record
from benchmarks.table import MAKEFILE, benchmarks, remarks, table

NOW = datetime(2018, 2, 12, tzinfo=UTC)


def _result(name: str, *kept: Promise, days: int = 0) -> Result:
    return Result(name, NOW - timedelta(days=days), 1.0, "2 cores", {}, kept, {})


@pytest.mark.parametrize(
    ("promise", "met"),
    [
        (Promise("an answer", 1.2, "ms", against="ceiling", other=1.0, ratio_bound=1.5), True),
        (Promise("an answer", 1.6, "ms", against="ceiling", other=1.0, ratio_bound=1.5), False),
        (Promise("a mail", 81, "ms", 80), False),
        (Promise("a pipeline", 21_000, "rows/s", 20_000, at_least=True), True),
        (Promise("a pipeline", 19_000, "rows/s", 20_000, at_least=True), False),
        (Promise("a book", 0.6, "s", 1.0, "pandoc", 2.9, 1 / 6), False),
        (Promise("a page", 1.4, "ms", against="bare", other=0.2), None),
    ],
)
def test_a_promise_is_met_where_every_bound_is_kept(promise: Promise, met: bool | None) -> None:
    assert promise.met is met


def test_a_row_tells_figure_peer_ratio_and_bound() -> None:
    text = table([_result("answers", Promise("an answer", 1.06, "ms CPU", None, "Kolibri", 14.6, 1 / 12))])
    row = "| an answer | 1.06 ms CPU | Kolibri: 14.6 | 1 / 13.8 | at most 1 / 12 | yes | 2018-02-12 00:00 | 1.0 |"
    assert text.splitlines()[-1] == row


def test_the_table_names_what_is_old_and_what_is_missing() -> None:
    fresh, old = _result("fresh", Promise("a", 2, "s", 1)), _result("old", Promise("b", 1, "s", 1), days=2)
    sentences = " ".join(remarks([fresh, old], ["never_run"]))
    assert "1 of 2 promises are met." in sentences
    assert "Without a result: never_run." in sentences
    assert "result: old." in sentences


def test_a_result_is_read_as_it_was_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promises, "RESULTS", tmp_path / "results")
    kept = [Promise("an answer", 1.0, "ms", 2.0)]
    record("answers", kept, rate=900)
    found = find_result("answers")
    assert found is not None
    assert (found.promises, found.figures) == (kept, {"rate": 900})
    assert find_result("other") is None


def test_every_benchmark_of_make_bench_keeps_a_result_under_its_name() -> None:
    names = benchmarks(MAKEFILE.read_text("utf-8"))
    assert names
    for name in names:
        assert f'"{name}"' in (MAKEFILE.parent / "benchmarks" / f"{name}.py").read_text("utf-8")
