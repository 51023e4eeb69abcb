"""The way into an account: its password, its sessions, the link that opens it again, and those who guess."""

from __future__ import annotations

import logging
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from accounts import credentials, recovery
from accounts.limits import limiter
from tests.conftest import REAL_HASHER, MovableClock

Post = Callable[..., Any]
People = Callable[[str], FlaskClient]
Sized = Callable[[Any, Any], Any]
PASSWORD, OTHER = "a calm long sentence", "another calm sentence"


def sign_in(app: Flask, post: Post, password: str = PASSWORD) -> FlaskClient:
    browser = app.test_client()
    post(browser, "/sign-in", email="ada@example.org", password=password)
    return browser


def is_in(browser: FlaskClient) -> bool:
    return browser.get("/account/access").status_code == 200


def run(app: Flask, *words: str) -> str:
    result = app.test_cli_runner().invoke(args=["accounts", *words])
    assert result.exit_code == 0, result.output
    return result.output.strip()


def link(app: Flask) -> str:
    return f"/{run(app, 'new-password', 'Ada@example.org').partition('/new-password')[2]}".replace(
        "//", "/new-password/"
    )


def test_a_new_password_needs_the_old_one_and_ends_every_other_session(app: Flask, people: People, post: Post) -> None:
    ada = people("ada")
    other, before = sign_in(app, post), ada.get_cookie("archway").value
    assert post(ada, "/account/password", password="not this one", new=OTHER).status_code == 400
    assert is_in(other)
    assert post(ada, "/account/password", password=PASSWORD, new=OTHER).status_code == 303
    assert (is_in(ada), is_in(other)) == (True, False)
    assert ada.get_cookie("archway").value != before
    assert (is_in(sign_in(app, post)), is_in(sign_in(app, post, OTHER))) == (False, True)


def test_the_other_sessions_are_shown_and_end_with_the_password(app: Flask, people: People, post: Post) -> None:
    ada = people("ada")
    other = sign_in(app, post)
    assert ada.get("/account/access").text.count("<li>since") == 2
    assert post(ada, "/account/sessions", password="not this one").status_code == 400
    assert is_in(other)
    post(ada, "/account/sessions", password=PASSWORD)
    assert (is_in(ada), is_in(other)) == (True, False)
    assert ada.get("/account/access").text.count("<li>since") == 1


def test_a_guest_has_no_password_to_change(client: FlaskClient, post: Post) -> None:
    post(client, "/begin")
    assert client.get("/account/access").headers["Location"].startswith("/sign-in")


def test_a_link_sets_a_new_password_once(app: Flask, people: People, post: Post) -> None:
    ada, address = people("ada"), link(app)
    browser = app.test_client()
    assert browser.get(address).status_code == 200
    assert is_in(ada)
    assert post(browser, address, new="short").status_code == 400
    assert post(browser, address, new=OTHER).status_code == 303
    assert (is_in(browser), is_in(ada), is_in(sign_in(app, post, OTHER))) == (True, False, True)
    assert post(app.test_client(), address, new="a third calm sentence").status_code == 404


def test_a_link_ends_after_a_day_and_cannot_be_forged(app: Flask, people: People, clock: MovableClock) -> None:
    ada, address = people("ada"), link(app)
    person, ends, signature = address.rpartition("/")[2].split("-")
    for forged in (
        f"{person}-{int(ends) + 1}-{signature}",
        f"1{person}-{ends}-{signature}",
        f"{person}-{ends}-",
        "é-1-x",
    ):
        assert ada.get(f"/new-password/{forged}").status_code == 404
    clock.advance(hours=23)
    assert ada.get(address).status_code == 200
    clock.advance(hours=1)
    assert ada.get(address).status_code == 404


def test_the_control_a_link_that_forgets_the_password_works_twice(
    app: Flask, people: People, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = recovery._sign
    monkeypatch.setattr(recovery, "_sign", lambda key, person, ends, _hash: real(key, person, ends, None))
    people("ada")
    address = link(app)
    assert [post(app.test_client(), address, new=OTHER).status_code for _ in range(2)] == [303, 303]


def test_a_locked_account_is_out_at_once_and_stays_out(app: Flask, people: People, post: Post) -> None:
    ada = people("ada")
    assert run(app, "sign-out", "ada@example.org").endswith("everywhere.")
    assert (is_in(ada), is_in(sign_in(app, post))) == (False, True)
    run(app, "sign-out", "ada@example.org", "--lock")
    assert not is_in(sign_in(app, post))
    assert post(app.test_client(), link(app), new=OTHER).status_code == 303


def test_an_account_that_is_not_there_is_named(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["accounts", "sign-out", "nobody@example.org"])
    assert (result.exit_code, "nobody@example.org" in result.output) == (1, True)


@pytest.mark.parametrize(("days", "uses", "inside"), [(3, 1, False), (2, 1, True), (29, 15, True), (30, 15, False)])
def test_a_session_of_staff_ends_three_days_after_its_last_use_and_after_thirty_in_all(
    promote: People, clock: MovableClock, app: Flask, post: Post, days: int, uses: int, inside: bool
) -> None:
    promote("ada")
    browser = sign_in(app, post)
    for _ in range(uses):
        clock.advance(days=days / uses)
        answer = browser.get("/studio").status_code
    assert (answer == 200) == inside


def test_an_exam_does_not_end_with_the_session_that_began_it(
    promote: People, clock: MovableClock, app: Flask, post: Post
) -> None:
    promote("ada")
    browser = sign_in(app, post)
    clock.advance(days=2)
    attempt = post(browser, "/exams/saa-c01/attempts").headers["Location"]
    clock.advance(days=1, hours=1)
    assert browser.get(f"{attempt}/responses").status_code == 200


@pytest.mark.parametrize(
    "password",
    [
        "password12",
        "Password!!!",
        "qwertyuiop",
        "1234567890",
        "aaaaaaaaaaaa",
        "ababababab",
        "archway2018",
        "ada@example.org",
    ],
)
def test_a_password_that_is_guessed_first_is_refused(client: FlaskClient, post: Post, password: str) -> None:
    answer = post(client, "/sign-up", name="Ada", email="ada@example.org", password=password)
    assert answer.status_code == 400
    assert "among the first that are tried" in answer.text


@pytest.mark.parametrize(
    "password", ["ко́тка на покрива", "      ten spaces", "x7$kQ!pL2z", "ö" * 3 + "ätherisch", "9" * 64 + "abcd"]
)
def test_any_other_password_is_taken_as_it_is(app: Flask, people: People, post: Post, password: str) -> None:
    ada = people("ada")
    assert post(ada, "/account/password", password=PASSWORD, new=password).status_code == 303
    assert is_in(sign_in(app, post, password))
    assert not is_in(sign_in(app, post, f"{password} "))


@pytest.fixture
def limited(app: Flask) -> Iterator[None]:
    limiter.enabled = True
    limiter.reset()
    yield
    limiter.reset()
    limiter.enabled = False


class CountingHasher:
    """Takes a moment of a test's own choice, and counts who is in it."""

    def __init__(self) -> None:
        self.calls = self.inside = self.most = 0
        self.lock, self.full = threading.Lock(), threading.Event()

    def verify(self, _stored: str, _password: str) -> bool:
        with self.lock:
            self.calls += 1
        return False

    def hash(self, _password: str) -> str:
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
            if self.inside > 4:
                self.full.set()
        self.full.wait(0.2)
        with self.lock:
            self.inside -= 1
        return "hash"


@pytest.mark.usefixtures("limited")
def test_ten_guesses_an_account_reach_the_hash_however_it_is_spelt(
    app: Flask, post: Post, monkeypatch: pytest.MonkeyPatch, sized: Sized
) -> None:
    hasher = CountingHasher()
    monkeypatch.setattr(credentials, "_HASHER", hasher)
    spellings = ("ada{}@example.org", "ADA{}@example.org", "ａda{}@example.org", " aｄa{}@Example.org")
    accounts, tries = sized((3, 16), (100, 40))
    browser = app.test_client()
    for account in range(accounts):
        for turn in range(tries):
            post(browser, "/sign-in", email=spellings[turn % 4].format(account), password=f"guess {turn}")
    assert hasher.calls == 10 * accounts


@pytest.mark.usefixtures("limited")
def test_ten_guesses_at_the_own_password_reach_the_hash(
    people: People, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, hasher = people("ada"), CountingHasher()
    monkeypatch.setattr(credentials, "_HASHER", hasher)
    codes = [post(ada, "/account/password", password=f"guess {n}", new=OTHER).status_code for n in range(12)]
    assert (hasher.calls, codes[-1]) == (10, 429)


def _most_at_once(hasher: CountingHasher) -> int:
    threads = [threading.Thread(target=credentials.hash_password, args=[PASSWORD]) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return hasher.most


@pytest.mark.parametrize(("places", "most"), [(4, 4), (8, 8)], ids=["four places", "the control: eight places"])
def test_four_passwords_are_hashed_at_once(monkeypatch: pytest.MonkeyPatch, places: int, most: int) -> None:
    hasher = CountingHasher()
    monkeypatch.setattr(credentials, "_HASHER", hasher)
    if places != 4:
        monkeypatch.setattr(credentials, "_AT_ONCE", threading.BoundedSemaphore(places))
    assert (_most_at_once(hasher) > 4) == (most > 4)


def _cost(stored: str | None, turns: int) -> float:
    costs = []
    for _ in range(turns):
        before = time.thread_time()
        credentials.password_matches(stored, "the wrong password")
        costs.append(time.thread_time() - before)
    return statistics.median(costs)


def test_an_unknown_account_costs_as_much_as_a_known_one(monkeypatch: pytest.MonkeyPatch, sized: Sized) -> None:
    monkeypatch.setattr(credentials, "_HASHER", REAL_HASHER)
    known, turns = REAL_HASHER.hash(PASSWORD), sized(7, 200)
    assert abs(_cost(known, turns) - _cost(None, turns)) < 0.010
    # The control: without the hash of nobody's password an unknown account is told by the time.
    monkeypatch.setattr(credentials, "_DUMMY", "no hash")
    assert _cost(known, turns) - _cost(None, turns) > 0.005


def test_what_an_operator_looks_for_is_logged_without_names(
    app: Flask, people: People, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "archway.security")
    ada = people("ada")
    sign_in(app, post, "the wrong password")
    post(ada, "/account/password", password=PASSWORD, new=OTHER)
    ada.get("/studio")
    post(ada, "/sign-out")
    ada.post("/sign-out", headers={"Origin": "https://evil.example"})
    bob = people("bob")
    bob.get("/attempts/1")
    bob.get("/no/such/page")
    bob.get("/talks/2018-01?zone=Atlantis")
    said = [one.getMessage() for one in caplog.records if one.name == "archway.security"]
    assert said == [
        "account made: person 1 at /sign-up",
        "sign-in refused: person 1 at /sign-in",
        "password changed: person 1 at /account/password",
        "role refused: person 1 at /studio",
        "signed out: person 1 at /sign-out",
        "form of another site refused: person unknown at /sign-out",
        "account made: person 2 at /sign-up",
        "request refused with 404: person 2 at /attempts/<int:attempt_id>",
        "request refused with 400: person 2 at /talks/<month>",
    ]
    with app.extensions["database"].reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM accounts_person")).scalar_one() == 2
