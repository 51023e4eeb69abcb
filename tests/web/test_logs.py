"""The log tells what happened and where, in text and in JSON, and nothing of whom it happened to."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from sqlalchemy import insert
from werkzeug.test import TestResponse

from accounts.models import PersonRow
from quizzes.exchange import import_views
from tests.quizzes.conftest import begin
from web.clock import now
from web.logs import REQUESTS, JsonLines, TextLines
from web.requests import Guard
from web.work import Work

__all__ = ["begin"]

NAME, MAILBOX, PASSWORD = "Zdravka Marinova", "zdravka@school.example", "eleven quiet herons"
WORKER_NAME = "Bojana the planted"


@pytest.fixture(params=[TextLines("web"), JsonLines("web")], ids=["text", "json"])
def written(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """What the log's lines are, with all that any library says."""
    root, stream = logging.getLogger(), io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(request.param)
    levels = root.level, REQUESTS.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    REQUESTS.setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    root.setLevel(levels[0])
    REQUESTS.setLevel(levels[1])


def _plant(app: Flask) -> None:
    """Add a page that fails with all that a request brings in the exception's message, and in its cause's."""

    def fail(name: str) -> str:
        try:
            {}[f"{name} {request.form['password']}"]
        except KeyError as error:
            raise RuntimeError(f"{request.form['email']} of {request.cookies} from {request.remote_addr}") from error

    def repeat(name: str) -> str:
        person = {"name": name, "email": request.form["email"], "role": "learner", "created_at": now()}
        with app.extensions["database"].writing() as connection:
            connection.execute(insert(PersonRow), [person, person])
        return ""

    app.add_url_rule("/planted/<name>", view_func=fail, methods=["POST"], endpoint="fail")
    app.add_url_rule("/repeated/<name>", view_func=repeat, methods=["POST"], endpoint="repeat")


def _drive(app: Flask, browser: FlaskClient, post: Callable[..., TestResponse], begin: Callable[..., object]) -> None:
    """Do what people do, and meet what can go wrong."""
    app.testing = False
    who = {"name": NAME, "email": MAILBOX, "password": PASSWORD}
    assert post(browser, "/sign-up", **who).status_code == 303
    post(browser, "/sign-out")
    assert post(browser, "/sign-in", email=MAILBOX, password=PASSWORD + "!").status_code == 400
    assert post(browser, "/sign-in", email=MAILBOX, password=PASSWORD).status_code == 303
    learner = begin(browser)
    assert learner.answer(1, "a").status_code == 200
    assert browser.get(f"/search?q={NAME}").status_code == 200
    assert browser.get(f"/nobody/{MAILBOX}").status_code == 404
    assert post(browser, f"/planted/{NAME}", **who).status_code == 500
    assert post(browser, f"/repeated/{NAME}", **who).status_code == 500


def _fail_an_import(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the worker meet an exception that quotes what it reads."""

    class Stop(BaseException):
        pass

    def refuse(*_: object) -> None:
        raise OSError(28, f"{WORKER_NAME} {MAILBOX}", f"/srv/{WORKER_NAME}")

    def stop(_seconds: float) -> None:
        raise Stop

    worker = import_views.worker(app)
    work = Work(app, [worker])
    monkeypatch.setattr("quizzes.exchange.store.claim", refuse)
    monkeypatch.setattr(work._stop, "wait", stop)
    with pytest.raises(Stop):
        work._work(worker)


def test_a_line_tells_where_and_of_what_kind_and_not_to_whom(
    app: Flask,
    client: FlaskClient,
    post: Callable[..., TestResponse],
    begin: Callable[..., object],
    monkeypatch: pytest.MonkeyPatch,
    written: io.StringIO,
) -> None:
    _plant(app)
    _drive(app, client, post, begin)
    _fail_an_import(app, monkeypatch)
    logging.getLogger("smtplib").warning("550 <%s> is unknown", MAILBOX)
    logging.getLogger("publisher").warning("The server says: 550 <%s> is unknown", MAILBOX)
    path = f"/planted/{WORKER_NAME.split(maxsplit=1)[0]}"
    logging.getLogger("waitress").error(f"Exception while serving {path}")  # noqa: G004 (as waitress does)
    cookie = client.get_cookie("archway").value
    said = written.getvalue()
    brought = (NAME, "Zdravka", MAILBOX, "school.example", PASSWORD, "herons", cookie, "127.0.0.1", "Bojana")
    assert [one for one in brought if one in said] == []
    assert "/attempts/1" not in said
    unique = {"sqlite": "SQLITE_CONSTRAINT_UNIQUE", "postgresql": "23505"}[
        app.extensions["database"].engine.dialect.name
    ]
    assert "sign-in refused: person 1 at /sign-in" in said
    told = ("KeyError", "which led to: ", "RuntimeError", "in fail", "IntegrityError", unique)
    more = ("INSERT INTO", "No space left on device", "/planted/<name>")
    assert [one for one in (*told, *more) if one not in said] == []


@pytest.mark.parametrize("written", [logging.Formatter()], indirect=True)
def test_the_control_the_usual_formatter_tells(
    app: Flask,
    client: FlaskClient,
    post: Callable[..., TestResponse],
    begin: Callable[..., object],
    written: io.StringIO,
) -> None:
    _plant(app)
    _drive(app, client, post, begin)
    assert [one for one in (NAME, MAILBOX, PASSWORD) if one not in written.getvalue()] == []


@pytest.mark.parametrize("written", [JsonLines("web")], indirect=True)
def test_each_line_is_one_object_that_names_the_request(app: Flask, client: FlaskClient, written: io.StringIO) -> None:
    answer = client.get("/attempts/17")
    assert answer.headers["X-Request-ID"] in answer.text
    (line,) = [json.loads(one) for one in written.getvalue().splitlines()]
    assert line["request"] == answer.headers["X-Request-ID"]
    assert (line["method"], line["route"], line["status"]) == ("GET", "/attempts/<int:attempt_id>", 404)
    assert (line["level"], line["process"], line["message"]) == ("INFO", "web", "request")
    assert line["milliseconds"] > 0


@pytest.mark.parametrize(
    ("proxies", "given", "taken"),
    [("0", "a" * 32, False), ("1", "a" * 32, True), ("1", "short", False), ("1", "x" * 20 + '"{}', False)],
)
def test_only_a_trusted_proxy_may_number_requests(
    make: Callable[..., Flask], proxies: str, given: str, *, taken: bool
) -> None:
    visitor = make(ARCHWAY_PROXIES=proxies).test_client()
    answer = visitor.get("/nothing", headers={"X-Request-ID": given})
    assert (answer.headers["X-Request-ID"] == given) is taken
    assert (given in answer.text) is taken


def test_what_even_the_error_page_cannot_answer_is_logged_and_answered(written: io.StringIO) -> None:
    def application(_environment: object, _respond: object) -> list[bytes]:
        raise RuntimeError(NAME)

    said: list[str] = []
    body = Guard(application)({}, lambda status, _headers: said.append(status))
    assert (said, b"Something went wrong" in body[0]) == (["500 Internal Server Error"], True)
    assert "RuntimeError" in written.getvalue()
    assert NAME not in written.getvalue()


PROCESS = """
import sys, threading, warnings
import config
from flask import Flask
from web import logs, security
app = Flask("app")
app.extensions["settings"] = config.load({"ARCHWAY_INSTANCE": sys.argv[1], "ARCHWAY_LOG": sys.argv[2]})
logs.begin(app, "worker")
app.logger.warning("A warning of the application.")
with app.test_request_context("/x"):
    security.note("signed in", 7)
warnings.warn("This is of ina@example.org")
def fail(): raise ValueError("ina@example.org")
thread = threading.Thread(target=fail)
thread.start(), thread.join()
fail()
"""


@pytest.mark.parametrize("kind", ["text", "json"])
def test_what_no_code_catches_becomes_a_line_too(tmp_path: object, kind: str) -> None:
    command = [sys.executable, "-c", PROCESS, str(tmp_path), kind]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("Nothing caught an exception.") == 2
    assert done.stderr.count("A warning of the application.") == 1
    assert done.stderr.count("signed in: person 7 at no route") == 1
    assert done.stderr.count("UserWarning") == 1
    assert "This is of" not in done.stderr
    assert "ina@" not in done.stderr
    if kind == "json":
        lines = [json.loads(line) for line in done.stderr.splitlines()]
        assert [line["level"] for line in lines] == ["WARNING", "INFO", "WARNING", "CRITICAL", "CRITICAL"]
        assert all("in fail" in line["error"] for line in lines[3:])


def test_what_a_message_quotes_begins_no_line() -> None:
    record = logging.LogRecord("content", logging.WARNING, "", 0, "The file “%s” has a fault.", ("a\nb",), None)
    assert TextLines("web").format(record).count("\n") == 0
    assert JsonLines("web").format(record).count("\n") == 0
