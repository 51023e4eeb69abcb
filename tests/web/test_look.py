"""The look as rules: contrast, budget, directions and vendored files."""

from __future__ import annotations

import gzip
import hashlib
import re
import tomllib
from itertools import product
from pathlib import Path

import pytest
from flask.testing import FlaskClient

STATIC = Path("web/static")
SHEETS = sorted((STATIC / "css").glob("*.css"))
BUDGET = 12 * 1024
TOKENS = {
    name: (light, dark)
    for name, light, dark in re.findall(
        r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", (STATIC / "css/tokens.css").read_text("utf-8")
    )
}
GROUNDS = ("paper", "raised", "sunk")
STATES = ("accent", "mark", "good", "bad")
TEXTS = [
    *product(("ink", "quiet", *STATES), GROUNDS),
    *((state, f"{state}-soft") for state in STATES),
    *(("ink", f"{state}-soft") for state in STATES),
    ("paper", "accent"),
]
CONTROLS = [("quiet", "paper"), ("quiet", "raised"), ("accent", "paper"), ("accent", "raised"), ("bad", "raised")]


def _luminance(colour: str) -> float:
    """Return the relative luminance of #rrggbb (WCAG 2.2, definition of relative luminance)."""
    channels = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_formula_gives_the_known_extremes() -> None:
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)
    assert _contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXTS)
def test_text_can_be_read_on_every_ground(text: str, ground: str, theme: int) -> None:
    assert _contrast(TOKENS[text][theme], TOKENS[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("edge", "ground"), CONTROLS)
def test_the_edge_of_a_control_can_be_seen(edge: str, ground: str, theme: int) -> None:
    assert _contrast(TOKENS[edge][theme], TOKENS[ground][theme]) >= 3


def test_a_page_and_its_room_stay_within_the_budget(visitor: FlaskClient) -> None:
    shared = visitor.get("/static/web/site.css").data
    for room in (b"", *(path.read_bytes() for path in Path().glob("[a-z]*/static/*.css"))):
        assert len(gzip.compress(shared)) + len(gzip.compress(room)) <= BUDGET


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_a_sheet_names_no_physical_direction(sheet: Path) -> None:
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text("utf-8"), flags=re.DOTALL)
    physical = r"(?:margin|padding|border|inset)-(?:left|right|top|bottom)|(?<![-\w])(?:left|right|top|bottom)\s*:"
    assert re.findall(physical, text) == []
    assert re.findall(r"(?:text-align|float|clear)\s*:\s*(?:left|right)", text) == []
    assert re.findall(r"(?<![-\w])(?:min-|max-)?(?:width|height)\s*:", text) == []


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_a_sheet_takes_its_colours_from_the_tokens(sheet: Path) -> None:
    if sheet.name not in {"tokens.css", "print.css"}:
        assert re.findall(r"#[0-9a-fA-F]{3,8}\b", sheet.read_text("utf-8")) == []


def test_every_token_that_a_sheet_uses_is_defined() -> None:
    text = "".join(sheet.read_text("utf-8") for sheet in SHEETS)
    assert set(re.findall(r"var\((--[\w-]+)", text)) <= set(re.findall(r"(--[\w-]+):", text))


def test_motion_waits_for_consent() -> None:
    for sheet in SHEETS:
        calm = sheet.read_text("utf-8").partition("prefers-reduced-motion: no-preference")[0]
        assert not re.search(r"transition|animation|scroll-behavior", calm)


def test_vendored_files_are_what_their_list_says() -> None:
    listed = tomllib.loads((STATIC / "fonts/VENDOR.toml").read_text("utf-8"))["file"]
    assert {one["file"] for one in listed} == {path.name for path in (STATIC / "fonts").glob("*.woff2")}
    for one in listed:
        assert hashlib.sha384((STATIC / "fonts" / one["file"]).read_bytes()).hexdigest() == one["sha384"]
        assert one["licence"] == "OFL-1.1"
        assert "SIL Open Font License, Version 1.1" in (STATIC / "fonts" / one["licence_file"]).read_text("utf-8")
