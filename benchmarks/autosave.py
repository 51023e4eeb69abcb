"""Autosave of one answer, against a bare Flask + SQLite upsert of the same durability."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import Contestant, archway, form_token, race, serving, table

REQUESTS = 400


def saver(site: Contestant) -> Callable[[int], None]:
    """Begin an exam as a guest and return a function that saves one answer."""
    _, page, headers = site.request("GET", "/exams/saa-c01")
    cookie = headers["Set-Cookie"].partition(";")[0]
    form = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    _, _, headers = site.request("POST", "/exams/saa-c01/attempts", f"csrf_token={form_token(page)}".encode(), form)
    attempt, cookie = headers["Location"], headers["Set-Cookie"].partition(";")[0]
    _, page, _ = site.request("GET", attempt, None, {"Cookie": cookie})
    sent = {"Cookie": cookie, "Content-Type": "application/json", "X-CSRF-Token": form_token(page)}

    def save(number: int) -> None:
        change = {"place": number % 65 + 1, "revision": number + 1, "answer": "b", "flagged": False, "stamp": None}
        status, body, _ = site.request(
            "POST", f"{attempt}/responses", json.dumps({"responses": [change]}).encode(), sent
        )
        if status != 200 or json.loads(body)["stored"][0]["revision"] != number + 1:
            raise AssertionError(body)

    return save


def bare_saver(site: Contestant) -> Callable[[int], None]:
    """Return a function that stores one answer in the bare application."""

    def save(number: int) -> None:
        body = json.dumps({"attempt": 1, "place": number % 65 + 1, "answer": "b"}).encode()
        status, text, _ = site.request("POST", "/upsert", body, {"Content-Type": "application/json"})
        if status != 200:
            raise AssertionError(text)

    return save


def main() -> None:
    """Run both in turns and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {"BARE_DATABASE": str(Path(folder) / "bare.sqlite3")}
        with archway() as site, serving("bare Flask + SQLite", ["-m", "benchmarks.bare"], environment) as bare:
            race([(site, saver(site)), (bare, bare_saver(bare))], REQUESTS)
            print(table([site, bare]))


if __name__ == "__main__":
    main()
