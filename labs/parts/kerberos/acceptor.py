"""The service's side: it believes a ticket that its own key opens, and learns from it who the client is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from labs.parts.kerberos import fields
from labs.parts.kerberos.encryption import Key, Usage
from labs.parts.kerberos.errors import Code, KerberosError
from labs.parts.kerberos.messages import SERVICE_REQUEST, ServiceRequest
from labs.parts.kerberos.principals import Principal
from labs.parts.kerberos.tickets import service_of, ticket_of, verify


@dataclass(frozen=True)
class Acceptor:
    """A service with its key, which stands in its key table; it asks no KDC."""

    service: Principal
    key: Key
    _seen: set[bytes] = field(default_factory=set)

    def accept(self, data: bytes, now: datetime) -> Principal:
        """Return who sends this request; raise KerberosError where it proves nothing, ValueError where it is none."""
        request = fields.read(SERVICE_REQUEST, ServiceRequest, data)
        if service_of(ticket_of(request)) != self.service:
            raise KerberosError(Code.NOT_FOR_US)
        bearer = verify(request, self.key, Usage.SERVICE_AUTHENTICATOR, now)
        # Who listened on the way may send the same once more (RFC 4120, 3.2.3).
        if request.authenticator.cipher in self._seen:
            raise KerberosError(Code.REPLAY)
        self._seen.add(request.authenticator.cipher)
        return bearer.permit.client
