"""Both kinds of directory and of KDC start inside a run, under its limits and in its own namespaces."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace

import pytest

from labs import runner
from labs.parts import slapd
from labs.parts.kerberos import mit
from labs.registry import Lab
from labs.runner import Limits
from tests.conftest import missing

CODE = """
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from labs.parts.directory import Table, User
from labs.parts.kerberos.acceptor import Acceptor
from labs.parts.kerberos.client import Client
from labs.parts.kerberos.encryption import Key
from labs.parts.kerberos.mit import mit_kdcs
from labs.parts.kerberos.own import own_kdcs
from labs.parts.kerberos.principals import Principal, Realm, Trust
from labs.parts.slapd import slapd

@contextmanager
def table(users, domain, folder):
    yield Table(users)

@contextmanager
def ours(realms, trusts, folder):
    with own_kdcs(realms, trusts) as addresses:
        yield addresses

def run(parameters, seed, report):
    realms = [Realm("USERS", {"admin1": "secret"}), Realm("CLUSTER", {"host/master": "key"})]
    trusts = [Trust("CLUSTER", "USERS", "shared")]
    user, service = Principal.parse("admin1@USERS"), Principal.parse("host/master@CLUSTER")
    with DIRECTORY([User("admin1", "secret", ("admins",))], "a.b", Path("directory")) as directory:
        with KDCS(realms, trusts, Path()) as addresses:
            client = Client(addresses)
            credential = client.ticket(client.login(user, "secret"), service)
            acceptor = Acceptor(service, Key.from_password("key", service.salt))
            who = acceptor.accept(credential.request(datetime.now(UTC)), datetime.now(UTC))
            report.log(f"{who.name} {directory.groups(who.name)} {directory.authenticate(who.name, 'secret')}")
    return {"number": Finding(7, "")}
"""


@pytest.mark.parametrize(("directory", "kdcs"), [("table", "ours"), ("slapd", "mit_kdcs")])
def test_they_start_and_answer(make_lab: Callable[..., Lab], directory: str, kdcs: str) -> None:
    if kdcs == "mit_kdcs" and not (_found(slapd.PROGRAMS, slapd._PATH) and _found(mit.PROGRAMS, mit._PATH)):
        missing("slapd and MIT's KDC")
    lab = replace(make_lab(CODE.replace("DIRECTORY", directory).replace("KDCS", kdcs)), network="loopback")
    heard: list[runner.Event] = []
    outcome = runner.execute(lab, {"number": 7}, 1, Limits(seconds=30), heard.append)
    assert outcome.ending.done, outcome.ending.sentence
    assert [one["text"] for one in heard if one["kind"] == "log"] == ["admin1 ('admins',) True"]


def _found(programs: tuple[str, ...], path: str) -> bool:
    return all(shutil.which(program, path=path) for program in programs)
