"""Our own KDCs, one for each realm, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

from labs.parts.kerberos.kdc import Kdc
from labs.parts.kerberos.principals import Realm, Trust
from labs.parts.kerberos.server import Answer, serving
from labs.parts.kerberos.transport import Address


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def own_kdcs(
    realms: Sequence[Realm], trusts: Sequence[Trust], now: Callable[[], datetime] = _now
) -> Iterator[dict[str, Address]]:
    """Start a KDC for each realm; give their addresses, by the realms' names, until the end of the ``with``."""
    with ExitStack() as stack:
        kdcs = [Kdc.of(realm, trusts) for realm in realms]
        yield {kdc.realm: stack.enter_context(serving(_answer(kdc, now))) for kdc in kdcs}


def _answer(kdc: Kdc, now: Callable[[], datetime]) -> Answer:
    return lambda data: kdc.answer(data, now())
