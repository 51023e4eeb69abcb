"""Two runs side by side: what was set differently, and how far the findings are apart."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from labs import comparison, display, registry
from labs.matrices import Answer, Cell, Matrix
from labs.store import StoredRun

LAB = registry.read(Path("tests/labs/catalog/messages"))


def _run(number: int, findings: dict[str, Any], **texts: str) -> StoredRun:
    values, faults = LAB.read(texts)
    assert faults == {}
    found = {name: {"value": value, "unit": "messages"} for name, value in findings.items()}
    return StoredRun(number, 1, LAB.slug, values, 1, "done", "", found, {}, datetime(2018, 1, 1, tzinfo=UTC), False)


def test_only_what_differs_is_shown() -> None:
    first, second = _run(1, {}, messages="20"), _run(2, {}, messages="30", rules="[]")
    messages, rules = comparison.settings(LAB, first, second)
    assert (messages.label, messages.first, messages.second, messages.unit) == ("Messages", "20", "30", "messages")
    assert rules.lines == ("@@ -0,0 +1 @@", "+[]")
    assert comparison.settings(LAB, first, first) == []


def test_of_texts_the_lines_that_differ_are_shown() -> None:
    texts = [f'{{\n"StartAt": "{name}",\n"States": {{}}\n}}' for name in ("A", "B")]
    (machine,) = comparison.settings(LAB, *(_run(1, {}, machine=text) for text in texts))
    assert machine.lines[1:4] == (" {", '-"StartAt": "A",', '+"StartAt": "B",')


def test_findings_stand_in_pairs_with_their_difference() -> None:
    first = _run(1, {"sent": 40, "share": 0.5, "whole": True, "name": "a", "histogram": [[1.0, 2]], "only": 1})
    second = _run(2, {"sent": 30, "share": 0.75, "whole": False, "name": "b", "histogram": [[1.0, 2]]})
    pairs = {one.label: one for one in comparison.pairs(first, second)}
    assert [*pairs] == ["Sent", "Share", "Whole", "Name", "Only"]
    assert (pairs["Sent"].first, pairs["Sent"].second, pairs["Sent"].difference) == ("40", "30", "−10")
    assert pairs["Share"].difference == "+0.2500"
    assert (pairs["Whole"].first, pairs["Whole"].second, pairs["Whole"].difference) == ("yes", "no", display.NONE)
    assert (pairs["Only"].second, pairs["Only"].difference) == (display.NONE, display.NONE)


def test_of_matrices_the_answers_that_differ_are_shown() -> None:
    first, second = (
        Matrix(("ann",), ("box",), ((Cell("", (Answer("read", read, ""), Answer("list", True, ""), *more)),),)).value()
        for read, more in ((True, ()), (False, (Answer("write", False, ""),)))
    )
    assert comparison.answers(_run(1, {"who": first}), _run(2, {"who": second})) == [
        comparison.Pair("Who: ann, box, read", "allowed", "denied", "", display.NONE),
        comparison.Pair("Who: ann, box, write", display.NONE, "denied", "", display.NONE),
    ]
