"""Every kind of bucket keeps one contract, and the directory's answers are those of S3 as moto plays it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from pathlib import Path

import boto3
import moto
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labs.parts.bucket import (
    Bucket,
    ClientBucket,
    DirectoryBucket,
    InvalidKeyError,
    NoSuchKeyError,
    check_key,
    objects,
)

AWKWARD = (
    *("../outside", "../../etc/passwd", "/etc/passwd", "a/../b", "a//b", ".", "..", "a/", "/", "C:\\x", "con"),
    *("A", "a", "ä", "a\u0308", "x" * 1024, "ż" * 512, "a b+c%20?&=#", "a\x00b", "a\nb", "🙂", "\uffff", "\ue000", "~"),
)


@pytest.fixture(scope="module")
def client() -> Iterator[object]:
    with moto.mock_aws():
        yield boto3.client("s3", region_name="us-east-1", aws_access_key_id="id", aws_secret_access_key="secret")


def on_client(client: object) -> ClientBucket:
    name = f"bucket-{uuid.uuid4()}"
    client.create_bucket(Bucket=name)
    return ClientBucket(client, name)


@pytest.fixture(params=["directory", "client"])
def bucket(request: pytest.FixtureRequest, tmp_path: Path) -> Bucket:
    if request.param == "directory":
        return DirectoryBucket(tmp_path / "bucket")
    return on_client(request.getfixturevalue("client"))


def test_what_is_put_can_be_got_in_whole_and_in_part(bucket: Bucket) -> None:
    stored = bucket.put("a/b", b"0123456789")
    assert stored == bucket.head("a/b")
    assert (stored.key, stored.size, stored.etag) == ("a/b", 10, hashlib.md5(b"0123456789").hexdigest())
    assert bucket.get("a/b") == b"0123456789"
    assert bucket.get("a/b", 3) == b"3456789"
    assert bucket.get("a/b", 3, 4) == b"3456"
    assert bucket.get("a/b", 8, 99) == b"89"
    assert bucket.get("a/b", 10) == bucket.get("a/b", 3, 0) == b""


def test_a_second_put_takes_the_place_of_the_first(bucket: Bucket) -> None:
    bucket.put("a", b"long content\nof two lines")
    bucket.put("a", b"")
    assert (bucket.get("a"), bucket.head("a").size) == (b"", 0)
    assert [one.key for one in objects(bucket)] == ["a"]


def test_what_is_deleted_is_gone_and_deleting_nothing_is_no_fault(bucket: Bucket) -> None:
    bucket.put("a", b"1")
    bucket.delete("a")
    bucket.delete("a")
    assert bucket.list().objects == ()
    for ask in (bucket.get, bucket.head, lambda key: bucket.copy(key, "b")):
        with pytest.raises(NoSuchKeyError):
            ask("a")


def test_a_copy_is_an_object_of_its_own(bucket: Bucket) -> None:
    bucket.put("a", b"1")
    copied = bucket.copy("a", "../b c")
    bucket.put("a", b"2")
    assert (copied.key, bucket.get("../b c")) == ("../b c", b"1")


@pytest.mark.parametrize("key", ["", "x" * 1025, "ż" * 513, "\ud800"])
def test_a_key_that_no_object_can_have_is_refused(key: str, bucket: Bucket) -> None:
    with pytest.raises(InvalidKeyError):
        bucket.put(key, b"")
    bucket.put("a", b"")
    with pytest.raises(InvalidKeyError):
        bucket.copy("a", key)


def test_keys_stand_in_the_order_of_their_utf8(bucket: Bucket) -> None:
    for key in AWKWARD:
        bucket.put(key, key.encode())
    found = [one.key for one in objects(bucket)]
    assert found == sorted(AWKWARD, key=str.encode)
    # UTF-16 would put the smiling face before U+E000.
    assert found != sorted(AWKWARD, key=lambda key: key.encode("utf-16-be"))
    assert all(bucket.get(key) == key.encode() for key in AWKWARD)


def test_a_listing_rolls_up_what_shares_a_prefix(bucket: Bucket) -> None:
    for key in ("a", "logs/2018/01/x", "logs/2018/02/y", "logs/z", "logs0"):
        bucket.put(key, b"")
    top = bucket.list(delimiter="/")
    assert ([one.key for one in top.objects], top.prefixes) == (["a", "logs0"], ("logs/",))
    inner = bucket.list("logs/", "/")
    assert ([one.key for one in inner.objects], inner.prefixes) == (["logs/z"], ("logs/2018/",))
    assert [one.key for one in bucket.list(start_after="logs/2018/01/x").objects] == [
        "logs/2018/02/y",
        "logs/z",
        "logs0",
    ]


def test_a_page_has_at_most_a_thousand_entries(bucket: Bucket) -> None:
    for number in range(1003):
        bucket.put(f"{number:04}", b"")
    first = bucket.list(limit=5000)
    assert len(first.objects) == 1000
    rest = bucket.list(continuation=first.continuation)
    assert ([one.key for one in rest.objects], rest.continuation) == (["1000", "1001", "1002"], "")
    assert len(list(objects(bucket))) == 1003


def _pages(
    bucket: Bucket, prefix: str, delimiter: str, after: str, limit: int
) -> list[tuple[list[str], tuple[str, ...]]]:
    found, continuation = [], ""
    while True:
        page = bucket.list(prefix, delimiter, after, limit, continuation)
        found.append(([one.key for one in page.objects], page.prefixes))
        continuation = page.continuation
        if not continuation:
            return found


KEYS = st.text("ab/é", min_size=1, max_size=5)


@given(
    st.lists(KEYS, max_size=12), st.text("ab/", max_size=2), st.sampled_from(["", "/", "b", "a/"]), KEYS | st.just(""),
    st.integers(1, 4),
)  # fmt: skip
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_directory_lists_as_s3_does(
    client: object, tmp_path: Path, keys: list[str], prefix: str, delimiter: str, after: str, limit: int
) -> None:
    directory, oracle = DirectoryBucket(tmp_path / str(uuid.uuid4())), on_client(client)
    for key in keys:
        directory.put(key, b"")
        oracle.put(key, b"")
    asked = (prefix, delimiter, after, limit)
    ours, theirs = _pages(directory, *asked), _pages(oracle, *asked)
    assert [sorted(keys + list(prefixes)) for keys, prefixes in ours] == [
        sorted(keys + list(prefixes)) for keys, prefixes in theirs
    ]


def test_no_key_leaves_the_directory_or_meets_another(tmp_path: Path) -> None:
    folder = tmp_path / "inside" / "bucket"
    bucket = DirectoryBucket(folder)
    for key in AWKWARD:
        bucket.put(key, b"x")
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.parent != folder] == []
    names = [path.name for path in folder.iterdir()]
    assert len({name.lower() for name in names}) == len(names) == len(AWKWARD)
    assert max(map(len, names)) < 100
    # Without the encoding, the first of these keys leaves it.
    assert folder not in (folder / AWKWARD[0]).resolve().parents


def test_a_directory_is_a_bucket_again_when_it_is_opened_again(tmp_path: Path) -> None:
    first = DirectoryBucket(tmp_path, lambda: 5.5)
    first.put("ż/ó", b"one\ntwo")
    first.put("b", b"")
    first.delete("b")
    again = DirectoryBucket(tmp_path, lambda: 9.0)
    assert again.list() == first.list()
    assert (again.get("ż/ó"), again.head("ż/ó").modified) == (b"one\ntwo", 5.5)


def test_a_put_that_fails_leaves_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = DirectoryBucket(tmp_path)
    bucket.put("a", b"old")

    def fail(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        bucket.put("a", b"new")
    monkeypatch.undo()
    assert bucket.get("a") == b"old"
    assert DirectoryBucket(tmp_path).list() == bucket.list()
    # What the failed put had written is not taken for an object, and is not left either.
    assert len(list(tmp_path.iterdir())) == 1


@given(st.text(max_size=400))
def test_a_key_is_valid_by_its_bytes(key: str) -> None:
    try:
        check_key(key)
    except InvalidKeyError:
        assert not 1 <= len(key.encode("utf-8", "surrogatepass")) <= 1024 or any(
            "\ud800" <= one <= "\udfff" for one in key
        )
    else:
        assert 1 <= len(key.encode()) <= 1024
