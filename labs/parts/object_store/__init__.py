"""An object store behind policies: S3 and STS over HTTP, each call decided and each decision kept."""

from labs.parts.object_store.authority import Decided
from labs.parts.object_store.entities import Bucket, Credentials, Role, User
from labs.parts.object_store.requests import AccessDeniedError
from labs.parts.object_store.store import ObjectStore

__all__ = ["AccessDeniedError", "Bucket", "Credentials", "Decided", "ObjectStore", "Role", "User"]
