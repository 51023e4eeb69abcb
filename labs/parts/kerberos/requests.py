"""What a client asks a KDC for, read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.asn1 import decode_der

from labs.parts.kerberos import fields
from labs.parts.kerberos.messages import AUTHENTICATION_REQUEST, GRANTING_REQUEST, Request, RequestBody
from labs.parts.kerberos.principals import Principal


@dataclass(frozen=True)
class Asked:
    """A request: its kind, its body, also as it was encoded, and what is shown to be believed, by its type."""

    kind: int
    body: RequestBody
    encoded: bytes
    shown: Mapping[int, bytes]
    realm: str
    client: Principal | None
    service: Principal | None


def read_request(data: bytes) -> Asked:
    """Read a request to a KDC; raise ValueError where it is none."""
    kind = fields.tag_of(data)
    if kind not in {AUTHENTICATION_REQUEST, GRANTING_REQUEST}:
        raise ValueError("The message is no request to a KDC.")
    request = fields.read(kind, Request, data)
    encoded = fields.untagged(request.body)
    body = decode_der(RequestBody, encoded)
    return Asked(
        kind=kind,
        body=body,
        encoded=encoded,
        shown={one.kind: one.value for one in request.pre_authentication or ()},
        realm=fields.text_of(body.realm),
        client=fields.principal(body.client, body.realm) if body.client else None,
        service=fields.principal(body.service, body.realm) if body.service else None,
    )
