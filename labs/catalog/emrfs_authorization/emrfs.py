"""EMRFS: for each request the role of the first mapping that fits, assumed with the credentials of the node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from labs.parts.object_store import Credentials, ObjectStore

from .account import arn
from .configuration import Access, IdentifierType, SecurityConfiguration

DENIED = frozenset({"AccessDenied", "403"})


class AccessDenied(PermissionError):  # noqa: N818 (the name that S3 and STS give it)
    """A request that was denied; ``service`` is the one that did so, S3 or STS."""

    def __init__(self, service: str, sentence: str) -> None:
        super().__init__(sentence)
        self.service = service
        self.sentence = sentence


@dataclass(frozen=True)
class Node:
    """A node of the cluster: where S3 and STS answer, and the role of its instances with what EC2 gave them of it."""

    store: ObjectStore
    role: str
    credentials: Credentials
    configuration: SecurityConfiguration


@dataclass(frozen=True)
class Chosen:
    """The role for a request, and why it is this one; ``mapping`` is 0 where it is the role of the instances."""

    role: str
    mapping: int
    why: str
    by_prefix: bool = False


class Session:
    """What runs on a node under a user's name, as Hive, Spark and ``hadoop fs`` do, and asks S3 through EMRFS.

    ``s3`` has the operations of boto3's client; each raises AccessDenied where STS or S3 says no.
    """

    exceptions = SimpleNamespace(ClientError=ClientError)

    def __init__(self, node: Node, user: str, groups: frozenset[str]) -> None:
        self.user = user
        self.groups = groups
        self._node = node
        self._clients: dict[str, Any] = {}

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        """Return the operation of boto3's S3 client with that name, asked with the role of its path."""
        if operation.startswith("_"):
            raise AttributeError(operation)
        return partial(self.request, operation)

    def choose(self, path: str) -> Chosen:
        """Return the role that EMRFS takes for a path such as s3://bucket/key."""
        access = Access(self.user, self.groups, path)
        found = self._node.configuration.mapping(access)
        if found is None:
            return Chosen(
                self._node.role, 0, f"No mapping fits; the role of the instances, {self._node.role}, remains."
            )
        because = {
            IdentifierType.USER: f"{self.user} is named",
            IdentifierType.GROUP: f"{self.user} is in {found.fits(access)}",
            IdentifierType.PREFIX: f"the path begins with {found.fits(access)}",
        }[found.kind]
        why = f"Mapping {found.number} (line {found.line}) fits, as {because}: {found.role}."
        return Chosen(found.role, found.number, why, by_prefix=found.kind is IdentifierType.PREFIX)

    def credentials(self, role: str) -> Credentials:
        """Return the credentials of a role, the node's own or assumed with them; raise AccessDenied."""
        if role == self._node.role:
            return self._node.credentials
        try:
            return self._node.store.assume_role(self._node.credentials, arn(role), self.user)
        except ClientError as error:
            raise self._told("STS", error) from None

    def request(self, operation: str, **given: Any) -> Any:
        """Ask S3 and return its answer; raise AccessDenied."""
        role = self.choose(f"s3://{given['Bucket']}/{given.get('Key', given.get('Prefix', ''))}").role
        if role not in self._clients:
            self._clients[role] = self._node.store.client("s3", self.credentials(role))
        try:
            return getattr(self._clients[role], operation)(**given)
        except ClientError as error:
            raise self._told("S3", error) from None

    def _told(self, service: str, error: ClientError) -> AccessDenied:
        """Return a denial with the store's own explanation; raise any other error as it came."""
        if error.response["Error"]["Code"] not in DENIED:
            raise error
        return AccessDenied(service, self._node.store.decisions[-1].decision.sentence)
