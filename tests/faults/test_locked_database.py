"""A database that another process holds: a short wait is waited out, a long one is said, nothing is half written."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

CHANGE = {"place": 1, "revision": 1, "answer": "a", "flagged": False, "stamp": None}


def _begin(app: Flask, csrf: Callable[[FlaskClient], str]) -> tuple[FlaskClient, str, dict[str, str]]:
    browser = app.test_client()
    answer = browser.post("/exams/saa-c01/attempts", data={"csrf_token": csrf(browser)})
    return browser, answer.headers["Location"], {"X-CSRF-Token": csrf(browser)}


def _lock(settings: object) -> sqlite3.Connection:
    path = Path(settings.database_url.removeprefix("sqlite:///"))
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    return holder


def test_a_short_lock_is_waited_out(app: Flask, settings: object, csrf: Callable[[FlaskClient], str]) -> None:
    browser, address, headers = _begin(app, csrf)
    holder = _lock(settings)
    threading.Timer(0.7, holder.rollback).start()
    answer = browser.post(f"{address}/responses", json={"responses": [CHANGE]}, headers=headers)
    assert answer.get_json()["stored"][0]["answer"] == "a"


def test_a_long_lock_is_said_and_the_answer_can_be_sent_again(
    app: Flask, settings: object, csrf: Callable[[FlaskClient], str]
) -> None:
    browser, address, headers = _begin(app, csrf)
    holder = _lock(settings)
    refused = browser.post(f"{address}/responses", json={"responses": [CHANGE]}, headers=headers)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
    assert "Traceback" not in refused.text
    assert browser.get(address).status_code == 200
    holder.rollback()
    again = browser.post(f"{address}/responses", json={"responses": [CHANGE]}, headers=headers)
    assert again.get_json()["stored"][0]["answer"] == "a"
