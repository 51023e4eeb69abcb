"""Why a login or a request for a ticket came to nothing, each with a sentence for the person who tried."""

from __future__ import annotations


class KerberosFailure(Exception):  # noqa: N818 (the subject's word; an error is what a KDC sends)
    """A login or a request for a ticket failed; the sentence says why."""


class WrongPassword(KerberosFailure):
    """The password is not the user's."""


class UnknownUser(KerberosFailure):
    """The realm has no such user."""


class UnknownService(KerberosFailure):
    """The realm has no such service."""


class NoTrust(KerberosFailure):
    """The service's realm does not trust the user's."""


class ClockSkew(KerberosFailure):
    """The clocks of the client and of the KDC differ by too much."""


class Unreachable(KerberosFailure):
    """No KDC answers."""
