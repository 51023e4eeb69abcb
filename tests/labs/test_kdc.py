"""A KDC's rules, message by message, and what hostile messages do to it: nothing."""

from __future__ import annotations

import contextlib
import random
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.asn1 import encode_der

from labs.parts.kerberos import encryption, fields
from labs.parts.kerberos.client import Client, Credential
from labs.parts.kerberos.encryption import Key, Usage, decrypt_blocks, encrypt_blocks, fold
from labs.parts.kerberos.errors import Code
from labs.parts.kerberos.kdc import Kdc
from labs.parts.kerberos.messages import (
    AUTHENTICATION_REPLY,
    AUTHENTICATION_REQUEST,
    ERROR,
    GRANTING_REPLY,
    GRANTING_REQUEST,
    PA_ENCRYPTED_TIMESTAMP,
    PA_GRANTING_REQUEST,
    VERSION,
    Encrypted,
    Error,
    PreAuthentication,
    Request,
    RequestBody,
    Timestamp,
)
from labs.parts.kerberos.own import own_kdcs
from labs.parts.kerberos.principals import Principal, Realm, Trust, ticket_granter
from labs.parts.kerberos.server import serving
from labs.parts.kerberos.tickets import Permit, seal
from labs.parts.kerberos.transport import framed

USERS, CLUSTER = "USERS.TEST", "CLUSTER.TEST"
REALMS = (Realm(USERS, {"alice": "secret"}), Realm(CLUSTER, {"host/node": "a node's secret", "carol": "secret"}))
TRUSTS = (Trust(CLUSTER, USERS, "shared"),)
KDC = Kdc.of(REALMS[1], TRUSTS)
CAROL, NODE, GRANTER = (
    Principal(("carol",), CLUSTER),
    Principal(("host", "node"), CLUSTER),
    ticket_granter(CLUSTER, CLUSTER),
)
ALICE = Principal(("alice",), USERS)
ACROSS = ticket_granter(CLUSTER, USERS)
NOW = datetime(2018, 2, 12, 9, 0, tzinfo=UTC)
HOURS = timedelta(hours=1)


def _body(service: Principal | None = NODE, client: Principal | None = None, **changed: object) -> RequestBody:
    usual = {
        "options": fields.bits(),
        "client": fields.name(client) if client else None,
        "realm": fields.text(CLUSTER),
        "service": fields.name(service) if service else None,
        "begins": None,
        "till": fields.time(NOW + 2 * HOURS),
        "renewable_till": None,
        "nonce": 7,
        "encryption_types": [encryption.ENCRYPTION_TYPE],
        "addresses": None,
        "authorization": None,
        "additional_tickets": None,
    }
    return RequestBody(**{**usual, **changed})  # type: ignore[arg-type]


def _request(kind: int, body: RequestBody, shown: Mapping[int, bytes]) -> bytes:
    pre_authentication = [PreAuthentication(kind=one, value=value) for one, value in shown.items()] or None
    encoded = fields.tagged(encode_der(body))
    return fields.write(kind, Request(version=VERSION, kind=kind, pre_authentication=pre_authentication, body=encoded))


def _timestamp(at: datetime = NOW, password: str = "secret") -> dict[int, bytes]:
    plain = encode_der(Timestamp(time=fields.time(at), microseconds=None))
    field = fields.encrypted(Key.from_password(password, CAROL.salt), Usage.TIMESTAMP, plain)
    return {PA_ENCRYPTED_TIMESTAMP: encode_der(field)}


@dataclass(frozen=True)
class Holder:
    """A ticket as a KDC would give it, and what its bearer says."""

    client: Principal = CAROL
    claims: Principal = CAROL
    granter: Principal = GRANTER
    begins: datetime = NOW - HOURS
    ends: datetime = NOW + HOURS
    at: datetime = NOW

    def ask(self, body: RequestBody, vouched: RequestBody | None = None, *, signed: bool = True) -> bytes:
        permit = Permit(self.client, Key.random(), self.begins, self.begins, self.ends)
        ticket = fields.untagged(seal(permit, self.granter, KDC.keys.get(self.granter, Key.random()), fields.bits()))
        credential = Credential(self.claims, self.granter, ticket, permit.key, self.ends)
        checksum = fields.checksum(permit.key, Usage.GRANTING_CHECKSUM, encode_der(vouched or body)) if signed else None
        proof = credential.prove(Usage.GRANTING_AUTHENTICATOR, self.at, checksum)
        return _request(GRANTING_REQUEST, body, {PA_GRANTING_REQUEST: proof})


def _code(request: bytes) -> int | str:
    """Return the code of a refusal, or the kind of what else comes."""
    answer = KDC.answer(request, NOW)
    if answer is None:
        return "silence"
    if fields.tag_of(answer) != ERROR:
        return {AUTHENTICATION_REPLY: "ticket", GRANTING_REPLY: "ticket"}[fields.tag_of(answer) or 0]
    return fields.read(ERROR, Error, answer).code


def _first(body: RequestBody, shown: Mapping[int, bytes] | None = None) -> bytes:
    return _request(AUTHENTICATION_REQUEST, body, _timestamp() if shown is None else shown)


ENCRYPTED = Encrypted(encryption_type=18, key_version=None, cipher=b"restrictions")


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (_first(_body(GRANTER, CAROL)), "ticket"),
        (_first(_body(GRANTER, CAROL), {}), Code.PRE_AUTHENTICATION_REQUIRED),
        (_first(_body(GRANTER, CAROL), _timestamp(password="wrong")), Code.PRE_AUTHENTICATION_FAILED),
        (_first(_body(GRANTER, CAROL), _timestamp(NOW + timedelta(minutes=4))), "ticket"),
        (_first(_body(GRANTER, CAROL), _timestamp(NOW + timedelta(minutes=6))), Code.CLOCK_SKEW),
        (_first(_body(GRANTER, CAROL), _timestamp(NOW - timedelta(minutes=6))), Code.CLOCK_SKEW),
        (_first(_body(GRANTER, CAROL), {PA_ENCRYPTED_TIMESTAMP: b"junk"}), "silence"),
        (_first(_body(GRANTER)), Code.CLIENT_UNKNOWN),
        (_first(_body(GRANTER, Principal(("dave",), CLUSTER))), Code.CLIENT_UNKNOWN),
        (_first(_body(None, CAROL)), Code.SERVICE_UNKNOWN),
        (_first(_body(GRANTER, CAROL, realm=fields.text(USERS))), Code.WRONG_REALM),
        (_first(_body(GRANTER, CAROL, encryption_types=[17, 23])), Code.ENCRYPTION_TYPE_UNSUPPORTED),
        (_first(_body(GRANTER, CAROL, options=fields.bits(6))), Code.BAD_OPTION),
        (_first(_body(GRANTER, CAROL, options=fields.bits(1, 8, 15, 27))), "ticket"),
        (_first(_body(GRANTER, CAROL, till=fields.time(NOW - HOURS))), Code.NEVER_VALID),
        (_first(_body(GRANTER, CAROL, till=fields.time(datetime.fromtimestamp(0, UTC)))), "ticket"),
        (Holder().ask(_body()), "ticket"),
        (Holder(client=ALICE, claims=ALICE, granter=ACROSS).ask(_body()), "ticket"),
        (Holder().ask(_body(ticket_granter(USERS, CLUSTER))), Code.SERVICE_UNKNOWN),
        (Holder().ask(_body(Principal(("host", "other"), CLUSTER))), Code.SERVICE_UNKNOWN),
        (Holder(granter=ACROSS, client=CAROL).ask(_body()), Code.POLICY),
        (Holder(claims=ALICE).ask(_body()), Code.CLIENT_MISMATCH),
        (Holder(granter=NODE).ask(_body()), Code.NOT_FOR_US),
        (Holder(granter=ticket_granter(CLUSTER, "ELSEWHERE")).ask(_body()), Code.NOT_FOR_US),
        (Holder(ends=NOW - timedelta(minutes=6)).ask(_body()), Code.TICKET_EXPIRED),
        (Holder(begins=NOW + timedelta(minutes=6)).ask(_body()), Code.TICKET_NOT_YET_VALID),
        (Holder(at=NOW - timedelta(minutes=6)).ask(_body()), Code.CLOCK_SKEW),
        (Holder().ask(_body(), _body(nonce=8)), Code.MODIFIED),
        (Holder().ask(_body(), signed=False), Code.INAPPROPRIATE_CHECKSUM),
        (Holder().ask(_body(authorization=ENCRYPTED)), Code.POLICY),
        (Holder().ask(_body(options=fields.bits(28))), Code.BAD_OPTION),
        (_request(GRANTING_REQUEST, _body(), {}), Code.PRE_AUTHENTICATION_TYPE_UNSUPPORTED),
        (KDC.answer(_first(_body(GRANTER, CAROL)), NOW), "silence"),
    ],
)
def test_each_request_has_its_answer(request_: bytes, expected: int | str) -> None:
    assert _code(request_) == expected


def test_a_forged_ticket_is_not_believed() -> None:
    forger = replace(KDC, keys={**KDC.keys, GRANTER: Key.random()})
    request = Holder().ask(_body())
    answer = forger.answer(request, NOW)
    assert answer
    assert fields.read(ERROR, Error, answer).code == Code.BAD_INTEGRITY


def test_a_ticket_lasts_no_longer_than_the_one_before() -> None:
    with own_kdcs(REALMS, TRUSTS) as addresses:
        now = [datetime.now(UTC)]
        client = Client(addresses, lambda: now[0])
        first = client.login(ALICE, "secret")
        now[0] += timedelta(minutes=4)
        assert client.ticket(first, NODE).ends == first.ends


def test_the_encryption_is_that_of_the_rfcs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The values are test vectors of RFC 3961, A.1, and RFC 3962, B."""
    assert fold(b"012345", 8).hex() == "be072631276b1955"
    assert fold(b"kerberos", 16).hex() == "6b65726265726f737b9b5b2b93132b93"
    for text, encrypted in (
        ("I would like the ", "c6353568f2bf8cb4d8a580362da7ff7f97"),
        (
            "I would like the General Gau's ",
            "fc00783e0efdb2c1d445d4c8eff7ed2297687268d6ecccc0c07b25e25ecfe5",
        ),
    ):
        assert encrypt_blocks(b"chicken teriyaki", text.encode()).hex() == encrypted
        assert decrypt_blocks(b"chicken teriyaki", bytes.fromhex(encrypted)) == text.encode()
    monkeypatch.setattr(encryption, "_ITERATIONS", 1200)
    assert Key.from_password("password", "ATHENA.MIT.EDUraeburn").secret.hex() == (
        "55a6ac740ad17b4846941051e1e8b0a7548d93b0ab30a8bc3ff16280382b8c2a"
    )


@pytest.mark.parametrize("size", [0, 1, 4, 16, 17, 47, 48, 49, 1000])
def test_what_is_encrypted_can_be_read_with_that_key_and_for_that_usage_only(size: int) -> None:
    key, text = Key.random(), bytes(range(256)) * 4
    encrypted = key.encrypt(text[: size + 1], Usage.TICKET)
    assert key.decrypt(encrypted, Usage.TICKET) == text[: size + 1]
    assert encrypted != key.encrypt(text[: size + 1], Usage.TICKET)
    for other, usage in ((Key.random(), Usage.TICKET), (key, Usage.TIMESTAMP)):
        with pytest.raises(encryption.IntegrityError):
            other.decrypt(encrypted, usage)
    with pytest.raises(encryption.IntegrityError):
        key.decrypt(encrypted[:-1], Usage.TICKET)


def _hostile(count: int) -> list[bytes]:
    """Return requests, each with a few bytes changed, cut out or put in, and noise."""
    dice = random.Random(7)
    good = [_first(_body(GRANTER, CAROL), {}), _first(_body(GRANTER, CAROL)), Holder().ask(_body())]
    made = [
        b"",
        b"\x6a",
        b"\x6a\x84\xff\xff\xff\xff",
        b"\x6a\x80",
        b"\x30" * 60_000,
        b"\x6a\x82\xea\x60" + b"\xa1" * 60_000,
    ]
    while len(made) < count:
        data = bytearray(dice.choice(good) if dice.random() < 0.9 else dice.randbytes(dice.randrange(300)))
        for _ in range(dice.randrange(1, 5)):
            start = dice.randrange(len(data) + 1)
            data[start : start + dice.randrange(3)] = dice.randbytes(dice.randrange(3))
        made.append(bytes(data))
    return made


def test_ten_thousand_hostile_requests_get_an_answer_or_silence_at_once() -> None:
    requests, begun = _hostile(10_000), time.process_time()
    answers = [KDC.answer(request, NOW) for request in requests]
    assert time.process_time() - begun < 10
    heard = {fields.tag_of(answer) if answer else None for answer in answers}
    assert {None, ERROR} <= heard <= {None, ERROR, AUTHENTICATION_REPLY, GRANTING_REPLY}


def test_over_the_network_they_stop_nothing() -> None:
    with own_kdcs(REALMS, TRUSTS) as addresses, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        address = addresses[CLUSTER]
        for request in _hostile(300):
            datagrams.sendto(request, address)
            with socket.create_connection(address) as connection, contextlib.suppress(OSError):
                connection.sendall(framed(request))
        assert Client(addresses).login(CAROL, "secret").client == CAROL


@pytest.mark.parametrize("start", [(1 << 20).to_bytes(4), b"\xff" * 4, bytes(4)])
def test_a_length_that_is_too_great_ends_the_connection(start: bytes) -> None:
    with own_kdcs(REALMS, TRUSTS) as addresses, socket.create_connection(addresses[CLUSTER], 5) as connection:
        connection.sendall(start)
        assert connection.recv(1) == b""
        assert Client(addresses).login(CAROL, "secret").client == CAROL


def test_those_who_send_nothing_do_not_keep_others_out_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labs.parts.kerberos.server._PATIENCE", 0.2)
    with serving(lambda data: data) as address, contextlib.ExitStack() as stack:
        silent = [stack.enter_context(socket.create_connection(address, 5)) for _ in range(80)]
        with socket.create_connection(address, 5) as connection:
            connection.sendall(framed(b"asked"))
            assert connection.recv(100) == framed(b"asked")
        for connection in silent:
            assert connection.recv(1) == b""
