"""A run ends within its limits, whatever the lab does, with a reason and with nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from labs import child, runner
from labs.registry import Lab
from labs.runner import Limits, Run

SECOND = Limits(seconds=1, memory_mib=256, file_mib=1, events=2000)
PATIENT = replace(SECOND, seconds=30)
"""For what ends by itself or by another limit: a busy machine must not make it end by that of time."""
SLACK = 20
"""Seconds within which what must end does so on any machine; tests/labs/test_hostile_labs.py asks for two."""
VALUES = {"number": 7}
MakeLab = Callable[..., Lab]


def _alive(marker: str) -> list[int]:
    """Return the processes whose environment or command line has ``marker``."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                state = (process / "stat").read_text().rsplit(")", 1)[1].split()[0]
                if state != "Z" and marker.encode() in (process / "cmdline").read_bytes():
                    found.append(int(process.name))
            except (OSError, IndexError):
                continue
    return found


def _left(marker: str) -> list[int]:
    """Return those still there after a moment: what was killed takes some time to go."""
    end = time.monotonic() + SLACK
    while (found := _alive(marker)) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def test_it_brings_findings_checks_and_progress(make_lab: MakeLab) -> None:
    events: list[runner.Event] = []
    outcome = runner.execute(make_lab(), VALUES, 5, PATIENT, events.append)
    assert outcome.ending.done
    assert outcome.findings == {"number": {"value": 7, "unit": ""}, "seed": {"value": 5, "unit": ""}}
    assert outcome.checks == {"is_seven": True}
    assert [event["kind"] for event in events] == ["progress", "findings", "check", "progress"]


def test_a_refusal_is_told_in_the_labs_own_words(make_lab: MakeLab) -> None:
    lab = make_lab('def run(parameters, seed, report): raise Refused("The account has 100 left; ask for less.")')
    outcome = runner.execute(lab, VALUES, 1, PATIENT)
    assert outcome.ending == runner.Ending("refused", "The account has 100 left; ask for less.")
    assert outcome.findings == {}


@pytest.mark.parametrize(
    ("code", "reason", "sentence"),
    [
        ("time.sleep(99)", "time", "stopped after 1 s"),
        ("while True: pass", "time", "stopped after 1 s"),
        ("signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(99)", "time", "stopped after 1 s"),
        ("block = [bytearray(8 << 20) for _ in range(10**6)]", "memory", "more than 256 MiB"),
        ("while True: report.log('x' * 99)", "output", "more than 2,000 events"),
        ("report.log('x' * (9 << 20))", "output", "8 MiB"),
        ("open('big', 'wb').write(bytes(2 << 20))", "error", "File too large"),
        ("sys.exit(0)", "error", "SystemExit"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "memory", "memory"),
        ("os.abort()", "error", "without its findings"),
        ("os._exit(0)", "error", "without its findings"),
        ("raise KeyError('x')", "error", "lab.py line 11: KeyError"),
    ],
)
def test_a_hostile_lab_ends_with_the_reason(make_lab: MakeLab, code: str, reason: str, sentence: str) -> None:
    lab = make_lab(f"def run(parameters, seed, report):\n    {code}")
    limits = SECOND if reason == "time" else PATIENT
    begun = time.monotonic()
    outcome = runner.execute(lab, VALUES, 1, limits)
    assert outcome.ending.reason == reason
    assert sentence in outcome.ending.sentence
    assert time.monotonic() - begun < limits.seconds + SLACK


ESCAPE = """
def run(parameters, seed, report):
    for _ in range(3):
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", MARKER], start_new_session=True)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(60)", MARKER])
    report.log("escaped")
    WAIT
    return {"number": Finding(7, "")}
"""


@pytest.mark.parametrize(("wait", "reason"), [("time.sleep(60)", "time"), ("time.sleep(0.3)", "done")])
def test_what_leaves_the_session_is_ended_too(make_lab: MakeLab, wait: str, reason: str) -> None:
    if not runner.namespace("none"):
        pytest.skip("this system gives no namespaces, so only the process group is ended")
    marker = f"escaped-{os.getpid()}-{reason}"
    lab = make_lab(ESCAPE.replace("MARKER", repr(marker)).replace("WAIT", wait))
    limits, begun = SECOND if reason == "time" else PATIENT, time.monotonic()
    assert runner.execute(lab, VALUES, 1, limits).ending.reason == reason
    assert time.monotonic() - begun < limits.seconds + SLACK
    assert _left(marker) == []


def test_the_escape_works_where_there_is_no_namespace(make_lab: MakeLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "namespace", lambda _network: ())
    marker = f"control-{os.getpid()}"
    lab = make_lab(ESCAPE.replace("MARKER", repr(marker)).replace("WAIT", "time.sleep(0.3)"))
    assert runner.execute(lab, VALUES, 1, PATIENT).ending.done
    left = _alive(marker)
    for process in left:
        os.kill(process, signal.SIGKILL)
    assert len(left) == 4


def test_without_a_namespace_the_process_group_is_ended(make_lab: MakeLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "namespace", lambda _network: ())
    marker = f"group-{os.getpid()}"
    code = f"""
    def run(parameters, seed, report):
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", {marker!r}])
        time.sleep(60)
    """
    assert runner.execute(make_lab(code), VALUES, 1, SECOND).ending.reason == "time"
    assert _left(marker) == []


def test_a_cancelled_run_ends_at_once(make_lab: MakeLab) -> None:
    lab = make_lab("def run(parameters, seed, report):\n    report.log('here')\n    time.sleep(60)")
    with Run(lab, VALUES, 1, Limits()) as run:
        seen = []
        for batch in run.batches():
            seen += batch
            if seen:
                begun = time.monotonic()
                run.cancel()
    assert run.ending.reason == "cancelled"
    assert time.monotonic() - begun < SLACK


SERVER = """
import sys, time
from pathlib import Path
from labs import registry, runner
lab = registry.read(Path(sys.argv[1]))
with runner.Run(lab, {"number": 7}, 1, runner.Limits()) as run:
    for batch in run.batches():
        if batch:
            print("running", flush=True)
"""


def test_nothing_outlives_a_server_that_is_killed(make_lab: MakeLab, tmp_path: Path) -> None:
    marker = f"orphan-{os.getpid()}"
    lab = make_lab(f"""
    def run(parameters, seed, report):
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", {marker!r}])
        report.log("started")
        time.sleep(60)
    """)
    # A killed server cannot remove the run's folder, so that one is put where pytest does.
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", SERVER, str(lab.folder)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
    assert server.stdout is not None
    assert server.stdout.readline() == b"running\n"
    assert _alive(marker) != []
    server.kill()
    server.wait()
    server.stdout.close()
    assert _left(marker) == []


def test_the_lab_sees_nothing_of_the_servers_environment(make_lab: MakeLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHWAY_SECRET_KEY", "x" * 40)
    lab = make_lab('def run(parameters, seed, report): return {"names": Finding(sorted(os.environ), "")}')
    outcome = runner.execute(lab, VALUES, 1, PATIENT)
    assert set(outcome.findings["names"]["value"]) <= {"LANG", "LC_CTYPE", "PATH", "TMPDIR"}


def test_its_folder_is_gone_afterwards(make_lab: MakeLab) -> None:
    code = (
        "def run(parameters, seed, report):\n    open('kept', 'w').close()\n    return {'at': Finding(os.getcwd(), '')}"
    )
    outcome = runner.execute(make_lab(code), VALUES, 1, PATIENT)
    assert not Path(outcome.findings["at"]["value"]).exists()


def test_a_labs_code_may_have_neighbours_and_each_lab_has_its_own(make_lab: MakeLab) -> None:
    labs = [make_lab("from .words import run", name) for name in ("one_lab", "other_lab")]
    for lab in labs:
        said = f"Finding(7, '{lab.slug}')"
        words = (
            f"from labs.findings import Finding\ndef run(parameters, seed, report):\n    return {{'number': {said}}}"
        )
        (lab.folder / "words.py").write_text(words)
        assert runner.execute(lab, VALUES, 1, PATIENT).findings["number"] == {"value": 7, "unit": lab.slug}
    loaded = [child.load(lab.folder / "lab.py").run(None, 1, None)["number"].unit for lab in labs]
    assert loaded == [lab.slug for lab in labs]


def test_a_live_run_is_the_labs_own_and_is_limited_as_the_other(make_lab: MakeLab) -> None:
    live = """
    def run(parameters, seed, report):
        return {"number": Finding(1, "virtual")}

    def live(parameters, seed, report):
        report.log("live")
        if parameters.number == 9:
            time.sleep(60)
        return {"number": Finding(7, "real")}
    """
    lab = make_lab(live)
    assert runner.execute(lab, VALUES, 1, PATIENT).findings["number"]["unit"] == "virtual"
    assert runner.execute(lab, VALUES, 1, PATIENT, live=True).findings["number"]["unit"] == "real"
    assert runner.execute(lab, {"number": 9}, 1, SECOND, live=True).ending.reason == "time"


def test_what_a_lab_prints_is_no_event(make_lab: MakeLab) -> None:
    code = 'def run(parameters, seed, report):\n    print(\'{"kind": "findings"}\', flush=True)\n    return {}'
    events: list[runner.Event] = []
    outcome = runner.execute(make_lab(code), VALUES, 1, PATIENT, events.append)
    assert outcome.ending.done
    assert outcome.checks == {"is_seven": False}  # a check that misses its finding is not met
    assert [event["kind"] for event in events] == ["findings", "check", "progress"]
