"""The reactive tracker: its rules for themselves, and the effect of each published fault on real processes."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from labs import registry, runner
from labs.catalog.reactive_tracking import load, outcome, programs
from labs.catalog.reactive_tracking.figures import percentile
from labs.catalog.reactive_tracking.redis_link import Breaker, RedisLink, UnavailableError
from labs.catalog.reactive_tracking.sender import MemoryQueue, Sender
from labs.catalog.reactive_tracking.service import Place, Service
from labs.catalog.reactive_tracking.settings import Parameters
from labs.catalog.reactive_tracking.system import Store, store_program
from labs.findings import Refused
from labs.parts.http_load import Answer
from labs.parts.journal import SLOT, unframed
from tests.conftest import missing, run_async

# Real processes under load; the browser and every lab's solutions run them at every commit.
pytestmark = pytest.mark.full

LAB = registry.read(registry.CATALOG / "reactive_tracking")
MENDED = {
    "cached_message": "copied",
    "item_key": "the message id",
    "outage_answer": "503",
    "unknown_programs": "remembered",
    "updater": "writes and publishes",
    "validation": "all",
}


def parameters(**texts: str) -> Parameters:
    values, faults = LAB.read({**MENDED, **texts})
    assert faults == {}
    return Parameters(**values)


def measure(**texts: str) -> dict[str, Any]:
    values, faults = LAB.read({"fault_seconds": "1", **texts})
    assert faults == {}
    ended = runner.execute(LAB, values, 1, runner.Limits())
    assert ended.ending.done, ended.ending.sentence
    return {name: found["value"] for name, found in ended.findings.items()}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(store_program("Valkey"), tmp_path / "store", tmp_path / "redis.sock") as started:
        yield started


@dataclass
class Kept:
    """A stream's client that keeps what it is given, and takes at most so many at once."""

    most: int = 500
    away: bool = False
    slots: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def put(self, stream: str, slots: bytes) -> int:
        assert stream == "events"
        if self.away:
            raise ConnectionError
        taken = unframed(slots)[: self.most]
        self.slots += taken
        return len(taken)


@contextmanager
def _service(path: Path, given: Parameters) -> Iterator[Service]:
    place = Place(0, path / "journal", path / "redis.sock", path / "stream.sock", "events")
    service = Service(given, place, memory=True)
    yield service
    for work in service._work:
        work.close()


async def _ask(service: Service, path: str, query: bytes = b"", agent: bytes = b"test") -> tuple[int, bytes]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, "query_string": query, "headers": [(b"user-agent", agent)]}
    await service(scope, None, send)
    return sent[0]["status"], sent[1]["body"]


FIELDS = {**programs.drawn(1, 1)[0], "is_valid": "1"}
PATH, QUERY = f"/event/{FIELDS['program_id']}", f"c={FIELDS['checksum']}".encode()


def test_an_event_written_in_pieces_is_the_references_message() -> None:
    event = programs.TrackingEvent.FromString(programs.event_of(programs.program_of(FIELDS), "Mozilla/5.0", "id7"))
    assert event.programid == FIELDS["program_id"]
    assert event.checksum == FIELDS["checksum"]
    assert event.customer_id == int(FIELDS["customer_id"])
    assert (event.program_name, event.customer_name) == (FIELDS["program_name"], FIELDS["customer_name"])
    assert (event.user_agent, event.message_id, event.is_valid) == ("Mozilla/5.0", "id7", True)


def test_a_known_program_is_answered_without_redis_and_the_journal_has_the_event(tmp_path: Path) -> None:
    with _service(tmp_path, parameters(acknowledged="in a journal")) as service:
        service._put(programs.program_of(FIELDS))
        status, message_id = run_async(_ask(service, PATH, QUERY, b"Mozilla \xff" + b"x" * 500))
        [(key, data)] = unframed(service._queue.oldest(10))
    assert status == 200
    event = programs.TrackingEvent.FromString(data)
    assert key == message_id == event.message_id.encode()
    assert event.user_agent.startswith("Mozilla x")


@pytest.mark.parametrize(
    ("changes", "query", "status"),
    [({}, QUERY, 200), ({}, b"c=00000000", 400), ({}, b"", 400), ({"is_valid": "0"}, QUERY, 410)],
)
def test_what_is_validated(tmp_path: Path, changes: dict[str, str], query: bytes, status: int) -> None:
    for validation, expected in (("all", status), ("existence", 200)):
        with _service(tmp_path, parameters(validation=validation)) as service:
            service._put(programs.program_of({**FIELDS, **changes}))
            assert run_async(_ask(service, PATH, query))[0] == expected


@pytest.mark.parametrize("status", [404, 503])
def test_an_outage_is_answered_as_it_is_set(tmp_path: Path, status: int) -> None:
    with _service(tmp_path, parameters(outage_answer=str(status))) as service:
        assert run_async(_ask(service, PATH, QUERY))[0] == status


def test_a_full_queue_refuses(tmp_path: Path) -> None:
    with _service(tmp_path, parameters(queue="10")) as service:
        service._put(programs.program_of(FIELDS))
        statuses = [run_async(_ask(service, PATH, QUERY))[0] for _ in range(12)]
    assert statuses == [200] * 10 + [503] * 2


def test_a_shared_message_is_sent_with_the_last_ones_id_and_a_copied_one_with_its_own(tmp_path: Path) -> None:
    for cached, different in (("shared", 1), ("copied", 3)):
        with _service(tmp_path, parameters(cached_message=cached)) as service:
            service._put(programs.program_of(FIELDS))
            answered = {run_async(_ask(service, PATH, QUERY))[1] for _ in range(3)}
            sent = {key for key, _ in unframed(service._queue.oldest(10))}
        assert len(answered) == 3
        assert len(sent & answered) == different


def test_an_answer_that_comes_late_does_not_replace_a_newer_announcement(tmp_path: Path) -> None:
    with _service(tmp_path, parameters()) as service:
        service._take(programs.program_of({**FIELDS, "version": "2"}), 0.0)
        service._put(programs.program_of(FIELDS))
        kept = service._cache.get(FIELDS["program_id"])
    assert kept is not None
    assert kept.version == 2


def test_many_who_ask_for_one_program_are_one_question(store: Store) -> None:
    async def ask() -> tuple[int, int, set[object]]:
        link = RedisLink(store.socket)
        await link._redis.hset(FIELDS["program_id"], mapping=FIELDS)
        found = await asyncio.gather(*(link.find(FIELDS["program_id"]) for _ in range(20)))
        nothing = await link.find("nobody")
        await link._redis.aclose()
        return link.lookups, link.vain, {*found, nothing}

    lookups, vain, found = run_async(ask())
    assert (lookups, vain) == (2, 1)
    assert found == {programs.program_of(FIELDS), None}


def test_a_bot_is_remembered_and_an_announcement_still_counts(store: Store, tmp_path: Path) -> None:
    async def ask(given: Parameters) -> tuple[list[int], int, int]:
        with _service(tmp_path, given) as service:
            statuses = [(await _ask(service, PATH, QUERY))[0] for _ in range(5)]
            service._take(programs.program_of(FIELDS), 0.0)
            after = (await _ask(service, PATH, QUERY))[0]
            await service._link._redis.aclose()
            return statuses, service._link.vain, after

    assert run_async(ask(parameters())) == ([404] * 5, 1, 200)
    assert run_async(ask(parameters(unknown_programs="asked each time"))) == ([404] * 5, 5, 200)


def test_the_breaker_opens_after_failures_and_lets_one_question_through_at_a_time() -> None:
    breaker = Breaker(failures=3, pause=1)
    for moment in (0.0, 0.1, 0.2):
        assert breaker.admits(moment)
        breaker.note(moment, answered=False)
    assert [breaker.admits(moment) for moment in (0.3, 1.1, 1.2, 1.3, 2.2)] == [False, False, True, False, True]
    breaker.note(2.3, answered=True)
    assert breaker.admits(2.4)


def test_while_redis_is_away_most_questions_are_not_even_asked(tmp_path: Path) -> None:
    async def ask() -> int:
        link = RedisLink(tmp_path / "nothing.sock")
        for number in range(50):
            with pytest.raises(UnavailableError):
                await link.find(str(number))
        return link.lookups

    assert run_async(ask()) == 5


def test_the_sender_goes_on_where_the_stream_stopped_taking() -> None:
    async def send() -> tuple[list[bool], Kept]:
        queue, client = MemoryQueue(100), Kept(most=3)
        sender = Sender(queue, client, "events", 0.001)
        for number in range(7):
            queue.append(programs_frame(number))
        client.away = True
        ended = [await sender._send()]
        client.away = False
        ended += [await sender._send() for _ in range(3)]
        return ended, client

    ended, client = run_async(send())
    assert ended == [False, False, False, True]
    assert [key for key, _ in client.slots] == [b"%d" % number for number in range(7)]


def test_who_waits_for_the_stream_is_answered_when_it_has_the_event() -> None:
    async def wait() -> tuple[bool, bool]:
        queue, client = MemoryQueue(100), Kept(away=True)
        sender = Sender(queue, client, "events", 0.001)
        queue.append(programs_frame(1))
        waiting = asyncio.create_task(sender.sent())
        await asyncio.sleep(0)
        await sender._send()
        before = waiting.done()
        client.away = False
        await sender._send()
        await waiting
        return before, waiting.done()

    assert run_async(wait()) == (False, True)


def programs_frame(number: int) -> bytes:
    return b"\0\1\0\1%dx" % number


def test_links_are_of_four_kinds_and_the_load_has_each() -> None:
    links = load.links_to(programs.drawn(1, 300))
    kinds = links.kinds()
    assert {kinds[path] for path in vars(links) for path in getattr(links, path)} == {*vars(links)}
    paths = load.taps(links, 0.1, load.Random(1))
    drawn = [kinds[next(paths)] for _ in range(5000)]
    assert drawn.count("unknown") == pytest.approx(500, abs=80)
    assert drawn.count("forged") == pytest.approx(100, abs=40)
    assert drawn.count("ended") == pytest.approx(220, abs=80)


def test_arrivals_come_at_random_and_in_order() -> None:
    links = load.links_to(programs.drawn(1, 300))
    plan = load.arrivals(load.taps(links, 0, load.Random(1)), 500, 4, load.Random(2))
    assert len(plan) == pytest.approx(2000, abs=150)
    assert sorted(plan) == plan
    assert plan[-1].due < 4


def test_percentiles() -> None:
    assert [percentile(range(1, 101), share) for share in (1, 50, 99, 100)] == [1, 50, 99, 100]
    assert percentile([], 99) == 0


def test_answers_count_by_when_they_were_due() -> None:
    answers = [Answer(0.5, 9, 503, "", b""), Answer(1.0, 0.002, 200, "", b""), Answer(1.9, 0.1, 404, "", b"")]
    answers += [Answer(2.0, 0.1, 503, "", b""), Answer(2.6, 0.1, 200, "", b"")]
    found = {name: one.value for name, one in outcome._answered(answers, 1.0, 2.0).items()}
    assert found["served_during_fault"] == 50
    assert found["served_after_fault"] == 100
    assert (found["p99_during_fault"], found["failing_p99"]) == (2, 100)
    assert (found["called_unknown"], found["unavailable"]) == (1, 2)


def test_the_published_faults_show_while_redis_is_away() -> None:
    found = measure(fault="Redis killed")
    assert found["pull_called_unknown"] > 10
    assert found["updates_pushed"] == 0 < found["updates_sent"]
    assert found["push_served_during_fault"] < 99
    assert found["wrongly_accepted"] > 0
    assert found["vain_lookups"] > 1.5 * load.UNKNOWN_PROGRAMS
    assert found["lost"] > 0
    assert found["duplicates"] > 0


def test_an_answer_at_once_may_be_a_lie() -> None:
    assert measure(fault="service killed", cached_message="copied", linger="200")["lost"] > 0


def test_a_journal_does_not_outlive_its_machine() -> None:
    found = measure(fault="machine lost", acknowledged="in a journal", linger="200", item_key="the message id")
    assert found["lost"] > 0


def test_a_batch_that_is_given_again_is_stored_beside_itself() -> None:
    found = measure(fault="table write fails", cached_message="copied")
    assert found["lost"] == 0
    assert found["duplicates"] > 0
    assert found["duplicates"] % 25 == 0


def test_a_short_queue_refuses_and_loses_nothing() -> None:
    found = measure(fault="stream frozen", queue="50", cached_message="copied")
    assert found["push_unavailable"] > 100
    assert (found["most_queued"], found["lost"]) == (50, 0)
    assert found["blocking_p99_during_fault"] > 300


def test_the_machines_own_redis_may_stand_in() -> None:
    if not shutil.which("redis-server"):
        missing("redis-server")
    found = measure(fault="table write fails", store="redis-server", updater="writes and publishes")
    assert found["updates_pushed"] >= 0.9 * found["updates_sent"] > 0


def test_a_store_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Refused, match="set store to Valkey"):
        store_program("redis-server")


def _rounds(acknowledged: str, rounds: int = 20) -> dict[str, int]:
    command = [sys.executable, "-m", "tests.labs.reactive_rounds", acknowledged, str(rounds)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60 + 2 * rounds, env=os.environ)
    assert ended.returncode == 0, ended.stderr
    found: dict[str, int] = json.loads(ended.stdout)
    return found


@pytest.mark.parametrize("acknowledged", ["in a journal", "by the stream"])
def test_what_was_accepted_is_stored_once_whatever_is_killed(acknowledged: str, sized: Callable[..., int]) -> None:
    rounds = sized(20, 200)
    found = _rounds(acknowledged, rounds)
    assert found["kills"] == rounds
    assert found["accepted"] > 0.5 * found["asked"]
    assert (found["lost"], found["duplicates"]) == (0, 0)


@pytest.mark.full
def test_the_same_kills_lose_taps_that_were_only_in_memory() -> None:
    assert _rounds("at once")["lost"] > 0


def test_a_slot_has_room_for_the_longest_event() -> None:
    longest = {**FIELDS, "program_name": "Campaign, edited 99999", "customer_name": "Customer 999"}
    assert len(programs.event_of(programs.program_of(longest), "x" * 160, "x" * 24)) + 28 < SLOT
