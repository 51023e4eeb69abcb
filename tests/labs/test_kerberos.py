"""One client logs in at our KDCs and at MIT's, across a trust that goes one way; and MIT's client at ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from labs.findings import Refused
from labs.parts.kerberos import mit
from labs.parts.kerberos.acceptor import Acceptor
from labs.parts.kerberos.client import Client, Credential
from labs.parts.kerberos.encryption import Key
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
from labs.parts.kerberos.mit import mit_kdcs
from labs.parts.kerberos.own import own_kdcs
from labs.parts.kerberos.principals import Principal, Realm, Trust
from labs.parts.kerberos.transport import Address
from tests.conftest import missing

DIRECTORY, CLUSTER = "EMRKRB.TEST.COM", "EC2.INTERNAL"
ODD = "a \"b' c\\ é $x"
REALMS = (
    Realm(DIRECTORY, {"admin1": "Abc123456", "odd.one": ODD, "host/filer": "a filer's secret"}),
    Realm(CLUSTER, {"hadoop": "elephant", "host/master": "a node's secret"}),
)
TRUSTS = (Trust(trusting=CLUSTER, trusted=DIRECTORY, password="MatchADTrustPwd"),)
ADMIN, ODD_ONE = Principal(("admin1",), DIRECTORY), Principal(("odd.one",), DIRECTORY)
HADOOP = Principal(("hadoop",), CLUSTER)
MASTER, FILER = Principal(("host", "master"), CLUSTER), Principal(("host", "filer"), DIRECTORY)


def _now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def acceptor() -> Acceptor:
    return Acceptor(MASTER, Key.from_password("a node's secret", MASTER.salt))


def _need_mit() -> None:
    if any(shutil.which(program, path=mit._PATH) is None for program in mit.PROGRAMS):
        missing("MIT's KDC (krb5-kdc and krb5-admin-server)")


@pytest.fixture(scope="module")
def ours() -> Iterator[dict[str, Address]]:
    with own_kdcs(REALMS, TRUSTS) as addresses:
        yield addresses


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Address]]:
    _need_mit()
    with mit_kdcs(REALMS, TRUSTS, tmp_path_factory.mktemp("kdcs")) as addresses:
        yield addresses


@pytest.fixture(params=["ours", "theirs"])
def client(request: pytest.FixtureRequest) -> Client:
    return Client(request.getfixturevalue(request.param))


def test_a_user_of_the_directory_is_known_to_the_cluster(client: Client, acceptor: Acceptor) -> None:
    credential = client.ticket(client.login(ADMIN, "Abc123456"), MASTER)
    assert acceptor.accept(credential.request(_now()), _now()) == ADMIN
    assert timedelta(hours=9) < credential.ends - _now() <= timedelta(hours=10)


def test_a_user_of_the_cluster_needs_no_trust(client: Client, acceptor: Acceptor) -> None:
    credential = client.ticket(client.login(HADOOP, "elephant"), MASTER)
    assert acceptor.accept(credential.request(_now()), _now()) == HADOOP


def test_any_password_will_do(client: Client) -> None:
    assert client.login(ODD_ONE, ODD).client == ODD_ONE


def test_the_reverse_of_the_trust_is_refused(client: Client) -> None:
    with pytest.raises(NoTrust, match=r"the realm EMRKRB.TEST.COM does not trust EC2.INTERNAL"):
        client.ticket(client.login(HADOOP, "elephant"), FILER)


def test_without_a_trust_nobody_crosses() -> None:
    with own_kdcs(REALMS, ()) as addresses:
        client = Client(addresses)
        with pytest.raises(NoTrust, match=r"the realm EC2.INTERNAL does not trust EMRKRB.TEST.COM"):
            client.ticket(client.login(ADMIN, "Abc123456"), MASTER)


@pytest.mark.parametrize(
    ("user", "password", "kind", "sentence"),
    [
        (ADMIN, "abc123456", WrongPassword, "The password is not that of admin1@EMRKRB.TEST.COM."),
        (ADMIN, "", WrongPassword, "The password is not that of admin1@EMRKRB.TEST.COM."),
        (Principal(("nobody",), DIRECTORY), "x", UnknownUser, "The realm EMRKRB.TEST.COM has no user nobody."),
        (Principal(("admin1",), "ELSEWHERE"), "x", Unreachable, "No KDC of ELSEWHERE is known here"),
    ],
)
def test_each_failure_of_a_login_has_its_own_sentence(
    client: Client, user: Principal, password: str, kind: type[KerberosFailure], sentence: str
) -> None:
    with pytest.raises(kind, match=sentence):
        client.login(user, password)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_clocks_that_differ_have_their_own_sentence(client: Client, minutes: int) -> None:
    late = Client(client.addresses, lambda: _now() + timedelta(minutes=minutes))
    with pytest.raises(ClockSkew, match="differ by more than five minutes"):
        late.login(ADMIN, "Abc123456")


def test_a_service_that_is_not_there_has_its_own_sentence(client: Client) -> None:
    with pytest.raises(UnknownService, match=r"The realm EC2.INTERNAL has no service host/slave"):
        client.ticket(client.login(ADMIN, "Abc123456"), Principal(("host", "slave"), CLUSTER))


def test_a_kdc_that_is_gone_has_its_own_sentence() -> None:
    with own_kdcs(REALMS, TRUSTS) as addresses:
        pass
    with pytest.raises(Unreachable, match=r"No KDC of EMRKRB.TEST.COM answers at 127.0.0.1:\d+"):
        Client(addresses).login(ADMIN, "Abc123456")


@pytest.fixture
def held(ours: dict[str, Address]) -> Credential:
    client = Client(ours)
    return client.ticket(client.login(ADMIN, "Abc123456"), MASTER)


def test_what_was_sent_once_is_not_believed_again(held: Credential, acceptor: Acceptor) -> None:
    request = held.request(_now())
    acceptor.accept(request, _now())
    with pytest.raises(KerberosError, match="replay"):
        acceptor.accept(request, _now())
    assert acceptor.accept(held.request(_now()), _now()) == ADMIN


def test_a_ticket_is_good_for_its_service_only(held: Credential) -> None:
    stranger = Acceptor(MASTER, Key.from_password("a guess", MASTER.salt))
    with pytest.raises(KerberosError) as caught:
        stranger.accept(held.request(_now()), _now())
    assert caught.value.code == Code.BAD_INTEGRITY
    with pytest.raises(KerberosError, match="not for us"):
        Acceptor(FILER, stranger.key).accept(held.request(_now()), _now())


def test_a_ticket_without_its_session_key_is_worth_nothing(held: Credential, acceptor: Acceptor) -> None:
    thief = Credential(held.client, held.service, held.ticket, Key.random(), held.ends)
    with pytest.raises(KerberosError, match="bad integrity"):
        acceptor.accept(thief.request(_now()), _now())
    liar = Credential(Principal(("root",), DIRECTORY), held.service, held.ticket, held.key, held.ends)
    with pytest.raises(KerberosError, match="client mismatch"):
        acceptor.accept(liar.request(_now()), _now())


def test_a_ticket_ends(held: Credential, acceptor: Acceptor) -> None:
    late = _now() + timedelta(hours=10, minutes=6)
    with pytest.raises(KerberosError, match="ticket expired"):
        acceptor.accept(held.request(late), late)


def test_a_login_takes_ten_milliseconds_of_a_processor(ours: dict[str, Address], acceptor: Acceptor) -> None:
    client, spent = Client(ours), []
    for _ in range(20):
        begun = time.process_time()
        credential = client.ticket(client.login(ADMIN, "Abc123456"), MASTER)
        acceptor.accept(credential.request(_now()), _now())
        spent.append(time.process_time() - begun)
    # The KDCs' own share is in it. On a machine that is busy even the least of twenty counts twice.
    assert min(spent) < 0.025


def test_our_kdcs_listen_on_loopback_only(ours: dict[str, Address], listening: Callable[[int], list[str]]) -> None:
    _assert_loopback(ours, listening(os.getpid()))


def test_mits_kdcs_listen_on_loopback_only(
    tmp_path: Path, listening: Callable[[int], list[str]], started: list[subprocess.Popen[str]]
) -> None:
    _need_mit()
    with mit_kdcs(REALMS, TRUSTS, tmp_path) as addresses:
        running = [process for process in started if process.poll() is None]
        assert len(running) == 2
        _assert_loopback(addresses, [found for process in running for found in listening(process.pid)])
    assert all(process.poll() is not None for process in started)


def _assert_loopback(addresses: dict[str, Address], found: list[str]) -> None:
    """In /proc/net, 127.0.0.1 is 0100007F; each realm has a port of TCP and one of UDP."""
    assert sorted(found) == sorted(2 * [f"0100007F:{port:04X}" for _host, port in addresses.values()])


def test_where_mits_kdc_is_missing_ours_is_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mit, "_PATH", str(tmp_path))
    with pytest.raises(Refused, match="choose our own KDC"), mit_kdcs(REALMS, TRUSTS, tmp_path):
        pass


@pytest.mark.parametrize("password", ["two\nlines", ""])
def test_mits_kdc_refuses_a_password_that_it_cannot_take(tmp_path: Path, password: str) -> None:
    _need_mit()
    realms = (Realm(DIRECTORY, {"admin1": password}),)
    with pytest.raises(Refused, match="no empty password"), mit_kdcs(realms, (), tmp_path):
        pass


@pytest.mark.parametrize("name", ["", "../UP", "A B", "A@B", "A = {\n"])
def test_a_realm_has_the_name_of_a_domain(name: str) -> None:
    with pytest.raises(Refused, match="cannot name a realm"):
        Realm(name, {})


@pytest.mark.parametrize("text", ["admin1", "admin1@", "@REALM", "host/@REALM"])
def test_a_principal_has_a_name_and_a_realm(text: str) -> None:
    with pytest.raises(ValueError, match="is not a principal; write name@REALM"):
        Principal.parse(text)


@dataclass
class MitClient:
    """MIT's kinit, kvno and klist, with settings and a cache of their own."""

    environment: dict[str, str]

    def run(self, *command: str, password: str = "") -> tuple[int, str]:
        options = {"capture_output": True, "text": True, "check": False, "env": self.environment}
        ran = subprocess.run(command, input=f"{password}\n", **options)  # type: ignore[call-overload]
        return ran.returncode, ran.stdout + ran.stderr


@pytest.fixture(params=["UDP", "TCP"])
def mit_client(request: pytest.FixtureRequest, tmp_path: Path, ours: dict[str, Address]) -> MitClient:
    if not all(map(shutil.which, ("kinit", "kvno", "klist"))):
        missing("MIT's client (krb5-user)")
    limit = 1 if request.param == "TCP" else 65_000
    realms = "".join(f" {name} = {{\n  kdc = {host}:{port}\n }}\n" for name, (host, port) in ours.items())
    (tmp_path / "krb5.conf").write_text(
        f"[libdefaults]\n default_realm = {CLUSTER}\n dns_lookup_kdc = false\n dns_canonicalize_hostname = false\n"
        f" udp_preference_limit = {limit}\n[realms]\n{realms}"
    )
    settings = {"KRB5_CONFIG": str(tmp_path / "krb5.conf"), "KRB5CCNAME": f"FILE:{tmp_path / 'cache'}"}
    return MitClient({"PATH": os.defpath, "LC_ALL": "C", **settings})


def test_mits_client_crosses_the_trust_with_our_kdcs(mit_client: MitClient) -> None:
    assert mit_client.run("kinit", str(ADMIN), password="Abc123456")[0] == 0
    assert mit_client.run("kvno", str(MASTER)) == (0, f"{MASTER}: kvno = 1\n")
    tickets = mit_client.run("klist")[1]
    for service in (f"krbtgt/{DIRECTORY}@{DIRECTORY}", f"krbtgt/{CLUSTER}@{DIRECTORY}", str(MASTER)):
        assert service in tickets


def test_mits_client_is_refused_the_reverse_by_our_kdcs(mit_client: MitClient) -> None:
    assert mit_client.run("kinit", str(HADOOP), password="elephant")[0] == 0
    status, said = mit_client.run("kvno", str(FILER))
    assert status == 1
    assert f"Server krbtgt/{DIRECTORY}@{CLUSTER} not found" in said


def test_mits_client_understands_our_refusals(mit_client: MitClient) -> None:
    status, said = mit_client.run("kinit", str(ADMIN), password="wrong")
    assert (status, "Password incorrect" in said) == (1, True)
    status, said = mit_client.run("kinit", f"nobody@{DIRECTORY}", password="wrong")
    assert (status, "not found in Kerberos database" in said) == (1, True)
