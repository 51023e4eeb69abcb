"""What an attacker may try on an attempt: to read the key early, to gain time, and to reach somebody else's."""

from __future__ import annotations

import gc
import re
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

import config
from app import create_app
from db import milliseconds
from quizzes import display, sittings, store
from quizzes.attempts import GRACE
from quizzes.questions import Item
from quizzes.routes import exams
from quizzes.sittings import Exams
from quizzes.store import sync_versions
from tests.conftest import MovableClock
from tests.databases import Databases
from tests.quizzes.conftest import Learner, other_key
from web.schedule import sweep

Begin = Callable[..., Learner]
FORMS = (20, 200)
LENGTH = timedelta(minutes=130)


def _as_it_is(item: Item) -> Item:
    return item


@pytest.fixture
def twin(
    clock: MovableClock, tmp_path_factory: pytest.TempPathFactory, prepared: Path, databases: Databases
) -> Iterator[Callable[[Callable[[Item], Item]], Flask]]:
    """Return a function that makes an application all of whose items are changed in one way."""
    made: list[Flask] = []

    def make(change: Callable[[Item], Item]) -> Flask:
        folder = tmp_path_factory.mktemp("twin")
        app = create_app(config.load(databases.copy(prepared, folder)))
        app.extensions["clock"] = clock
        app.config["RATELIMIT_ENABLED"] = False
        _forget_power_cuts(app)
        with app.app_context():
            shipped = exams()
        banks = tuple(replace(bank, items=tuple(map(change, bank.items))) for bank in shipped.banks)
        app.extensions["exams"] = Exams(shipped.blueprints, banks)
        sync_versions(app.extensions["database"], banks)
        made.append(app)
        return app

    yield make
    for app in made:
        app.extensions["database"].engine.dispose()


def _forget_power_cuts(app: Flask) -> None:
    """Let commits not wait for the disk, whose moods are no part of what is measured here; PostgreSQL never does."""
    if not app.extensions["settings"].database_url.startswith("sqlite"):
        return
    engine = app.extensions["database"].engine
    engine.dispose()
    event.listen(engine, "connect", lambda one, _: one.execute("PRAGMA synchronous=OFF").close())


OWN_HEADERS = {"Set-Cookie", "Date", "X-Request-ID"}
"""What no two answers have in common."""


def _said(answer: TestResponse) -> list[str]:
    """Return everything of an answer that a learner could look at, but for the visit's tokens and its own number."""
    text = re.sub(r'((?:csrf[-_]token" (?:value|content)|"token")[=:]\s*")\w+', r"\1", answer.text)
    text = text.replace(answer.headers["X-Request-ID"], "")
    headers = [f"{name}: {value}" for name, value in answer.headers if name not in OWN_HEADERS]
    return [text, answer.status, str(len(answer.data)), *headers]


def _walk(app: Flask, csrf: Callable[[FlaskClient], str], forms: int) -> list[str]:
    """Sit so many exams up to the submission and return everything the server said on the way."""
    said = []
    for number in range(1, forms + 1):
        browser = app.test_client()
        said += _said(browser.post("/exams/saa-c01/attempts", data={"csrf_token": csrf(browser), "form": str(number)}))
        headers = {"X-CSRF-Token": csrf(browser)}
        address = f"/attempts/{number}"
        changes = [{"place": place, "revision": 1, "answer": "a", "flagged": False} for place in range(1, 66)]
        said += _said(browser.post(f"{address}/responses", json={"responses": changes}, headers=headers))
        form = {"q1": "b", "f2": "on", "then": "submit"}
        said += _said(browser.post(f"{address}/save", data=form, headers=headers))
        for page in ("", "/submit", "/responses?version=-1", "/report", "/review"):
            said += _said(browser.get(f"{address}{page}"))
        for page in ("/", "/exams", "/exams/saa-c01", "/drills") if number % 10 == 1 else ():
            said += _said(browser.get(page))
        with app.app_context(), app.extensions["database"].reading() as connection:
            attempt = store._attempt(connection.execute(store._ATTEMPT.where(store.AttemptRow.id == number)).one())
            asked = sittings.load(connection, exams(), attempt).items[number % 65].question
        answer = {"question": asked.id, "answer": "a"}
        said += _said(browser.post(f"/drills/{asked.course}", data=answer, headers=headers))
    return said


def _pages_with_items(app: Flask) -> list[str]:
    """Return what every drill and every lesson with checks says before an answer."""
    browser = app.test_client()
    library = app.extensions["library"].current()
    addresses = ["/drills/today"]
    for course in library.courses:
        addresses.append(f"/drills/{course.slug}")
        addresses += [f"/drills/{course.slug}?task={task.code}" for module in course.modules for task in module.tasks]
        addresses += [f"/learn/{course.slug}/{module.slug}/{lesson.slug}" for module, lesson in course.lessons()]
    return [text for address in addresses for text in _said(browser.get(address))]


def test_no_byte_before_submission_depends_on_the_key(
    twin: Callable[[Callable[[Item], Item]], Flask], csrf: Callable[[FlaskClient], str], sized: Callable[..., int]
) -> None:
    one, other, forms = twin(_as_it_is), twin(other_key), sized(*FORMS)
    assert _walk(one, csrf, forms) == _walk(other, csrf, forms)
    assert _pages_with_items(one) == _pages_with_items(other)


def test_the_control_a_page_that_shows_the_right_option_first_is_caught(
    twin: Callable[[Callable[[Item], Item]], Flask],
    csrf: Callable[[FlaskClient], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running = display.running

    def leaky(sitting: sittings.Sitting) -> list[display.ShownItem]:
        return [
            replace(one, options=tuple(sorted(one.options, key=lambda each: each.letter not in item.key.correct)))
            for one, item in zip(running(sitting), sitting.items, strict=True)
        ]

    monkeypatch.setattr(display, "running", leaky)
    assert _walk(twin(_as_it_is), csrf, 1) != _walk(twin(other_key), csrf, 1)


def test_the_control_the_review_shows_the_key(
    twin: Callable[[Callable[[Item], Item]], Flask], csrf: Callable[[FlaskClient], str]
) -> None:
    reviews = []
    for app in (twin(_as_it_is), twin(other_key)):
        browser = app.test_client()
        browser.post("/exams/saa-c01/attempts", data={"csrf_token": csrf(browser), "form": "1"})
        browser.post("/attempts/1/submit", data={"csrf_token": csrf(browser)})
        reviews.append(_said(browser.get("/attempts/1/review")))
    assert reviews[0] != reviews[1]


def _interleaved(first: Any, second: Any, rounds: int) -> Iterator[Any]:
    """Yield each so many times in turn, the first of each pair changing, so that neither always follows the other.

    What is timed is the time of this thread, which waits for nothing here, so that a busy machine does not show.
    """
    for turn in range(2 * rounds):
        yield (first, second)[(turn + turn // 2) % 2]


def _latency_gap(learner: Learner, rounds: int) -> float:
    """Return by how many milliseconds saving a right answer takes longer than saving a wrong one, in the median."""
    right = learner.key(1)
    wrong = next(letters for letters in ("a", "b", "ab", "bc") if len(letters) == len(right) and letters != right)
    taken: dict[str, list[float]] = {right: [], wrong: []}
    gc.collect()
    gc.disable()
    for letters in _interleaved(right, wrong, rounds):
        start = time.thread_time()
        learner.answer(1, letters)
        taken[letters].append(time.thread_time() - start)
    gc.enable()
    return (statistics.median(taken[right]) - statistics.median(taken[wrong])) * 1000


def test_a_right_answer_is_saved_as_fast_as_a_wrong_one(app: Flask, begin: Begin, sized: Callable[..., int]) -> None:
    _forget_power_cuts(app)
    assert abs(_latency_gap(begin(), sized(400, 2000))) < 0.2


def test_the_control_a_save_that_looks_at_the_key_is_slower_and_found(
    app: Flask, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    _forget_power_cuts(app)
    learner = begin()
    right, save = learner.key(1), store.save

    def looks(*arguments: Any) -> Any:
        end = time.thread_time() + (0.0004 if arguments[3][0].answer == right else 0)
        while time.thread_time() < end:
            pass
        return save(*arguments)

    monkeypatch.setattr(store, "save", looks)
    assert _latency_gap(learner, 200) > 0.2


@pytest.mark.parametrize(
    ("received", "stamp", "counts"),
    [
        (timedelta(minutes=1), None, True),
        (LENGTH, None, True),
        (LENGTH + timedelta(milliseconds=1), None, False),
        (LENGTH + timedelta(seconds=30), timedelta(seconds=-31), True),
        (LENGTH + timedelta(seconds=30), timedelta(seconds=-29), False),
        (LENGTH + GRACE, -GRACE, True),
        (LENGTH + GRACE + timedelta(milliseconds=1), timedelta(hours=-1), False),
        (LENGTH + timedelta(days=1), timedelta(days=-1), False),
        (LENGTH - timedelta(seconds=1), timedelta(days=365), True),
        (LENGTH + timedelta(seconds=1), timedelta(days=365), False),
        (timedelta(minutes=1), timedelta(days=-365), True),
    ],
    ids=str,
)
def test_only_the_servers_time_decides_what_counts(
    begin: Begin, clock: MovableClock, received: timedelta, stamp: timedelta | None, counts: bool
) -> None:
    """``received`` counts from the start; ``stamp`` is the page's claim, from the moment of receipt."""
    learner = begin()
    start = clock.now
    clock.now += received
    claim = None if stamp is None else milliseconds(clock.now + stamp)
    assert learner.answer(1, learner.key(1), stamp=claim).json["stored"][0]["late"] is not counts
    with learner.app.extensions["database"].reading() as connection:
        answered_at = connection.exec_driver_sql("SELECT answered_at FROM quizzes_response").scalar_one()
    assert milliseconds(start) <= answered_at <= milliseconds(clock.now)
    clock.now = start + LENGTH + timedelta(days=2)
    sweep(learner.app)
    assert learner.sitting().report().correct == int(counts)


def _leave_and_come_back(learner: Learner, clock: MovableClock) -> None:
    for _ in range(5):
        clock.advance(minutes=10)
        learner.client.get("/exams")
        learner.client.get(learner.address)


def _start_again(learner: Learner, clock: MovableClock) -> None:
    clock.advance(minutes=50)
    learner.client.post("/exams/saa-c01/attempts", data={"csrf_token": learner.token, "time": "10"})


def _ask_for_more_time_later(learner: Learner, clock: MovableClock) -> None:
    clock.advance(minutes=50)
    for address in (f"{learner.address}/save", f"{learner.address}/responses", learner.address):
        learner.client.post(address, data={"csrf_token": learner.token, "time": "10", "deadline": str(2**50)})


def _claim_another_time(learner: Learner, clock: MovableClock) -> None:
    clock.advance(minutes=50)
    body = {"responses": [], "now": 0, "deadline": 2**50, "closed": False}
    headers = {"X-CSRF-Token": learner.token, "Date": "Thu, 01 Jan 1970 00:00:00 GMT"}
    learner.client.post(f"{learner.address}/responses", json=body, headers=headers)


@pytest.mark.parametrize(
    "attempted", [_leave_and_come_back, _start_again, _ask_for_more_time_later, _claim_another_time]
)
def test_nothing_that_a_learner_sends_moves_the_end(
    begin: Begin, clock: MovableClock, attempted: Callable[[Learner, MovableClock], None]
) -> None:
    learner = begin()
    end = clock.now + LENGTH
    attempted(learner, clock)
    assert learner.sitting().attempt.clock.deadline == end
    state = learner.client.get(f"{learner.address}/responses?version=-1").json
    assert (state["deadline"], state["deadline"] - state["now"]) == (milliseconds(end), 80 * 60 * 1000)
    page = learner.client.get(learner.address).text
    assert f'data-now="{milliseconds(clock.now)}" data-deadline="{milliseconds(end)}"' in page


@pytest.mark.parametrize("multiplier", ["1.25", "10"])
def test_more_time_is_as_much_as_was_asked_for_and_no_more(begin: Begin, clock: MovableClock, multiplier: str) -> None:
    learner = begin(time=multiplier)
    clock.now += LENGTH * float(multiplier)
    assert learner.answer(1, "a").json["stored"][0]["late"] is False
    clock.advance(milliseconds=1)
    assert learner.answer(2, "a").json["stored"][0]["late"] is True


def _send_the_plain_form(learner: Learner) -> TestResponse:
    return learner.client.post(f"{learner.address}/save", data={"csrf_token": learner.token, "q1": learner.key(1)})


def _send_the_outbox(learner: Learner) -> TestResponse:
    return learner.answer(1, learner.key(1), stamp=0)


def _submit_again(learner: Learner) -> TestResponse:
    return learner.submit()


@pytest.mark.parametrize("again", [_send_the_plain_form, _send_the_outbox, _submit_again])
@pytest.mark.parametrize("end", ["submitted", "overdue"])
def test_after_the_end_nothing_changes_the_score(
    begin: Begin, clock: MovableClock, again: Callable[[Learner], TestResponse], end: str
) -> None:
    learner = begin()
    if end == "submitted":
        learner.submit()
    else:
        clock.now += LENGTH + GRACE + timedelta(seconds=1)
    assert again(learner).status_code in {200, 303}
    for page in ("", "/submit"):
        assert learner.client.get(f"{learner.address}{page}").headers["Location"].endswith("/report")
    first = learner.sitting().attempt
    assert first.clock.closed_at == min(clock.now, first.clock.deadline)
    clock.advance(minutes=5)
    again(learner)
    assert learner.sitting().attempt == first
    assert learner.sitting().report().correct == 0


def test_the_control_a_server_that_believes_the_page_is_found(
    begin: Begin, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "receive", lambda _clock, stamp, now: store.Receipt(stamp or now, late=False))
    learner = begin()
    clock.now += LENGTH + timedelta(days=1)
    stamp = milliseconds(clock.now - timedelta(days=1, hours=1))
    assert learner.answer(1, learner.key(1), stamp=stamp).json["stored"][0]["late"] is False


def _requests(app: Flask) -> list[tuple[str, str]]:
    """Return (method, address with a place for the number) of every route that names an attempt."""
    rules = [rule for rule in app.url_map.iter_rules() if "attempt_id" in rule.arguments]
    return sorted(
        (method, rule.rule.replace("<int:attempt_id>", "{}"))
        for rule in rules
        for method in rule.methods - {"HEAD", "OPTIONS"}
    )


def _try(browser: FlaskClient, token: str, method: str, address: str) -> TestResponse:
    headers = {"X-CSRF-Token": token, "Accept": "text/html"}
    change = {"place": 1, "revision": 99, "answer": "a", "flagged": True, "stamp": None}
    if method == "GET":
        return browser.get(address, headers=headers)
    if address.endswith("/responses"):
        return browser.post(address, json={"responses": [change]}, headers=headers)
    return browser.post(address, data={"q1": "a", "f1": "on"}, headers=headers)


@pytest.fixture
def strangers(
    app: Flask, begin: Begin, people: Callable[[str], FlaskClient], csrf: Callable[[FlaskClient], str]
) -> list[tuple[FlaskClient, str]]:
    """Somebody without a session, another guest in an exam, and another account: browsers with their tokens."""
    browsers = [app.test_client(), begin().client, people("eve")]
    return [(browser, csrf(browser)) for browser in browsers]


NEVER = 9_999_999
"""The number of an attempt that never was."""


def _differences(strangers: list[tuple[FlaskClient, str]], number: int, request: tuple[str, str]) -> list[str]:
    """Return what strangers are told of an attempt where that is not what they are told of one that never was."""
    method, address = request
    found = []
    for browser, token in strangers:
        of_it, of_none = (_said(_try(browser, token, method, address.format(each))) for each in (number, NEVER))
        if of_it != of_none or not of_it[1].startswith("404"):
            found.append(f"{method} {address}: {of_it[1]}")
    return found


def _gap(strangers: list[tuple[FlaskClient, str]], number: int, request: tuple[str, str], rounds: int = 20) -> float:
    """Return by how many milliseconds the refusal of an attempt takes longer than that of one that never was."""
    method, address = request
    taken: dict[int, list[float]] = {number: [], NEVER: []}
    for browser, token in strangers:
        for each in _interleaved(number, NEVER, rounds):
            start = time.thread_time()
            _try(browser, token, method, address.format(each))
            taken[each].append(time.thread_time() - start)
    return (statistics.median(taken[number]) - statistics.median(taken[NEVER])) * 1000


def test_somebody_elses_attempt_is_as_one_that_never_was(
    app: Flask, begin: Begin, strangers: list[tuple[FlaskClient, str]]
) -> None:
    _forget_power_cuts(app)
    learner = begin()
    learner.answer(1, "b")
    before = learner.sitting()
    requests = _requests(app)
    assert len(requests) >= 8
    for request in requests:
        assert _differences(strangers, learner.attempt_id, request) == []
        assert abs(_gap(strangers, learner.attempt_id, request)) < 1, request
    assert learner.sitting() == before


def test_the_control_a_door_without_its_lock_is_found(
    begin: Begin, strangers: list[tuple[FlaskClient, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unlocked(connection: Any, attempt_id: int, _person_id: int) -> store.Attempt | None:
        row = connection.execute(store._ATTEMPT.where(store.AttemptRow.id == attempt_id)).first()
        return None if row is None else store._attempt(row)

    monkeypatch.setattr(store, "find_attempt", unlocked)
    request = ("GET", "/attempts/{}/submit")
    assert f"GET {request[1]}: 200 OK" in _differences(strangers, begin().attempt_id, request)


def test_the_control_a_slow_refusal_is_found(
    begin: Begin, strangers: list[tuple[FlaskClient, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exam is loaded first, and only then is it looked at whose it is."""
    find = store.find_attempt

    def loads_first(connection: Any, attempt_id: int, person_id: int) -> store.Attempt | None:
        row = connection.execute(store._ATTEMPT.where(store.AttemptRow.id == attempt_id)).first()
        if row is not None:
            sittings.load(connection, exams(), store._attempt(row))
        return find(connection, attempt_id, person_id)

    monkeypatch.setattr(store, "find_attempt", loads_first)
    assert _gap(strangers[1:], begin().attempt_id, ("GET", "/attempts/{}/report")) > 1
