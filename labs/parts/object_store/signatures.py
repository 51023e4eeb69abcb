"""Signature Version 4: who signed a request, and whether the signature fits what came.

The algorithm is that of the S3 API reference, "Authenticating Requests (AWS Signature Version 4)". Whatever headers a
client signed are taken as signed; Java's SDK signs the user agent, botocore does not.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, unquote

from labs.parts.object_store.requests import AccessDeniedError, HttpRequest, ServiceError

ALGORITHM = "AWS4-HMAC-SHA256"
MOST_SKEW = 900
"""Seconds between the client's clock and ours that are forgiven."""
UNSIGNED, STREAMING = "UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"

_HEADER = re.compile(
    rf"{ALGORITHM}\s+Credential=(?P<credential>[^,\s]+),\s*SignedHeaders=(?P<headers>[^,\s]+),\s*"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)
_MOMENT = "%Y%m%dT%H%M%SZ"
_CHUNK = re.compile(rb"([0-9a-f]+);chunk-signature=([0-9a-f]{64})\r\n")
_EMPTY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True)
class Claim:
    """What a request says of its signature; ``expires`` are the seconds that a presigned address is good for."""

    access_key_id: str
    scope: str
    moment: str
    headers: tuple[str, ...]
    signature: str
    payload: str = UNSIGNED
    expires: int | None = None

    @property
    def service(self) -> str:
        """The service for which the request is signed."""
        return self.scope.split("/")[2]


def read_claim(request: HttpRequest) -> Claim | None:
    """Return what the request claims, None where it is not signed; raise ServiceError where it cannot be read."""
    parameters = request.parameters
    if "X-Amz-Signature" in parameters:
        names = ("X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature")
        expires = parameters.get("X-Amz-Expires", "")
        if not expires.isdecimal():
            raise ServiceError(400, "AuthorizationQueryParametersError", "X-Amz-Expires is a number of seconds.")
        return replace(_claim(*(parameters.get(name, "") for name in names)), expires=int(expires))
    if "authorization" not in request.headers:
        return None
    found = _HEADER.fullmatch(request.headers["authorization"].strip())
    if not found:
        raise ServiceError(400, "InvalidRequest", f"Please use {ALGORITHM}.")
    moment = request.headers.get("x-amz-date", "")
    payload = request.headers.get("x-amz-content-sha256", hashlib.sha256(request.body).hexdigest())
    return replace(_claim(found["credential"], moment, found["headers"], found["signature"]), payload=payload)


def _claim(credential: str, moment: str, headers: str, signature: str) -> Claim:
    access_key_id, _, scope = credential.partition("/")
    if scope.count("/") != 3 or not scope.endswith("/aws4_request") or scope[:8] != moment[:8]:
        message = "The credential has no day of signing, region and service."
        raise ServiceError(400, "AuthorizationHeaderMalformed", message)
    return Claim(access_key_id, scope, moment, tuple(headers.split(";")), signature)


def verify(request: HttpRequest, claim: Claim, secret: str, now: float) -> bytes:
    """Return the body, out of its signed chunks where it came in such; raise ServiceError where anything does not fit.

    ``now`` is in seconds since 1970.
    """
    _check_time(claim, now)
    if not {"host", *(name for name in request.headers if name.startswith("x-amz-"))} <= {*claim.headers}:
        raise AccessDeniedError("There were headers present in the request which were not signed")
    key = _signing_key(secret, claim.scope)
    if not hmac.compare_digest(_sign(key, claim, _hash(_canonical(request, claim))), claim.signature):
        message = "The request signature we calculated does not match the signature you provided."
        raise ServiceError(403, "SignatureDoesNotMatch", message)
    if claim.payload == UNSIGNED:
        return request.body
    if claim.payload == STREAMING:
        return b"".join(_chunks(request.body, claim, key))
    if claim.payload != hashlib.sha256(request.body).hexdigest():
        message = "The provided 'x-amz-content-sha256' header does not match what was computed."
        raise ServiceError(400, "XAmzContentSHA256Mismatch", message)
    return request.body


def _check_time(claim: Claim, now: float) -> None:
    try:
        signed = datetime.strptime(claim.moment, _MOMENT).replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise AccessDeniedError("X-Amz-Date is a time such as 20180201T000000Z.") from None
    if claim.expires is not None and now > signed + claim.expires:
        raise AccessDeniedError("Request has expired")
    if signed > now + MOST_SKEW or (claim.expires is None and signed < now - MOST_SKEW):
        message = "The difference between the request time and the current time is too large."
        raise ServiceError(403, "RequestTimeTooSkewed", message)


def _canonical(request: HttpRequest, claim: Claim) -> str:
    pairs = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in parse_qsl(request.query, keep_blank_values=True)
        if name != "X-Amz-Signature"
    )
    return "\n".join(
        (
            request.method,
            quote(unquote(request.path), safe="/-_.~"),
            "&".join(f"{name}={value}" for name, value in pairs),
            *(f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in claim.headers),
            "",
            ";".join(claim.headers),
            claim.payload,
        )
    )


def _chunks(body: bytes, claim: Claim, key: bytes) -> Iterator[bytes]:
    """Yield the chunks' content; each signature covers the one before it, and the last chunk is empty."""
    at, previous = 0, claim.signature
    while found := _CHUNK.match(body, at):
        size = int(found[1], 16)
        content = body[found.end() : found.end() + size]
        expected = _sign(key, claim, f"{previous}\n{_EMPTY}\n{hashlib.sha256(content).hexdigest()}", "-PAYLOAD")
        if not hmac.compare_digest(expected, found[2].decode()):
            raise ServiceError(403, "SignatureDoesNotMatch", "The signature of a chunk does not match its content.")
        if not size:
            return
        yield content
        at, previous = found.end() + size + 2, expected
    raise ServiceError(400, "IncompleteBody", "The body ends before its last chunk.")


def _sign(key: bytes, claim: Claim, text: str, kind: str = "") -> str:
    lines = "\n".join((ALGORITHM + kind, claim.moment, claim.scope, text))
    return hmac.new(key, lines.encode(), hashlib.sha256).hexdigest()


def _signing_key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
