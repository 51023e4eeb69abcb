"""Tickets: how a KDC makes one, and how whoever has the key of its service reads it and believes its bearer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.asn1 import BitString

from labs.parts.kerberos import fields
from labs.parts.kerberos.encryption import Key, Usage
from labs.parts.kerberos.errors import Code, KerberosError
from labs.parts.kerberos.messages import (
    AUTHENTICATOR,
    ENCRYPTED_TICKET,
    TICKET,
    VERSION,
    Authenticator,
    Encrypted,
    EncryptedTicket,
    ServiceRequest,
    Tagged,
    Ticket,
    TypedData,
)
from labs.parts.kerberos.principals import Principal

LIFETIME = timedelta(hours=10)
"""The longest that a ticket lasts: the default of Active Directory."""

SKEW = timedelta(minutes=5)
"""By how much the clocks of two machines may differ."""

_NO_REALMS_TRANSITED = TypedData(kind=1, value=b"")


@dataclass(frozen=True)
class Permit:
    """What a ticket grants: to whom, with which session key, and from when to when; and when they gave a password."""

    client: Principal
    key: Key
    authenticated: datetime
    begins: datetime
    ends: datetime


@dataclass(frozen=True)
class Bearer:
    """Who brought a ticket, proved by an authenticator: what the ticket grants, and what was said beside it."""

    permit: Permit
    authenticator: Authenticator


def seal(permit: Permit, service: Principal, key: Key, flags: BitString) -> Tagged:
    """Make the ticket for a service, which its key alone opens."""
    content = EncryptedTicket(
        flags=flags,
        key=fields.session_key(permit.key),
        client_realm=fields.text(permit.client.realm),
        client=fields.name(permit.client),
        transited=_NO_REALMS_TRANSITED,
        authenticated=fields.time(permit.authenticated),
        begins=fields.time(permit.begins),
        ends=fields.time(permit.ends),
        renewable_till=None,
        addresses=None,
        authorization=None,
    )
    ticket = Ticket(
        version=VERSION,
        realm=fields.text(service.realm),
        service=fields.name(service),
        encrypted=fields.encrypted(key, Usage.TICKET, fields.write(ENCRYPTED_TICKET, content), key_version=1),
    )
    return fields.tagged(fields.write(TICKET, ticket))


def service_of(ticket: Ticket) -> Principal:
    """Return whom a ticket is for."""
    return fields.principal(ticket.service, ticket.realm)


def ticket_of(request: ServiceRequest) -> Ticket:
    """Return the ticket in a request."""
    return fields.read(TICKET, Ticket, fields.untagged(request.ticket))


def verify(request: ServiceRequest, key: Key, usage: Usage, now: datetime) -> Bearer:
    """Open a request's ticket with the service's key and compare it with the authenticator (RFC 4120, 3.2.3).

    ``usage`` is that of the authenticator. Raises KerberosError where either does not hold.
    """
    permit = _open(ticket_of(request).encrypted, key, now)
    plain = fields.decrypted(permit.key, usage, request.authenticator)
    authenticator = fields.read(AUTHENTICATOR, Authenticator, plain)
    if fields.principal(authenticator.client, authenticator.client_realm) != permit.client:
        raise KerberosError(Code.CLIENT_MISMATCH)
    check_time(authenticator.time.as_datetime(), now)
    return Bearer(permit, authenticator)


def check_time(theirs: datetime, ours: datetime) -> None:
    """Raise KerberosError where two clocks differ by too much."""
    if abs(theirs - ours) > SKEW:
        raise KerberosError(Code.CLOCK_SKEW)


def _open(field: Encrypted, key: Key, now: datetime) -> Permit:
    content = fields.read(ENCRYPTED_TICKET, EncryptedTicket, fields.decrypted(key, Usage.TICKET, field))
    authenticated = content.authenticated.as_datetime()
    permit = Permit(
        client=fields.principal(content.client, content.client_realm),
        key=fields.key_of(content.key),
        authenticated=authenticated,
        begins=content.begins.as_datetime() if content.begins else authenticated,
        ends=content.ends.as_datetime(),
    )
    if permit.begins > now + SKEW:
        raise KerberosError(Code.TICKET_NOT_YET_VALID)
    if permit.ends < now - SKEW:
        raise KerberosError(Code.TICKET_EXPIRED)
    return permit
