"""docs/asvs.csv has one row for each requirement of OWASP ASVS 5.0.0, levels 1 and 2, and each test that it names."""

from __future__ import annotations

import ast
import csv
import re
from collections import Counter
from functools import cache
from pathlib import Path

LEVELS = {
    "V1.1": "22",
    "V1.2": "1111122223",
    "V1.3": "112222222223",
    "V1.4": "222",
    "V1.5": "123",
    "V2.1": "122",
    "V2.2": "112",
    "V2.3": "12223",
    "V2.4": "23",
    "V3.1": "3",
    "V3.2": "113",
    "V3.3": "12223",
    "V3.4": "11222233",
    "V3.5": "11122333",
    "V3.6": "3",
    "V3.7": "22333",
    "V4.1": "12233",
    "V4.2": "23333",
    "V4.3": "22",
    "V4.4": "1222",
    "V5.1": "2",
    "V5.2": "112333",
    "V5.3": "113",
    "V5.4": "222",
    "V6.1": "122",
    "V6.2": "111111112222",
    "V6.3": "11223333",
    "V6.4": "112233",
    "V6.5": "22222333",
    "V6.6": "2223",
    "V6.7": "33",
    "V6.8": "2222",
    "V7.1": "222",
    "V7.2": "1111",
    "V7.3": "22",
    "V7.4": "11222",
    "V7.5": "223",
    "V7.6": "22",
    "V8.1": "1233",
    "V8.2": "1123",
    "V8.3": "133",
    "V8.4": "23",
    "V9.1": "111",
    "V9.2": "1222",
    "V10.1": "22",
    "V10.2": "223",
    "V10.3": "22223",
    "V10.4": "1111122222233333",
    "V10.5": "22222",
    "V10.6": "22",
    "V10.7": "222",
    "V11.1": "2233",
    "V11.2": "22233",
    "V11.3": "11233",
    "V11.4": "1222",
    "V11.5": "23",
    "V11.6": "23",
    "V11.7": "33",
    "V12.1": "12233",
    "V12.2": "11",
    "V12.3": "22223",
    "V13.1": "2333",
    "V13.2": "222223",
    "V13.3": "2233",
    "V13.4": "1222233",
    "V14.1": "22",
    "V14.2": "12223333",
    "V14.3": "122",
    "V15.1": "12233",
    "V15.2": "12233",
    "V15.3": "1222222",
    "V15.4": "3333",
    "V16.1": "2",
    "V16.2": "22222",
    "V16.3": "2222",
    "V16.4": "222",
    "V16.5": "2223",
    "V17.1": "23",
    "V17.2": "22223333",
    "V17.3": "22",
}
"""The level of each requirement by section, in their order: the third of V1.3 is V1.3.3."""
REQUIRED = {
    f"{section}.{number}": level
    for section, levels in LEVELS.items()
    for number, level in enumerate(levels, 1)
    if level != "3"
}
VERDICTS = ("met", "not applicable", "operator", "partly", "not met")
ROWS = list(csv.DictReader(Path("docs/asvs.csv").read_text("utf-8").splitlines()))


@cache
def named_in(path: str) -> set[str]:
    """Return the names of the tests of a file; none where there is no file."""
    if not Path(path).is_file():
        return set()
    found = ast.walk(ast.parse(Path(path).read_text("utf-8")))
    return {node.name for node in found if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_each_requirement_of_levels_one_and_two_has_one_row() -> None:
    assert Counter(REQUIRED.values()) == {"1": 70, "2": 183}
    assert [(row["requirement"], row["level"]) for row in ROWS] == list(REQUIRED.items())


def test_each_row_says_how_it_is_or_why_not_and_its_test_exists() -> None:
    assert {row["verdict"] for row in ROWS} == set(VERDICTS)
    missing = []
    for row in ROWS:
        path, _colons, name = row["test"].partition("::")
        if not row["about"] or (not row["how"] and not row["test"]) or (path and name not in named_in(path)):
            missing.append(row["requirement"])
    assert missing == []


def test_a_test_that_does_not_exist_is_found() -> None:
    assert "test_nobody_wrote_this" not in named_in("tests/test_asvs.py")
    assert "test_a_test_that_does_not_exist_is_found" in named_in("tests/test_asvs.py")


def test_the_page_counts_right_and_names_all_that_is_missing() -> None:
    page = Path("docs/security.md").read_text("utf-8")
    counts = Counter(row["verdict"] for row in ROWS)
    for verdict in VERDICTS:
        assert re.search(rf"\| {verdict} \|[^|\n]*\| {counts[verdict]} \|", page), (verdict, counts[verdict])
    assert [row["requirement"] for row in ROWS if row["verdict"] == "not met" and row["requirement"] not in page] == []


def test_every_test_that_the_page_names_exists() -> None:
    page = Path("docs/security.md").read_text("utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", page)
    assert len(named) >= 20
    missing = [
        (path, name) for path, name in named if not Path(path).is_file() or (name and name not in named_in(path))
    ]
    assert missing == []
