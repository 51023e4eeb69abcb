"""The forms of the messages of Kerberos (RFC 4120, 5).

DER makes an explicitly tagged value look like an implicitly tagged sequence of that one value. ``Tagged`` uses this for
the two things that the ASN.1 library does not name: GeneralString, and the application tags of tickets.
"""

from __future__ import annotations

from typing import Annotated

from cryptography.hazmat.asn1 import TLV, BitString, Explicit, GeneralizedTime, Implicit, sequence

VERSION = 5
TICKET, AUTHENTICATOR, ENCRYPTED_TICKET = 1, 2, 3
AUTHENTICATION_REQUEST, AUTHENTICATION_REPLY, GRANTING_REQUEST, GRANTING_REPLY, SERVICE_REQUEST = 10, 11, 12, 13, 14
ENCRYPTED_AUTHENTICATION_REPLY, ENCRYPTED_GRANTING_REPLY, ERROR = 25, 26, 30
"""The application tags, which are also the types of the messages."""

PA_GRANTING_REQUEST, PA_ENCRYPTED_TIMESTAMP, PA_ENCRYPTION_TYPES = 1, 2, 19
"""The types of pre-authentication data."""

NAME_PRINCIPAL, NAME_SERVICE = 1, 2


@sequence
class Tagged:
    """One value under an explicit tag."""

    value: TLV


@sequence
class PrincipalName:
    """A principal without its realm."""

    kind: Annotated[int, Explicit(0)]
    components: Annotated[list[TLV], Explicit(1)]


@sequence
class Encrypted:
    """A ciphertext, the type of its encryption and the version of its key."""

    encryption_type: Annotated[int, Explicit(0)]
    key_version: Annotated[int | None, Explicit(1)]
    cipher: Annotated[bytes, Explicit(2)]


@sequence
class SessionKey:
    """A key that is sent within something encrypted."""

    encryption_type: Annotated[int, Explicit(0)]
    secret: Annotated[bytes, Explicit(1)]


@sequence
class Checksum:
    """A checksum and its type."""

    kind: Annotated[int, Explicit(0)]
    value: Annotated[bytes, Explicit(1)]


@sequence
class TypedData:
    """Data of a type: authorization data, addresses and the transited realms share this form."""

    kind: Annotated[int, Explicit(0)]
    value: Annotated[bytes, Explicit(1)]


@sequence
class PreAuthentication:
    """PA-DATA: what goes with a request or a reply; its tags begin at 1."""

    kind: Annotated[int, Explicit(1)]
    value: Annotated[bytes, Explicit(2)]


@sequence
class EncryptionTypeInfo:
    """An entry of ETYPE-INFO2: a type of encryption, and the salt to make the key with."""

    encryption_type: Annotated[int, Explicit(0)]
    salt: Annotated[Tagged | None, Implicit(1)]
    parameters: Annotated[bytes | None, Explicit(2)]


@sequence
class EncryptionTypeInfos:
    """A list of them, which by itself is a message: read and write it with ``fields.read_list`` and ``write_list``."""

    items: list[EncryptionTypeInfo]


@sequence
class PreAuthentications:
    """METHOD-DATA: a list of what a KDC wants to see, or tells for it; as above."""

    items: list[PreAuthentication]


@sequence
class Timestamp:
    """PA-ENC-TS-ENC: the client's time, which proves that it knows the key."""

    time: Annotated[GeneralizedTime, Explicit(0)]
    microseconds: Annotated[int | None, Explicit(1)]


@sequence
class Ticket:
    """A ticket; only the service's key opens it."""

    version: Annotated[int, Explicit(0)]
    realm: Annotated[Tagged, Implicit(1)]
    service: Annotated[PrincipalName, Explicit(2)]
    encrypted: Annotated[Encrypted, Explicit(3)]


@sequence
class EncryptedTicket:
    """What a ticket says to its service: who the client is, until when, and the session's key."""

    flags: Annotated[BitString, Explicit(0)]
    key: Annotated[SessionKey, Explicit(1)]
    client_realm: Annotated[Tagged, Implicit(2)]
    client: Annotated[PrincipalName, Explicit(3)]
    transited: Annotated[TypedData, Explicit(4)]
    authenticated: Annotated[GeneralizedTime, Explicit(5)]
    begins: Annotated[GeneralizedTime | None, Explicit(6)]
    ends: Annotated[GeneralizedTime, Explicit(7)]
    renewable_till: Annotated[GeneralizedTime | None, Explicit(8)]
    addresses: Annotated[list[TypedData] | None, Explicit(9)]
    authorization: Annotated[list[TypedData] | None, Explicit(10)]


@sequence
class RequestBody:
    """What a client asks a KDC for."""

    options: Annotated[BitString, Explicit(0)]
    client: Annotated[PrincipalName | None, Explicit(1)]
    realm: Annotated[Tagged, Implicit(2)]
    service: Annotated[PrincipalName | None, Explicit(3)]
    begins: Annotated[GeneralizedTime | None, Explicit(4)]
    till: Annotated[GeneralizedTime, Explicit(5)]
    renewable_till: Annotated[GeneralizedTime | None, Explicit(6)]
    nonce: Annotated[int, Explicit(7)]
    encryption_types: Annotated[list[int], Explicit(8)]
    addresses: Annotated[list[TypedData] | None, Explicit(9)]
    authorization: Annotated[Encrypted | None, Explicit(10)]
    additional_tickets: Annotated[list[TLV] | None, Explicit(11)]


@sequence
class Request:
    """A request to a KDC. The body is kept as it came, for the checksum over it."""

    version: Annotated[int, Explicit(1)]
    kind: Annotated[int, Explicit(2)]
    pre_authentication: Annotated[list[PreAuthentication] | None, Explicit(3)]
    body: Annotated[Tagged, Implicit(4)]


@sequence
class Reply:
    """A KDC's reply: a ticket, and what the client needs to use it, encrypted for the client."""

    version: Annotated[int, Explicit(0)]
    kind: Annotated[int, Explicit(1)]
    pre_authentication: Annotated[list[PreAuthentication] | None, Explicit(2)]
    client_realm: Annotated[Tagged, Implicit(3)]
    client: Annotated[PrincipalName, Explicit(4)]
    ticket: Annotated[Tagged, Implicit(5)]
    encrypted: Annotated[Encrypted, Explicit(6)]


@sequence
class LastRequest:
    """When a client asked before; a KDC that keeps no such record says nothing by a type of 0."""

    kind: Annotated[int, Explicit(0)]
    time: Annotated[GeneralizedTime, Explicit(1)]


@sequence
class EncryptedReply:
    """The part of a reply that is for the client."""

    key: Annotated[SessionKey, Explicit(0)]
    last_requests: Annotated[list[LastRequest], Explicit(1)]
    nonce: Annotated[int, Explicit(2)]
    key_expires: Annotated[GeneralizedTime | None, Explicit(3)]
    flags: Annotated[BitString, Explicit(4)]
    authenticated: Annotated[GeneralizedTime, Explicit(5)]
    begins: Annotated[GeneralizedTime | None, Explicit(6)]
    ends: Annotated[GeneralizedTime, Explicit(7)]
    renewable_till: Annotated[GeneralizedTime | None, Explicit(8)]
    service_realm: Annotated[Tagged, Implicit(9)]
    service: Annotated[PrincipalName, Explicit(10)]
    addresses: Annotated[list[TypedData] | None, Explicit(11)]
    pre_authentication: Annotated[list[PreAuthentication] | None, Explicit(12)]


@sequence
class Authenticator:
    """The proof, made anew for each use of a ticket, that its user knows the session's key."""

    version: Annotated[int, Explicit(0)]
    client_realm: Annotated[Tagged, Implicit(1)]
    client: Annotated[PrincipalName, Explicit(2)]
    checksum: Annotated[Checksum | None, Explicit(3)]
    microseconds: Annotated[int, Explicit(4)]
    time: Annotated[GeneralizedTime, Explicit(5)]
    subkey: Annotated[SessionKey | None, Explicit(6)]
    number: Annotated[int | None, Explicit(7)]
    authorization: Annotated[list[TypedData] | None, Explicit(8)]


@sequence
class ServiceRequest:
    """AP-REQ: a ticket and an authenticator, for a service or for the granter of further tickets."""

    version: Annotated[int, Explicit(0)]
    kind: Annotated[int, Explicit(1)]
    options: Annotated[BitString, Explicit(2)]
    ticket: Annotated[Tagged, Implicit(3)]
    authenticator: Annotated[Encrypted, Explicit(4)]


@sequence
class Error:
    """KRB-ERROR: why there is no reply."""

    version: Annotated[int, Explicit(0)]
    kind: Annotated[int, Explicit(1)]
    client_time: Annotated[GeneralizedTime | None, Explicit(2)]
    client_microseconds: Annotated[int | None, Explicit(3)]
    time: Annotated[GeneralizedTime, Explicit(4)]
    microseconds: Annotated[int, Explicit(5)]
    code: Annotated[int, Explicit(6)]
    client_realm: Annotated[Tagged | None, Implicit(7)]
    client: Annotated[PrincipalName | None, Explicit(8)]
    realm: Annotated[Tagged, Implicit(9)]
    service: Annotated[PrincipalName, Explicit(10)]
    text: Annotated[Tagged | None, Implicit(11)]
    data: Annotated[bytes | None, Explicit(12)]
