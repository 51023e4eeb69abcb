"""Six hostile labs through the worker: each ends in time with the reason on its page, and leaves nothing behind.

Each has a control: with its safeguard out of the way, the same lab does the harm.
"""

from __future__ import annotations

import os
import re
import signal
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from labs import runner
from labs.jobs import Worker
from labs.registry import Lab
from labs.runner import Event, Limits, Outcome, Run
from tests.conftest import missing

LIMITS = Limits(seconds=1, memory_mib=256, file_mib=1, disk_mib=8, events=2000, output_bytes=1 << 20)
PATIENT = replace(LIMITS, seconds=30)
"""For what meets another limit than that of time, which a busy machine must not let it meet first."""
SLACK = (20, 2)
"""Seconds after its limit within which a run must have ended: on any machine, and half the runs before a release."""
GROWTH = 20 << 20
VALUES = {"number": 7}

ALLOCATES = "kept = [bytearray(8 << 20) for _ in range(COUNT)]"
COMPUTES = "while True: pass"
WRITES = """
    for number in range(COUNT):
        open(f"part-{number}", "wb").write(bytes(1 << 19))
    time.sleep(0.6)"""
ESCAPES = """
    for _ in range(3):
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    if os.fork() == 0:
        os.setsid()
        time.sleep(60)
    time.sleep(0.3)"""
IGNORES = """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    report.log("deaf")
    time.sleep(60)"""
FLOODS = """
    while time.process_time() < SECONDS:
        os.write(report._descriptor, b"x" * 65536)"""


@pytest.fixture
def hostile(make_lab: Callable[..., Lab]) -> Callable[..., Lab]:
    """Return a function that makes a lab of these lines, the words in capitals replaced."""

    def make(lines: str, **words: object) -> Lab:
        for word, value in words.items():
            lines = lines.replace(word, str(value))
        return make_lab(f'def run(parameters, seed, report):\n    {lines}\n    return {{"number": Finding(7, "")}}')

    return make


@pytest.fixture
def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[int]]]:
    """Return a function that finds the processes which the runs of this test have left, by their folder."""
    runs = tmp_path / "runs"
    runs.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(runs))

    def find() -> list[int]:
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if str((process / "cwd").readlink()).startswith(str(runs)):
                    found.append(int(process.name))
            except OSError:
                continue
        return found

    yield find
    for process in find():
        os.kill(process, signal.SIGKILL)


def _none(left: Callable[[], list[int]]) -> bool:
    """Return whether nothing is left, after a moment: what was killed takes some time to go."""
    end = time.monotonic() + SLACK[0]
    while left() and time.monotonic() < end:
        time.sleep(0.01)
    return not left()


def _peak() -> int:
    """Return the most bytes of memory that this process has had since ``_forget_peak``."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) << 10


def _forget_peak() -> int:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        missing("a system that lets a process forget its greatest size")
    return _peak()


@pytest.mark.parametrize(
    ("lines", "words", "sentence"),
    [
        (ALLOCATES, {"COUNT": 10**6}, "needed more than 256 MiB of memory"),
        (COMPUTES, {}, "stopped after 1 s"),
        (WRITES, {"COUNT": 10**6}, "wrote more than 8 MiB"),
        (ESCAPES.replace("0.3", "60"), {}, "stopped after 1 s"),
        (IGNORES, {}, "stopped after 1 s"),
        (FLOODS, {"SECONDS": 60}, "reported more than 2,000 events or 1 MiB"),
    ],
    ids=["allocates", "computes", "writes", "escapes", "ignores", "floods"],
)
def test_a_hostile_lab_ends_in_time_and_its_page_says_why(
    app: Flask,
    client: FlaskClient,
    post: Callable[..., object],
    hostile: Callable[..., Lab],
    left: Callable[[], list[int]],
    sized: Callable[[int, int], int],
    lines: str,
    words: dict[str, object],
    sentence: str,
) -> None:
    if lines.startswith(ESCAPES[:40]) and not runner.namespace("none"):
        missing("a system that gives everyone namespaces")
    lab = hostile(lines, **words)
    app.extensions["labs"] = (lab,)
    limits = LIMITS if "stopped after" in sentence else PATIENT
    worker, taken = Worker(app.extensions["database"], (lab,), limits, app.extensions["clock"]), []
    for number in range(1, sized(1, 50) + 1):
        post(client, f"/labs/{lab.slug}/runs")
        before, begun = _forget_peak(), time.monotonic()
        assert worker.run_next()
        taken.append(time.monotonic() - begun)
        assert _none(left)
        assert _peak() - before < GROWTH
        page = client.get(f"/labs/{lab.slug}/runs/{number}").text
        assert "✗ failed" in page
        assert sentence in page
    assert statistics.median(taken) < limits.seconds + sized(*SLACK)
    assert max(taken) < limits.seconds + SLACK[0]


def _execute(lab: Lab, limits: Limits) -> Outcome:
    return runner.execute(lab, VALUES, 1, limits)


def test_without_the_limit_of_memory_it_gets_as_much_as_it_asks_for(hostile: Callable[..., Lab]) -> None:
    lab = hostile(ALLOCATES, COUNT=50)
    assert _execute(lab, PATIENT).ending.reason == "memory"
    assert _execute(lab, replace(PATIENT, memory_mib=2048)).ending.done


SHARES_OUT = """
    for _ in range(COUNT):
        if os.fork() == 0:
            kept = bytearray(b"x") * (SIZE << 20)
            time.sleep(60)
    time.sleep(1)"""


def test_the_memory_of_all_its_processes_counts(hostile: Callable[..., Lab], left: Callable[[], list[int]]) -> None:
    lab = hostile(SHARES_OUT, COUNT=4, SIZE=90)
    assert _execute(lab, PATIENT).ending.reason == "memory"
    assert _execute(lab, replace(PATIENT, memory_mib=2048)).ending.done
    assert _none(left) or not runner.namespace("none")


def test_too_many_processes_are_too_much(hostile: Callable[..., Lab], left: Callable[[], list[int]]) -> None:
    lab = hostile(SHARES_OUT, COUNT=30, SIZE=0)
    outcome = _execute(lab, replace(PATIENT, memory_mib=1024, processes=20))
    assert outcome.ending.sentence == "The run started more than 20 processes and was stopped."
    assert _execute(lab, replace(PATIENT, memory_mib=1024)).ending.done
    assert _none(left) or not runner.namespace("none")


def test_without_the_limit_of_the_disk_it_writes_as_much_as_it_likes(hostile: Callable[..., Lab]) -> None:
    lab = hostile(WRITES, COUNT=40)
    assert _execute(lab, PATIENT).ending.reason == "disk"
    assert _execute(lab, replace(PATIENT, disk_mib=64)).ending.done


def test_too_many_small_files_are_too_much(hostile: Callable[..., Lab]) -> None:
    lines = '[open(f"part-{number}", "w").close() for number in range(COUNT)]\n    time.sleep(0.6)'
    assert _execute(hostile(lines, COUNT=10_001), PATIENT).ending.reason == "disk"


def test_without_the_limit_of_time_it_goes_on(hostile: Callable[..., Lab]) -> None:
    with Run(hostile(COMPUTES), VALUES, 1, replace(LIMITS, seconds=60)) as run:
        begun = time.monotonic()
        for _batch in run.batches():
            if time.monotonic() - begun > LIMITS.seconds + 2:
                run.cancel()
    assert run.ending.reason == "cancelled"


def test_without_namespaces_it_leaves_processes_behind(
    hostile: Callable[..., Lab], left: Callable[[], list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "namespace", lambda _network: ())
    assert _execute(hostile(ESCAPES), PATIENT).ending.done
    assert len(left()) == 4


def test_a_polite_signal_does_not_end_it(hostile: Callable[..., Lab], left: Callable[[], list[int]]) -> None:
    with Run(hostile(IGNORES), VALUES, 1, PATIENT) as run:
        signalled = quiet = 0
        for batch in run.batches():
            if batch:
                # The last of them is the lab; the others wait for it.
                signalled = max(left())
                os.kill(signalled, signal.SIGTERM)
            quiet += bool(signalled)
            if quiet == 4:
                run.cancel()
    assert signalled
    assert run.ending.reason == "cancelled"


def test_without_the_limit_of_output_the_server_keeps_what_it_is_flooded_with(hostile: Callable[..., Lab]) -> None:
    limits = replace(PATIENT, output_bytes=1 << 40)
    lab = hostile("[os.write(report._descriptor, b'x' * 65536) for _ in range(COUNT)]", COUNT=240)
    before = _forget_peak()
    heard: list[Event] = []
    runner.execute(lab, VALUES, 1, limits, heard.append)
    assert _peak() - before > GROWTH
