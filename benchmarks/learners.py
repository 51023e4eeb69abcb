"""Virtual learners: each begins exams at a contestant and answers their 65 questions over a connection of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from benchmarks.measure import Client, form_token

QUESTIONS = 65
Save = Callable[[int], None]
"""Saves an answer at a place, counted from 1, and raises AssertionError unless it was acknowledged as stored."""


class Learner(Protocol):
    """Somebody who begins an exam and gets what saves its answers."""

    client: Client

    def begin(self) -> Save:
        """Begin another exam."""


@dataclass
class ArchwayLearner:
    """A guest who sits the shipped exam."""

    client: Client

    def begin(self) -> Save:
        """Start an attempt, as the exam's page does."""
        _, page, headers = self.client.request("GET", "/exams/saa-c01")
        cookie = headers["Set-Cookie"].partition(";")[0]
        form = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        token = f"csrf_token={form_token(page)}".encode()
        _, _, headers = self.client.request("POST", "/exams/saa-c01/attempts", token, form)
        attempt, cookie = headers["Location"], headers["Set-Cookie"].partition(";")[0]
        _, page, _ = self.client.request("GET", attempt, None, {"Cookie": cookie})
        sent = {"Cookie": cookie, "Content-Type": "application/json", "X-CSRF-Token": form_token(page)}

        def save(place: int) -> None:
            change = {"place": place, "revision": 1, "answer": "b", "flagged": False, "stamp": None}
            body = json.dumps({"responses": [change]}).encode()
            status, answer = self.client.post(f"{attempt}/responses", sent, body)
            if status != 200 or json.loads(answer)["stored"][0]["place"] != place:
                raise AssertionError(answer)

        return save


@dataclass
class BareLearner:
    """Somebody who uses a ceiling: with a session and its checks, or with the driver alone."""

    client: Client
    checked: bool = True

    def begin(self) -> Save:
        """Begin an attempt there."""
        _, answer, headers = self.client.request("POST", "/attempts")
        begun = json.loads(answer)
        address = f"/attempts/{begun['attempt']}/responses" if self.checked else f"/upsert/{begun['attempt']}"
        cookie = headers["Set-Cookie"].partition(";")[0]
        sent = {"Cookie": cookie, "Content-Type": "application/json", "X-CSRF-Token": begun["token"]}

        def save(place: int) -> None:
            body = json.dumps({"place": place, "revision": 1, "answer": "b"}).encode()
            status, answer = self.client.post(address, sent, body)
            if status != 200 or json.loads(answer)["place"] != place:
                raise AssertionError(answer)

        return save


class KolibriLearner:
    """A learner of a Kolibri class, signed in, who sits its exams in turn."""

    def __init__(self, client: Client, name: str, password: str, exams: Sequence[str]) -> None:
        self.client = client
        self.exams = iter(exams)
        _, _, headers = client.request("GET", "/api/auth/session/current/")
        self.cookies = dict(_cookies(headers.get_all("Set-Cookie", [])))
        self._send("POST", "/api/auth/session/", {"username": name, "password": password})

    def begin(self) -> Save:
        """Begin a session of the next exam."""
        started = self._send("POST", "/api/logger/trackprogress/", {"quiz_id": next(self.exams)})
        address = f"/api/logger/trackprogress/{started['session_id']}/"

        def save(place: int) -> None:
            answer = {"item": f"exercise:{place}", "answer": {"chosen": "b"}, "correct": 1, "complete": True}
            saved = self._send("PUT", address, {"interactions": [{**answer, "time_spent": 9, "replace": True}]})
            if saved["attempts"][0]["item"] != answer["item"]:
                raise AssertionError(saved)

        return save

    def _send(self, method: str, path: str, data: dict[str, object]) -> dict[str, list[dict[str, object]]]:
        sent = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Content-Type": "application/json",
            "X-CSRFToken": self.cookies["kolibri_csrftoken"],
        }
        status, body, headers = self.client.request(method, path, json.dumps(data).encode(), sent)
        if status != 200:
            raise AssertionError(body)
        self.cookies.update(_cookies(headers.get_all("Set-Cookie", [])))
        answer: dict[str, list[dict[str, object]]] = json.loads(body)
        return answer


def _cookies(headers: Sequence[str]) -> Iterator[tuple[str, str]]:
    for header in headers:
        name, _, value = header.partition(";")[0].partition("=")
        yield name, value
