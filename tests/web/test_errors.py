"""Errors: a page that says what to do, JSON where it is spoken, and nothing from inside."""

from __future__ import annotations

import re

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient

from web.errors import explain

INSIDE = ("Traceback", "RuntimeError", "the secret of the house", "UPDATE secret", ".py", "sqlalche.me")


@pytest.mark.parametrize("code", [400, 401, 403, 404, 405, 409, 413, 429, 500, 503])
def test_an_error_page_has_a_heading_and_a_way_on(site: Flask, visitor: FlaskClient, code: int) -> None:
    site.add_url_rule("/fails", view_func=lambda: abort(code))
    answer = visitor.get("/fails")
    assert answer.status_code == code
    assert len(re.findall(r"<h1>[^<]{5,}</h1>", answer.text)) == 1
    assert '<a class="button quiet" href="/">' in answer.text
    assert "The requested URL" not in answer.text


def test_an_unexpected_error_tells_the_log_and_not_the_person(
    visitor: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = visitor.get("/broken")
    assert answer.status_code == 500
    assert not [word for word in INSIDE if word in answer.text]
    assert "RuntimeError: the secret of the house" in caplog.text


def test_a_view_says_in_its_own_words_what_happened(visitor: FlaskClient) -> None:
    page = visitor.get("/refused").text
    assert "This belongs to somebody else; ask them." in page
    assert explain(403).happened not in page


def test_a_sentence_is_text_and_not_markup(site: Flask, visitor: FlaskClient) -> None:
    site.add_url_rule("/named", view_func=lambda: abort(404, "No <script>alert(1)</script>."))
    assert "<script>alert" not in visitor.get("/named").text


@pytest.mark.parametrize(
    ("path", "code", "sentence"),
    [
        ("/refused", 403, "This belongs to somebody else; ask them."),
        ("/nothing", 404, explain(404).happened),
        ("/broken", 500, explain(500).happened),
        ("/database/database is locked", 503, explain(503).happened),
        ("/members", 401, "Sign in, then try again."),
    ],
)
def test_who_asks_for_json_gets_json(visitor: FlaskClient, path: str, code: int, sentence: str) -> None:
    answer = visitor.get(path, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json) == (code, {"error": sentence})


def test_who_sends_json_gets_json(visitor: FlaskClient) -> None:
    assert set(visitor.post("/thing", json={}).json) == {"error"}


@pytest.mark.parametrize("accept", ["text/html,application/xhtml+xml,*/*;q=0.8", "*/*", ""])
def test_everyone_else_gets_a_page(visitor: FlaskClient, accept: str) -> None:
    assert visitor.get("/nothing", headers={"Accept": accept}).mimetype == "text/html"


@pytest.mark.parametrize(
    "trouble", ["database is locked", "database or disk is full", "attempt to write a readonly database"]
)
def test_a_database_that_cannot_write_asks_to_try_again(
    visitor: FlaskClient, caplog: pytest.LogCaptureFixture, trouble: str
) -> None:
    answer = visitor.get(f"/database/{trouble}")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"
    assert not [word for word in INSIDE if word in answer.text]
    assert trouble in caplog.text


def test_other_trouble_with_the_database_is_a_fault(visitor: FlaskClient) -> None:
    answer = visitor.get("/database/no such table: thing")
    assert answer.status_code == 500
    assert "no such table" not in answer.text


@pytest.mark.parametrize("trouble", ["large", "long"])
def test_a_value_that_no_column_takes_is_refused(visitor: FlaskClient, trouble: str) -> None:
    answer = visitor.get(f"/unfit/{trouble}")
    assert (answer.status_code, "Nothing was changed." in answer.text) == (400, True)


def test_an_error_page_needs_no_database(site: Flask, visitor: FlaskClient) -> None:
    visitor.get("/")
    with site.extensions["database"].writing() as connection:
        connection.exec_driver_sql("ALTER TABLE accounts_session RENAME TO lost")
    answer = visitor.get("/")
    assert answer.status_code == 500
    assert explain(500).title in answer.text


def test_who_must_sign_in_is_sent_there_and_back(visitor: FlaskClient) -> None:
    answer = visitor.get("/members?page=2&x=%26")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in?next=/members%3Fpage%3D2%26x%3D%2526")


def test_the_wrong_method_says_which_is_right(visitor: FlaskClient) -> None:
    assert "POST" in visitor.get("/theme").headers["Allow"]


def test_a_request_beyond_the_limit_is_refused(site: Flask, visitor: FlaskClient) -> None:
    site.config["MAX_CONTENT_LENGTH"] = 100
    answer = visitor.post("/thing", data={"text": "x" * 1000})
    assert answer.status_code == 413
    assert "Send a smaller file" in answer.text
