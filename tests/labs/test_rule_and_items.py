"""The rule that starts a machine, the table of keys and locks, and where a learner's text is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from labs.findings import Fault, Refused
from labs.parts import rule, texts
from labs.parts.items import ItemTable


@pytest.fixture
def table(tmp_path: Path) -> Iterator[ItemTable]:
    made = ItemTable(tmp_path / "table.sqlite", {"2018-02-12": ["MCS2017", "MCF2017"], "2018-02-16": []})
    yield made
    made.close()


def test_keys_come_in_their_order_and_a_date_without_an_item_has_none(table: ItemTable) -> None:
    assert [table.keys(day) for day in ("2018-02-12", "2018-02-16", "2018-02-17")] == [["MCS2017", "MCF2017"], [], []]


def test_a_lock_is_held_by_one_until_it_is_given_back_or_expires(table: ItemTable) -> None:
    assert table.lock("report", "a", 0, 100)
    assert table.lock("report", "a", 1, 100), "its holder may put it again"
    assert not table.lock("report", "b", 100, 100)
    table.unlock("report", "b")
    assert (table.locks(), table.lock("report", "b", 100, 100)) == (1, False)
    assert table.lock("report", "b", 101, 100), "it has expired"
    table.unlock("report", "b")
    assert (table.locks(), table.lock("report", "a", 102, 100)) == (0, True)


def test_a_rule_fires_by_the_clock_of_its_zone() -> None:
    text = '{"ScheduleExpression": "cron(30 2 * * ? *)", "ScheduleExpressionTimezone": "America/New_York"}'
    times = list(
        rule.read("schedule", text).times(datetime(2018, 3, 9, 12, tzinfo=UTC), datetime(2018, 3, 13, tzinfo=UTC))
    )
    # On 11 March the clocks went from 2:00 to 3:00.
    assert [f"{one:%d %H:%M %Z}" for one in times] == ["10 02:30 EST", "12 02:30 EDT"]


@pytest.mark.parametrize(
    ("text", "line", "column", "sentence"),
    [
        ("[", 1, 2, "ends where"),
        ("{}", 1, 1, "ScheduleExpression is a text"),
        ('{\n  "ScheduleExpression": 5}', 2, 3, "ScheduleExpression is a text"),
        ('{\n  "ScheduleExpression": "rate(5 hour)"}', 2, 3, "rate"),
        ('{"ScheduleExpression": "rate(5 hours)",\n "ScheduleExpressionTimezone": "Mars/Base"}', 2, 2, "no time zone"),
        ('{"ScheduleExpression": "rate(5 hours)",\n "ScheduleExpressionTimezone": 7}', 2, 2, "is a text"),
        ('{"ScheduleExpression": "rate(5 hours)",\n\n "State": "ENABLED"}', 3, 2, "no State"),
    ],
)
def test_a_rule_that_cannot_be_read_is_refused_at_its_place(text: str, line: int, column: int, sentence: str) -> None:
    with pytest.raises(Refused, match=f"schedule, line {line}, column {column}: .*{sentence}"):
        rule.read("schedule", text)


def test_every_fault_is_named_and_the_first_is_told() -> None:
    found = texts.read("keys", '{"a": 1,\n "b": 2}')
    refused = found.refused([("a", "Bad."), ("b", "Worse.")])
    assert str(refused) == "keys, line 1, column 2: Bad. And 1 more."
    assert refused.faults == (Fault("keys", 1, 2, "Bad."), Fault("keys", 2, 2, "Worse."))
