"""The delivery stream's contract: it buffers by size or age, compresses, keeps its limits and delivers at least once.

moto plays Firehose without a buffer, without GZIP and without limits, so it is an oracle for the keys alone.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import boto3
import moto
import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labs.parts.bucket import DirectoryBucket, objects
from labs.parts.delivery import (
    DeliveryError,
    DeliveryStream,
    Fault,
    ServiceUnavailableError,
    Settings,
)
from labs.parts.rates import PerSecond

START = 1_516_000_000.0  # 2018-01-15 07:06:40 UTC
MEBIBYTE = 1 << 20
Make = Callable[..., DeliveryStream]
KEY = re.compile(r"CDC/(\d{4})/(\d\d)/(\d\d)/(\d\d)/changes-1-\1-\2-\3-\4-\d\d-\d\d-[0-9a-f-]{32,36}")


class Clock:
    now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def bucket(tmp_path: Path) -> DirectoryBucket:
    return DirectoryBucket(tmp_path)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(bucket: DirectoryBucket, clock: Clock) -> Make:
    def stream(fault: Callable[[str, int], Fault] | None = None, **given: object) -> DeliveryStream:
        made = Settings("changes", **{"prefix": "CDC/", "buffer_mib": 1, "buffer_seconds": 60, **given})
        return DeliveryStream(made, bucket, clock, *([fault] if fault else []))

    return stream


def test_nothing_is_stored_before_the_buffer_is_old_enough(make: Make, bucket: DirectoryBucket, clock: Clock) -> None:
    stream = make()
    stream.put_record(b"a\n")
    clock.now += 59.9
    stream.put_record(b"b\n")
    assert list(objects(bucket)) == []
    clock.now += 0.1
    stream.advance()
    (stored,) = objects(bucket)
    assert KEY.fullmatch(stored.key)
    assert stored.key.startswith("CDC/2018/01/15/07/changes-1-2018-01-15-07-06-40-")
    assert bucket.get(stored.key) == b"a\nb\n"


def test_the_age_counts_from_the_oldest_record_and_the_moment_is_kept(make: Make, clock: Clock) -> None:
    stream = make()
    clock.now += 1000
    stream.put_record(b"a")
    assert stream.next_due == clock.now + 60
    clock.now += 5000
    stream.put_record(b"b")
    assert [(one.at, one.records) for one in stream.deliveries] == [(START + 1060, 1)]
    assert stream.next_due == clock.now + 60


def test_a_full_buffer_is_stored_at_once(make: Make, bucket: DirectoryBucket, clock: Clock) -> None:
    stream = make(buffer_seconds=900)
    for _ in range(4):
        stream.put_record(b"x" * (MEBIBYTE // 4))
    assert [one.size for one in stream.deliveries] == [MEBIBYTE]
    assert stream.next_due is None
    # The size counts before compression.
    zipped = make(buffer_seconds=900, gzip=True)
    clock.now += 2
    for _ in range(4):
        zipped.put_record(b"x" * (MEBIBYTE // 4))
    (stored,) = [one for one in objects(bucket) if one.key.endswith(".gz")]
    assert stored.size < 2000
    assert len(gzip.decompress(bucket.get(stored.key))) == MEBIBYTE


def test_the_same_records_make_the_same_objects(tmp_path: Path) -> None:
    found = []
    for folder, today in (("a", "2018-01-15"), ("b", "2018-02-15")):
        clock, bucket = Clock(), DirectoryBucket(tmp_path / folder)
        stream = DeliveryStream(Settings("changes", buffer_seconds=60, gzip=True), bucket, clock)
        with time_machine.travel(today):
            for number in range(5):
                stream.put_record(str(number).encode())
                clock.now += 45
        found.append([(one.key, one.etag) for one in objects(bucket)])
    assert found[0] == found[1]
    assert len(found[0]) == 2


@pytest.mark.parametrize(
    "given", [{"buffer_mib": 0}, {"buffer_mib": 129}, {"buffer_seconds": 59}, {"buffer_seconds": 901}]
)
def test_a_buffer_outside_its_bounds_is_refused(given: dict[str, int]) -> None:
    with pytest.raises(DeliveryError, match="is not offered"):
        Settings("changes", **given)
    Settings("changes", buffer_mib=128, buffer_seconds=900)


def test_a_record_and_a_batch_have_a_size(make: Make) -> None:
    stream = make()
    stream.put_record(b"x" * 1_024_000)
    with pytest.raises(DeliveryError, match="1,000 KiB"):
        stream.put_record(b"x" * 1_024_001)
    with pytest.raises(DeliveryError, match="1 to 500 records, this one 501"):
        stream.put_record_batch([b"x"] * 501)
    with pytest.raises(DeliveryError, match="1 to 500"):
        stream.put_record_batch([])
    with pytest.raises(DeliveryError, match="4 MiB"):
        stream.put_record_batch([b"x" * 1_000_000] * 5)


def test_two_thousand_calls_a_second_and_not_one_more(make: Make, clock: Clock) -> None:
    stream = make()
    for _ in range(2000):
        stream.put_record(b"x")
    with pytest.raises(ServiceUnavailableError, match="Slow down"):
        stream.put_record(b"x")
    with pytest.raises(ServiceUnavailableError, match="calls a second"):
        stream.put_record_batch([b"x"])
    clock.now += 1
    stream.put_record(b"x")


def test_of_a_batch_over_the_limit_the_rest_must_be_sent_again(make: Make, clock: Clock) -> None:
    stream = make(buffer_mib=5)
    assert [stream.put_record_batch([b"x"] * 500) for _ in range(10)] == [()] * 10
    assert stream.put_record_batch([b"x"] * 3) == (0, 1, 2)
    clock.now += 1
    assert stream.put_record_batch([b"x"] * 3) == ()
    assert stream.put_record_batch([b"x" * 900_000] * 4) == ()
    # 5 MiB a second: a large record no longer fits, the small one after it does.
    assert stream.put_record_batch([b"x" * 900_000] * 2 + [b"x"]) == (1,)


def test_what_was_refused_is_tried_again_and_lands_under_the_error_prefix(
    make: Make, bucket: DirectoryBucket, clock: Clock
) -> None:
    stream = make(lambda *_: "refused", attempts=3, retry_seconds=10)
    stream.put_record(b"a")
    clock.now += 1000
    stream.advance()
    assert [(one.at - START, one.attempt, one.outcome) for one in stream.deliveries] == [
        (60, 1, "refused"),
        (70, 2, "refused"),
        (80, 3, "refused"),
        (90, 4, "none"),
    ]
    assert [one.key.partition("2018")[0] for one in objects(bucket)] == ["errors/"]


def test_an_unanswered_attempt_stores_twice(make: Make, bucket: DirectoryBucket, clock: Clock) -> None:
    stream = make(lambda _, attempt: "unanswered" if attempt == 1 else "none")
    stream.put_record(b"a")
    clock.now += 1000
    stream.advance()
    assert [bucket.get(one.key) for one in objects(bucket)] == [b"a", b"a"]


OUTCOMES = st.lists(st.sampled_from(["none", "refused", "unanswered"]), max_size=30)


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(0, 600_000)), max_size=30), OUTCOMES)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_record_that_was_taken_is_delivered_at_least_once(
    tmp_path_factory: pytest.TempPathFactory, puts: list[tuple[float, int]], outcomes: list[Fault]
) -> None:
    clock, bucket = Clock(), DirectoryBucket(tmp_path_factory.mktemp("bucket"))
    faults = iter(outcomes)
    plan = Settings("changes", buffer_mib=1, buffer_seconds=60, attempts=2)
    stream = DeliveryStream(plan, bucket, clock, lambda _key, _attempt: next(faults, "none"))
    taken = []
    for number, (wait, size) in enumerate(puts):
        clock.now += wait
        record = f"<{number}>".encode() + b"x" * size
        try:
            stream.put_record(record)
        except ServiceUnavailableError:
            continue
        taken.append(f"<{number}>".encode())
    clock.now += 10_000
    stream.advance()
    assert stream.next_due is None
    stored = b"".join(bucket.get(one.key) for one in objects(bucket))
    assert all(stored.count(mark) >= 1 for mark in taken)
    if all(one.outcome != "unanswered" for one in stream.deliveries):
        assert all(stored.count(mark) == 1 for mark in taken)


@given(st.lists(st.tuples(st.floats(0, 2), st.integers(0, 5)), max_size=60))
def test_no_second_lets_more_through_than_its_limit(tries: list[tuple[float, int]]) -> None:
    limit, now, through = PerSecond(10), 0.0, []
    for wait, amount in tries:
        now += wait
        admitted = limit.admits(amount, now)
        last = sum(one for at, one in through if at > now - 1)
        assert admitted == (last + amount <= 10)
        if admitted:
            limit.take(amount, now)
            through.append((now, amount))


def test_keys_are_made_as_moto_makes_them() -> None:
    with moto.mock_aws():
        given = {"region_name": "us-east-1", "aws_access_key_id": "id", "aws_secret_access_key": "secret"}
        s3, firehose = boto3.client("s3", **given), boto3.client("firehose", **given)
        s3.create_bucket(Bucket="lab")
        destination = {"RoleARN": "arn:aws:iam::123456789012:role/x", "BucketARN": "arn:aws:s3:::lab", "Prefix": "CDC/"}
        firehose.create_delivery_stream(DeliveryStreamName="changes", ExtendedS3DestinationConfiguration=destination)
        firehose.put_record(DeliveryStreamName="changes", Record={"Data": b"a"})
        (stored,) = s3.list_objects_v2(Bucket="lab")["Contents"]
    assert KEY.fullmatch(stored["Key"])
