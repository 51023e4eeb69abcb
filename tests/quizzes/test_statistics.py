"""Item analysis against published figures, against formulae of other hands, and by what must always hold."""

from __future__ import annotations

import random
import re
import statistics as reference
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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

LSAT = {
    "00000": 3, "00001": 6, "00010": 2, "00011": 11, "00100": 1, "00101": 1, "00110": 3, "00111": 4,
    "01000": 1, "01001": 8, "01011": 16, "01101": 3, "01110": 2, "01111": 15, "10000": 10, "10001": 29,
    "10010": 14, "10011": 81, "10100": 3, "10101": 28, "10110": 15, "10111": 80, "11000": 16, "11001": 56,
    "11010": 21, "11011": 173, "11100": 11, "11101": 61, "11110": 28, "11111": 298,
}  # fmt: skip
"""Section 6 of the Law School Admission Test, how many of 1,000 gave each pattern of right and wrong answers
(R. D. Bock and M. Lieberman, 1970, "Fitting a response model for n dichotomously scored items")."""

Sheet = Sequence[tuple[int, bool]]
"""The answers of a person as (version, right)."""


def batch_of(sheets: Sequence[Sheet]) -> Batch:
    rows = [(version, 1 if right else 2, 0, FULL * right, 1) for sheet in sheets for version, right in sheet]
    return Batch(np.array(rows, RESPONSE), np.array([len(sheet) for sheet in sheets]))


def analyse(batch: Batch, versions: int, letters: str = "abcd") -> list[ItemStatistics | None]:
    return items(tally(batch, versions, cuts(*scores(batch))), [letters] * versions)


def lsat() -> list[Sheet]:
    people = [pattern for pattern, count in LSAT.items() for _ in range(count)]
    return [[(place, mark == "1") for place, mark in enumerate(pattern)] for pattern in people]


def test_it_finds_the_published_statistics_of_the_law_school_admission_test() -> None:
    # As printed by R's package ltm for these data (D. Rizopoulos, 2006, "ltm: An R package for latent variable
    # modelling and item response theory analyses").
    found = analyse(batch_of(lsat()), 5)
    assert [one.facility for one in found] == [0.924, 0.709, 0.553, 0.763, 0.870]
    published = [0.1128, 0.1532, 0.1728, 0.1444, 0.1216]
    assert [one.discrimination for one in found] == pytest.approx(published, abs=5e-5)


def test_it_finds_the_published_reliability_of_the_law_school_admission_test() -> None:
    form = reliability.form_statistics(np.array([[right for _, right in sheet] for sheet in lsat()]))
    assert form.alpha == pytest.approx(0.2950, abs=5e-5)
    assert form.without == pytest.approx((0.2754, 0.2376, 0.2168, 0.2459, 0.2663), abs=5e-5)


@pytest.mark.parametrize(
    ("right", "n", "low", "high"), [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611)]
)
def test_it_finds_the_published_intervals(right: int, n: int, low: float, high: float) -> None:
    # R. G. Newcombe, 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
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


@settings(max_examples=60, deadline=None)
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


@settings(max_examples=60, deadline=None)
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
