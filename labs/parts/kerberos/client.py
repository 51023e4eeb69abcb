"""A client of Kerberos: it logs in with a password and gets tickets for services, across a trust too."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn

from cryptography.hazmat.asn1 import encode_der

from labs.parts.kerberos import fields
from labs.parts.kerberos.encryption import ENCRYPTION_TYPE, Key, Usage
from labs.parts.kerberos.errors import Code, KerberosError
from labs.parts.kerberos.failures import (
    ClockSkew,
    KerberosFailure,
    NoTrust,
    UnknownService,
    UnknownUser,
    Unreachable,
    WrongPassword,
)
from labs.parts.kerberos.messages import (
    AUTHENTICATION_REPLY,
    AUTHENTICATION_REQUEST,
    AUTHENTICATOR,
    ENCRYPTED_AUTHENTICATION_REPLY,
    ENCRYPTED_GRANTING_REPLY,
    ERROR,
    GRANTING_REPLY,
    GRANTING_REQUEST,
    PA_ENCRYPTED_TIMESTAMP,
    PA_ENCRYPTION_TYPES,
    PA_GRANTING_REQUEST,
    SERVICE_REQUEST,
    VERSION,
    Authenticator,
    Checksum,
    EncryptedReply,
    EncryptionTypeInfos,
    Error,
    PreAuthentication,
    PreAuthentications,
    Reply,
    Request,
    RequestBody,
    ServiceRequest,
    Timestamp,
)
from labs.parts.kerberos.principals import Principal, ticket_granter
from labs.parts.kerberos.tickets import LIFETIME
from labs.parts.kerberos.transport import Address, exchange


@dataclass(frozen=True)
class Credential:
    """A ticket that a client holds, with the session's key: all that it takes to use it."""

    client: Principal
    service: Principal
    ticket: bytes
    key: Key
    ends: datetime

    def request(self, now: datetime) -> bytes:
        """Return the message, another each time, that proves to the ticket's service who the client is."""
        return self.prove(Usage.SERVICE_AUTHENTICATOR, now)

    def prove(self, usage: Usage, now: datetime, checksum: Checksum | None = None) -> bytes:
        """Return the ticket with an authenticator for this usage, which may vouch for a request by a checksum."""
        authenticator = Authenticator(
            version=VERSION,
            client_realm=fields.text(self.client.realm),
            client=fields.name(self.client),
            checksum=checksum,
            microseconds=now.microsecond,
            time=fields.time(now),
            subkey=None,
            number=None,
            authorization=None,
        )
        request = ServiceRequest(
            version=VERSION,
            kind=SERVICE_REQUEST,
            options=fields.bits(),
            ticket=fields.tagged(self.ticket),
            authenticator=fields.encrypted(self.key, usage, fields.write(AUTHENTICATOR, authenticator)),
        )
        return fields.write(SERVICE_REQUEST, request)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Client:
    """A client that knows where each realm's KDC listens; the clock is that of its machine.

    What fails raises a ``KerberosFailure``, whose kind says what to change.
    """

    addresses: Mapping[str, Address]
    now: Callable[[], datetime] = _now

    def login(self, user: Principal, password: str) -> Credential:
        """Prove to the user's KDC to know the password; return the ticket for asking for further ones."""
        service = ticket_granter(user.realm, user.realm)
        body = self._body(service, user)
        try:
            key = Key.from_password(password, self._salt(user, body))
            timestamp = encode_der(Timestamp(time=fields.time(self.now()), microseconds=self.now().microsecond))
            proof = encode_der(fields.encrypted(key, Usage.TIMESTAMP, timestamp))
            reply = self._ask(AUTHENTICATION_REQUEST, body, {PA_ENCRYPTED_TIMESTAMP: proof}, user.realm)
        except KerberosError as error:
            _explain_login(user, error)
        return _open(reply, key, Usage.AUTHENTICATION_REPLY, body.nonce, user, service)

    def ticket(self, held: Credential, service: Principal) -> Credential:
        """Return a ticket for a service, by way of one for its realm's KDC where that is not the holder's."""
        realm = held.service.components[-1]
        if service.realm == realm:
            return self._granted(held, service)
        return self._granted(self._granted(held, ticket_granter(service.realm, realm)), service)

    def _salt(self, user: Principal, body: RequestBody) -> str:
        """Ask without a proof; the refusal says with which salt to make the key."""
        try:
            self._ask(AUTHENTICATION_REQUEST, body, {}, user.realm)
        except KerberosError as error:
            if error.code != Code.PRE_AUTHENTICATION_REQUIRED:
                raise
            return _salt_in(error.data or b"") or user.salt
        raise KerberosFailure(f"The KDC of {user.realm} gives tickets to {user} without a proof of the password.")

    def _granted(self, held: Credential, service: Principal) -> Credential:
        realm = held.service.components[-1]
        body = self._body(service)
        checksum = fields.checksum(held.key, Usage.GRANTING_CHECKSUM, encode_der(body))
        proof = held.prove(Usage.GRANTING_AUTHENTICATOR, self.now(), checksum)
        try:
            reply = self._ask(GRANTING_REQUEST, body, {PA_GRANTING_REQUEST: proof}, realm)
        except KerberosError as error:
            _explain_ticket(realm, service, error)
        return _open(reply, held.key, Usage.REPLY_BY_SESSION_KEY, body.nonce, held.client, service)

    def _body(self, service: Principal, client: Principal | None = None) -> RequestBody:
        realm = service.realm
        return RequestBody(
            options=fields.bits(),
            client=fields.name(client) if client else None,
            realm=fields.text(realm),
            service=fields.name(service),
            begins=None,
            till=fields.time(self.now() + LIFETIME),
            renewable_till=None,
            nonce=secrets.randbits(31),
            encryption_types=[ENCRYPTION_TYPE],
            addresses=None,
            authorization=None,
            additional_tickets=None,
        )

    def _ask(self, kind: int, body: RequestBody, shown: Mapping[int, bytes], realm: str) -> Reply:
        """Return a KDC's reply; raise the error that it sends instead."""
        if realm not in self.addresses:
            raise Unreachable(f"No KDC of {realm} is known here; give the client its address.")
        request = Request(
            version=VERSION,
            kind=kind,
            pre_authentication=[PreAuthentication(kind=one, value=value) for one, value in shown.items()] or None,
            body=fields.tagged(encode_der(body)),
        )
        host, port = self.addresses[realm]
        try:
            answer = exchange((host, port), fields.write(kind, request))
        except OSError as error:
            raise Unreachable(f"No KDC of {realm} answers at {host}:{port}; see whether it runs.") from error
        try:
            return _reply(answer, AUTHENTICATION_REPLY if kind == AUTHENTICATION_REQUEST else GRANTING_REPLY)
        except ValueError as error:
            raise KerberosFailure(f"What answers at {host}:{port} for {realm} is no KDC.") from error


def _reply(answer: bytes, kind: int) -> Reply:
    if fields.tag_of(answer) == ERROR:
        error = fields.read(ERROR, Error, answer)
        raise KerberosError(error.code, error.data)
    return fields.read(kind, Reply, answer)


def _salt_in(data: bytes) -> str | None:
    for hint in fields.read_list(PreAuthentications, data).items:
        if hint.kind == PA_ENCRYPTION_TYPES:
            for info in fields.read_list(EncryptionTypeInfos, hint.value).items:
                if info.encryption_type == ENCRYPTION_TYPE and info.salt:
                    return fields.text_of(info.salt)
    return None


def _open(  # noqa: PLR0913, PLR0917 (what was asked, and what came)
    reply: Reply, key: Key, usage: Usage, nonce: int, client: Principal, service: Principal
) -> Credential:
    """Read a reply's encrypted part; what does not answer this request is refused."""
    try:
        plain = fields.decrypted(key, usage, reply.encrypted)
        # MIT's KDC gives both replies the tag of the second, which RFC 4120, 5.4.2, asks clients to bear with.
        first = fields.tag_of(plain) == ENCRYPTED_AUTHENTICATION_REPLY
        tag = ENCRYPTED_AUTHENTICATION_REPLY if first else ENCRYPTED_GRANTING_REPLY
        content = fields.read(tag, EncryptedReply, plain)
        named = fields.principal(content.service, content.service_realm)
        answers = (content.nonce, named, fields.principal(reply.client, reply.client_realm))
        session = fields.key_of(content.key)
    except (KerberosError, ValueError) as error:
        raise KerberosFailure(f"The reply for {service} cannot be read; it was changed on its way.") from error
    if answers != (nonce, service, client):
        raise KerberosFailure(f"The reply for {service} answers another request.")
    return Credential(client, service, fields.untagged(reply.ticket), session, content.ends.as_datetime())


def _explain_login(user: Principal, error: KerberosError) -> NoReturn:
    if error.code in {Code.PRE_AUTHENTICATION_FAILED, Code.BAD_INTEGRITY}:
        raise WrongPassword(f"The password is not that of {user}.") from error
    if error.code == Code.CLIENT_UNKNOWN:
        raise UnknownUser(f"The realm {user.realm} has no user {user.name}.") from error
    _explain(user.realm, error)


def _explain_ticket(realm: str, service: Principal, error: KerberosError) -> NoReturn:
    if error.code == Code.SERVICE_UNKNOWN and service.components[0] == "krbtgt":
        raise NoTrust(
            f"The KDC of {realm} has no key of {service}: the realm {service.components[-1]} does not trust {realm}."
        ) from error
    if error.code == Code.SERVICE_UNKNOWN:
        raise UnknownService(f"The realm {service.realm} has no service {service.name}.") from error
    _explain(realm, error)


def _explain(realm: str, error: KerberosError) -> NoReturn:
    if error.code == Code.CLOCK_SKEW:
        raise ClockSkew(
            f"The clocks of this machine and of the KDC of {realm} differ by more than five minutes; set them right."
        ) from error
    raise KerberosFailure(f"The KDC of {realm} refused the request: {error} ({int(error.code)}).") from error
