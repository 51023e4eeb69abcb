"""The dynamic ETL: what the published machine does, and each fault met by it and by a better one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from labs import child, registry, runner
from labs.findings import Refused
from labs.parts import mariadb
from labs.registry import Lab
from tests.conftest import missing

FOLDER = registry.CATALOG / "stepfunctions_etl"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:"
SMALL = {"records": "60", "columns": "5"}
BETTER = (FOLDER / "better.asl.json").read_text("utf-8")
PARTS = ("rows_before", "fewest_rows_seen", "old_rows_after", "new_rows_after", "duplicate_rows", "missing_rows")
Measure = Callable[..., dict[str, Any]]


class Recorder:
    """A report that keeps what it is told."""

    def __init__(self) -> None:
        self.metrics: list[tuple[float, Mapping[str, float]]] = []
        self.logs: list[str] = []
        self.shares: list[float] = []

    def progress(self, share: float) -> None:
        self.shares.append(share)

    def metric(self, at: float, **values: float) -> None:
        self.metrics.append((at, values))

    def log(self, text: str) -> None:
        self.logs.append(text)


@pytest.fixture(scope="module")
def lab() -> Lab:
    return registry.read(FOLDER)


@pytest.fixture
def report() -> Recorder:
    return Recorder()


@pytest.fixture
def measure(lab: Lab, report: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Measure]:
    """Return a function that runs the lab here, in a folder of its own, and returns the findings' values."""
    code, checks = child.load(FOLDER / "lab.py"), child.load(FOLDER / "checks.py")
    folders = iter(range(100))

    def run(seed: int = 1, **texts: str) -> dict[str, Any]:
        folder = tmp_path / f"run-{next(folders)}"
        folder.mkdir()
        monkeypatch.chdir(folder)
        values, faults = lab.read({**SMALL, **texts})
        assert faults == {}
        findings = code.run(code.Parameters(**values), seed, report)
        found = {name: finding.value for name, finding in findings.items()}
        numbers = {name: value for name, value in found.items() if isinstance(value, int | float)}
        passed = {task.check for task in lab.tasks if getattr(checks, task.check)(numbers)}
        return {**found, "passed": passed}

    yield run
    for name in ("lab_lab", "lab_checks"):
        sys.modules.pop(name, None)


def machine(*names: str, **changes: Any) -> str:
    """Return a machine that calls these functions one after the other, each with the changes in its state."""
    states = {
        name: {"Type": "Task", "Resource": ARN + name, **changes, **({"Next": after} if after else {"End": True})}
        for name, after in zip(names, [*names[1:], None], strict=True)
    }
    return json.dumps({"StartAt": names[0], "States": states})


def changed(text: str, change: Callable[[dict[str, Any]], object]) -> str:
    """Return the machine with a change made to its states."""
    whole = json.loads(text)
    change(whole["States"])
    return json.dumps(whole)


def test_the_default_passes_the_first_task_only(measure: Measure) -> None:
    assert measure()["passed"] == {"three_keys_side_by_side"}


@pytest.mark.parametrize("minutes", ["0.5", "3", "5"])
@pytest.mark.parametrize(("date", "keys"), [("2018-02-12", 2), ("2018-02-13", 3)])
def test_side_by_side_takes_as_long_as_one_key(measure: Measure, minutes: str, date: str, keys: int) -> None:
    found = measure(minutes=minutes, date=date)
    one = 60 * float(minutes)
    assert (found["execution_seconds"], found["in_turn_seconds"]) == (5 + one, 5 + keys * one)
    assert found["empty_seconds"] == one


@pytest.mark.parametrize("date", ["2018-02-14", "2018-02-15", "2018-02-16"])
def test_other_numbers_of_keys_empty_the_published_report_and_succeed(measure: Measure, date: str) -> None:
    found = measure(date=date)
    assert (found["succeeded"], found["rows_before"], found["rows_after"], found["objects"]) == (1, 60, 0, 0)


@pytest.mark.parametrize("date", ["2018-02-12", "2018-02-13", "2018-02-14", "2018-02-15"])
def test_the_better_machine_takes_any_number_of_keys(measure: Measure, date: str) -> None:
    found = measure(machine=BETTER, date=date)
    assert [found[name] for name in PARTS] == [60, 60, 0, 60, 0, 0]
    assert (found["empty_seconds"], found["locks_left"]) == (0, 0)


def test_a_day_without_keys_keeps_the_better_machines_report_and_tells_people(measure: Measure) -> None:
    found = measure(machine=BETTER, date="2018-02-16")
    assert (found["failed"], found["alerts"], found["old_rows_after"], found["locks_left"]) == (1, 1, 60, 0)


@pytest.mark.parametrize("fault", ["none", "answer lost"])
def test_a_function_may_run_for_five_minutes(measure: Measure, fault: str) -> None:
    """Six minutes in one function are too long; cut in two, they are not."""
    published, better = measure(minutes="6", fault=fault), measure(machine=BETTER, minutes="6", fault=fault)
    assert (published["lost_answers"], better["lost_answers"]) == (0, fault != "none")
    assert (published["failed"], published["rows_after"], published["execution_seconds"]) == (1, 0, 305)
    assert (better["succeeded"], better["new_rows_after"]) == (1, 60)


FAULTS = {
    # (fault, machine) → fewest rows seen, old, new, doubled, missing, executions that succeeded
    ("extract fails once", "published"): (0, 0, 40, 0, 20, 0),
    ("extract fails once", "better"): (60, 0, 60, 0, 0, 1),
    ("extract always fails", "published"): (0, 0, 40, 0, 20, 0),
    ("extract always fails", "better"): (60, 60, 0, 0, 60, 0),
    ("load killed", "published"): (0, 0, 60, 0, 0, 1),
    ("load killed", "better"): (60, 0, 60, 0, 0, 1),
    ("answer lost", "published"): (0, 0, 60, 0, 0, 0),
    ("answer lost", "better"): (60, 0, 60, 0, 0, 1),
    ("runs overlap", "published"): (0, 0, 120, 60, 0, 2),
    ("runs overlap", "better"): (60, 0, 60, 0, 0, 1),
}


@pytest.mark.parametrize(("fault", "which"), FAULTS)
def test_each_fault_meets_both_machines(measure: Measure, fault: str, which: str) -> None:
    found = measure(fault=fault, **({"machine": BETTER} if which == "better" else {}))
    assert (*(found[name] for name in PARTS[1:]), found["succeeded"]) == FAULTS[fault, which]


@pytest.mark.parametrize("with_retry", [True, False])
def test_a_load_killed_by_a_real_signal_leaves_the_old_report_and_a_rerun_ends_right(
    measure: Measure, with_retry: bool
) -> None:
    text = BETTER if with_retry else changed(BETTER, lambda states: states["Load"].pop("Retry"))
    found = measure(machine=text, fault="load killed")
    assert (found["killed_by_signal"], found["killed_loads"], found["executions"]) == (9, 1, 1 if with_retry else 2)
    assert [found[name] for name in PARTS] == [60, 60, 0, 60, 0, 0]
    assert found["alerts"] == (not with_retry)


def test_a_retry_of_a_load_that_appends_doubles_a_campaign(measure: Measure) -> None:
    """The control of the idempotent load: the published function with a Retry."""

    def retry(states: dict[str, Any]) -> None:
        for branch in states["CurrentThreeKeys"]["Branches"]:
            for state in branch["States"].values():
                state["Retry"] = [{"ErrorEquals": ["States.ALL"]}]

    text = changed(registry.read(FOLDER).defaults()["machine"], retry)  # type: ignore[arg-type]
    found = measure(machine=text, fault="answer lost")
    assert (found["succeeded"], found["retries"], found["duplicate_rows"]) == (1, 1, 20)
    assert "one_failure_is_survived" in measure(machine=text, fault="extract fails once")["passed"]


def test_without_the_lock_both_runs_load(measure: Measure) -> None:
    def no_lock(states: dict[str, Any]) -> None:
        del states["Lock"], states["AnotherRuns"]

    text = changed(BETTER, no_lock).replace('"StartAt": "Lock"', '"StartAt": "ReadKeys"')
    found = measure(machine=text, fault="runs overlap")
    assert (found["loads"], found["rows_loaded"], found["passed"]) == (2, 120, set())


def test_a_lock_that_is_not_given_back_is_found(measure: Measure) -> None:
    def keep(states: dict[str, Any]) -> None:
        del states["Unlock"]
        states["Load"].update(End=True)
        del states["Load"]["Next"]

    found = measure(machine=changed(BETTER, keep), fault="runs overlap")
    assert (found["refused_by_lock"], found["locks_left"], found["passed"]) == (1, 1, set())


def test_a_function_runs_on_when_the_machine_waits_no_longer(measure: Measure, report: Recorder) -> None:
    """Two branches load after the third has failed and the execution has ended."""
    found = measure(fault="extract always fails")
    assert found["execution_seconds"] == 5 + 120
    assert [(at, values["loads"]) for at, values in report.metrics][-1] == (305, 2)


def test_moments_and_shares_never_go_back(measure: Measure, report: Recorder) -> None:
    for fault in ("none", "runs overlap", "load killed"):
        report.metrics.clear()
        report.shares.clear()
        measure(fault=fault)
        moments = [at for at, _ in report.metrics]
        assert moments == sorted(moments)
        assert report.shares == sorted(report.shares)
        assert report.shares[-1] == pytest.approx(0.99)


def test_the_same_seed_gives_the_same_findings_and_others_choose_other_victims(
    measure: Measure, report: Recorder
) -> None:
    assert measure(4, fault="load killed") == measure(4, fault="load killed")
    report.logs.clear()
    for seed in range(6):
        measure(seed, fault="extract always fails")
    victims = {line.split()[-1] for line in report.logs if "ConnectionLost" in line}
    assert 1 < len(victims) <= 3


def test_the_rule_is_told_in_its_own_time_zone(measure: Measure) -> None:
    rule = {"ScheduleExpression": "cron(0 3,14 ? * MON-FRI *)", "ScheduleExpressionTimezone": "Europe/Berlin"}
    found = measure(schedule=json.dumps(rule))
    assert found["starts_a_week"] == 10
    assert found["next_starts"][:2] == ["2018-02-13 03:00 CET", "2018-02-13 14:00 CET"]
    assert measure(schedule='{"ScheduleExpression": "rate(12 hours)"}')["starts_a_week"] == 14


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        (
            {"machine": '{"StartAt": "A",\n "States": {"A": {"Type": "Pass"}}}'},
            r"machine, line 2, column 13: .*nowhere",
        ),
        ({"machine": machine("Start").replace(":Start", ":Finish")}, r"machine, line 1, .*Nothing answers to "),
        ({"campaigns": '{\n"2018-02-13": ["a b"]}'}, "campaigns, line 2, column 1: A date has a list"),
        ({"campaigns": '{"2018-02-13": ["A", "A"]}'}, "campaigns, line 1, column 2: A date has a list"),
        ({"campaigns": '{"13 February": ["A"]}'}, "campaigns, line 1, column 2: An item's name is a date"),
        ({"campaigns": '["A"]'}, "campaigns, line 1, column 1: This is no object"),
        (
            {"campaigns": '{"2018-02-13": ["A"], "2018-02-13": ["B"]}'},
            "campaigns, line 1, column 23: “2018-02-13” stands twice",
        ),
        ({"schedule": '{"ScheduleExpression": "cron(0 3 * * *)"}'}, "schedule, line 1, column 2: A cron .* six fields"),
        ({"schedule": '{"ScheduleExpression": "rate(1 hour)", "Zone": "UTC"}'}, "A rule has no Zone"),
        ({"schedule": '{"ScheduleExpression": "cron(0 3 1 3 ? 2017)"}'}, "never in the week from 2018-02-13"),
    ],
)
def test_a_text_that_cannot_be_used_is_refused_with_its_place(
    measure: Measure, texts: dict[str, str], sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence) as refused:
        measure(**texts)
    assert "never" in sentence or refused.value.faults[0].parameter in texts


def test_more_than_the_articles_size_is_refused(lab: Lab) -> None:
    _, faults = lab.read({"records": "65001", "columns": "600"})
    assert "records" in faults


def test_a_campaign_that_no_file_of_a_run_holds_is_refused(lab: Lab) -> None:
    values, _ = lab.read({"records": "60000", "columns": "600", "date": "2018-02-14"})
    ending = runner.execute(lab, values, 1, runner.Limits()).ending
    assert ending.reason == "refused"
    assert ending.sentence.startswith("A campaign of 2018-02-14 has more than 30,000,000 cells")


MEASURED = """
import json, resource, sys
from pathlib import Path
from labs import registry, runner

lab = registry.read(Path(sys.argv[1]))
outcome = runner.execute(lab, lab.read({"records": "6500", "columns": "600"})[0], 1, runner.Limits())
used = resource.getrusage(resource.RUSAGE_CHILDREN)
found = {name: one["value"] for name, one in outcome.findings.items()}
print(json.dumps([outcome.ending.sentence, found, used.ru_utime + used.ru_stime, used.ru_maxrss]))
"""
"""A run in a process that has no other children: the most memory that any child ever had is then the run's."""


def test_a_tenth_of_the_articles_size_takes_little() -> None:
    """All of it is a benchmark: python -m benchmarks.etl_at_articles_size."""
    command = [sys.executable, "-c", MEASURED, str(FOLDER)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100)
    sentence, found, seconds, kibibytes = json.loads(ran.stdout)
    assert sentence == ""
    assert found["cells"] == 3_900_000
    assert found["missing_rows"] == 0
    assert seconds < 4
    assert kibibytes < 600_000


def warehouses(folder: str) -> set[Path]:
    """Return the processes of warehouses that run in the folder, or ran in it before it was removed."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            place, command = str((process / "cwd").readlink()), (process / "cmdline").read_bytes()
        except OSError:
            continue
        if place.removesuffix(" (deleted)") == folder and b"warehouse_process.py" in command:
            found.add(process)
    return found


def test_nothing_outlives_a_run_that_is_cancelled(lab: Lab) -> None:
    values, _ = lab.read({"records": "65000", "columns": "300", "machine": BETTER})
    started: set[Path] = set()
    with runner.Run(lab, values, 1, runner.Limits()) as run:
        for _ in run.batches():
            started |= warehouses(run._folder)
            if started:
                run.cancel()
    assert (run.ending.reason, len(started)) == ("cancelled", 1)
    assert warehouses(run._folder) == set()


def test_a_run_may_have_its_source_in_a_mariadb_of_its_own(lab: Lab) -> None:
    if not mariadb.is_installed():
        missing("MariaDB")
    outcomes = []
    for source in ("SQLite", "MariaDB"):
        values, _ = lab.read({**SMALL, "source": source, "machine": BETTER, "fault": "extract fails once"})
        outcomes.append(runner.execute(lab, values, 1, runner.Limits(servers=("mariadb",))))
    assert outcomes[0] == outcomes[1]
    assert "one_failure_is_survived" in {name for name, passed in outcomes[0].checks.items() if passed}
    refused = runner.execute(lab, values, 1, runner.Limits())
    assert refused.ending.reason == "refused"
    assert "ARCHWAY_LABS_MARIADB=on" in refused.ending.sentence
