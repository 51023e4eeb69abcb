"""The pages of the labs: a run from its form to its findings, and whose it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from labs import jobs, sentences
from labs.parameters import Parameter, ParameterError
from labs.registry import Lab
from labs.runner import Limits, Run

LAB = "/labs/lambda-concurrency"
Post = Callable[..., Any]


@pytest.fixture
def work(app: Flask) -> Callable[[], None]:
    """Return a function that lets a worker run everything that is queued."""

    def until_empty() -> None:
        worker = jobs.worker_of(app)
        while worker.run_next():
            pass

    return until_empty


@pytest.fixture
def start(post: Post, client: FlaskClient) -> Callable[..., str]:
    """Return a function that starts a run and returns its address."""

    def begin(browser: FlaskClient = client, **fields: str) -> str:
        answer = post(browser, f"{LAB}/runs", **fields)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["Location"])

    return begin


def test_the_lab_page_tells_its_tasks_parts_and_parameters(client: FlaskClient) -> None:
    page = client.get(LAB).text
    for words in ("Switch the function off", "What is real here", "API Gateway", 'name="reserved_concurrency"'):
        assert words in page
    assert page.count("<h1") == 1
    assert 'style="' not in page


def test_the_lab_page_shows_its_animation_and_sends_what_it_needs(client: FlaskClient) -> None:
    page = client.get(LAB).text
    assert "The magical pizza" in page
    assert f'src="{LAB}/animation.js"' in page
    script = client.get(f"{LAB}/animation.js")
    assert script.mimetype in {"text/javascript", "application/javascript"}
    assert client.get(f"{LAB}/animation.js", headers={"If-None-Match": script.headers["ETag"]}).status_code == 304
    assert len(client.get(f"{LAB}/animation.json").get_json()["evenings"]) == 3


def test_a_lab_without_an_animation_has_none(app: Flask, client: FlaskClient, make_lab: Callable[..., Lab]) -> None:
    app.extensions["labs"] = (make_lab(),)
    assert "animation" not in client.get("/labs/small-lab").text
    assert client.get("/labs/small-lab/animation.js").status_code == 404
    assert client.get("/labs/small-lab/lab.py").status_code == 404


def test_a_group_of_parameters_is_open_where_one_is_changed(client: FlaskClient) -> None:
    closed = '<details><summary lang="en">VPC</summary>'
    assert closed in client.get(LAB).text
    changed = client.get(f"{LAB}?subnets=24").text
    assert '<details open><summary lang="en">VPC</summary>' in changed
    assert '<details><summary lang="en">Four sources</summary>' in changed


def test_a_run_that_nothing_was_published_for_stands_alone(
    client: FlaskClient, start: Callable[..., str], work: Callable[[], None]
) -> None:
    four, one = start(scenario="four sources", minutes="1", seed="1"), start(seed="1")
    work()
    assert "Published: 25 reserved" not in client.get(four).text
    assert "Cognito lost" in client.get(four).text
    assert "Published: 25 reserved" in client.get(one).text


def test_a_run_goes_from_the_form_to_its_findings(
    client: FlaskClient, start: Callable[..., str], work: Callable[[], None]
) -> None:
    address = start(reserved_concurrency="25", seed="7")
    waiting = client.get(address).text
    assert "○ queued" in waiting
    assert "<noscript>" in waiting
    work()
    page = client.get(address).text
    assert "✓ done" in page
    assert "2500" in page
    assert "-576".replace("-", "−") in page  # 2500 refused, 3076 published
    assert "Published: 25 reserved" in page
    assert page.count("<svg") == 6  # the mark, the drawing, three histograms, the metrics over time
    assert 'style="' not in page


def test_events_are_answered_from_where_the_page_is(
    client: FlaskClient, start: Callable[..., str], work: Callable[[], None]
) -> None:
    address = start()
    assert client.get(f"{address}/events").get_json()["state"] == "queued"
    work()
    first = client.get(f"{address}/events?after=0").get_json()
    assert (first["state"], first["open"], first["last"]) == ("done", False, len(first["events"]))
    rest = client.get(f"{address}/events?after={first['last'] - 3}").get_json()
    assert rest["events"] == first["events"][-3:]
    assert client.get(f"{address}/events?after=x").get_json()["events"] == first["events"]


def test_a_wrong_parameter_is_explained_beside_its_field(client: FlaskClient, post: Post) -> None:
    answer = post(client, f"{LAB}/runs", reserved_concurrency="a<b", requests="0", seed="-1")
    assert answer.status_code == 400
    assert "reserved_concurrency is “a&lt;b”; it accepts a whole number of executions from 0 to 1,000" in answer.text
    assert "requests is “0”" in answer.text
    assert "seed accepts" in answer.text
    assert client.get(LAB).text.count("Run 1") == 0


def test_what_the_account_refuses_is_told_on_the_runs_page(
    client: FlaskClient, start: Callable[..., str], work: Callable[[], None]
) -> None:
    address = start(reserved_concurrency="1", other_reservations="350, 200, 200, 150")
    work()
    page = client.get(address).text
    assert "✗ failed" in page
    assert "100 must stay" in page


def test_a_run_is_its_owners_alone(
    app: Flask, client: FlaskClient, post: Post, start: Callable[..., str], people: Callable[[str], FlaskClient]
) -> None:
    address = start()
    stranger, somebody = app.test_client(), people("mira")
    for browser in (stranger, somebody):
        assert browser.get(address).status_code == 404
        assert browser.get(f"{address}/events").status_code == 404
        assert post(browser, f"{address}/cancel").status_code == 404
    assert client.get(f"{address}/events").get_json()["state"] == "queued"


def test_a_waiting_run_can_be_cancelled(
    client: FlaskClient, post: Post, start: Callable[..., str], work: Callable[[], None]
) -> None:
    address = start()
    assert post(client, f"{address}/cancel").status_code == 303
    work()
    assert client.get(f"{address}/events").get_json()["state"] == "cancelled"


def test_the_same_seed_gives_the_same_findings(
    client: FlaskClient, start: Callable[..., str], work: Callable[[], None]
) -> None:
    pages = [start(preset="fitted", seed="11"), start(preset="fitted", seed="11"), start(preset="fitted", seed="12")]
    work()
    events = [client.get(f"{one}/events").get_json()["events"] for one in pages]
    found = [next(event for event in one if event["kind"] == "findings") for one in events]
    assert found[0] == found[1] != found[2]


def test_a_task_stays_ticked_after_a_later_run(
    client: FlaskClient, start: Callable[..., str], work: Callable[[], None]
) -> None:
    assert client.get(LAB).text.count("✓ done") == 0
    start(reserved_concurrency="0")
    start(reserved_concurrency="25")
    work()
    assert client.get(LAB).text.count("✓ done") == 2


def test_a_learner_cannot_fill_the_queue(client: FlaskClient, post: Post, start: Callable[..., str]) -> None:
    for _ in range(10):
        start()
    answer = post(client, f"{LAB}/runs")
    assert answer.status_code == 429
    assert "let one end" in answer.text


def test_a_run_can_be_changed_and_run_again(
    client: FlaskClient, start: Callable[..., str], work: Callable[[], None]
) -> None:
    address = start(reserved_concurrency="25", seed="7")
    work()
    page = client.get(address).text
    assert 'name="seed" value="7"' in page
    assert f"{LAB}?run=1" in page
    assert 'name="reserved_concurrency" value="25"' in client.get(f"{LAB}?run=1").text
    form = client.get(f"{LAB}?reserved_concurrency=25&seed=7").text
    assert 'name="reserved_concurrency" value="25"' in form


def test_an_unknown_lab_is_not_found(client: FlaskClient, post: Post) -> None:
    assert client.get("/labs/no-such-lab").status_code == 404
    assert post(client, "/labs/no-such-lab/runs").status_code == 404


def test_the_home_page_has_the_door_and_a_lesson_the_way_in(app: Flask, client: FlaskClient) -> None:
    assert "5,000 requests in under a second" in client.get("/").text
    with app.test_request_context():
        embed = app.extensions["offers"].embeds["lab"]
        assert "Run this lab" in embed("lambda-concurrency")
        assert embed("no-such-lab") is None


def test_a_copied_folder_has_its_own_page(app: Flask, client: FlaskClient, make_lab: Callable[..., Lab]) -> None:
    app.extensions["labs"] = (make_lab(),)
    assert "A small lab" in client.get("/labs").text
    page = client.get("/labs/small-lab").text
    assert "Say seven." in page


@pytest.mark.parametrize("unit", ["", "ms"])
@pytest.mark.parametrize("optional", [False, True])
@pytest.mark.parametrize("kind", ["integer", "number", "integers", "choice"])
def test_the_page_says_of_a_value_what_the_command_line_says(
    app: Flask, kind: str, unit: str, *, optional: bool
) -> None:
    bounds = {"minimum": 0.5, "maximum": 20000, "choices": ("502", "429"), "empty": "unreserved"}
    parameter = Parameter("some_name", kind, "Label", "Help.", unit=unit, optional=optional, **bounds)
    with pytest.raises(ParameterError) as caught:
        parameter.read(" much ")
    with app.test_request_context():
        assert sentences.fault(parameter, " much ", caught.value) == str(caught.value)


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("The run was cancelled.", "Пускането беше прекъснато."),
        (
            "The run reported more than 20,000 events or 8 MiB and was stopped.",
            "Пускането съобщи повече от 20,000 събития или 8 MiB и беше спряно.",
        ),
        ("The lab ended without its findings (status -9).", "Лабораторията завърши без резултати (статус -9)."),
    ],
)
def test_why_a_run_ended_is_said_in_the_readers_language(app: Flask, sentence: str, shown: str) -> None:
    with app.test_request_context(headers={"Accept-Language": "bg"}):
        assert sentences.reason(sentence) == sentences.Sentence(shown, "bg")
        assert sentences.reason("Reserve at most 900.") == sentences.Sentence("Reserve at most 900.", "en")
        assert sentences.reason("") is None


def test_every_sentence_that_the_worker_stores_is_known(app: Flask) -> None:
    child = Run(app.extensions["labs"][0], {}, 1, Limits())
    endings = [child.ending]
    for child._stopped in ("cancelled", "time", "memory", "disk", "processes", "output", ""):
        endings.append(child._explain(-9))
    with app.test_request_context(headers={"Accept-Language": "bg"}):
        assert {sentences.reason(ending.sentence).language for ending in endings} == {"bg"}
