"""The web application in front of the store: checks who signed, asks the policies, and only then passes a call on."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from lxml import etree

from labs.parts.iam import Caller, CallerKind
from labs.parts.object_store import signatures
from labs.parts.object_store.authority import Authority, Target
from labs.parts.object_store.backend import Answer, Backend
from labs.parts.object_store.entities import Bucket, Identity
from labs.parts.object_store.operations import Operation, Permission, operation
from labs.parts.object_store.requests import AccessDeniedError, HttpRequest, ServiceError, read_request
from labs.parts.object_store.tokens import NAMESPACE, Tokens

ANONYMOUS = Identity(Caller(CallerKind.ANONYMOUS))


class Gateway:
    """A WSGI application for S3 with the bucket's name in the path, and for STS, on one port."""

    def __init__(
        self,
        buckets: Iterable[Bucket],
        tokens: Tokens,
        authority: Authority,
        backend: Backend,
    ) -> None:
        self._buckets = {bucket.name: bucket for bucket in buckets}
        self._tokens = tokens
        self._authority = authority
        self._backend = backend

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request; an error is an answer too."""
        try:
            answer = self._answer(read_request(environ))
        except ServiceError as error:
            answer = _error(error, of_sts="/sts/aws4_request" in environ.get("HTTP_AUTHORIZATION", ""))
        start_response(answer.status, answer.headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]

    def _answer(self, request: HttpRequest) -> Answer:
        now = time.time()
        claim = signatures.read_claim(request)
        identity = ANONYMOUS
        if claim:
            credentials, identity = self._tokens.find(claim.access_key_id, now)
            token = request.headers.get("x-amz-security-token", request.parameters.get("X-Amz-Security-Token", ""))
            if not hmac.compare_digest(token.encode(), credentials.session_token.encode()):
                raise ServiceError(400, "InvalidToken", "The provided token is malformed or otherwise invalid.")
            request = replace(request, body=signatures.verify(request, claim, credentials.secret_access_key, now))
        context = context_of(request.headers.get("user-agent", ""), now)
        if claim and claim.service == "sts":
            body = self._tokens.answer(request, identity, context, now)
            return Answer("200 OK", [("Content-Type", "text/xml"), ("Content-Length", str(len(body)))], body)
        return self._of_s3(request, operation(request), identity, context)

    def _of_s3(self, request: HttpRequest, wanted: Operation, identity: Identity, context: Mapping[str, str]) -> Answer:
        allowed = [self._allows(identity, wanted.name, one, context) for one in wanted.needs]
        account = self._owner(wanted.needs[0].bucket) if wanted.needs[0].bucket else identity.caller.account
        if wanted.name == "DeleteObjects":
            refused = [one.key for one, may in zip(wanted.needs, allowed, strict=True) if not may]
            return self._backend.delete(request, account, refused)
        if not all(allowed):
            raise AccessDeniedError
        answer = self._backend.call(request, account)
        if answer.status.startswith("404") and wanted.needs[0].action == "s3:GetObject":
            # Who may not list a bucket does not learn whether an object is there (S3 API reference, GetObject).
            listing = Permission("s3:ListBucket", wanted.needs[0].bucket)
            if not self._allows(identity, wanted.name, listing, context):
                raise AccessDeniedError
        return answer

    def _allows(self, identity: Identity, name: str, permission: Permission, context: Mapping[str, str]) -> bool:
        bucket = self._buckets.get(permission.bucket)
        target = Target(permission.resource, self._owner(permission.bucket), bucket.policy if bucket else None)
        return self._authority.allows(identity, name, permission.action, target, {**context, **permission.context})

    def _owner(self, bucket: str) -> str:
        found = self._buckets.get(bucket)
        return (found.account if found else "") or self._tokens.account


def context_of(agent: str, now: float) -> dict[str, str]:
    """Return the global condition keys of a call that comes from this machine, without TLS."""
    return {
        "aws:SourceIp": "127.0.0.1",
        "aws:SecureTransport": "false",
        "aws:CurrentTime": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": str(int(now)),
        "aws:UserAgent": agent,
    }


def _error(error: ServiceError, *, of_sts: bool) -> Answer:
    told = etree.Element("Error")
    if of_sts:
        etree.SubElement(told, "Type").text = "Sender"
    etree.SubElement(told, "Code").text = error.code
    etree.SubElement(told, "Message").text = error.message
    root = told
    if of_sts:
        root = etree.Element("ErrorResponse", xmlns=NAMESPACE)
        root.append(told)
    etree.SubElement(root, "RequestId").text = "0000000000000000"
    body = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    headers = [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))]
    return Answer(f"{error.status} {error.code}", headers, body)
