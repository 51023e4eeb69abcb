"""The load generator: what it measures where a server stands still, breaks off, or is not there."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Awaitable, Callable
from itertools import repeat

from labs.parts.http_load import HOST, NO_ANSWER, Answer, Arrival, Client, by_schedule, for_seconds, in_turn
from tests.conftest import run_async

HELLO = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: bytes = HELLO) -> None:
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(answer)
    except asyncio.IncompleteReadError:
        writer.close()


def _play(handler: Handler, play: Callable[[Client], Awaitable[None]], connections: int = 4) -> list[Answer]:
    async def main() -> list[Answer]:
        answers: list[Answer] = []
        async with await asyncio.start_server(handler, HOST, 0) as server:
            client = Client(server.sockets[0].getsockname()[1], connections, answers.append)
            await play(client)
            client.close()
            # Both ends of each connection close in the loop's own time.
            await asyncio.sleep(0.02)
        return answers

    return run_async(main())


def test_a_stall_counts_for_every_request_that_was_due_in_it() -> None:
    async def stalls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.5)
        writer.write(HELLO)
        await _answering(reader, writer)

    plan = [Arrival(number / 20, "/") for number in range(10)]
    answers = _play(stalls, lambda client: by_schedule(client, plan), connections=1)
    assert len(answers) == 10
    for one in answers:
        assert one.due + one.seconds >= 0.5


def test_a_closed_loop_sees_the_same_stall_once() -> None:
    async def stalls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.3)
        writer.write(HELLO)
        await _answering(reader, writer)

    answers = _play(stalls, lambda client: in_turn(client, repeat("/", 10)), connections=1)
    assert len(answers) == 10
    assert max(one.seconds for one in answers) >= 0.3 > statistics.median(one.seconds for one in answers)


def test_no_more_is_under_way_than_there_are_connections() -> None:
    under_way = most = 0

    async def counts(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal under_way, most
        while not reader.at_eof() and await reader.readline():
            while await reader.readline() != b"\r\n":
                pass
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.01)
            under_way -= 1
            writer.write(HELLO)
        writer.close()

    answers = _play(counts, lambda client: by_schedule(client, [Arrival(0, "/")] * 50), connections=4)
    assert len(answers) == 50
    assert most == 4


def test_an_answer_in_pieces_is_one_answer() -> None:
    async def slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for place in range(len(HELLO)):
            writer.write(HELLO[place : place + 1])
            await asyncio.sleep(0)
        writer.close()

    [answer] = _play(slowly, lambda client: by_schedule(client, [Arrival(0, "/")]))
    assert (answer.status, answer.body) == (200, b"hello")


def test_a_connection_that_breaks_is_no_answer_and_the_next_request_gets_another() -> None:
    asked = 0

    async def breaks_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.readuntil(b"\r\n\r\n")
        if asked == 1:
            writer.close()
            return
        writer.write(HELLO)
        await _answering(reader, writer)

    answers = _play(breaks_first, lambda client: in_turn(client, repeat("/", 3)), connections=1)
    assert [one.status for one in answers] == [NO_ANSWER, 200, 200]


def test_nobody_listens() -> None:
    async def main(port: int) -> list[Answer]:
        answers: list[Answer] = []
        client = Client(port, 2, answers.append)
        await by_schedule(client, [Arrival(number / 100, "/") for number in range(5)])
        return answers

    async def free() -> int:
        async with await asyncio.start_server(_answering, HOST, 0) as server:
            return int(server.sockets[0].getsockname()[1])

    answers = run_async(main(run_async(free())))
    assert [one.status for one in answers] == [NO_ANSWER] * 5


def test_a_closed_loop_ends_in_time() -> None:
    answers = _play(_answering, lambda client: in_turn(client, for_seconds(client, 0.2, repeat("/"))))
    # Between a request's turn and its start the machine may do something else, so the last one may be late.
    assert answers
    assert all(one.due < 0.2 for one in answers[:-1])
