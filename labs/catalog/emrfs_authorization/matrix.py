"""Everybody asks for everything: the answers by user, bucket and operation, each with its explanation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from labs.matrices import Answer, Cell, Matrix

from .emrfs import AccessDenied, Chosen, Node, Session

SHARED_KEY = "data/orders.csv"
"""The object that every bucket holds. Nobody writes or deletes it: no person's name has a slash."""


@dataclass(frozen=True)
class Asked:
    """One request of the matrix: who asked for what, with which role, and what came of it.

    ``service`` is the one that denied it, STS or S3; empty where it was granted.
    """

    user: str
    bucket: str
    operation: str
    chosen: Chosen
    service: str
    why: str

    @property
    def granted(self) -> bool:
        """Whether it was granted."""
        return not self.service

    @property
    def outcome(self) -> str:
        """What came of it, as the findings count it."""
        return f"denied_by_{self.service.lower()}" if self.service else "granted"


def _drop(session: Session, bucket: str, _: str) -> None:
    """Try to delete a bucket that holds something, so that it stays whatever the caller may do."""
    try:
        session.delete_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] != "BucketNotEmpty":
            raise


OPERATIONS: Mapping[str, tuple[str, Callable[[Session, str, str], Any]]] = {
    "list": ("", lambda session, bucket, _: session.list_objects_v2(Bucket=bucket)),
    "read": (SHARED_KEY, lambda session, bucket, key: session.get_object(Bucket=bucket, Key=key)["Body"].read()),
    "write": ("{user}.csv", lambda session, bucket, key: session.put_object(Bucket=bucket, Key=key, Body=b"1,\n")),
    "delete": ("{user}.csv", lambda session, bucket, key: session.delete_object(Bucket=bucket, Key=key)),
    "delete bucket": ("", _drop),
}
"""By name: the key, and the request. All but the last go through the file system; the last needs only its role."""


def ask(node: Node, session: Session, bucket: str, operation: str) -> Asked:
    """Make one request and return what came of it."""
    key, request = OPERATIONS[operation]
    key = key.format(user=session.user)
    chosen = session.choose(f"s3://{bucket}/{key}")
    service, why = "", ""
    try:
        request(session, bucket, key)
        why = node.store.decisions[-1].decision.sentence
    except AccessDenied as error:
        service, why = error.service, error.sentence
    return Asked(session.user, bucket, operation, chosen, service, why)


def picture(asked: Sequence[Asked]) -> Matrix:
    """Return the answers as a matrix: a row for each user, a column for each bucket."""
    users = tuple(dict.fromkeys(one.user for one in asked))
    buckets = tuple(dict.fromkeys(one.bucket for one in asked))
    by_place: dict[tuple[str, str], list[Asked]] = {}
    for one in asked:
        by_place.setdefault((one.user, one.bucket), []).append(one)
    return Matrix(users, buckets, tuple(tuple(_cell(by_place[user, one]) for one in buckets) for user in users))


def _cell(asked: Sequence[Asked]) -> Cell:
    """Return a cell; an answer whose path another mapping fits says so itself."""
    usual = asked[0].chosen
    answers = (
        Answer(one.operation, one.granted, one.why if one.chosen == usual else f"{one.chosen.why} {one.why}")
        for one in asked
    )
    return Cell(usual.why, tuple(answers))
