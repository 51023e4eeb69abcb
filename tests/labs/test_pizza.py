"""The magical pizza: the recorded evenings are the limiter's own, and its script is small."""

from __future__ import annotations

import json

import pytest

from labs import registry
from labs.catalog.lambda_concurrency import pizza

FOLDER = registry.CATALOG / "lambda_concurrency"
NAMES = ("Shawn", "Kate", "Daniela", "Chuck", "Ian", "Avleen")
HUNGRY = dict(zip(NAMES, (2, 2, 2, 1, 1, 1), strict=True))
AGREED = (2, 2, 1, 1, 1, 1)


def _held(frame: dict[str, object], name: str) -> int:
    return str(frame["slices"]).count(name[0])


def test_what_is_played_is_what_the_limiter_gives() -> None:
    played = json.loads((FOLDER / "animation.json").read_text())
    assert played == json.loads(json.dumps(pizza.recording()))
    assert pizza.record(HUNGRY, (), seed=4) != played["evenings"][1]["frames"]


@pytest.mark.parametrize("seed", range(20))
def test_the_hungry_take_from_the_modest_until_they_agree(seed: int) -> None:
    free, agreed = pizza.record(HUNGRY, (), seed), pizza.record(HUNGRY, AGREED, seed)
    modest = NAMES[3:]
    assert any(_held(frame, name) == 0 for frame in free for name in modest)
    assert all(_held(frame, name) == 1 for frame in agreed for name in modest)


@pytest.mark.parametrize("seed", range(20))
def test_a_slice_is_in_one_hand_until_it_is_eaten_and_nobody_takes_more_than_agreed(seed: int) -> None:
    for frame in pizza.record(HUNGRY, AGREED, seed):
        for (name, wants), limit, waits in zip(HUNGRY.items(), AGREED, frame["waits"], strict=True):
            held = _held(frame, name)
            assert held <= limit
            assert held + waits == wants


def test_the_script_is_small_and_begins_nothing_by_itself() -> None:
    script = (FOLDER / "animation.js").read_text()
    assert len(script) < 6_000
    assert script.count("turn(") - script.count("turn(false)") == 2  # its definition and the button
