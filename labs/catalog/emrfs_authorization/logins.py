"""How people get onto the cluster: by tickets across the one-way trust, with the groups of the directory."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from labs.findings import Refused
from labs.parts.directory import Directory, Table, User
from labs.parts.kerberos.acceptor import Acceptor
from labs.parts.kerberos.client import Client
from labs.parts.kerberos.encryption import Key
from labs.parts.kerberos.failures import KerberosFailure, NoTrust
from labs.parts.kerberos.mit import mit_kdcs
from labs.parts.kerberos.own import own_kdcs
from labs.parts.kerberos.principals import Principal, Realm, Trust
from labs.parts.kerberos.transport import Address
from labs.parts.slapd import slapd

REALM, CLUSTER = "EMRKRB.TEST.COM", "EC2.INTERNAL"
_NODE = "host/master"
_DIRECTORY_SERVICE = "ldap/directory"


@dataclass(frozen=True)
class MasterNode:
    """The node that people log in to: it believes tickets for itself, and asks the directory for groups."""

    client: Client
    acceptor: Acceptor
    directory: Directory
    passwords: Mapping[str, str]

    def log_in(self, user: str) -> tuple[str, frozenset[str]]:
        """Log somebody in with the password; return the name that the node knows then, and its groups."""
        now = datetime.now(UTC)
        granting = self.client.login(Principal.parse(f"{user}@{REALM}"), self.passwords[user])
        ticket = self.client.ticket(granting, self.acceptor.service)
        name = self.acceptor.accept(ticket.request(now), now).name
        return name, frozenset(self.directory.groups(name))

    def is_trusted_by_the_directory(self) -> bool:
        """Return whether the node itself gets a ticket for the directory; the trust has one direction only."""
        granting = self.client.login(self.acceptor.service, self.passwords[_NODE])
        try:
            self.client.ticket(granting, Principal.parse(f"{_DIRECTORY_SERVICE}@{REALM}"))
        except NoTrust:
            return False
        return True


@contextmanager
def master_node(groups: Mapping[str, tuple[str, ...]], kdc: str, directory: str) -> Iterator[MasterNode]:
    """Start the directory and both KDCs; give the node until the end of the ``with``. Raises Refused."""
    passwords = {name: secrets.token_hex(12) for name in (*groups, _NODE, _DIRECTORY_SERVICE)}
    people = tuple(User(name, passwords[name], of) for name, of in groups.items())
    realms = (
        Realm(REALM, {name: passwords[name] for name in (*groups, _DIRECTORY_SERVICE)}),
        Realm(CLUSTER, {_NODE: passwords[_NODE]}),
    )
    trust = Trust(trusting=CLUSTER, trusted=REALM, password=secrets.token_hex(12))
    service = Principal.parse(f"{_NODE}@{CLUSTER}")
    acceptor = Acceptor(service, Key.from_password(passwords[_NODE], service.salt))
    with _kdcs(kdc, realms, trust) as addresses, _directory(directory, people) as known:
        try:
            yield MasterNode(Client(addresses), acceptor, known, passwords)
        except KerberosFailure as error:
            raise Refused(str(error)) from error


def _kdcs(kind: str, realms: tuple[Realm, ...], trust: Trust) -> AbstractContextManager[Mapping[str, Address]]:
    if kind == "own":
        return own_kdcs(realms, [trust])
    folder = Path("kdcs")
    folder.mkdir()
    return mit_kdcs(realms, [trust], folder)


def _directory(kind: str, people: tuple[User, ...]) -> AbstractContextManager[Directory]:
    return slapd(people, REALM.lower(), Path("directory")) if kind == "slapd" else nullcontext(Table(people))
