"""What a decision of the policies costs, and what the gateway adds to a call of S3: moto behind it, and moto alone."""

from __future__ import annotations

import json
import logging
import statistics
import threading
import time
from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import ClientError
from moto.moto_server.werkzeug_app import create_backend_app
from werkzeug.serving import make_server

from benchmarks.promises import Promise, record
from labs.parts.iam import Caller, CallerKind, Kind, Policies, Request, decide, read
from labs.parts.object_store import Bucket, ObjectStore, User

ACCOUNT = "123456789012"
ROUNDS, CALLS = 9, 100
PROMISED = 100
"""Microseconds of CPU a decision."""


def _policy(kind: Kind, *statements: dict[str, Any]) -> Any:
    return read(json.dumps({"Version": "2012-10-17", "Statement": statements}), kind).policy


def decisions() -> Callable[[], None]:
    """Return what decides 100 times about a role with three statements and a bucket with a policy."""
    own = {"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::data", "arn:aws:s3:::data/${aws:userid}/*"]}
    deny = {"Effect": "Deny", "Action": "s3:Delete*", "Resource": "*"}
    plain = {**deny, "Principal": "*", "Action": "s3:*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    policies = Policies({"own": _policy(Kind.IDENTITY, own, deny)}, resource=_policy(Kind.RESOURCE, plain))
    role = f"arn:aws:iam::{ACCOUNT}:role/anna"
    caller = Caller(CallerKind.ROLE, f"arn:aws:sts::{ACCOUNT}:assumed-role/anna/1", ACCOUNT, role)
    context = {"aws:userid": ("anna",), "aws:securetransport": ("true",)}
    request = Request(caller, "s3:GetObject", "arn:aws:s3:::data/anna/2018/02/a.csv", ACCOUNT, context)

    def run() -> None:
        if not all(decide(request, policies).allowed for _ in range(CALLS)):
            raise ValueError(request)

    return run


def listings(client: Any, *, refused: bool = False) -> Callable[[], None]:
    """Return what lists a bucket 100 times."""

    def run() -> None:
        for _ in range(CALLS):
            try:
                client.list_objects_v2(Bucket="data")
            except ClientError:
                if not refused:
                    raise

    return run


def seconds(run: Callable[[], None]) -> float:
    """Return the median CPU of one of a hundred, client and server together."""
    taken = []
    for _ in range(ROUNDS):
        began = time.process_time()
        run()
        taken.append((time.process_time() - began) / CALLS)
    return statistics.median(taken)


def main() -> None:
    """Measure and print."""
    logging.disable(logging.CRITICAL)
    everything = _policy(Kind.IDENTITY, {"Effect": "Allow", "Action": "*", "Resource": "*"})
    with ObjectStore(ACCOUNT, [Bucket("data")], users=[User("anna", {"all": everything}), User("bert")]) as store:
        bare = make_server("127.0.0.1", 0, create_backend_app("s3"), threaded=True)
        threading.Thread(target=bare.serve_forever, daemon=True).start()
        anna = store.client("s3", store.access_key("anna"))
        keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none", "region_name": "us-east-1"}
        alone = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{bare.server_port}", **keys)
        decision = seconds(decisions()) * 1e6
        through, motos = seconds(listings(anna)) * 1e3, seconds(listings(alone)) * 1e3
        refused = seconds(listings(store.client("s3", store.access_key("bert")), refused=True)) * 1e3
        bare.shutdown()
    record(
        "policy_decisions",
        [
            Promise("a policy's decision", decision, "µs CPU", PROMISED),
            Promise("a listing of a bucket through the gateway", through, "ms CPU", None, "moto 5.2.5", motos),
        ],
    )
    print(f"a decision: {decision:.0f} µs of CPU (promised: at most {PROMISED})")
    print(f"a listing: {through:.2f} ms, refused {refused:.2f} ms, moto alone {motos:.2f} ms")


if __name__ == "__main__":
    main()
