"""Which operation of S3 a request is, and which permissions it needs.

The permissions are those of the S3 developer guide of 2018, "Specifying Permissions in a Policy".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from lxml import etree

from labs.parts.object_store.requests import HttpRequest, ServiceError

MOST_DELETED = 1000


@dataclass(frozen=True)
class Permission:
    """An action on a bucket or an object in it, with the condition keys that S3 adds; no bucket stands for all."""

    action: str
    bucket: str = ""
    key: str = ""
    context: Mapping[str, str] = field(default_factory=dict)

    @property
    def resource(self) -> str:
        """The ARN of the object, the bucket, or all buckets."""
        return f"arn:aws:s3:::{self.bucket or '*'}{'/' if self.key else ''}{self.key}"


@dataclass(frozen=True)
class Operation:
    """An operation, and the permissions of which it needs every one."""

    name: str
    needs: tuple[Permission, ...]


_LISTING = {"prefix": "s3:prefix", "delimiter": "s3:delimiter", "max-keys": "s3:max-keys"}
_BUCKET = {
    ("HEAD", ""): ("HeadBucket", "s3:ListBucket"),
    ("DELETE", ""): ("DeleteBucket", "s3:DeleteBucket"),
    ("GET", "location"): ("GetBucketLocation", "s3:GetBucketLocation"),
    ("GET", "uploads"): ("ListMultipartUploads", "s3:ListBucketMultipartUploads"),
    ("GET", "versioning"): ("GetBucketVersioning", "s3:GetBucketVersioning"),
}
_OBJECT = {
    ("GET", ""): ("GetObject", "s3:GetObject"),
    ("GET", "uploadId"): ("ListParts", "s3:ListMultipartUploadParts"),
    ("HEAD", ""): ("HeadObject", "s3:GetObject"),
    ("PUT", ""): ("PutObject", "s3:PutObject"),
    ("PUT", "uploadId"): ("UploadPart", "s3:PutObject"),
    ("POST", "uploads"): ("CreateMultipartUpload", "s3:PutObject"),
    ("POST", "uploadId"): ("CompleteMultipartUpload", "s3:PutObject"),
    ("DELETE", ""): ("DeleteObject", "s3:DeleteObject"),
    ("DELETE", "uploadId"): ("AbortMultipartUpload", "s3:AbortMultipartUpload"),
}
_SUBRESOURCES = frozenset({"location", "uploads", "uploadId", "versioning", "delete"})
_PARAMETERS = _SUBRESOURCES | {
    *("list-type", "prefix", "delimiter", "max-keys", "marker", "start-after", "continuation-token", "encoding-type"),
    *("fetch-owner", "partNumber", "part-number-marker", "max-parts", "key-marker", "upload-id-marker", "max-uploads"),
    "x-id",
}
"""What a query may hold, beside signatures: another subresource would need another permission."""


def operation(request: HttpRequest) -> Operation:
    """Return what the request wants; raise ServiceError for what is not served here."""
    bucket, key = request.bucket_and_key
    given = {name for name in request.parameters if not name.lower().startswith(("x-amz-", "response-"))}
    found = sorted(_SUBRESOURCES & given)
    if len(found) > 1 or given - _PARAMETERS:
        raise _not_served()
    asked = (request.method, found[0] if found else "")
    if not bucket and not key and asked == ("GET", ""):
        return Operation("ListBuckets", (Permission("s3:ListAllMyBuckets"),))
    if not bucket:
        raise _not_served()
    return _of_object(request, asked, bucket, key) if key else _of_bucket(request, asked, bucket)


def _of_bucket(request: HttpRequest, asked: tuple[str, str], bucket: str) -> Operation:
    if asked == ("GET", ""):
        version = "V2" if request.parameters.get("list-type") == "2" else ""
        context = {key: request.parameters[name] for name, key in _LISTING.items() if name in request.parameters}
        return Operation(f"ListObjects{version}", (Permission("s3:ListBucket", bucket, context=context),))
    if asked == ("POST", "delete"):
        needs = tuple(Permission("s3:DeleteObject", bucket, key) for key in keys_to_delete(request.body))
        return Operation("DeleteObjects", needs)
    if asked in _BUCKET:
        name, action = _BUCKET[asked]
        return Operation(name, (Permission(action, bucket),))
    raise _not_served()


def _of_object(request: HttpRequest, asked: tuple[str, str], bucket: str, key: str) -> Operation:
    if asked not in _OBJECT:
        raise _not_served()
    name, action = _OBJECT[asked]
    acl = request.headers.get("x-amz-acl")
    context = {"s3:x-amz-acl": acl} if acl else {}
    needs = [Permission(action, bucket, key, context)]
    if acl:
        needs.append(Permission("s3:PutObjectAcl", bucket, key, context))
    if request.method == "PUT" and "x-amz-copy-source" in request.headers:
        source = unquote(request.headers["x-amz-copy-source"].partition("?")[0]).removeprefix("/")
        source_bucket, _, source_key = source.partition("/")
        needs.insert(0, Permission("s3:GetObject", source_bucket, source_key))
        name = "CopyObject" if name == "PutObject" else "UploadPartCopy"
    return Operation(name, tuple(needs))


def keys_to_delete(body: bytes) -> list[str]:
    """Return the keys in the body of DeleteObjects; raise ServiceError."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        found = [element.findtext("{*}Key") for element in etree.fromstring(body, parser).iterfind("{*}Object")]
    except etree.XMLSyntaxError:
        found = []
    keys = [key for key in found if key]
    if not keys or len(keys) != len(found) or len(keys) > MOST_DELETED:
        raise ServiceError(400, "MalformedXML", "The XML you provided was not well-formed.")
    return keys


def _not_served() -> ServiceError:
    return ServiceError(501, "NotImplemented", "A header or query you provided implies functionality not served here.")
