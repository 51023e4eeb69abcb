"""The workbench's pages: texts and their faults, a run's documents, two runs compared, events as a stream."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from labs import jobs, registry
from labs.views import PAUSE

LAB = "/labs/messages"
NOWHERE = '{\n "StartAt": "Nowhere",\n "States": {"Deliver": {"Type": "Pass"}}\n}'


@pytest.fixture(autouse=True)
def _catalog(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "CATALOG", Path("tests/labs/catalog"))


@pytest.fixture
def ran(app: Flask, client: FlaskClient, post: Callable[..., Any]) -> Callable[..., str]:
    """Return a function that runs the lab to its end and returns the run's address."""

    def run(browser: FlaskClient = client, **fields: str) -> str:
        answer = post(browser, f"{LAB}/runs", **fields)
        assert answer.status_code == 303, answer.text
        while jobs.worker_of(app).run_next():
            pass
        return str(answer.headers["Location"])

    return run


def test_a_text_has_an_editor_that_belongs_to_the_form(client: FlaskClient) -> None:
    page = client.get(LAB).text
    assert page.count('form="parameters"') == 4  # three texts and the button below them
    assert 'id="parameters"' in page
    assert "The name of the state that runs first." in page
    assert "editor.js" in page
    assert 'style="' not in page


def test_a_lab_without_texts_loads_no_editor(
    client: FlaskClient, app: Flask, make_lab: Callable[..., registry.Lab]
) -> None:
    app.extensions["labs"] = (make_lab(),)
    page = client.get("/labs/small-lab").text
    assert "editor" not in page


def test_a_text_that_cannot_be_read_runs_nothing_and_is_told_at_its_line(
    client: FlaskClient, post: Callable[..., Any]
) -> None:
    answer = post(client, f"{LAB}/runs", machine='{"StartAt": 1,\r\n "States" 2}', rules="x")
    assert answer.status_code == 400
    assert "machine, line 2, column 11: a colon must stand here." in answer.text
    assert 'data-lines="2"' in answer.text
    assert '<a href="#machine" data-line="2" data-column="11">' in answer.text
    assert "rules, line 1, column 1: a value must stand here." in answer.text
    assert "&#34;States&#34; 2}" in answer.text  # what was written is still there
    assert "Run 1" not in client.get(LAB).text


def test_what_the_lab_refuses_is_told_at_its_line_on_both_pages(client: FlaskClient, ran: Callable[..., str]) -> None:
    address = ran(machine=NOWHERE.replace("\n", "\r\n"))
    page = client.get(address).text
    assert "The machine cannot run." in page
    assert re.search(r'class="wrong"><code> &#34;StartAt.*?Column 14: “Nowhere” is no state', page, re.DOTALL)
    form = client.get(f"{LAB}?run={address.rsplit('/', 1)[1]}").text
    assert 'data-lines="2"' in form
    assert "“Nowhere” is no state; choose one of Deliver." in form
    # Without the run, the lab's own text is there and nothing is wrong in it.
    assert "Nowhere" not in client.get(LAB).text


def test_a_run_is_told_as_json_and_as_a_table(client: FlaskClient, ran: Callable[..., str]) -> None:
    address = ran(messages="20", seed="9")
    document = client.get(f"{address}.json").get_json()
    assert (document["lab"], document["seed"], document["state"]) == ("messages", 9, "done")
    assert document["parameters"]["messages"] == 20
    assert document["findings"]["delivered"] == {"value": 20, "unit": "messages"}
    assert document["checks"] == {"all_are_delivered": True, "all_are_dropped": False}
    answer = client.get(f"{address}.csv")
    assert answer.headers["Content-Disposition"] == "attachment; filename=messages-1.csv"
    assert answer.mimetype == "text/csv"
    assert "finding,delivered,20,messages\r\n" in answer.text


def test_two_runs_are_compared(client: FlaskClient, ran: Callable[..., str]) -> None:
    ran(messages="20", seed="9")
    ran(messages="30", seed="9", machine='{"StartAt": "Drop",\n"States": {"Drop": {"Type": "Fail"}}}')
    page = client.get(f"{LAB}/compare?run=2&run=1").text
    assert "Runs 1 and 2" in page
    assert "<ins>+{&#34;StartAt&#34;: &#34;Drop&#34;,</ins>" in page
    rows = re.sub(r"<[^>]+>", " ", page)
    assert re.search(r"Messages\s+20\s+30\s+messages", rows)
    assert re.search(r"Delivered\s+20\s+0\s+−20\s+messages", rows)
    assert page.count("<polyline") == 4
    assert re.search(r"Seed\s+9\s+9", rows)


@pytest.mark.parametrize("query", ["", "?run=1", "?run=1&run=1", "?run=1&run=2&run=3", "?run=x&run=1"])
def test_a_comparison_is_of_two_runs(client: FlaskClient, ran: Callable[..., str], query: str) -> None:
    for _ in range(3):
        ran()
    answer = client.get(f"{LAB}/compare{query}")
    assert answer.status_code == 400
    assert "Tick two of your runs" in answer.text


def test_what_is_somebody_elses_is_not_there(
    client: FlaskClient, ran: Callable[..., str], people: Callable[[str], FlaskClient]
) -> None:
    address, _second = ran(), ran()
    stranger = people("mira")
    mine = ran(stranger).rsplit("/", 1)[1]
    for path in (f"{address}.json", f"{address}.csv", f"{LAB}?run=1", f"{LAB}/compare?run=1&run=2"):
        assert client.get(path).status_code == 200
        assert stranger.get(path).status_code == 404
    assert stranger.get(f"{LAB}/compare?run=1&run={mine}").status_code == 404


def test_parameters_in_the_address_go_before_those_of_the_run(client: FlaskClient, ran: Callable[..., str]) -> None:
    ran(messages="20", pause="1", seed="9")
    page = client.get(f"{LAB}?run=1&messages=33").text
    for name, value in (("messages", "33"), ("pause", "1"), ("seed", "9")):
        assert f'name="{name}" value="{value}"' in page


def test_the_labs_are_described_to_programs(client: FlaskClient) -> None:
    (described,) = client.get("/labs.json").get_json()
    assert described["slug"] == "messages"
    assert [one["kind"] for one in described["parameters"]] == ["integer", "integer", "asl", "sql", "json"]


def _streamed(text: str) -> list[tuple[int, Any]]:
    return [
        (int(number), json.loads(data))
        for number, data in re.findall(r"^id: (\d+)\ndata: (.+)\n\n", text, re.MULTILINE)
    ]


def test_events_are_a_stream_for_who_accepts_one(client: FlaskClient, ran: Callable[..., str]) -> None:
    address = ran(messages="5")
    events = client.get(f"{address}/events").get_json()["events"]
    answer = client.get(f"{address}/events", headers={"Accept": "text/event-stream"})
    assert answer.mimetype == "text/event-stream"
    assert _streamed(answer.text) == list(enumerate(events, 1))
    assert answer.text.startswith(f"retry: {PAUSE}\n")
    state = json.loads(answer.text.rsplit("event: state\ndata: ", 1)[1])
    assert (state["state"], state["open"], state["last"]) == ("done", False, len(events))
    headers = {"Accept": "text/event-stream", "Last-Event-ID": "7"}
    assert _streamed(client.get(f"{address}/events", headers=headers).text) == list(enumerate(events, 1))[7:]
    assert client.get(f"{address}/events", headers={"Last-Event-ID": "7"}).get_json()["events"] == events[7:]
    # The address says it more plainly than a header that a browser repeats.
    assert client.get(f"{address}/events?after=9", headers=headers).text.count("id: ") == len(events) - 9
    assert client.get(f"{address}/events").mimetype == "application/json"
    assert client.get(f"{address}/events", headers={"Accept": "*/*"}).mimetype == "application/json"


@pytest.mark.parametrize("number", ["-1", "x", "9" * 30, "١"])
def test_a_number_that_is_none_is_the_beginning(client: FlaskClient, ran: Callable[..., str], number: str) -> None:
    address = ran(messages="1")
    assert client.get(f"{address}/events", query_string={"after": number}).get_json()["events"]


def test_the_page_on_paper_tells_the_situation(client: FlaskClient, ran: Callable[..., str]) -> None:
    page = client.get(ran()).text
    assert "Messages arrive at a state machine" in page
    assert "Let the machine start at the other state." not in page
