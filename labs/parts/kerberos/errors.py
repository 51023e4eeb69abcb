"""What a KDC or a service answers where it refuses: the codes of RFC 4120, 7.5.9."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """The reasons for a refusal that this package gives or tells apart."""

    CLIENT_UNKNOWN = 6
    SERVICE_UNKNOWN = 7
    NEVER_VALID = 11
    POLICY = 12
    BAD_OPTION = 13
    ENCRYPTION_TYPE_UNSUPPORTED = 14
    PRE_AUTHENTICATION_TYPE_UNSUPPORTED = 16
    PRE_AUTHENTICATION_FAILED = 24
    PRE_AUTHENTICATION_REQUIRED = 25
    BAD_INTEGRITY = 31
    TICKET_EXPIRED = 32
    TICKET_NOT_YET_VALID = 33
    REPLAY = 34
    NOT_FOR_US = 35
    CLIENT_MISMATCH = 36
    CLOCK_SKEW = 37
    MODIFIED = 41
    INAPPROPRIATE_CHECKSUM = 50
    WRONG_REALM = 68


class KerberosError(Exception):
    """A request is refused; ``data`` tells the client what to do instead, where the code says so."""

    def __init__(self, code: int, data: bytes | None = None) -> None:
        known = code in set(Code)
        super().__init__(Code(code).name.lower().replace("_", " ") if known else f"code {code}")
        self.code = code
        self.data = data
