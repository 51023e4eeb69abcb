"""Item analysis against published figures, another library's, its definitions, and by what must always hold."""

from __future__ import annotations

import math
import random
import re
import statistics as reference
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from quizzes import reliability
from quizzes.flags import Flag, flags
from quizzes.statistics import (
    FULL,
    RESPONSE,
    Batch,
    ItemStatistics,
    OptionStatistics,
    cuts,
    items,
    scores,
    tally,
    wilson,
)
from quizzes.statistics_store import VersionStatistics

LSAT_6 = {
    "00000": 3, "00001": 6, "00010": 2, "00011": 11, "00100": 1, "00101": 1, "00110": 3, "00111": 4,
    "01000": 1, "01001": 8, "01011": 16, "01101": 3, "01110": 2, "01111": 15, "10000": 10, "10001": 29,
    "10010": 14, "10011": 81, "10100": 3, "10101": 28, "10110": 15, "10111": 80, "11000": 16, "11001": 56,
    "11010": 21, "11011": 173, "11100": 11, "11101": 61, "11110": 28, "11111": 298,
}  # fmt: skip
LSAT_7 = {
    "00000": 12, "00001": 19, "00010": 1, "00011": 7, "00100": 3, "00101": 19, "00110": 3, "00111": 17,
    "01000": 10, "01001": 5, "01010": 3, "01011": 7, "01100": 7, "01101": 23, "01110": 8, "01111": 28,
    "10000": 7, "10001": 39, "10010": 11, "10011": 34, "10100": 14, "10101": 51, "10110": 15, "10111": 90,
    "11000": 6, "11001": 25, "11010": 7, "11011": 35, "11100": 18, "11101": 136, "11110": 32, "11111": 308,
}  # fmt: skip
"""Sections 6 and 7 of the Law School Admission Test, how many of 1,000 gave each pattern of right and wrong answers
(R. D. Bock and M. Lieberman, 1970, "Fitting a response model for n dichotomously scored items"), as R's package mirt
has them in LSAT6 and LSAT7; its package ltm has the first as LSAT."""

Sheet = Sequence[tuple[int, bool]]
"""The answers of a person as (version, right)."""


def batch_of(sheets: Sequence[Sheet]) -> Batch:
    rows = [(version, 1 if right else 2, 0, FULL * right, 1) for sheet in sheets for version, right in sheet]
    return Batch(np.array(rows, RESPONSE), np.array([len(sheet) for sheet in sheets]))


def analyse(batch: Batch, versions: int, letters: str = "abcd") -> list[ItemStatistics | None]:
    return items(tally(batch, versions, cuts(*scores(batch))), [letters] * versions)


def sheets_of(patterns: Mapping[str, int]) -> list[Sheet]:
    people = [pattern for pattern, count in patterns.items() for _ in range(count)]
    return [[(place, mark == "1") for place, mark in enumerate(pattern)] for pattern in people]


def matrix_of(sheets: Sequence[Sheet]) -> NDArray[np.bool_]:
    """Return who was right as persons × items, of people who had the same items."""
    return np.array([[right for _, right in sorted(sheet)] for sheet in sheets])


@pytest.mark.parametrize(
    ("patterns", "facility", "discrimination", "alpha", "without", "error"),
    [
        (
            LSAT_6,
            (0.924, 0.709, 0.553, 0.763, 0.870),
            (0.113, 0.153, 0.173, 0.144, 0.122),
            0.295,
            (0.275, 0.238, 0.217, 0.246, 0.266),
            0.869,
        ),
        (
            LSAT_7,
            (0.828, 0.658, 0.772, 0.606, 0.843),
            (0.246, 0.247, 0.313, 0.223, 0.175),
            0.453,
            (0.396, 0.394, 0.345, 0.415, 0.438),
            0.886,
        ),
    ],
)
def test_it_finds_the_published_statistics_of_the_law_school_admission_test(
    patterns: Mapping[str, int],
    facility: Sequence[float],
    discrimination: Sequence[float],
    alpha: float,
    without: Sequence[float],
    error: float,
) -> None:
    """They are what the reference of R's package mirt prints for itemstats(expand.table(LSAT6)) and of LSAT7.

    R. P. Chalmers, 2012, "mirt: A multidimensional item response theory package for the R environment"; its columns
    mean, total.r_if_rm and alpha_if_rm, its alpha, and its SEM.alpha, which is in items.
    """
    sheets = sheets_of(patterns)
    found, form = analyse(batch_of(sheets), 5), reliability.form_statistics(matrix_of(sheets))
    assert [one.facility for one in found] == list(facility)
    assert [one.discrimination for one in found] == pytest.approx(discrimination, abs=5e-4)
    assert (form.alpha, form.error * 5) == pytest.approx((alpha, error), abs=5e-4)
    assert form.without == pytest.approx(without, abs=5e-4)


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_it_finds_the_published_intervals(right: int, n: int, low: float, high: float) -> None:
    """They are Newcombe's, which the reference of binomCI in R's package lumen prints again.

    R. G. Newcombe, 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
    """
    assert wilson(right, n) == pytest.approx((low, high), abs=5e-5)


def drawn_sheets(people: int, versions: int, places: int) -> list[Sheet]:
    chance = random.Random(2018)
    sheets = []
    for _ in range(people):
        ability, form = chance.gauss(0, 1), chance.sample(range(versions), places)
        sheets.append([(version, chance.random() < (0.3 + 0.1 * ability + version / versions / 2)) for version in form])
    return sheets


def test_forms_drawn_by_chance_are_judged_by_the_other_items_of_the_same_form() -> None:
    sheets = drawn_sheets(people=300, versions=12, places=7)
    found = analyse(batch_of(sheets), 12)
    for version, one in enumerate(found):
        had = [(dict(sheet)[version], sheet) for sheet in sheets if version in dict(sheet)]
        rests = [reference.mean(right for other, right in sheet if other != version) for _, sheet in had]
        marks = [float(right) for right, _ in had]
        assert one.n == len(had)
        assert one.discrimination == pytest.approx(reference.correlation(marks, rests))
        most = reference.covariance(sorted(marks), sorted(rests))
        assert one.efficiency == pytest.approx(reference.covariance(marks, rests) / most, abs=0.002)


def test_it_finds_what_girth_finds_of_forms_drawn_by_chance() -> None:
    """Figures of girth 0.8.0 for the same sheets: classical_test_statistics(…, 0, 1) of items × persons.

    What nobody was asked is girth's INVALID_RESPONSE. The figures stand here, and not the package: its last release is
    of 2021, and it needs SciPy. catsim 0.21 has no classical statistics to compare with.
    """
    found = analyse(batch_of(drawn_sheets(people=300, versions=12, places=7)), 12)
    asked = [166, 183, 181, 170, 166, 173, 183, 193, 172, 175, 168, 170]
    mean = [0.283133, 0.349727, 0.403315, 0.417647, 0.463855, 0.543353]
    mean += [0.579235, 0.626943, 0.639535, 0.657143, 0.708333, 0.705882]
    item_rest = [0.202239, 0.088868, 0.165098, 0.096795, 0.01726, -0.017426]
    item_rest += [0.137462, 0.121174, 0.104728, 0.203282, 0.107562, 0.091928]
    assert [one.n for one in found] == asked
    assert [one.facility for one in found] == pytest.approx(mean, abs=5e-7)
    assert [one.discrimination for one in found] == pytest.approx(item_rest, abs=5e-7)


def test_it_finds_what_girth_finds_of_one_form() -> None:
    """Figures of girth 0.8.0 as above: cronbach_alpha, and that of classical_test_statistics without each item."""
    form = reliability.form_statistics(matrix_of(drawn_sheets(people=300, versions=6, places=6)))
    assert form.alpha == pytest.approx(0.130231, abs=5e-7)
    assert form.without == pytest.approx([0.080566, 0.068609, 0.16987, 0.119187, 0.140104, 0.0827], abs=5e-7)


@pytest.mark.parametrize("seed", range(5))
def test_groups_and_options_are_what_their_definitions_say(seed: int) -> None:
    """No library of those above has these; each is computed again from its definition, a person at a time."""
    chance = random.Random(seed)
    people = [[chance.choice("aab" if place < 4 else "abcd") for place in range(8)] for _ in range(100 + seed)]
    rows = [
        (place, 1 << "abcd".index(letter), 0, FULL * (letter == "a"), 1)
        for one in people
        for place, letter in enumerate(one)
    ]
    found = analyse(Batch(np.array(rows, RESPONSE), np.full(len(people), 8)), 8)
    ranked = sorted(one.count("a") for one in people)
    for place, item in enumerate(found):

        def share(group: list[list[str]], place: int = place) -> float:
            return reference.mean(one[place] == "a" for one in group)

        # The upper and lower 27 % with whoever ties with the last of them (Kelley, 1939).
        many = math.ceil(0.27 * len(people))
        upper = [one for one in people if one.count("a") >= ranked[-many]]
        lower = [one for one in people if one.count("a") <= ranked[many - 1]]
        assert item.upper_lower == pytest.approx(share(upper) - share(lower))
        third = math.ceil(len(people) / 3)
        strong = [one for one in people if one.count("a") >= ranked[-third]]
        assert item.thirds[2] == (len(strong), sum(one[place] == "a" for one in strong))
        for option in item.options:
            chose = [float(one[place] == option.letter) for one in people]
            rest = [float(one.count("a") - (one[place] == "a")) for one in people]
            if any(chose):
                assert option.correlation == pytest.approx(reference.correlation(chose, rest))
            assert option.thirds[2] == sum(one[place] == option.letter for one in strong)


def test_the_sums_of_parts_are_the_sums_of_the_whole() -> None:
    sheets = drawn_sheets(people=90, versions=12, places=7)
    at = cuts(*scores(batch_of(sheets)))
    parts = tally(batch_of(sheets[:31]), 12, at) + tally(batch_of(sheets[31:]), 12, at)
    whole = tally(batch_of(sheets), 12, at)
    for name in vars(whole):
        assert getattr(parts, name) == pytest.approx(getattr(whole, name))


def test_upper_and_lower_groups_are_those_of_kelley() -> None:
    # A hundred people with 0 to 99 of 99 other items right: 27 in each group; the strongest 40 have the item right.
    sheets = [[(0, rank >= 60), *((1, place < rank) for place in range(99))] for rank in range(100)]
    one = analyse(batch_of(sheets), 2)[0]
    assert one.upper_lower == 1
    assert one.thirds == ((34, 0), (32, 6), (34, 34))


def test_an_unscored_item_is_judged_by_the_whole_score_and_adds_nothing_to_it() -> None:
    rows = [(0, 1, 0, FULL * (rank > 5), 0) for rank in range(10)]
    others = [[(1, 1, 0, FULL * (place < rank), 1) for place in range(9)] for rank in range(10)]
    data = [row for own, rest in zip(rows, others, strict=True) for row in (own, *rest)]
    batch = Batch(np.array(data, RESPONSE), np.full(10, 10))
    assert scores(batch)[0].tolist() == list(range(10))
    expected = reference.correlation([float(rank > 5) for rank in range(10)], [float(rank) for rank in range(10)])
    assert analyse(batch, 2)[0].discrimination == pytest.approx(expected)


def test_options_omissions_credit_and_time_are_counted() -> None:
    rows = [(0, 0b01, 10, FULL, 1), (0, 0b10, 20, 0, 1), (0, 0b11, 90, 51, 1), (0, 0, 0, 0, 1)]
    one = analyse(Batch(np.array(rows, RESPONSE), np.full(4, 1)), 1, "ab")[0]
    assert [(option.letter, option.count) for option in one.options] == [("a", 2), ("b", 2)]
    assert (one.n, one.right, one.omitted, one.seconds) == (4, 1, 1, 20)
    assert one.credit == pytest.approx(1.2 / 4)


def test_where_everybody_is_right_nothing_discriminates_and_nothing_breaks() -> None:
    found = analyse(batch_of([[(0, True), (1, True)]] * 40), 3)
    assert [one and one.discrimination for one in found] == [None, None, None]
    assert found[2] is None


MARKS = st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=2, max_size=40)


@settings(max_examples=60)
@given(MARKS, st.randoms(use_true_random=False))
def test_statistics_are_bounded_and_the_order_of_people_is_nothing(
    marks: list[list[bool]], chance: random.Random
) -> None:
    sheets = [list(enumerate(row)) for row in marks]
    found = analyse(batch_of(sheets), 4)
    chance.shuffle(sheets)
    again = analyse(batch_of(sheets), 4)
    for one, other in zip(found, again, strict=True):
        for name in ("discrimination", "upper_lower", "efficiency"):
            value, same = getattr(one, name), getattr(other, name)
            assert (value is None and same is None) or (value == pytest.approx(same) and -1 <= value <= 1)
        low, high = one.interval
        assert 0 <= low <= one.facility <= high <= 1
        assert one.thirds == other.thirds


@settings(max_examples=60)
@given(MARKS)
def test_another_key_turns_the_sign_of_what_an_item_tells(marks: list[list[bool]]) -> None:
    turned = [[(0, not row[0]), *list(enumerate(row))[1:]] for row in marks]
    one = analyse(batch_of([list(enumerate(row)) for row in marks]), 4)[0].discrimination
    other = analyse(batch_of(turned), 4)[0].discrimination
    assert (one is None and other is None) or one == pytest.approx(-other)


def test_the_dependability_of_equal_forms_is_kr_21() -> None:
    right, scored = np.array([3, 5, 6, 8, 9, 9]), np.full(6, 10)
    mean, variance = reference.mean(right.tolist()), reference.variance(right.tolist())
    # G. F. Kuder and M. W. Richardson, 1937; with the mean of x(k − x), of which theirs has the value at the mean.
    products = reference.mean(x * (10 - x) for x in right.tolist())
    expected = 10 / 9 * (1 - products / (10 * variance)) - 1 / 9
    found = reliability.exam_statistics(right, scored)
    assert (found.mean, found.dependability) == pytest.approx((mean / 10, expected))


def test_one_attempt_has_a_mean_and_no_reliability() -> None:
    found = reliability.exam_statistics(np.array([7]), np.array([10]))
    assert (found.mean, found.deviation, found.dependability) == (0.7, None, None)
    assert found.distribution[14] == 1


def version(
    n: int = 200, right: int = 120, discrimination: float = 0.3, omitted: int = 0, seconds: int = 60,
    counts: Sequence[int] = (120, 40, 30, 10), correlations: Sequence[float] = (0.3, -0.2, -0.2, -0.1),
    upper: Sequence[int] = (50, 5, 5, 2),
) -> VersionStatistics:  # fmt: skip
    options = tuple(
        OptionStatistics(letter, count, (0, 0, top), correlation)
        for letter, count, correlation, top in zip("abcd", counts, correlations, upper, strict=True)
    )
    item = ItemStatistics(n, right, omitted, right / n, discrimination, None, None, seconds, (), options)
    return VersionStatistics("f", 1, "q", "a", 1, item)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (version(), []),
        (version(upper=(20, 40, 5, 2), correlations=(0.3, 0.2, -0.2, -0.1)), [Flag("rival", "b")]),
        (version(upper=(20, 40, 5, 2), correlations=(0.3, -0.2, -0.2, -0.1)), []),
        (version(discrimination=-0.01), [Flag("negative")]),
        (version(discrimination=0.19), [Flag("weak")]),
        (version(right=190), [Flag("easy")]),
        (version(right=189), []),
        (version(right=60), [Flag("hard")]),
        (version(right=65), []),
        (version(counts=(150, 50, 0, 0)), [Flag("nobody", "cd")]),
        (version(counts=(130, 40, 28, 2)), [Flag("idle", "d")]),
        (version(omitted=20), [Flag("omitted")]),
        (version(seconds=240), [Flag("slow")]),
        (version(n=99, right=60, discrimination=-0.4), []),
        (version(n=29, right=29, counts=(29, 0, 0, 0), discrimination=-0.4), []),
    ],
)
def test_a_flag_rises_at_its_threshold_and_never_on_too_few_answers(
    given: VersionStatistics, expected: list[Flag]
) -> None:
    assert flags(given, seconds_an_item=120) == expected


def test_the_example_of_the_manual_is_what_is_computed() -> None:
    text = Path("docs/instructors/statistics.md").read_text("utf-8")
    answers = [
        [int(mark) for mark in row]
        for row in re.findall(r"^\| \d \| (\d) \| (\d) \| (\d) \| (\d) \|$", text, re.MULTILINE)
    ]
    told = re.findall(r"^\| ([A-D]) \| ([\d.]+) \| (\S+) \| (\S+) \|$", text, re.MULTILINE)
    found = analyse(batch_of([[(place, bool(mark)) for place, mark in enumerate(row)] for row in answers]), 4)
    form = reliability.form_statistics(np.array(answers))
    computed = [
        tuple(f"{value:.2f}".replace("-", "−") for value in (one.facility, one.discrimination, without))
        for one, without in zip(found, form.without, strict=True)
    ]
    assert [row[1:] for row in told] == computed
    assert f"KR-20 of all four is {form.alpha:.2f}" in " ".join(text.split())
