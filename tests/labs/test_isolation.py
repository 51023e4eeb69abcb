"""What a run can reach: no network but its own, no right to change that, and nothing of the server's memory."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from labs import jobs, runner
from labs.registry import Lab
from labs.runner import Limits
from tests.conftest import missing

MakeLab = Callable[..., Lab]
VALUES = {"number": 7}
LIMITS = Limits(seconds=10)


@pytest.fixture
def apart() -> None:
    if "--net" not in runner.namespace("none"):
        missing("a system that gives everyone namespaces with a network of their own")


@pytest.fixture
def port() -> Iterator[int]:
    """A port of this machine at which something listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


CONNECT = """
def run(parameters, seed, report):
    import socket
    try:
        socket.create_connection(("127.0.0.1", PORT), 2).close()
        reached = 1
    except OSError:
        reached = 0
    return {"number": Finding(reached, "")}
"""


def _reached(lab: Lab) -> int:
    outcome = runner.execute(lab, VALUES, 1, LIMITS)
    assert outcome.ending.done, outcome.ending.sentence
    return int(outcome.findings["number"]["value"])


@pytest.mark.usefixtures("apart")
@pytest.mark.parametrize("network", ["none", "loopback"])
def test_a_lab_reaches_nothing_outside_its_run(make_lab: MakeLab, port: int, network: str) -> None:
    assert _reached(replace(make_lab(CONNECT.replace("PORT", str(port))), network=network)) == 0


def test_without_namespaces_it_reaches_what_the_machine_does(
    make_lab: MakeLab, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "namespace", lambda _network: ())
    assert _reached(make_lab(CONNECT.replace("PORT", str(port)))) == 1


SERVE = """
def run(parameters, seed, report):
    import socket
    try:
        server = socket.create_server(("127.0.0.1", 0))
        socket.create_connection(server.getsockname(), 2).close()
        reached = 1
    except OSError:
        reached = 0
    return {"number": Finding(reached, "")}
"""


@pytest.mark.usefixtures("apart")
@pytest.mark.parametrize(("network", "reached"), [("none", 0), ("loopback", 1)])
def test_only_a_lab_that_asks_for_it_can_serve_to_itself(make_lab: MakeLab, network: str, reached: int) -> None:
    assert _reached(replace(make_lab(SERVE), network=network)) == reached


RIGHTS = """
def run(parameters, seed, report):
    command = [sys.executable, "-c", "print(open('/proc/self/status').read())"]
    own = open("/proc/self/status").read()
    started = subprocess.run(command, capture_output=True, text=True).stdout
    rights = [line for line in (own + started).splitlines() if line.startswith(("CapPrm", "CapEff", "CapAmb"))]
    return {"number": Finding(sum(int(line.split()[1], 16) for line in rights), ""), "lines": Finding(len(rights), "")}
"""


@pytest.mark.usefixtures("apart")
@pytest.mark.parametrize("network", ["none", "loopback"])
def test_it_has_no_rights_within_its_namespaces(make_lab: MakeLab, network: str) -> None:
    outcome = runner.execute(replace(make_lab(RIGHTS), network=network), VALUES, 1, LIMITS)
    assert (outcome.findings["number"]["value"], outcome.findings["lines"]["value"]) == (0, 6)


PEEK = """
def run(parameters, seed, report):
    try:
        seen = len(open("/proc/PROCESS/environ", "rb").read())
    except OSError:
        seen = 0
    return {"number": Finding(seen, "")}
"""


@pytest.mark.usefixtures("apart")
def test_it_cannot_read_the_servers_environment_from_outside(
    make_lab: MakeLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = make_lab(PEEK.replace("PROCESS", str(os.getpid())))
    assert _reached(lab) == 0
    monkeypatch.setattr(runner, "namespace", lambda _network: ())
    assert _reached(lab) > 0


@pytest.mark.usefixtures("apart")
def test_what_it_writes_by_default_is_gone_with_it(make_lab: MakeLab) -> None:
    code = """
    def run(parameters, seed, report):
        import tempfile
        handle, name = tempfile.mkstemp()
        return {"number": Finding(1, ""), "name": Finding(name, "")}
    """
    outcome = runner.execute(make_lab(code), VALUES, 1, LIMITS)
    name = Path(outcome.findings["name"]["value"])
    assert name.parent.name.startswith("archway-lab-")
    assert not name.exists()


@pytest.mark.parametrize("found", [True, False])
def test_an_operator_is_told_where_there_are_no_namespaces(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *, found: bool
) -> None:

    monkeypatch.setattr(runner, "namespace", lambda _network: ("unshare",) if found else ())
    jobs.worker_of(app)
    assert ("share the network" in caplog.text) is not found
