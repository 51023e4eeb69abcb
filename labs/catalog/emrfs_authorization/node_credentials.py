"""What anybody with a shell on a node can do: take the credentials of the instances and assume roles past EMRFS."""

from __future__ import annotations

from collections.abc import Sequence

from botocore.exceptions import ClientError

from labs.matrices import Answer, Cell, Matrix

from .account import arn
from .emrfs import DENIED, Node
from .matrix import SHARED_KEY

STRANGER = "somebody"


def roles_in_reach(node: Node) -> tuple[str, ...]:
    """Return the roles of the mappings: whoever reads the configuration on a node knows their names."""
    return tuple(dict.fromkeys([node.role, *(one.role for one in node.configuration.mappings)]))


def picture(node: Node, buckets: Sequence[str]) -> Matrix:
    """Return, for each role that is tried from a shell, which buckets it opens."""
    tried = roles_in_reach(node)
    return Matrix(tried, tuple(buckets), tuple(_row(node, role, buckets) for role in tried), "reads", "denied")


def _row(node: Node, role: str, buckets: Sequence[str]) -> tuple[Cell, ...]:
    why = f"{role} is the role of the instances; its credentials lie at 169.254.169.254."
    credentials = node.credentials
    if role != node.role:
        try:
            credentials = node.store.assume_role(node.credentials, arn(role), STRANGER)
        except ClientError as error:
            if error.response["Error"]["Code"] not in DENIED:
                raise
            denied = node.store.decisions[-1].decision.sentence
            return tuple(Cell("", (Answer("read", False, denied),)) for _ in buckets)
        why = node.store.decisions[-1].decision.sentence
    client = node.store.client("s3", credentials)
    return tuple(Cell(why, (_read(node, client, bucket),)) for bucket in buckets)


def _read(node: Node, client: object, bucket: str) -> Answer:
    granted = True
    try:
        client.get_object(Bucket=bucket, Key=SHARED_KEY)["Body"].read()  # type: ignore[attr-defined]  # boto3's client
    except ClientError as error:
        if error.response["Error"]["Code"] not in DENIED:
            raise
        granted = False
    return Answer("read", granted, node.store.decisions[-1].decision.sentence)
