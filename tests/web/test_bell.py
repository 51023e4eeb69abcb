"""The bell and the shared counts: heard in every process, and missed without harm where Redis is away."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

import accounts.views
import config
from app import create_app
from tests import servers
from tests.servers import Own
from web.bell import Bell, make

LONG = 30.0


@pytest.fixture
def server() -> Iterator[Own]:
    with servers.redis() as own:
        yield own


def _hears(listener: Bell, ringer: Bell) -> bool:
    """Return whether one bell, which may be only beginning to listen, hears the other before it would look anyway."""
    heard: list[bool] = []
    waiting = threading.Thread(target=lambda: heard.append(listener.wait("labs", LONG)))
    waiting.start()
    while waiting.is_alive():
        ringer.ring("labs")
        waiting.join(0.05)
    return heard == [True]


def test_a_ring_wakes_who_waits() -> None:
    bell = Bell()
    assert _hears(bell, bell)


def test_a_ring_before_the_wait_is_not_missed_and_heard_once() -> None:
    bell = Bell()
    bell.ring("labs")
    assert bell.wait("labs", LONG)
    assert not bell.wait("labs", 0)


def test_other_topics_do_not_wake() -> None:
    bell = Bell()
    bell.ring("mail")
    assert not bell.wait("labs", 0)


def test_another_process_hears_it_through_redis_even_after_redis_was_gone(server: Own) -> None:
    listener, ringer = make(server.url), make(server.url)
    assert _hears(listener, ringer)
    server.kill()
    ringer.ring("labs")
    server.start()
    assert _hears(listener, ringer)


def test_the_control_without_redis_another_process_hears_nothing() -> None:
    listener, ringer = Bell(), Bell()
    ringer.ring("labs")
    assert not listener.wait("labs", 0.2)


@pytest.fixture
def limiter() -> Iterator[None]:
    """Leave the limiter, which a process has one of, as it was."""
    before = dict(vars(accounts.views.limiter))
    accounts.views.limiter.enabled = True
    yield
    vars(accounts.views.limiter).update(before)


def _tries(settings: config.Settings, csrf: Callable[[FlaskClient], str], count: int) -> list[int]:
    """Return how a process that has just begun answers sign-ins with a wrong password."""
    app = create_app(settings)
    browser = app.test_client()
    form = {"csrf_token": csrf(browser), "email": "ada@example.org", "password": "not her password"}
    answers = [browser.post("/sign-in", data=form).status_code for _ in range(count)]
    app.extensions["database"].engine.dispose()
    return answers


@pytest.mark.usefixtures("limiter")
def test_processes_count_together_and_each_for_itself_while_redis_is_gone(
    settings: config.Settings, server: Own, csrf: Callable[[FlaskClient], str]
) -> None:
    shared = replace(settings, redis_url=server.url)
    assert _tries(shared, csrf, 10) == [400] * 10
    assert _tries(shared, csrf, 1) == [429]
    server.kill()
    assert _tries(shared, csrf, 2) == [400] * 2
    server.start()


@pytest.mark.usefixtures("limiter")
def test_the_control_processes_without_redis_count_each_for_itself(
    settings: config.Settings, csrf: Callable[[FlaskClient], str]
) -> None:
    alone = replace(settings, redis_url="")
    assert _tries(alone, csrf, 11) == [400] * 10 + [429]
    assert _tries(alone, csrf, 1) == [400]
