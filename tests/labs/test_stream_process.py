"""Streams in a process of their own: killed and started again, frozen, full."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from labs.parts.journal import SLOT
from labs.parts.stream_process import BlockingStreamClient, KeptStream, StreamClient, slots_of
from tests.conftest import run_async

CODE = """
import asyncio, sys
from pathlib import Path
from labs.parts.stream_process import serve
folder = Path(sys.argv[1])
asyncio.run(serve(folder / "socket", folder, {"events": 1, "updates": 1}))
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Return a function that starts the server, anew each time."""
    started: list[subprocess.Popen[bytes]] = []

    def begin() -> subprocess.Popen[bytes]:
        (tmp_path / "socket").unlink(missing_ok=True)
        server = subprocess.Popen([sys.executable, "-c", CODE, tmp_path], env={**os.environ, "PYTHONPATH": "."})
        started.append(server)
        end = time.monotonic() + 60
        while not (tmp_path / "socket").exists():
            assert time.monotonic() < end
            time.sleep(0.02)
        return server

    yield begin
    for server in started:
        server.kill()
        server.wait()


@pytest.fixture
def client(tmp_path: Path) -> Iterator[BlockingStreamClient]:
    with closing(BlockingStreamClient(tmp_path / "socket")) as made:
        yield made


def _slots(*numbers: int) -> bytes:
    return slots_of([(b"key%d" % number, b"data%d" % number) for number in numbers])


def test_a_killed_stream_goes_on_where_it_was(
    start: Callable[[], subprocess.Popen[bytes]], client: BlockingStreamClient
) -> None:
    server = start()
    assert client.put("events", _slots(1, 2, 3)) == 3
    first = client.read("events", 0, "")
    server.kill()
    server.wait()
    with pytest.raises(OSError):
        client.put("events", _slots(4))
    start()
    assert client.put("events", _slots(4)) == 1
    batch = client.read("events", 0, first.last)
    assert [data for _, data in first.records] == [b"data1", b"data2", b"data3"]
    assert batch.records == [(b"key4", b"data4")]
    assert batch.last > first.last
    assert client.read("updates", 0, "").records == []


def test_a_frozen_stream_lets_a_thread_wait_and_answers_when_it_goes_on(
    start: Callable[[], subprocess.Popen[bytes]], client: BlockingStreamClient
) -> None:
    server = start()
    client.put("events", _slots(1))
    server.send_signal(signal.SIGSTOP)
    threading.Timer(0.5, server.send_signal, [signal.SIGCONT]).start()
    began = time.monotonic()
    assert client.put("events", _slots(2)) == 1
    assert time.monotonic() - began >= 0.4


def test_what_was_half_written_when_it_died_is_no_record(tmp_path: Path) -> None:
    path = tmp_path / "events.stream"
    KeptStream(path, 1).put(_slots(1, 2))
    with path.open("ab") as file:
        file.write(b"half a record")
    again = KeptStream(path, 1)
    assert again.put(_slots(3)) == 1
    assert [one.data for one in KeptStream(path, 1).read(0, "")[0]] == [b"data1", b"data2", b"data3"]


def test_a_shard_that_is_full_takes_the_first_records_and_leaves_the_rest(tmp_path: Path) -> None:
    stream = KeptStream(tmp_path / "events.stream", 1)
    accepted = [stream.put(_slots(*range(500))) for _ in range(3)]
    assert accepted[:2] == [500, 500]
    assert accepted[2] < 100


def test_the_client_of_a_loop_says_that_the_stream_is_away_and_comes_back(
    start: Callable[[], subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    async def talk() -> None:
        client = StreamClient(tmp_path / "socket")
        with pytest.raises(ConnectionError):
            await client.put("events", _slots(1))
        server = start()
        assert await client.put("events", _slots(1)) == 1
        server.kill()
        with pytest.raises(ConnectionError):
            await client.put("events", _slots(2))
        start()
        assert await client.put("events", _slots(2)) == 1
        client.close()

    run_async(talk())


def test_slots_are_what_their_name_says() -> None:
    assert len(_slots(1, 2)) == 2 * SLOT
