"""Between the messages of Kerberos and our own values; whatever cannot be read raises ValueError."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from cryptography.hazmat.asn1 import TLV, BitString, GeneralizedTime, decode_der, encode_der

from labs.parts.kerberos.encryption import CHECKSUM_TYPE, ENCRYPTION_TYPE, IntegrityError, Key, Usage
from labs.parts.kerberos.errors import Code, KerberosError
from labs.parts.kerberos.messages import (
    NAME_PRINCIPAL,
    NAME_SERVICE,
    Checksum,
    Encrypted,
    PrincipalName,
    SessionKey,
    Tagged,
)
from labs.parts.kerberos.principals import Principal

Message = TypeVar("Message")

_GENERAL_STRING, _SEQUENCE, _APPLICATION = 0x1B, 0x30, 0x60


def tag_of(data: bytes) -> int | None:
    """Return the application tag of a message, None where it has none."""
    return data[0] - _APPLICATION if data and _APPLICATION <= data[0] < _APPLICATION + 31 else None


def write(tag: int, message: object) -> bytes:
    """Encode a message under its application tag."""
    return _der(_APPLICATION | tag, encode_der(message))


def read(tag: int, kind: type[Message], data: bytes) -> Message:
    """Decode a message that must have this application tag."""
    outer = decode_der(TLV, data)
    if bytes(outer.tag_bytes) != bytes([_APPLICATION | tag]):
        raise ValueError("The message is of another kind.")
    return decode_der(kind, bytes(outer.data))


def tagged(data: bytes) -> Tagged:
    """Return something encoded as a field."""
    return Tagged(value=decode_der(TLV, data))


def untagged(field: Tagged) -> bytes:
    """Return what a field holds, encoded."""
    return encode_der(field.value)


def write_list(holder: object) -> bytes:
    """Encode the one list in a message as a message by itself."""
    return bytes(decode_der(TLV, encode_der(holder)).data)


def read_list(kind: type[Message], data: bytes) -> Message:
    """Decode a list that is a message by itself into the message that holds one."""
    return decode_der(kind, _der(_SEQUENCE, data))


def text(value: str) -> Tagged:
    """Return a text as a field."""
    return tagged(_der(_GENERAL_STRING, value.encode()))


def text_of(field: Tagged) -> str:
    """Return the text of a field."""
    return _text_of(field.value)


def name(principal: Principal) -> PrincipalName:
    """Return a principal as a field."""
    kind = NAME_PRINCIPAL if len(principal.components) == 1 else NAME_SERVICE
    components = [decode_der(TLV, _der(_GENERAL_STRING, one.encode())) for one in principal.components]
    return PrincipalName(kind=kind, components=components)


def principal(field: PrincipalName, realm: Tagged) -> Principal:
    """Return the principal that two fields name."""
    return Principal(tuple(map(_text_of, field.components)), text_of(realm))


def encrypted(key: Key, usage: Usage, plain: bytes, key_version: int | None = None) -> Encrypted:
    """Encrypt what goes into a message."""
    cipher = key.encrypt(plain, usage)
    return Encrypted(encryption_type=ENCRYPTION_TYPE, key_version=key_version, cipher=cipher)


def decrypted(key: Key, usage: Usage, field: Encrypted) -> bytes:
    """Decrypt what came in a message; raise KerberosError where the key is not its."""
    if field.encryption_type != ENCRYPTION_TYPE:
        raise KerberosError(Code.ENCRYPTION_TYPE_UNSUPPORTED)
    try:
        return key.decrypt(field.cipher, usage)
    except IntegrityError:
        raise KerberosError(Code.BAD_INTEGRITY) from None


def session_key(key: Key) -> SessionKey:
    """Return a key as a field."""
    return SessionKey(encryption_type=ENCRYPTION_TYPE, secret=key.secret)


def checksum(key: Key, usage: Usage, data: bytes) -> Checksum:
    """Return a checksum as a field."""
    return Checksum(kind=CHECKSUM_TYPE, value=key.checksum(data, usage))


def key_of(field: SessionKey) -> Key:
    """Return the key of a field."""
    if field.encryption_type != ENCRYPTION_TYPE:
        raise KerberosError(Code.ENCRYPTION_TYPE_UNSUPPORTED)
    return Key(field.secret)


def time(moment: datetime) -> GeneralizedTime:
    """Return a moment as a field, which has whole seconds."""
    return GeneralizedTime(moment.replace(microsecond=0))


def bits(*numbers: int) -> BitString:
    """Return 32 flags, those of these numbers set; the first, of number 0, is the highest bit."""
    return BitString(sum(1 << 31 - number for number in numbers).to_bytes(4), 0)


def has_bit(field: BitString, number: int) -> bool:
    """Return whether a flag is set."""
    octets = field.as_bytes()
    return number < 8 * len(octets) and bool(octets[number // 8] & 0x80 >> number % 8)


def _text_of(value: TLV) -> str:
    if bytes(value.tag_bytes) != bytes([_GENERAL_STRING]):
        raise ValueError("A name in the message is no text.")
    return bytes(value.data).decode()


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content
