"""What a KDC sends: a reply with a ticket, or an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from labs.parts.kerberos import fields
from labs.parts.kerberos.encryption import ENCRYPTION_TYPE, Key, Usage
from labs.parts.kerberos.errors import KerberosError
from labs.parts.kerberos.messages import (
    ERROR,
    PA_ENCRYPTED_TIMESTAMP,
    PA_ENCRYPTION_TYPES,
    VERSION,
    EncryptedReply,
    EncryptionTypeInfo,
    EncryptionTypeInfos,
    Error,
    LastRequest,
    PreAuthentication,
    PreAuthentications,
    Reply,
)
from labs.parts.kerberos.principals import Principal
from labs.parts.kerberos.tickets import Permit, seal


@dataclass(frozen=True)
class Envelope:
    """How a reply is closed: the types of the message and of its content, and the client's key and its usage."""

    kind: int
    content_kind: int
    key: Key
    usage: Usage


@dataclass(frozen=True)
class Grant:
    """A ticket to be given: its permit, its flags by their numbers, and the service with its key."""

    permit: Permit
    flags: tuple[int, ...]
    service: Principal
    service_key: Key


def reply(grant: Grant, envelope: Envelope, nonce: int, hints: Mapping[int, bytes]) -> bytes:
    """Return the reply that carries a ticket, with hints for the client of these types of pre-authentication."""
    content = fields.write(envelope.content_kind, _content(grant, nonce))
    message = Reply(
        version=VERSION,
        kind=envelope.kind,
        pre_authentication=_list(hints).items or None,
        client_realm=fields.text(grant.permit.client.realm),
        client=fields.name(grant.permit.client),
        ticket=seal(grant.permit, grant.service, grant.service_key, fields.bits(*grant.flags)),
        encrypted=fields.encrypted(envelope.key, envelope.usage, content),
    )
    return fields.write(envelope.kind, message)


def refusal(realm: str, service: Principal, error: KerberosError, now: datetime) -> bytes:
    """Return the message that says why there is no ticket."""
    message = Error(
        version=VERSION,
        kind=ERROR,
        client_time=None,
        client_microseconds=None,
        time=fields.time(now),
        microseconds=now.microsecond,
        code=error.code,
        client_realm=None,
        client=None,
        realm=fields.text(realm),
        service=fields.name(service),
        text=fields.text(str(error)),
        data=error.data,
    )
    return fields.write(ERROR, message)


def key_hints(client: Principal) -> dict[int, bytes]:
    """Return what a client needs to make the key of its password: the encryption type and the salt."""
    info = EncryptionTypeInfo(encryption_type=ENCRYPTION_TYPE, salt=fields.text(client.salt), parameters=None)
    return {PA_ENCRYPTION_TYPES: fields.write_list(EncryptionTypeInfos(items=[info]))}


def demand(client: Principal) -> bytes:
    """Return what goes with the demand that a client prove to know its password."""
    return fields.write_list(_list({**key_hints(client), PA_ENCRYPTED_TIMESTAMP: b""}))


def _list(hints: Mapping[int, bytes]) -> PreAuthentications:
    return PreAuthentications(items=[PreAuthentication(kind=kind, value=value) for kind, value in hints.items()])


def _content(grant: Grant, nonce: int) -> EncryptedReply:
    permit = grant.permit
    return EncryptedReply(
        key=fields.session_key(permit.key),
        last_requests=[LastRequest(kind=0, time=fields.time(permit.begins))],
        nonce=nonce,
        key_expires=None,
        flags=fields.bits(*grant.flags),
        authenticated=fields.time(permit.authenticated),
        begins=fields.time(permit.begins),
        ends=fields.time(permit.ends),
        renewable_till=None,
        service_realm=fields.text(grant.service.realm),
        service=fields.name(grant.service),
        addresses=None,
        pre_authentication=None,
    )
