"""The parts that a function's executions need: environments, response times, the bill, and addresses in a VPC."""

from __future__ import annotations

import statistics
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.parts import billing, subnets
from labs.parts.distributions import around, sampler
from labs.parts.environments import Environments
from labs.parts.latencies import BIN, Latencies

SHARES = (1, 10, 25, 50, 75, 90, 95, 99, 100)


def test_an_environment_draws_once_and_is_reused_the_last_used_first() -> None:
    drawn = iter(range(10))
    environments = Environments(lambda: (0.5, next(drawn)), keep=60)
    taken = []
    for now, end in ((0, 1), (0, 2), (2, 3), (2, 3), (2, 3)):
        wait, drew = environments.take(now)
        environments.give_back(end, drew)
        taken.append((wait, drew))
    assert taken == [(0.5, 0), (0.5, 1), (0, 1), (0, 0), (0.5, 2)]
    assert (environments.started, environments.peak_busy) == (3, 3)


def test_an_idle_environment_ends_after_its_time_and_not_before() -> None:
    environments = Environments(lambda: (0.5, 7), keep=60)
    environments.take(0)
    environments.give_back(1, 7)
    assert environments.take(60.999) == (0, 7)
    environments.give_back(61, 7)
    assert environments.take(121) == (0.5, 7)
    assert (environments.started, environments.ended) == (2, 1)


def test_no_more_environments_exist_than_may() -> None:
    environments = Environments(lambda: (0.0, 0), keep=60, most=2)
    assert [environments.take(0) is None for _ in range(3)] == [False, False, True]
    environments.lose(1)
    assert environments.take(0.9) is None
    assert environments.take(1) is not None
    assert (environments.peak, environments.started, environments.ended) == (2, 3, 1)


@given(st.lists(st.floats(0.001, 20), min_size=1, max_size=400))
def test_counted_in_bins_the_figures_stay_within_half_a_bin(seconds: list[float]) -> None:
    exact, binned = Latencies(), Latencies(exact=0)
    for half in (seconds[::2], seconds[1::2]):
        exact.extend(half)
        binned.extend(half)
    for one, other in zip(exact.percentiles(SHARES), binned.percentiles(SHARES), strict=True):
        assert other == pytest.approx(one, abs=BIN / 2 + 1e-9)
    assert (exact.fastest, exact.slowest, exact.count) == (binned.fastest, binned.slowest, binned.count)
    assert sum(count for _, count in binned.histogram()) == len(seconds)


def test_beyond_its_size_single_times_are_kept_no_longer() -> None:
    latencies, random = Latencies(exact=100), Random(1)
    for _ in range(200):
        latencies.extend([random.choice((0.01, 2.0, 3.0)) for _ in range(100)])
    assert latencies._kept == []
    assert len(latencies._bins) == 3
    assert latencies.count == 20_000


def test_a_distribution_is_drawn_as_it_was_told() -> None:
    draw = sampler(((0, 1.0), (0.2, 2.0), (0.2, 5.0), (1, 9.0)), Random(1))
    drawn = [draw() for _ in range(20_000)]
    assert 1 <= min(drawn) < max(drawn) <= 9
    assert not [one for one in drawn if 2 < one < 5]
    assert sum(one <= 2 for one in drawn) / len(drawn) == pytest.approx(0.2, abs=0.01)
    assert statistics.median(drawn) == pytest.approx(6.5, abs=0.1)
    assert around(10) == ((0, 9), (1, 11))


@pytest.mark.parametrize(
    ("seconds", "billed"), [(0, 0.1), (0.001, 0.1), (0.1, 0.1), (0.1 * 3, 0.3), (0.101, 0.2), (2.001, 2.1), (5, 5)]
)
def test_time_is_billed_in_whole_steps_of_100_ms(seconds: float, billed: float) -> None:
    assert billing.billed_seconds(seconds) == pytest.approx(billed, abs=1e-12)


def test_the_pricing_pages_own_example() -> None:
    """AWS's page: 3 million executions of 1 s with 512 MB are 1,500,000 GB-s; the free tier is left out here."""
    bill = billing.bill({1.0: 3_000_000}, 512)
    assert bill.gigabyte_seconds == 1_500_000
    assert bill.dollars == pytest.approx(1_500_000 * 0.00001667 + 0.60)


def test_short_executions_cost_more_an_hour_than_their_time() -> None:
    whole, short = billing.most_an_hour(10, 1, 1024), billing.most_an_hour(10, 0.01, 1024)
    assert whole.gigabyte_seconds == 36_000
    assert short.gigabyte_seconds == pytest.approx(360_000)
    assert billing.most_an_hour(0, 1, 1024).dollars == 0


@pytest.mark.parametrize(("prefix", "addresses"), [(28, 11), (27, 27), (24, 251), (16, 65_531)])
def test_five_addresses_of_a_subnet_are_awss(prefix: int, addresses: int) -> None:
    assert subnets.usable(prefix) == addresses


@pytest.mark.parametrize("prefix", [15, 29])
def test_a_subnet_is_neither_smaller_nor_larger_than_a_vpc_allows(prefix: int) -> None:
    with pytest.raises(ValueError, match="/16 to /28"):
        subnets.usable(prefix)


@given(st.integers(0, 500), st.integers(2, 47).map(lambda step: 64 * step))
def test_environments_fill_their_interfaces_and_one_more_needs_another(interfaces: int, memory: int) -> None:
    environments = subnets.environments_on(interfaces, memory)
    assert subnets.interfaces_for(environments, memory) <= interfaces
    assert subnets.interfaces_for(environments + 1, memory) == interfaces + 1
