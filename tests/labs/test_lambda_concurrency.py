"""The simulation of the load test: what follows from the limit alone, and what was published."""

from __future__ import annotations

import itertools
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from labs import child, registry
from labs.findings import Refused
from labs.registry import Lab

FOLDER = registry.CATALOG / "lambda_concurrency"
Measure = Callable[..., Mapping[str, Any]]


class Silent:
    """A report that nobody reads."""

    def progress(self, share: float) -> None: ...

    def metric(self, at: float, **values: float) -> None: ...

    def log(self, text: str) -> None: ...


@pytest.fixture(scope="module")
def lab() -> Lab:
    return registry.read(FOLDER)


@pytest.fixture(scope="module")
def measure(lab: Lab) -> Measure:
    """Return a function that runs the simulation here and returns the findings' values."""
    code = child._load(Path(FOLDER / "lab.py"))

    def run(seed: int = 1, **texts: str) -> Mapping[str, Any]:
        values, faults = lab.read(texts)
        assert faults == {}
        findings = code.run(code.Parameters(**values), seed, Silent())
        return {name: finding.value for name, finding in findings.items()}

    yield run
    sys.modules.pop("lab_lab", None)


@pytest.mark.parametrize("seed", range(20))
def test_an_exact_limit_of_25_refuses_exactly_half(measure: Measure, seed: int) -> None:
    found = measure(seed, reserved_concurrency="25")
    assert (found["rejected"], found["succeeded"], found["peak_concurrency"]) == (2500, 2500, 25)


@pytest.mark.parametrize("preset", ["exact", "fitted"])
def test_zero_refuses_everything_and_the_client_hits_harder(measure: Measure, preset: str) -> None:
    off, on = measure(reserved_concurrency="0", preset=preset), measure(preset=preset)
    assert (off["rejected"], off["succeeded"], off["cold_starts"]) == (5000, 0, 0)
    assert off["requests_per_second"] > 100 * on["requests_per_second"]


def test_without_a_reservation_everybody_is_served(measure: Measure) -> None:
    found = measure()
    assert (found["succeeded"], found["peak_concurrency"], found["cold_starts"]) == (5000, 50, 50)


def test_the_same_seed_gives_the_same_findings_and_another_one_others(measure: Measure) -> None:
    assert measure(4, preset="fitted") == measure(4, preset="fitted") != measure(5, preset="fitted")


def test_the_published_sizes_follow_from_the_counts(lab: Lab) -> None:
    for table in lab.published:
        figures = table.figures
        assert figures["status_200"] * 28 + figures["status_502"] * 36 == figures["total_data_bytes"]
        assert figures["status_200"] + figures["status_502"] == 5000
        assert sum(count for _, count in table.histogram) == 5000
    second = lab.published[1]
    assert sum(count for edge, count in second.histogram if edge < 1) == second.figures["status_502"]


def test_the_fitted_model_stands_near_both_tables(lab: Lab, measure: Measure) -> None:
    for table, texts in zip(lab.published, ({}, {"reserved_concurrency": "25"}), strict=True):
        runs = [measure(seed, preset="fitted", **texts) for seed in range(40)]
        median = {name: statistics.median(run[name] for run in runs) for name in table.figures}
        assert median["status_502"] == pytest.approx(table.figures["status_502"], rel=0.05, abs=2)
        assert median["total_seconds"] == pytest.approx(table.figures["total_seconds"], rel=0.15)
        assert median["p10_seconds"] == pytest.approx(table.figures["p10_seconds"], rel=0.05)
        assert min(run["total_seconds"] for run in runs) < table.figures["total_seconds"]
        assert max(run["total_seconds"] for run in runs) > table.figures["total_seconds"]


def test_the_latency_of_the_refusal_sets_their_number(measure: Measure) -> None:
    quick = measure(reserved_concurrency="25")["rejected"]
    slow = measure(reserved_concurrency="25", rejection_latency="100")["rejected"]
    slower = measure(reserved_concurrency="25", rejection_latency="1000")["rejected"]
    assert quick < slower < slow


def test_a_slot_that_is_freed_late_refuses_more(measure: Measure) -> None:
    assert measure(reserved_concurrency="25", release_lag="32")["rejected"] > 2600


def test_neighbours_crowd_the_unreserved_and_not_the_reserved(measure: Measure) -> None:
    crowd = {"other_reservations": "350, 200, 200", "unreserved_in_use": "130"}
    assert measure(**{**crowd, "unreserved_in_use": "225"})["concurrency_limit"] == 25
    assert measure(**crowd, reserved_concurrency="50")["rejected"] == 0


def test_too_many_reservations_are_refused(measure: Measure) -> None:
    full = {"other_reservations": "350, 200, 200, 150"}
    assert measure(**full)["unreserved_left"] == 100
    with pytest.raises(Refused, match="reserve at most 0"):
        measure(**full, reserved_concurrency="1")


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        ({"sleep_minimum": "5", "sleep_maximum": "2"}, "sleep_minimum is greater"),
        ({"requests": "10"}, "requests is smaller than concurrency"),
    ],
)
def test_parameters_that_contradict_each_other_are_refused(
    measure: Measure, texts: dict[str, str], sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence):
        measure(**texts)


def test_each_worker_sends_its_share_as_in_hey(measure: Measure) -> None:
    assert measure(requests="120", concurrency="50")["requests"] == 100


def test_a_timeout_shorter_than_the_sleep_costs_the_environment(measure: Measure) -> None:
    found = measure(timeout="1", requests="500")
    assert found["timed_out"] == found["cold_starts"] == found["status_502"] == 500


def test_the_status_of_a_throttle_is_a_setting(measure: Measure) -> None:
    found = measure(reserved_concurrency="25", throttle_status="429")
    assert (found["status_200"], found["status_429"], found["status_502"]) == (2500, 2500, 0)


def test_the_histogram_is_heys(measure: Measure) -> None:
    found = measure(preset="fitted")
    edges = [edge for edge, _ in found["histogram"]]
    steps = [after - before for before, after in itertools.pairwise(edges)]
    assert len(edges) == 11
    assert sum(count for _, count in found["histogram"]) == 5000
    assert edges[0] == pytest.approx(found["fastest_seconds"], abs=0.001)
    assert edges[-1] == pytest.approx(found["slowest_seconds"], abs=0.001)
    assert max(steps) - min(steps) < 0.003


def test_a_simulation_costs_little(measure: Measure) -> None:
    begun = time.process_time()
    for seed in range(10):
        measure(seed, preset="fitted")
    assert (time.process_time() - begun) / 10 < 0.1
