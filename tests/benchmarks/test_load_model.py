"""The load model's arithmetic against an evening that was reckoned by hand."""

from __future__ import annotations

import math

import pytest

from benchmarks.load_model import Assumptions, Cost, Measured, limits, moments, plan, wait_p99, waiting

KINDS = ("start page", "exam's page", "start", "page of the exam", "answer", "look", "submission", "report", "review")
MEASURED = Measured(dict.fromkeys(KINDS, Cost(web_ms=2, database_ms=0.5, bytes=1000)), 20_000, 150, 400)
ASSUMED = Assumptions(
    sitting_share=0.1,
    minutes=100,
    arrival_minutes=10,
    arrival_peak=2,
    answers=60,
    answer_peak=1.5,
    seconds_between_looks=5,
    spike_share=0.3,
    spike_seconds=60,
    review_share=0.5,
    utilisation=0.5,
    evenings_a_year=20,
)


def test_an_evening_of_6000_learners() -> None:
    """600 sit: in the densest minute 2 begin a second; 9 answers and 120 looks a second; 3 submit at the end."""
    arrival, middle, deadline = moments(6000, ASSUMED, MEASURED)
    assert arrival.rates["start"] == pytest.approx(2)
    assert arrival.requests == pytest.approx(4 * 2 + (9 + 120) / 2)
    assert middle.rates == pytest.approx({"answer": 9, "look": 120})
    assert deadline.requests == pytest.approx(129 + 3 + 3 + 1.5)
    assert deadline.web_cores == pytest.approx(0.273)
    assert deadline.database_cores == pytest.approx(0.06825)
    assert deadline.syncs == pytest.approx(9 + 3)
    assert deadline.megabits == pytest.approx(136.5 * 8000 / 1e6)


def test_the_plan_follows_the_busiest_moment() -> None:
    found = plan(60_000, ASSUMED, MEASURED)
    assert found.peak.moment == "deadline"
    assert found.peak.web_cores == pytest.approx(2.73)
    assert (found.processes, found.database_cores) == (6, 2)
    assert found.memory_megabytes == 900
    assert (found.evening_megabytes, found.year_gigabytes) == pytest.approx((120, 2.4))


def test_what_gives_in_first_stands_first() -> None:
    found = limits(ASSUMED, MEASURED)
    assert found[0] == ("one web process (one core)", round(6000 * 0.5 / 0.273))
    assert dict(found)["the disk's syncs"] == 6000 * 0.5 * 400 / 12


def test_one_server_waits_as_m_m_1_does() -> None:
    """With one server the share that waits is its load, and the wait's 99th percentile ln(100 ρ) / (μ - λ)."""
    assert waiting(0.5, 1) == pytest.approx(0.5)
    assert wait_p99(50, 0.01, 1) == pytest.approx(math.log(50) / 50)


def test_two_servers_wait_less_than_one_with_half_the_requests() -> None:
    assert waiting(1, 2) == pytest.approx(1 / 3)
    assert wait_p99(100, 0.01, 2) < wait_p99(50, 0.01, 1)


def test_a_queue_that_only_grows_waits_for_ever() -> None:
    assert wait_p99(101, 0.01, 1) == math.inf
