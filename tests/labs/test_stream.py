"""The stream's contract: shards, order, iterators, limits and retention, with moto's Kinesis as the oracle.

moto has no limits and no clock, and it loses records under parallel puts; here it is asked one thing after another.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import boto3
import moto
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labs.parts.stream import (
    ExpiredIteratorError,
    ProvisionedThroughputExceededError,
    Stream,
    StreamError,
)

DAY = 86_400
MEBIBYTE = 1 << 20


class Clock:
    now = 1_516_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stream(clock: Clock) -> Stream:
    return Stream(1, clock)


def read(stream: Stream, *asked: object, shard: int = 0) -> list[bytes]:
    return [one.data for one in stream.get_records(stream.iterator(shard, *asked)).records]


def test_records_of_a_shard_keep_their_order_and_their_numbers_grow(stream: Stream) -> None:
    numbers = [stream.put_record(str(one).encode(), str(one)).sequence_number for one in range(12)]
    assert numbers == sorted(numbers)
    assert len(set(numbers)) == 12
    assert read(stream, "TRIM_HORIZON") == [str(one).encode() for one in range(12)]


def test_iterators_begin_where_they_say(stream: Stream, clock: Clock) -> None:
    puts = []
    for data in (b"a", b"b", b"c"):
        puts.append(stream.put_record(data, "key"))
        clock.now += 10
    second = puts[1].sequence_number
    assert read(stream, "AT_SEQUENCE_NUMBER", second) == [b"b", b"c"]
    assert read(stream, "AFTER_SEQUENCE_NUMBER", second) == [b"c"]
    clock.now += 1
    assert read(stream, "AT_TIMESTAMP", "", clock.now - 21) == [b"b", b"c"]
    assert read(stream, "AT_TIMESTAMP", "", clock.now - 20.5) == [b"c"]
    latest = stream.iterator(0, "LATEST")
    stream.put_record(b"d", "key")
    assert [one.data for one in stream.get_records(latest).records] == [b"d"]


def test_a_reader_reads_on_and_knows_how_far_it_is_behind(stream: Stream, clock: Clock) -> None:
    for data in (b"a", b"b", b"c"):
        stream.put_record(data, "key")
        clock.now += 10
    first = stream.get_records(stream.iterator(0, "TRIM_HORIZON"), limit=2)
    assert ([one.data for one in first.records], first.behind) == ([b"a", b"b"], 10)
    second = stream.get_records(first.following)
    assert ([one.data for one in second.records], second.behind) == ([b"c"], 0)
    assert stream.get_records(second.following).records == ()


def test_a_shard_takes_a_thousand_records_a_second(stream: Stream, clock: Clock) -> None:
    for _ in range(2):
        assert all(one.sequence_number for one in stream.put_records([(b"x", "key")] * 500))
    with pytest.raises(ProvisionedThroughputExceededError, match="Shard 0"):
        stream.put_record(b"x", "key")
    assert [one.sequence_number for one in stream.put_records([(b"x", "key")] * 2)] == ["", ""]
    clock.now += 1
    assert stream.put_record(b"x", "key").sequence_number


def test_a_shard_takes_a_mebibyte_a_second_and_a_batch_fails_in_part(stream: Stream, clock: Clock) -> None:
    puts = stream.put_records([(b"x" * 600_000, "a"), (b"x" * 600_000, "b"), (b"x", "c")])
    assert [bool(one.sequence_number) for one in puts] == [True, False, True]
    clock.now += 1
    stream.put_record(b"x" * MEBIBYTE, "a")
    with pytest.raises(ProvisionedThroughputExceededError):
        stream.put_record(b"x", "a")


def test_a_hot_shard_does_not_slow_another(clock: Clock) -> None:
    stream = Stream(2, clock)
    keys = {stream.shard_of(key): key for key in "abcdefgh"}
    assert set(keys) == {0, 1}
    for _ in range(1000):
        stream.put_record(b"x", keys[0])
    with pytest.raises(ProvisionedThroughputExceededError):
        stream.put_record(b"x", keys[0])
    stream.put_record(b"x", keys[1])


def test_a_shard_gives_five_reads_a_second(stream: Stream, clock: Clock) -> None:
    place = stream.iterator(0, "TRIM_HORIZON")
    for _ in range(5):
        stream.get_records(place)
    with pytest.raises(ProvisionedThroughputExceededError, match="5 reads"):
        stream.get_records(place)
    clock.now += 1
    stream.get_records(place)


def test_after_ten_mebibytes_at_once_a_shard_is_closed_for_five_seconds(stream: Stream, clock: Clock) -> None:
    for _ in range(12):
        stream.put_record(b"x" * MEBIBYTE, "key")
        clock.now += 1
    batch = stream.get_records(stream.iterator(0, "TRIM_HORIZON"))
    assert len(batch.records) == 10
    clock.now += 4.9
    with pytest.raises(ProvisionedThroughputExceededError, match="2 MiB"):
        stream.get_records(batch.following)
    clock.now += 0.1
    assert len(stream.get_records(batch.following).records) == 2
    with pytest.raises(ProvisionedThroughputExceededError):
        stream.get_records(batch.following)


def test_a_record_is_kept_for_a_day(stream: Stream, clock: Clock) -> None:
    old = stream.put_record(b"old", "key")
    place = stream.iterator(0, "TRIM_HORIZON")
    clock.now += 200
    stream.put_record(b"new", "key")
    assert read(stream, "TRIM_HORIZON") == [b"old", b"new"]
    clock.now += DAY - 200
    assert read(stream, "TRIM_HORIZON") == [b"old", b"new"]
    clock.now += 0.1
    assert read(stream, "TRIM_HORIZON") == read(stream, "AT_SEQUENCE_NUMBER", old.sequence_number) == [b"new"]
    with pytest.raises(ExpiredIteratorError):
        stream.get_records(place)


def test_an_iterator_lives_for_five_minutes(stream: Stream, clock: Clock) -> None:
    place = stream.iterator(0, "TRIM_HORIZON")
    clock.now += 300
    place = stream.get_records(place).following
    clock.now += 300.1
    with pytest.raises(ExpiredIteratorError, match="five minutes"):
        stream.get_records(place)


def test_what_is_too_large_is_refused_and_what_is_just_small_enough_is_not(stream: Stream) -> None:
    for data, key, why in (
        (b"x" * (MEBIBYTE + 1), "key", "1 MiB"),
        (b"x", "", "1 to 256"),
        (b"x", "k" * 257, "1 to 256"),
    ):
        with pytest.raises(StreamError, match=why):
            stream.put_record(data, key)
    stream.put_record(b"x" * MEBIBYTE, "k" * 256)
    for records, why in (
        ([], "1 to 500 records, this one 0"),
        ([(b"x", "k")] * 501, "this one 501"),
        ([(b"x" * MEBIBYTE, "k")] * 5, "5 MiB"),
    ):
        with pytest.raises(StreamError, match=why):
            stream.put_records(records)
    with pytest.raises(StreamError, match="the shards 0 to 0"):
        stream.iterator(1, "LATEST")


@pytest.fixture(scope="module")
def kinesis() -> Iterator[object]:
    with moto.mock_aws():
        yield boto3.client("kinesis", region_name="us-east-1", aws_access_key_id="id", aws_secret_access_key="secret")


KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@given(st.integers(1, 7), st.lists(KEYS, min_size=1, max_size=12), st.data())
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_records_lie_where_motos_lie(kinesis: object, shards: int, keys: list[str], data: st.DataObject) -> None:
    name, ours = str(uuid.uuid4()), Stream(shards, Clock())
    kinesis.create_stream(StreamName=name, ShardCount=shards)
    puts = [
        (
            ours.put_record(str(place).encode(), key),
            kinesis.put_record(StreamName=name, Data=str(place), PartitionKey=key),
        )
        for place, key in enumerate(keys)
    ]
    assert [one.shard for one, _ in puts] == [int(other["ShardId"].rpartition("-")[2]) for _, other in puts]
    chosen, theirs = data.draw(st.sampled_from(puts))
    for kind in ("TRIM_HORIZON", "LATEST", "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
        number = {"StartingSequenceNumber": theirs["SequenceNumber"]} if "SEQUENCE" in kind else {}
        place = kinesis.get_shard_iterator(
            StreamName=name, ShardId=theirs["ShardId"], ShardIteratorType=kind, **number
        )["ShardIterator"]
        expected = [one["Data"] for one in kinesis.get_records(ShardIterator=place)["Records"]]
        assert read(ours, kind, chosen.sequence_number, shard=chosen.shard) == expected
