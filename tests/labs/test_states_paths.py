"""Paths, as laws over any JSON: what is written is read back, nothing else changes, and no text breaks the reader."""

from __future__ import annotations

import contextlib
import copy
import json
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.parts.states import paths
from labs.parts.states.paths import Path, PathError
from labs.parts.states.payload import Json, Limits, Meter

NAMES = st.text(max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)


class Bare:
    """An environment without a context, whose chance is always the same."""

    meter = Meter(Limits())
    random = Random(0)

    def context(self) -> Json:
        return {"State": {"Name": "A"}}


def _read(text: str, data: Json) -> Json:
    return paths.parse(text).read(data, Bare())


def _bracketed(steps: list[str | int]) -> str:
    quoted = (str(step) if isinstance(step, int) else f"'{_escaped(step)}'" for step in steps)
    return "$" + "".join(f"[{step}]" for step in quoted)


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace("'", "\\'")


@given(JSON)
def test_the_dollar_is_the_whole(data: Json) -> None:
    assert _read("$", data) is data
    assert Path("$").write({"other": 1}, data) is data


@given(st.lists(NAMES, min_size=1, max_size=4), JSON, st.dictionaries(NAMES, st.integers(), max_size=3))
def test_what_is_written_is_read_back(steps: list[str], value: Json, data: dict[str, Json]) -> None:
    path = paths.parse(_bracketed(list(steps)))
    data = {name: one for name, one in data.items() if name != steps[0]}
    before = copy.deepcopy(data)
    written = path.write(data, value)
    assert path.read(written, Bare()) == value
    assert data == before
    assert isinstance(written, dict)
    assert {name: one for name, one in written.items() if name != steps[0]} == before
    assert path.write(written, value) == written


def _places(data: Json, steps: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner: list[tuple[str | int, Any]] = []
    if isinstance(data, dict):
        inner = list(data.items())
    elif isinstance(data, list):
        inner = list(enumerate(data))
    return [steps, *(place for step, one in inner for place in _places(one, (*steps, step)))]


@given(JSON, st.data())
def test_every_place_has_a_path_and_what_is_put_there_stays_there(data: Json, draw: st.DataObject) -> None:
    steps = draw.draw(st.sampled_from(_places(data)))
    path = paths.parse(_bracketed(list(steps)))
    assert path.is_reference
    value = path.read(data, Bare())
    assert path.write(data, value) == data
    assert path.read(path.write(data, "new"), Bare()) == "new"


@given(JSON)
def test_all_descendants_are_found(data: Json) -> None:
    assert len(_read("$..*", data)) == len(_places(data)) - 1  # type: ignore[arg-type]


@given(st.text(alphabet="$.[]*'\"?@():,<>=!0123456789abc\\ -", max_size=30))
def test_no_text_breaks_the_reader(text: str) -> None:
    with contextlib.suppress(PathError):
        assert paths.parse("$" + text).text == "$" + text


ROWS = {"rows": [{"n": 1, "k": "a"}, {"n": 2, "k": "b"}, {"k": "c"}, {"n": True}]}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("$.rows[0].n", 1),
        ("$.rows[-1].n", True),
        ("$.rows[*].k", ["a", "b", "c"]),
        ("$.rows[1:].k", ["b", "c"]),
        ("$.rows[::2].k", ["a", "c"]),
        ("$.rows[0, 2].k", ["a", "c"]),
        ("$.rows[0]['n', 'k']", [1, "a"]),
        ("$..n", [1, 2, True]),
        ("$.rows[?(@.n)].k", ["a", "b"]),
        ("$.rows[?(@.n >= 2)].k", ["b"]),
        ("$.rows[?(@.n != 1)].k", ["b"]),
        ("$.rows[?(@.k < 'c')].n", [1, 2]),
        ("$.rows[?(@.n == true)]", [{"n": True}]),
        ("$.rows[7:].k", []),
        ("$$.State.Name", "A"),
    ],
)
def test_a_path_finds(text: str, found: Json) -> None:
    assert json.dumps(_read(text, ROWS)) == json.dumps(found)


@pytest.mark.parametrize(
    "text", ["$.x", "$.rows.n", "$.rows[4]", "$.rows[-5]", "$.rows[0][0]", "$.rows[0].k[0]", "$$.x"]
)
def test_a_path_for_one_value_fails_where_it_leads_nowhere(text: str) -> None:
    with pytest.raises(PathError, match="leads nowhere"):
        _read(text, ROWS)


@pytest.mark.parametrize("text", ["$.k.x", "$.rows[9]", "$.rows.x", "$.rows[0].n.x"])
def test_a_result_cannot_go_through_another_kind_of_value(text: str) -> None:
    with pytest.raises(PathError, match="another kind"):
        paths.parse(text).write({**ROWS, "k": "text"}, 1)
