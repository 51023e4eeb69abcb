"""An object store that speaks S3 and STS on loopback and lets policies decide about every call."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config
from werkzeug.serving import WSGIRequestHandler, make_server

from labs.parts.object_store.authority import Authority, Decided
from labs.parts.object_store.backend import REGION, Backend
from labs.parts.object_store.entities import Bucket, Credentials, Role, User
from labs.parts.object_store.gateway import Gateway, context_of
from labs.parts.object_store.tokens import Tokens

_CONFIG = Config(
    signature_version="s3v4",
    s3={"addressing_style": "path"},
    retries={"total_max_attempts": 1},
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 (the name is werkzeug's)
        """Say nothing; what a call came to stands among the decisions."""


class ObjectStore:
    """A context in which an endpoint serves the buckets of one account.

    One at a time in a process: bucket names are one space, as in S3, and what is stored is gone at the end.
    """

    def __init__(
        self,
        account: str,
        buckets: Iterable[Bucket] = (),
        roles: Iterable[Role] = (),
        users: Iterable[User] = (),
    ) -> None:
        self._authority = Authority()
        self._tokens = Tokens(account, roles, users, self._authority)
        buckets = tuple(buckets)
        self._backend = Backend((bucket.name, bucket.account or account) for bucket in buckets)
        gateway = Gateway(buckets, self._tokens, self._authority, self._backend)
        self._server = make_server("127.0.0.1", 0, gateway, threaded=True, request_handler=_Quiet)
        self._session = boto3.session.Session(region_name=REGION)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._backend.clear()

    @property
    def endpoint(self) -> str:
        """The address of S3, with the bucket in the path, and of STS."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def root(self) -> Credentials:
        """The credentials of the account's root user."""
        return self._tokens.root

    @property
    def decisions(self) -> tuple[Decided, ...]:
        """What was decided so far, the oldest first."""
        return self._authority.decided

    def access_key(self, user: str) -> Credentials:
        """Return a user's access key; raise KeyError."""
        return self._tokens.access_key(user)

    def instance_profile(self, role: str) -> Credentials:
        """Return what EC2 hands to an instance with the role; raise AccessDeniedError, KeyError."""
        now = time.time()
        return self._tokens.instance_profile(role, context_of("ec2.amazonaws.com", now), now)

    def assume_role(self, credentials: Credentials, arn: str, name: str, **rest: Any) -> Credentials:
        """Return credentials of a session; raise botocore's ClientError, with AccessDenied where that is the answer."""
        answer = self.client("sts", credentials).assume_role(RoleArn=arn, RoleSessionName=name, **rest)
        found = answer["Credentials"]
        return Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])

    def client(self, service: str, credentials: Credentials) -> Any:
        """Return boto3's client of ``s3`` or ``sts`` for some credentials."""
        return self._session.client(
            service,
            endpoint_url=self.endpoint,
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.secret_access_key,
            aws_session_token=credentials.session_token or None,
            config=_CONFIG,
        )
