"""An instructor sends a file, sees what would come, decides, and can take it back."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from quizzes.authoring import store as authoring
from quizzes.authoring.models import DraftRow
from quizzes.exchange import import_views, store

FILE = b"""::q-1:: What keeps messages until they are read? {=Amazon SQS ~Amazon SNS}

::q-2:: What keeps messages until they are read? {~Amazon SQS =Amazon SNS}

::q-3:: What sends a copy to each subscriber? {~Amazon SQS =Amazon SNS}

::q-4:: Tell all that you know. {}
"""
BANK = {"title": "Queues", "course": "solutions-architect-associate", "pool": "exam"}


@pytest.fixture
def ada(promote: Callable[[str], FlaskClient]) -> FlaskClient:
    return promote("Ada")


@pytest.fixture
def send(app: Flask, csrf: Callable[[FlaskClient], str]) -> Callable[..., str]:
    """Return a function that sends a file, lets the worker read it, and returns the import's address."""

    def upload(browser: FlaskClient, data: bytes = FILE, name: str = "week 3.gift") -> str:
        form = {"csrf_token": csrf(browser), "file": (io.BytesIO(data), name)}
        answer = browser.post("/studio/imports", data=form, content_type="multipart/form-data")
        assert answer.status_code == 303
        assert import_views.worker(app).run_next()
        return answer.location

    return upload


def test_the_report_says_what_can_come_and_what_cannot_and_why(ada: FlaskClient, send: Callable[..., str]) -> None:
    page = ada.get(send(ada)).text
    assert "3 of 4 can come; 1 cannot" in page
    assert page.count("the same question with another key") == 2
    assert "line 3" in page
    assert "line 1" in page


def test_what_is_ticked_becomes_drafts_and_can_be_undone(
    app: Flask, ada: FlaskClient, send: Callable[..., str], post: Callable[..., TestResponse]
) -> None:
    address = send(ada)
    ticks = {"shown": ["1", "2", "3"], "take": ["1", "3"]}
    assert post(ada, f"{address}/choices", apply="1", **ticks, **BANK).status_code == 303
    with app.extensions["database"].reading() as connection:
        bank = authoring.find_bank(connection, "queues")
        assert bank is not None
        drafts = authoring.drafts(connection, bank.id)
    assert [one.state for one in drafts] == ["draft", "draft"]
    assert "What sends a copy" in drafts[1].text
    with app.extensions["database"].writing() as connection:
        connection.execute(update(DraftRow).where(DraftRow.id == drafts[1].id).values(revision=2))
    page = post(ada, f"{address}/undo").text
    assert "1 item was taken out" in page
    assert drafts[1].question_id in page
    assert post(ada, f"{address}/undo").status_code == 409


def test_a_contradiction_comes_only_where_its_author_ticks_it(
    app: Flask, ada: FlaskClient, send: Callable[..., str], post: Callable[..., TestResponse]
) -> None:
    address = send(ada)
    post(ada, f"{address}/choices", apply="1", **BANK)
    with app.extensions["database"].reading() as connection:
        found = store.find(connection, int(address.rpartition("/")[2]))
    assert found is not None
    assert found.outcome == {"bank": "queues", "items": 1, "renamed": {}}


def test_all_or_nothing_takes_nothing_where_one_cannot_come(
    app: Flask, ada: FlaskClient, send: Callable[..., str], post: Callable[..., TestResponse]
) -> None:
    answer = post(ada, f"{send(ada)}/choices", apply="1", whole="1", **BANK)
    assert answer.status_code == 409
    assert "these questions would not come: 1, 2, 4" in answer.text
    with app.extensions["database"].reading() as connection:
        assert authoring.banks(connection) == []


def test_a_fault_in_the_middle_leaves_nothing(
    app: Flask,
    ada: FlaskClient,
    send: Callable[..., str],
    post: Callable[..., TestResponse],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = send(ada)

    def fail(*_anything: object) -> None:
        raise OSError("the machine is switched off")

    with monkeypatch.context() as patched:
        patched.setattr(authoring, "add_items", fail)
        assert post(ada, f"{address}/choices", apply="1", **BANK).status_code == 500
    with app.extensions["database"].reading() as connection:
        assert authoring.banks(connection) == []
    assert post(ada, f"{address}/choices", apply="1", **BANK).status_code == 303


def test_ticks_are_kept_from_page_to_page(
    ada: FlaskClient, send: Callable[..., str], post: Callable[..., TestResponse], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_views, "PAGE", 2)
    address = send(ada)
    first = {"shown": ["1", "2"], "take": ["2"], "page": "2"}
    answer = post(ada, f"{address}/choices", **first)
    assert "2 questions are ticked" in ada.get(answer.location).text


def test_the_report_is_there_for_programs(ada: FlaskClient, send: Callable[..., str]) -> None:
    address = send(ada)
    values = json.loads(ada.get(f"{address}/report.json").data)
    assert values["sum"]["questions"] == 4
    assert ada.get(f"{address}/report.csv").text.startswith("file,member,line")


def test_a_reading_can_be_cancelled(
    app: Flask, ada: FlaskClient, csrf: Callable[[FlaskClient], str], post: Callable[..., TestResponse]
) -> None:
    form = {"csrf_token": csrf(ada), "text": FILE.decode()}
    address = ada.post("/studio/imports", data=form).location
    assert "waits to be read" in ada.get(address).text
    assert ada.get(address).headers["Refresh"] == "2"
    post(ada, f"{address}/cancel")
    assert not import_views.worker(app).run_next()
    assert ada.get(f"{address}/state").json == {"state": "cancelled", "step": "", "count": 0}


def test_a_worker_that_is_told_to_stop_gives_its_file_back(
    app: Flask, ada: FlaskClient, csrf: Callable[[FlaskClient], str]
) -> None:
    form = {"csrf_token": csrf(ada), "text": FILE.decode()}
    address = ada.post("/studio/imports", data=form).location
    assert import_views.worker(app).run_next(lambda: False)
    assert ada.get(f"{address}/state").json == {"state": "queued", "step": "", "count": 0}
    assert import_views.worker(app).run_next()
    assert ada.get(f"{address}/state").json["state"] == "ready"


def test_what_cannot_be_read_says_why_on_its_page(ada: FlaskClient, send: Callable[..., str]) -> None:
    page = ada.get(send(ada, b"\xff\xd8\xff\xe0 a photograph", "<b>cat</b>.jpg")).text
    assert "no format that can be imported" in page
    assert "<bdi>&lt;b&gt;cat&lt;/b&gt;.jpg</bdi>" in page


def test_nothing_sent_is_said_at_once(ada: FlaskClient, post: Callable[..., TestResponse]) -> None:
    answer = post(ada, "/studio/imports", text="  ")
    assert answer.status_code == 400
    assert "There is nothing in it" in answer.text


def test_only_instructors_see_imports(
    client: FlaskClient, ada: FlaskClient, send: Callable[..., str], people: Callable[[str], FlaskClient]
) -> None:
    address = send(ada)
    learner = people("Ben")
    for page in ("/studio/imports", address, f"{address}/state", f"{address}/report.json"):
        assert client.get(page).status_code == 303
        assert learner.get(page).status_code == 403


def test_a_file_that_nobody_settles_is_forgotten_after_a_week(
    app: Flask, ada: FlaskClient, send: Callable[..., str], clock: object
) -> None:
    address = send(ada)
    clock.advance(days=8)  # type: ignore[attr-defined]
    store.expire(app.extensions["database"], clock())  # type: ignore[operator]
    assert "was dropped" in ada.get(address).text


PNG = bytes.fromhex("89504e470d0a1a0a") + b"the rest"


def test_a_picture_is_served_by_its_hash_and_can_do_nothing(app: Flask, client: FlaskClient) -> None:
    from quizzes.exchange import pictures  # noqa: PLC0415 (only here)

    found = pictures.read(PNG)
    assert found is not None
    with app.extensions["database"].writing() as connection:
        store._keep_pictures(connection, {"a": found}, app.extensions["clock"]())
    answer = client.get(found.address)
    assert (answer.data, answer.mimetype) == (PNG, "image/png")
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert client.get(found.address.replace(".png", ".jpg")).status_code == 404
