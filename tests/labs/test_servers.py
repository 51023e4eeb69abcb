"""A run's own servers: started when a lab asks, the run's alone, and gone with it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

import config
from labs import jobs, registry, runner, servers
from labs.parts import mariadb
from labs.registry import Lab, LabError, Part
from labs.runner import Limits, Run
from tests.conftest import missing

MakeLab = Callable[..., Lab]
VALUES = {"number": 7}
WITH = Limits(seconds=30, servers=("mariadb",))


@pytest.fixture
def installed() -> None:
    if not mariadb.is_installed():
        missing("MariaDB")


def running(folder: str) -> list[Path]:
    """Return the processes of servers whose data is, or was, below the folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"--datadir={folder}".encode() in (process / "cmdline").read_bytes():
                found.append(process)
        except OSError:
            continue
    return found


ASK = """
from labs.parts.mariadb import Client, MariaDBError

def run(parameters, seed, report):
    begun = time.process_time()
    address = report.servers["mariadb"]
    assert report.servers["mariadb"] == address
    client = Client(address)
    client.execute('''
        CREATE PROCEDURE mysql.lambda_async(IN function_name VARCHAR(255), IN input TEXT)
            INSERT INTO archway.sent VALUES (input);
        CREATE TABLE sales (item INTEGER);
        CREATE TABLE sent (input TEXT);
        DELIMITER ;;
        CREATE TRIGGER told AFTER INSERT ON sales FOR EACH ROW BEGIN
            CALL mysql.lambda_async('f', CONCAT('{\\"item\\": ', NEW.item, '}'));
        END ;;
        DELIMITER ;
        INSERT INTO sales VALUES (7);
    ''')
    rows = b"".join(client.lines("SELECT input FROM sent")).decode()
    try:
        client.execute("SELEKT 1")
    except MariaDBError as error:
        report.log(str(error))
    return {"number": Finding(7, ""), "rows": Finding(rows, ""), "at": Finding(os.getcwd(), "")}
"""


@pytest.mark.usefixtures("installed")
def test_a_lab_has_a_server_of_its_own_in_which_it_may_do_everything(make_lab: MakeLab) -> None:
    events: list[runner.Event] = []
    outcome = runner.execute(make_lab(ASK), VALUES, 1, WITH, events.append)
    assert outcome.ending.done, outcome.ending.sentence
    assert outcome.findings["rows"]["value"] == '{"item": 7}\n'
    said = next(event["text"] for event in events if event["kind"] == "log")
    assert said.startswith("ERROR 1064 (42000) at line 1: You have an error in your SQL syntax")
    folder = outcome.findings["at"]["value"]
    assert not Path(folder).exists()
    assert running(folder) == []


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("apart", [True, False])
def test_the_server_is_gone_with_a_run_that_is_cancelled(
    make_lab: MakeLab, monkeypatch: pytest.MonkeyPatch, *, apart: bool
) -> None:
    if not apart:
        monkeypatch.setattr(runner, "namespace", lambda _network: ())
    lab = make_lab("""
    def run(parameters, seed, report):
        report.log(report.servers["mariadb"])
        time.sleep(60)
    """)
    with Run(lab, VALUES, 1, WITH) as run:
        started: list[Path] = []
        for batch in run.batches():
            if batch:
                started = running(run._folder)
                run.cancel()
    assert (run.ending.reason, len(started)) == ("cancelled", 1)
    end = time.monotonic() + 20
    while running(run._folder) and time.monotonic() < end:
        time.sleep(0.01)
    assert running(run._folder) == []


REFUSED = (
    "MariaDB cannot be started here; choose what stands for it by default. The operator can have it ready: install"
    " mariadb-server and set ARCHWAY_LABS_MARIADB=on."
)


def test_a_server_that_is_not_offered_is_refused_with_its_setting(make_lab: MakeLab) -> None:
    lab = make_lab("""
    def run(parameters, seed, report):
        report.log(str("mariadb" in report.servers))
        report.servers["mariadb"]
    """)
    events: list[runner.Event] = []
    outcome = runner.execute(lab, VALUES, 1, replace(WITH, servers=()), events.append)
    assert outcome.ending == runner.Ending("refused", REFUSED)
    assert events[0]["text"] == "False"


def test_a_server_that_does_not_come_up_is_told_with_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = tmp_path / "places"
    places.mkdir()
    for name, text in {
        "mariadb-install-db": "exit 0",
        "mariadbd": "echo '[ERROR] No space left' >&2; exit 1",
        "mariadb": "exit 1",
    }.items():
        (places / name).write_text(f"#!/bin/sh\n{text}\n")
        (places / name).chmod(0o755)
    monkeypatch.setattr(mariadb, "PLACES", str(places))
    with pytest.raises(mariadb.MariaDBError, match=r"MariaDB does not answer: \[ERROR\] No space left"):
        mariadb.start(tmp_path / "server")
    (places / "mariadb-install-db").write_text("#!/bin/sh\necho 'FATAL ERROR: no' >&2\nexit 1\n")
    with pytest.raises(mariadb.MariaDBError, match="FATAL ERROR: no"):
        mariadb.start(tmp_path / "other")


def test_what_is_not_installed_or_not_allowed_is_not_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offered(word: str) -> tuple[str, ...]:
        return jobs.servers_of(config.load({"ARCHWAY_INSTANCE": str(tmp_path), "ARCHWAY_LABS_MARIADB": word}))

    def found(_name: str, path: str) -> str:
        return path

    monkeypatch.setattr(mariadb.shutil, "which", found)
    assert (offered("on"), offered("off")) == (("mariadb",), ())
    monkeypatch.setattr(mariadb, "PLACES", "")
    assert offered("on") == ()


def test_each_servers_setting_is_one_of_the_operators() -> None:
    names = {config.name_of(one) for one in config.Settings.__dataclass_fields__}
    assert {server.setting for server in servers.SERVERS.values()} <= names


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ('setting = "ARCHWAY_LABS_ORACLE"\nconfigured = "x"', "allows no server; use ARCHWAY_LABS_MARIADB"),
        ('setting = "ARCHWAY_LABS_MARIADB"', "“setting” and “configured” alone"),
        ('configured = "MariaDB"', "“setting” and “configured” alone"),
    ],
)
def test_a_part_names_a_setting_and_what_it_brings(make_lab: MakeLab, lines: str, sentence: str) -> None:
    folder = make_lab().folder
    toml = folder / "lab.toml"
    toml.write_text(f'{toml.read_text()}\n[[parts]]\nname = "RDS"\nstands_for_it = "x"\ndiffers = "y"\n{lines}\n')
    with pytest.raises(LabError, match=sentence):
        registry.read(folder)


@pytest.mark.parametrize("ready", [True, False])
def test_people_and_programs_are_told_whether_it_is_ready(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, *, ready: bool
) -> None:
    monkeypatch.setattr(jobs, "servers_of", lambda _settings: ("mariadb",) if ready else ())
    page = client.get("/labs/stepfunctions-etl").text
    missing_there = "Not on this server: its operator installs mariadb-server and sets ARCHWAY_LABS_MARIADB=on."
    assert ("Ready on this server." in page, missing_there in page) == (ready, not ready)
    (described,) = [one for one in client.get("/labs.json").json if one["slug"] == "stepfunctions-etl"]
    (server,) = described["servers"]
    assert (server["part"], server["setting"], server["ready"]) == ("RDS for MySQL", "ARCHWAY_LABS_MARIADB", ready)
    listed = app.test_cli_runner().invoke(args=["labs", "list"]).stdout
    words = (
        "MariaDB is ready" if ready else "MariaDB is not ready; install mariadb-server and set ARCHWAY_LABS_MARIADB=on"
    )
    assert f"  RDS for MySQL: {words}\n" in listed


def test_a_part_that_only_the_lab_itself_can_be_has_no_server() -> None:
    assert Part("S3", "files", "no network").server == ""
