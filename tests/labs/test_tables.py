"""A finding that is a table carries the same numbers in its cells, its bars and its line."""

from __future__ import annotations

from labs import display, tables
from labs.findings import table

ROWS = (("Winter", 50.0), ("Spring", 200.0), ("Summer", 100.0))


def _found(kind: str, rows: tuple[tuple[object, ...], ...] = ROWS) -> dict[str, dict[str, object]]:
    value, unit = table(("season", "Total Sales $"), rows, kind)
    return {"chart": {"value": value, "unit": unit}, "sold": {"value": 350, "unit": "$"}}


def test_bars_are_as_long_as_their_numbers_are_great() -> None:
    (one,) = tables.tables({"": _found("bars")})
    assert (one.title, one.rows[1], one.highest) == ("Total Sales $ by season", ("Spring", "200.00"), 1)
    whole = tables.BARS - tables.WORDS - tables.FIGURES
    assert [bar.length for bar in one.bars] == [whole / 4, whole, whole / 2]
    assert [bar.words for bar in one.bars] == ["Winter", "Spring", "Summer"]
    assert one.height == 3 * tables.STEP


def test_a_line_goes_from_left_to_right() -> None:
    (one,) = tables.tables({"": _found("line")})
    assert one.points == f"0.0,{display.HEIGHT * 0.75:.1f} 230.0,0.0 460.0,{display.HEIGHT * 0.5:.1f}"
    assert (one.bars, one.height) == ((), display.HEIGHT)


def test_a_table_is_not_drawn_and_shows_what_is_missing() -> None:
    (one,) = tables.tables({"Run 7": _found("table", ((None, 3), ("a", True)))})
    assert one.title == "Run 7: Chart"
    assert one.rows == ((display.NONE, "3"), ("a", "yes"))
    assert (one.bars, one.points) == ((), "")


def test_nothing_and_zeros_are_drawn_too() -> None:
    for kind in ("bars", "line"):
        (empty,) = tables.tables({"": _found(kind, ())})
        assert (empty.rows, empty.bars, empty.points) == ((), (), "")
        (flat,) = tables.tables({"": _found(kind, (("a", 0), ("b", 0)))})
        assert [bar.length for bar in flat.bars] in ([], [0, 0])
        assert "nan" not in flat.points
