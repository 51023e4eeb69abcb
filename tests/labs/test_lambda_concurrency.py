"""The simulation of the load test: what follows from the limit alone, and what was published."""

from __future__ import annotations

import itertools
import shutil
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from benchmarks import lambda_calibration
from labs import child, registry, runner
from labs.findings import Refused
from labs.parts.latencies import Latencies
from labs.registry import Lab, PublishedTable
from tests.conftest import missing

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
    code = child.load(Path(FOLDER / "lab.py"))

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


@pytest.mark.full
@pytest.mark.parametrize(("table", "most_outside"), [(0, 2), (1, 5)])
def test_200_seeds_of_the_fitted_model_hold_the_published_figures(lab: Lab, table: int, most_outside: int) -> None:
    published, code = lab.published[table], child.load(lab.folder / "lab.py").one_function
    fitted = lambda_calibration.RUNS[published.name]
    assert len(_outside(lab, code, published, fitted, 200)) <= most_outside
    # The exact model, which was not fitted, holds fewer of them.
    assert len(_outside(lab, code, published, {**fitted, "preset": "exact"}, 40)) > most_outside


def _outside(lab: Lab, code: ModuleType, table: PublishedTable, texts: Mapping[str, str], seeds: int) -> list[str]:
    """Return the published figures outside the range that holds 95 % of the runs."""
    found = lambda_calibration.simulated(code, lab, table, seeds, texts)
    outside = []
    for name, value in lambda_calibration.published(table).items():
        ordered = sorted(found[name])
        if not ordered[round(0.025 * (seeds - 1))] <= value <= ordered[round(0.975 * (seeds - 1))]:
            outside.append(name)
    return outside


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
    spent = []
    for seed in range(10):
        begun = time.process_time()
        measure(seed, preset="fitted")
        spent.append(time.process_time() - begun)
    # 15 ms on a quiet machine; the least of ten is the machine's noise least.
    assert min(spent) < 0.04


def test_memory_does_not_grow_with_the_requests(measure: Measure, monkeypatch: pytest.MonkeyPatch) -> None:
    def peak(requests: int, exact: int) -> int:
        monkeypatch.setattr(Latencies.__init__, "__defaults__", (exact,))
        tracemalloc.start()
        assert measure(requests=str(requests), sleep_maximum="2", cold_start="200")["requests"] == requests
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    few, many, all_kept = peak(10_000, exact=1_000), peak(40_000, exact=1_000), peak(40_000, exact=40_000)
    # In bytes. Without the bins each of 30,000 more response times costs 24 bytes and a place in a list.
    assert many - few < 300_000
    assert all_kept - few > 900_000


def test_a_draw_inside_the_handler_gives_another_average_than_was_published(lab: Lab, measure: Measure) -> None:
    published = lab.published[0].figures["average_seconds"]
    inside = [measure(seed, sleep_drawn="inside the handler")["average_seconds"] for seed in range(10)]
    outside = [measure(seed)["average_seconds"] for seed in range(30)]
    assert published + 0.2 < min(inside) < max(inside) < min(inside) + 0.1
    assert min(outside) < published < max(outside)


def test_what_is_refused_is_not_billed_and_every_second_costs_a_step_more(measure: Measure) -> None:
    found = measure(reserved_concurrency="25", sleep_minimum="2", sleep_maximum="2", memory="1024")
    assert found["requests_billed"] == found["succeeded"] == 2500
    assert found["gigabyte_seconds_billed"] == pytest.approx(2500 * 2.1)
    assert (
        measure(reserved_concurrency="0")["dollars"] == measure(reserved_concurrency="0")["most_dollars_an_hour"] == 0
    )


def test_a_reservation_caps_what_an_hour_costs(measure: Measure) -> None:
    found = measure(reserved_concurrency="10", memory="1024")
    spent_an_hour = found["dollars"] / found["total_seconds"] * 3600
    assert spent_an_hour < found["most_dollars_an_hour"] < measure(memory="1024")["most_dollars_an_hour"]


def test_addresses_run_out_below_the_limit(measure: Measure) -> None:
    short = measure(scenario="VPC", memory="1536", subnets="28")
    assert (short["free_addresses"], short["peak_interfaces"], short["peak_concurrency"]) == (11, 11, 22)
    assert short["no_address"] == 28 * 100
    assert short["status_502"] == short["no_address"]
    assert measure(scenario="VPC", memory="1536", subnets="28, 28, 28")["no_address"] == 0
    # Smaller environments share an interface.
    assert measure(scenario="VPC", memory="128", subnets="28")["peak_interfaces"] == 3
    assert measure(scenario="VPC", memory="1536", subnets="24", interface_limit="11")["no_address"] == 2800
    assert measure(scenario="VPC", memory="1536", subnets="24", addresses_in_use="240")["no_address"] == 2800


def test_a_cold_start_in_a_vpc_takes_longer(measure: Measure) -> None:
    assert measure(scenario="VPC", subnets="24")["slowest_seconds"] > 10 + 2 > measure()["slowest_seconds"]


FOUR = {"scenario": "four sources"}
HEAP = {**FOUR, "source_rates": "450, 50, 50, 50", "minutes": "1"}


def test_without_reservations_one_source_starves_another(measure: Measure) -> None:
    crowded, reserved = measure(**HEAP, source_reservations=""), measure(**HEAP)
    assert crowded["cognito_lost"] > 300
    assert reserved["cognito_lost"] == 0
    assert reserved["s3_peak"] == 350 < crowded["s3_peak"]
    assert crowded["s3_lost"] == reserved["s3_lost"] == 0


def test_a_stream_never_uses_more_than_its_shards(measure: Measure) -> None:
    found = measure(**FOUR, minutes="1", shards="10, 5")
    assert (found["kinesis_peak"], found["kinesis_never_used"]) == (10, 190)
    assert (found["dynamodb_peak"], found["dynamodb_never_used"]) == (5, 195)


@pytest.mark.parametrize("source", ["S3", "Kinesis", "DynamoDB", "Cognito"])
def test_the_kill_switch_by_source(measure: Measure, source: str) -> None:
    found = measure(**FOUR, source_rates="20, 50, 50, 20", minutes="10", switched_off=source, off_minutes="2")
    name = source.lower()
    assert found[f"{name}_refused"] > 100
    assert (found[f"{name}_lost"] > 0) == (source == "Cognito")
    if source != "Cognito":
        assert 100 < found[f"{name}_oldest_seconds"] < 600
    if source in {"Kinesis", "DynamoDB"}:
        assert found[f"{name}_blocked_seconds"] > 100
    others = [one for one in ("s3", "kinesis", "dynamodb", "cognito") if one != name]
    assert all(found[f"{one}_refused"] == 0 for one in others)


@pytest.mark.parametrize(("source", "lost"), [("Kinesis", False), ("DynamoDB", True)])
def test_only_kinesis_keeps_its_records_for_longer_than_a_day(measure: Measure, source: str, lost: bool) -> None:
    long = {"minutes": "1560", "off_minutes": "1500", "retention": "48", "shards": "1, 1"}
    found = measure(**FOUR, **long, source_rates="0, 1, 1, 0", switched_off=source)
    assert (found[f"{source.lower()}_lost"] > 0) is lost


def test_four_sources_repeat_with_their_seed(measure: Measure) -> None:
    short = {**FOUR, "minutes": "1"}
    assert measure(4, **short) == measure(4, **short) != measure(5, **short)


def test_a_change_at_one_source_changes_no_other(measure: Measure) -> None:
    one, other = (measure(**FOUR, minutes="1", source_rates=f"{rate}, 100, 100, 50") for rate in (50, 100))
    assert one["s3_arrived"] != other["s3_arrived"]
    assert {name: value for name, value in one.items() if name.startswith(("kinesis", "dynamodb", "cognito"))} == {
        name: value for name, value in other.items() if name.startswith(("kinesis", "dynamodb", "cognito"))
    }


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        ({"memory": "200"}, "steps of 64"),
        ({**FOUR, "source_rates": "1, 2"}, "source_rates takes 4 numbers"),
        ({**FOUR, "shards": "4"}, "shards takes 2 numbers"),
        ({**FOUR, "source_reservations": "100"}, "four numbers, or none"),
        ({**FOUR, "source_reservations": "350, 200, 200, 151"}, "100 must stay"),
        ({**FOUR, "source_rates": "500, 0, 0, 0", "minutes": "60"}, "the most is 300,000"),
    ],
)
def test_a_scenario_that_cannot_be_is_refused(measure: Measure, texts: dict[str, str], sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        measure(**texts)


def test_the_live_mode_keeps_the_same_limit_in_real_time(lab: Lab) -> None:
    outcome = _live(lab, load_tool="own")
    found = {name: finding["value"] for name, finding in outcome.findings.items()}
    assert (found["rejected"], found["succeeded"], found["peak_concurrency"]) == (25, 25, 5)
    assert found["status_502"] == 25
    # Five executions of a second each, one after the other, in a fifth of that.
    assert 1 <= found["real_seconds"] < 8
    assert 5 <= found["total_seconds"] == pytest.approx(5 * found["real_seconds"], rel=0.02)
    assert set(_virtual(lab)) <= set(found)


def test_the_live_mode_without_a_limit_refuses_nobody(lab: Lab) -> None:
    outcome = _live(lab, load_tool="own", reserved_concurrency="")
    assert outcome.findings["rejected"]["value"] == 0
    assert outcome.findings["peak_concurrency"]["value"] == 10


def test_hey_itself_finds_the_same_refusals(lab: Lab) -> None:
    if not shutil.which("hey"):
        missing("hey")
    outcome = _live(lab, load_tool="hey")
    assert outcome.findings["hey"]["value"] is True
    assert outcome.findings["rejected"]["value"] == 25


def test_no_scale_is_taken_that_would_falsify_the_counts(lab: Lab) -> None:
    assert str(lab.read({"scale": "6"})[1]["scale"]).endswith("a whole number from 1 to 5.")


SMALL = {"requests": "50", "concurrency": "10", "reserved_concurrency": "5", "sleep_minimum": "1", "sleep_maximum": "1"}


def _live(lab: Lab, **texts: str) -> runner.Outcome:
    values, faults = lab.read({**SMALL, **texts})
    assert faults == {}
    outcome = runner.execute(lab, values, 1, runner.Limits(seconds=20), live=True)
    assert outcome.ending.done, outcome.ending.sentence
    return outcome


def _virtual(lab: Lab) -> Mapping[str, Any]:
    return runner.execute(lab, lab.read(SMALL)[0], 1, runner.Limits(seconds=20)).findings
