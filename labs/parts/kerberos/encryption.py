"""The encryption type aes256-cts-hmac-sha1-96 of Kerberos (RFC 3961 and 3962), the best that Active Directory has."""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Self

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, ECB

ENCRYPTION_TYPE = 18
CHECKSUM_TYPE = 16
"""The numbers of aes256-cts-hmac-sha1-96 and of its checksum, hmac-sha1-96-aes256 (RFC 3962, 7)."""

_BLOCK = 16
_KEY_BYTES = 32
_MAC_BYTES = 12
_ITERATIONS = 4096
_ZEROS = bytes(_BLOCK)
_FOR_CHECKSUM, _FOR_INTEGRITY, _FOR_ENCRYPTION = b"\x99", b"\x55", b"\xaa"


class Usage(IntEnum):
    """What is encrypted or summed; each usage of a key has keys of its own, derived from it (RFC 4120, 7.5.1)."""

    TIMESTAMP = 1
    TICKET = 2
    AUTHENTICATION_REPLY = 3
    GRANTING_CHECKSUM = 6
    GRANTING_AUTHENTICATOR = 7
    REPLY_BY_SESSION_KEY = 8
    REPLY_BY_SUBKEY = 9
    SERVICE_AUTHENTICATOR = 11


class IntegrityError(ValueError):
    """What was to be decrypted was made with another key, or was changed."""


@dataclass(frozen=True, repr=False)
class Key:
    """A key of 32 bytes."""

    secret: bytes

    def __post_init__(self) -> None:
        if len(self.secret) != _KEY_BYTES:
            raise ValueError("A key of aes256-cts-hmac-sha1-96 has 32 bytes.")

    @classmethod
    def random(cls) -> Self:
        """Return a new key."""
        return cls(secrets.token_bytes(_KEY_BYTES))

    @classmethod
    def from_password(cls, password: str, salt: str) -> Self:
        """Return the key of a password (RFC 3962, 4)."""
        stretched = hashlib.pbkdf2_hmac("sha1", password.encode(), salt.encode(), _ITERATIONS, _KEY_BYTES)
        return cls(_derive(stretched, b"kerberos"))

    def encrypt(self, plain: bytes, usage: Usage) -> bytes:
        """Return the ciphertext, its code of authentication at the end; the same text is another each time."""
        confounded = secrets.token_bytes(_BLOCK) + plain
        code = self._code(confounded, usage, _FOR_INTEGRITY)
        return encrypt_blocks(self._derived(usage, _FOR_ENCRYPTION), confounded) + code

    def decrypt(self, encrypted: bytes, usage: Usage) -> bytes:
        """Return the plain text; raise IntegrityError where this is not the key of it."""
        blocks, code = encrypted[:-_MAC_BYTES], encrypted[-_MAC_BYTES:]
        if len(blocks) <= _BLOCK:
            raise IntegrityError("The ciphertext is too short.")
        confounded = decrypt_blocks(self._derived(usage, _FOR_ENCRYPTION), blocks)
        if not hmac.compare_digest(self._code(confounded, usage, _FOR_INTEGRITY), code):
            raise IntegrityError("The ciphertext was made with another key, or was changed.")
        return confounded[_BLOCK:]

    def checksum(self, text: bytes, usage: Usage) -> bytes:
        """Return a checksum that only those who know the key can make."""
        return self._code(text, usage, _FOR_CHECKSUM)

    def _derived(self, usage: Usage, purpose: bytes) -> bytes:
        return _derive(self.secret, usage.to_bytes(4) + purpose)

    def _code(self, text: bytes, usage: Usage, purpose: bytes) -> bytes:
        return hmac.digest(self._derived(usage, purpose), text, "sha1")[:_MAC_BYTES]


def encrypt_blocks(key: bytes, plain: bytes) -> bytes:
    """Encrypt more than 16 bytes with AES in CBC, the last two blocks swapped and cut, so that no padding is left."""
    cipher = Cipher(AES(key), CBC(_ZEROS)).encryptor()
    whole = cipher.update(plain + bytes(-len(plain) % _BLOCK))
    return (whole[: -2 * _BLOCK] + whole[-_BLOCK:] + whole[-2 * _BLOCK : -_BLOCK])[: len(plain)]


def decrypt_blocks(key: bytes, encrypted: bytes) -> bytes:
    """Undo ``encrypt_blocks``."""
    size = len(encrypted) % _BLOCK or _BLOCK
    first, last, cut = encrypted[: -size - _BLOCK], encrypted[-size - _BLOCK : -size], encrypted[-size:]
    # What was cut off had been encrypted once more, into the block that now stands before the last.
    rest = Cipher(AES(key), ECB()).decryptor().update(last)[size:]  # noqa: S305 (one block, as the RFC has it)
    return Cipher(AES(key), CBC(_ZEROS)).decryptor().update(first + cut + rest + last)[: len(encrypted)]


def _derive(secret: bytes, constant: bytes) -> bytes:
    """Return DK of RFC 3961, 5.1: blocks of the constant, encrypted over and over."""
    cipher = Cipher(AES(secret), ECB()).encryptor()  # noqa: S305 (single blocks, as the RFC has it)
    first = cipher.update(fold(constant, _BLOCK))
    return first + cipher.update(first)


@cache
def fold(text: bytes, size: int) -> bytes:
    """Spread a text over ``size`` bytes (n-fold of RFC 3961, 5.1)."""
    bits, mask = 8 * len(text), (1 << 8 * size) - 1
    number = int.from_bytes(text)
    repeated = b""
    for turn in range(math.lcm(len(text), size) // len(text)):
        shift = 13 * turn % bits
        repeated += ((number >> shift | number << bits - shift) & (1 << bits) - 1).to_bytes(len(text))
    total = sum(int.from_bytes(repeated[start : start + size]) for start in range(0, len(repeated), size))
    while total > mask:
        total = (total & mask) + (total >> 8 * size)
    return total.to_bytes(size)
