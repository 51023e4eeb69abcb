"""``flask labs`` on a terminal and in a script."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient

import config
from labs import registry
from labs.registry import Lab
from tests.databases import Databases

Invoke = Callable[..., Result]


@pytest.fixture
def invoke(app: Flask) -> Invoke:
    def call(*arguments: str) -> Result:
        return app.test_cli_runner().invoke(args=["labs", *arguments])

    return call


def test_list_names_every_lab(invoke: Invoke) -> None:
    result = invoke("list")
    assert result.exit_code == 0
    assert "lambda-concurrency" in result.stdout


def test_json_is_one_document_and_nothing_else(invoke: Invoke) -> None:
    result = invoke("run", "lambda-concurrency", "--set", "reserved_concurrency=25", "--seed", "3", "--json")
    document = json.loads(result.stdout)
    assert (document["lab"], document["seed"]) == ("lambda-concurrency", 3)
    assert document["parameters"]["reserved_concurrency"] == 25
    assert document["findings"]["rejected"] == {"value": 2500, "unit": "requests"}
    assert document["checks"]["half_is_refused"]
    assert "100%" in result.stderr


def test_findings_are_printed_for_people(invoke: Invoke) -> None:
    result = invoke("run", "lambda-concurrency", "--set", "reserved_concurrency=0")
    assert result.exit_code == 0
    assert "rejected                         5000 requests" in result.stdout
    assert "✓ Switch the function off" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["no-such-lab"], "There is no lab “no-such-lab”; the labs are"),
        (["lambda-concurrency", "--set", "reserved=25"], "reserved is no parameter of lambda-concurrency"),
        (["lambda-concurrency", "--set", "requests=many"], "requests is “many”; it accepts a whole number of requests"),
        (["lambda-concurrency", "--set", "requests"], "write it as NAME=VALUE"),
        (["lambda-concurrency", "--seed", "-1"], "--seed"),
        (
            ["lambda-concurrency", "--live", "--set", "scale=10"],
            "scale is “10”; it accepts a whole number from 1 to 5.",
        ),
    ],
)
def test_wrong_usage_ends_with_2_and_a_sentence(invoke: Invoke, arguments: list[str], sentence: str) -> None:
    result = invoke("run", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert sentence in result.stderr


def test_what_the_lab_refuses_ends_with_1_and_its_sentence(invoke: Invoke) -> None:
    reservations = "other_reservations=350,200,200,150"
    result = invoke("run", "lambda-concurrency", "--set", reservations, "--set", "reserved_concurrency=1", "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "100 must stay" in result.stderr


def test_a_live_run_on_a_terminal(invoke: Invoke) -> None:
    small = ["requests=20", "concurrency=4", "reserved_concurrency=2", "sleep_minimum=1", "sleep_maximum=1"]
    sets = [word for one in [*small, "load_tool=own"] for word in ("--set", one)]
    document = json.loads(invoke("run", "lambda-concurrency", "--live", *sets, "--json").stdout)
    assert document["findings"]["rejected"]["value"] == 10
    assert document["findings"]["scale"]["value"] == 5
    refused = invoke("run", "lambda-concurrency", "--live", "--set", "scenario=VPC")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "The live mode has one scenario" in refused.stderr


def test_a_lab_without_a_live_mode_says_so(
    invoke: Invoke, make_lab: Callable[..., Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = make_lab()
    monkeypatch.setattr(registry, "load", lambda: ((lab,), ()))
    result = invoke("run", "small-lab", "--live")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "small-lab has no live mode; leave out --live." in result.stderr


def test_a_text_is_read_from_a_file(invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "CATALOG", Path("tests/labs/catalog"))
    file = tmp_path / "machine.json"
    file.write_text('{"StartAt": "Nowhere",\n"States": {"Deliver": {"Type": "Pass"}}}')
    result = invoke("run", "messages", "--set", f"machine=@{file}", "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "machine, line 1, column 14: “Nowhere” is no state" in result.stderr
    file.write_text('{"StartAt": "Deliver",\n"States": {"Deliver": {"Type": "Pass"}}}')
    result = invoke("run", "messages", "--set", f"machine=@{file}", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["parameters"]["machine"] == file.read_text()
    file.write_text("{")
    result = invoke("run", "messages", "--set", f"machine=@{file}")
    assert result.exit_code == 2
    assert "machine, line 1, column 2: a name in double quotes must stand here." in result.stderr
    result = invoke("run", "messages", "--set", f"machine=@{tmp_path / 'none'}")
    assert result.exit_code == 2
    assert "No such file" in result.stderr


def _on_a_terminal(instance: Path, *arguments: str) -> str:
    """Return what the command writes to a terminal."""
    terminal, side = pty.openpty()
    command = [sys.executable, "-m", "flask", "labs", *arguments]
    environment = {"PATH": os.environ["PATH"], "ARCHWAY_INSTANCE": str(instance)}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=side, env=environment)
    os.close(side)
    text = b""
    # Linux ends a terminal that nobody writes to any more with an error.
    with contextlib.suppress(OSError):
        while piece := os.read(terminal, 4096):
            text += piece
    os.close(terminal)
    assert process.wait(30) == 0
    return text.decode()


def test_on_a_terminal_one_bar_grows_and_words_stand_above_it(invoke: Invoke, tmp_path: Path) -> None:
    shown = _on_a_terminal(tmp_path, "run", "lambda-concurrency", "--set", "reserved_concurrency=0")
    bars = re.findall(r"\r\x1b\[K(█*)(░*) +(\d+)%", shown)
    assert len(bars) > 3
    assert {len(done) + len(rest) for done, rest, _share in bars} == {40}
    assert bars[-1] == ("█" * 40, "", "100")
    assert shown.count("\n") < 5
    # Anywhere else each step has a line.
    assert "█" not in invoke("run", "lambda-concurrency", "--set", "reserved_concurrency=0").stderr


def test_verify_compares_with_what_was_published(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = registry.read(registry.CATALOG / "lambda_concurrency")
    monkeypatch.setattr(registry, "load", lambda: ((lab,), ()))
    result = invoke("verify")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.count("✓ passes") >= 6
    assert "difference" in result.stdout
    assert "3076" in result.stdout


def test_verify_fails_where_a_solution_does_not_pass(
    invoke: Invoke, make_lab: Callable[..., Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = make_lab()
    solution = '[[runs]]\ncheck = "is_seven"\nseed = 1\nparameters = { number = "8" }\n'
    (lab.folder / "solution.toml").write_text(solution)
    monkeypatch.setattr(registry, "load", lambda: ((lab,), ()))
    result = invoke("verify")
    assert result.exit_code == 1
    assert "small-lab, solution for is_seven: its check is not met." in result.stderr
    (lab.folder / "solution.toml").write_text("")
    assert "no run of the solution is for is_seven" in invoke("verify").stderr


def test_the_worker_is_a_process_of_its_own_that_ends_when_told(
    settings: config.Settings, client: FlaskClient, post: Callable[..., object], databases: Databases
) -> None:
    post(client, "/labs/lambda-concurrency/runs")
    environment = {"PATH": os.environ["PATH"], **databases.environment(settings.instance)}
    process = subprocess.Popen([sys.executable, "-m", "flask", "worker"], env=environment)
    try:
        end = time.monotonic() + 60
        state = ""
        while state != "done" and time.monotonic() < end:
            time.sleep(0.05)
            state = client.get("/labs/lambda-concurrency/runs/1/events").get_json()["state"]
        assert state == "done"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
