"""The key distribution center of a realm: it answers requests for tickets (RFC 4120, 3.1 and 3.3)."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from cryptography.hazmat.asn1 import decode_der

from labs.parts.kerberos import fields
from labs.parts.kerberos.encryption import CHECKSUM_TYPE, ENCRYPTION_TYPE, Key, Usage
from labs.parts.kerberos.errors import Code, KerberosError
from labs.parts.kerberos.messages import (
    AUTHENTICATION_REPLY,
    AUTHENTICATION_REQUEST,
    ENCRYPTED_AUTHENTICATION_REPLY,
    ENCRYPTED_GRANTING_REPLY,
    GRANTING_REPLY,
    PA_ENCRYPTED_TIMESTAMP,
    PA_GRANTING_REQUEST,
    SERVICE_REQUEST,
    Encrypted,
    RequestBody,
    ServiceRequest,
    Timestamp,
)
from labs.parts.kerberos.principals import Principal, Realm, Trust, passwords, ticket_granter
from labs.parts.kerberos.replies import Envelope, Grant, demand, key_hints, refusal, reply
from labs.parts.kerberos.requests import Asked, read_request
from labs.parts.kerberos.tickets import LIFETIME, Bearer, Permit, check_time, service_of, ticket_of, verify

_INITIAL, _PRE_AUTHENTICATED, _TRANSITED_CHECKED = 9, 10, 12
_UNSUPPORTED_OPTIONS = (2, 4, 6, 14, 16, 28, 30, 31)
"""Forwarded, proxy, postdated, delegated, anonymous and user-to-user tickets, and the renewal or validation of one."""

_LATEST = datetime.fromtimestamp(0, UTC)
"""The end that a client asks for when it wants the latest there is (RFC 4120, 5.4.1)."""


@dataclass(frozen=True)
class Kdc:
    """A realm's KDC with the keys that it keeps."""

    realm: str
    keys: Mapping[Principal, Key]

    @classmethod
    def of(cls, realm: Realm, trusts: Iterable[Trust]) -> Self:
        """Return the KDC of a realm, which makes the keys of the passwords and one of its own."""
        known = passwords(realm, trusts)
        keys = {principal: Key.from_password(password, principal.salt) for principal, password in known.items()}
        return cls(realm.name, keys | {ticket_granter(realm.name, realm.name): Key.random()})

    def answer(self, data: bytes, now: datetime) -> bytes | None:
        """Return the reply to a request or the error that refuses it; None to what is no request."""
        try:
            asked = read_request(data)
            try:
                return self._answer(asked, now)
            except KerberosError as error:
                return refusal(self.realm, asked.service or ticket_granter(self.realm, self.realm), error, now)
        except ValueError:
            return None

    def _answer(self, asked: Asked, now: datetime) -> bytes:
        if asked.realm != self.realm:
            raise KerberosError(Code.WRONG_REALM)
        if any(fields.has_bit(asked.body.options, option) for option in _UNSUPPORTED_OPTIONS):
            raise KerberosError(Code.BAD_OPTION)
        if ENCRYPTION_TYPE not in asked.body.encryption_types:
            raise KerberosError(Code.ENCRYPTION_TYPE_UNSUPPORTED)
        return self._authenticate(asked, now) if asked.kind == AUTHENTICATION_REQUEST else self._grant(asked, now)

    def _authenticate(self, asked: Asked, now: datetime) -> bytes:
        """Give a first ticket to a client that proves to know its password."""
        client = asked.client
        if client is None or client not in self.keys:
            raise KerberosError(Code.CLIENT_UNKNOWN)
        service = self._known(asked.service)
        if PA_ENCRYPTED_TIMESTAMP not in asked.shown:
            raise KerberosError(Code.PRE_AUTHENTICATION_REQUIRED, demand(client))
        key = self.keys[client]
        _check_timestamp(asked.shown[PA_ENCRYPTED_TIMESTAMP], key, now)
        permit = Permit(client, Key.random(), now, now, _end(asked.body, now + LIFETIME, now))
        grant = Grant(permit, (_INITIAL, _PRE_AUTHENTICATED), service, self.keys[service])
        envelope = Envelope(AUTHENTICATION_REPLY, ENCRYPTED_AUTHENTICATION_REPLY, key, Usage.AUTHENTICATION_REPLY)
        return reply(grant, envelope, asked.body.nonce, key_hints(client))

    def _grant(self, asked: Asked, now: datetime) -> bytes:
        """Give a further ticket to the bearer of one for this KDC, of its own realm or of one that it trusts."""
        bearer = self._bearer(asked, now)
        if asked.body.authorization is not None:
            # To grant the ticket without the restrictions that were to go into it would give too much.
            raise KerberosError(Code.POLICY)
        service = self._known(asked.service)
        old, subkey = bearer.permit, bearer.authenticator.subkey
        permit = Permit(old.client, Key.random(), old.authenticated, now, _end(asked.body, old.ends, now))
        grant = Grant(permit, (_PRE_AUTHENTICATED, _TRANSITED_CHECKED), service, self.keys[service])
        key, usage = (fields.key_of(subkey), Usage.REPLY_BY_SUBKEY) if subkey else (old.key, Usage.REPLY_BY_SESSION_KEY)
        return reply(grant, Envelope(GRANTING_REPLY, ENCRYPTED_GRANTING_REPLY, key, usage), asked.body.nonce, {})

    def _bearer(self, asked: Asked, now: datetime) -> Bearer:
        if PA_GRANTING_REQUEST not in asked.shown:
            raise KerberosError(Code.PRE_AUTHENTICATION_TYPE_UNSUPPORTED)
        request = fields.read(SERVICE_REQUEST, ServiceRequest, asked.shown[PA_GRANTING_REQUEST])
        granter = service_of(ticket_of(request))
        if granter.components != ("krbtgt", self.realm) or granter not in self.keys:
            raise KerberosError(Code.NOT_FOR_US)
        bearer = verify(request, self.keys[granter], Usage.GRANTING_AUTHENTICATOR, now)
        found = bearer.authenticator.checksum
        if found is None or found.kind != CHECKSUM_TYPE:
            raise KerberosError(Code.INAPPROPRIATE_CHECKSUM)
        if not hmac.compare_digest(found.value, bearer.permit.key.checksum(asked.encoded, Usage.GRANTING_CHECKSUM)):
            raise KerberosError(Code.MODIFIED)
        if bearer.permit.client.realm != granter.realm:
            # A trusted realm may speak for its own users only, or it could make anybody of ours.
            raise KerberosError(Code.POLICY)
        return bearer

    def _known(self, service: Principal | None) -> Principal:
        if service is None or service not in self.keys:
            raise KerberosError(Code.SERVICE_UNKNOWN)
        return service


def _check_timestamp(data: bytes, key: Key, now: datetime) -> None:
    """Raise KerberosError unless the client's time, encrypted with its key, is ours (RFC 4120, 5.2.7.2)."""
    try:
        plain = fields.decrypted(key, Usage.TIMESTAMP, decode_der(Encrypted, data))
    except KerberosError as error:
        raise KerberosError(Code.PRE_AUTHENTICATION_FAILED) from error
    check_time(decode_der(Timestamp, plain).time.as_datetime(), now)


def _end(body: RequestBody, latest: datetime, now: datetime) -> datetime:
    till = body.till.as_datetime()
    if till == _LATEST:
        return latest
    if till <= now:
        raise KerberosError(Code.NEVER_VALID)
    return min(till, latest)
