"""An HTTP request as it came over the wire, and the errors that are answered to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

LARGEST_BODY = 64 << 20
"""Bytes that one request may bring; S3 takes 5 GiB, a lab's run has less memory than that."""


class ServiceError(Exception):
    """A request is answered with an error: the HTTP status, the service's code and a message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class AccessDeniedError(ServiceError):
    """The caller may not do this."""

    def __init__(self, message: str = "Access Denied") -> None:
        super().__init__(403, "AccessDenied", message)


@dataclass(frozen=True)
class HttpRequest:
    """Method, path and query as sent, headers in lower case, and the body."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def parameters(self) -> dict[str, str]:
        """The query's parameters; one without a value has an empty one."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def bucket_and_key(self) -> tuple[str, str]:
        """The names in the path, the key empty where there is none."""
        bucket, _, key = self.path.removeprefix("/").partition("/")
        return unquote(bucket), unquote(key)


def read_request(environ: Mapping[str, Any]) -> HttpRequest:
    """Return what a WSGI server was sent; raise ServiceError where the body is too long."""
    path, _, query = environ["RAW_URI"].partition("?")
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = environ[name]
    length = headers.get("content-length", "0")
    if not length.isdecimal():
        raise ServiceError(400, "InvalidRequest", "The Content-Length is not a number.")
    ended = environ.get("wsgi.input_terminated", False)
    body = environ["wsgi.input"].read(LARGEST_BODY + 1 if ended else min(int(length), LARGEST_BODY + 1))
    if len(body) > LARGEST_BODY:
        raise ServiceError(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
    return HttpRequest(environ["REQUEST_METHOD"], path, query, headers, body)
