"""A directory answers the same whether it is a table or a real slapd, which keeps its passwords to itself."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labs.findings import Refused
from labs.parts import slapd as slapd_part
from labs.parts.directory import Directory, Table, UnknownUser, User
from labs.parts.slapd import slapd
from tests.conftest import missing

ODD = "a \"b' c\\ é \n$x"
USERS = (
    User("admin1", "Abc123456", ()),
    User("both", ODD, ("grp_data_science", "grp_data_engineering")),
    User("dataeng1", "engineer", ("grp_data_engineering",)),
    User("users", "a name of the server's own", ("groups",)),
)
DOMAIN = "emrkrb.test.com"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("slapd") / "directory"


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Directory]:
    if any(shutil.which(program, path=slapd_part._PATH) is None for program in slapd_part.PROGRAMS):
        missing("OpenLDAP's slapd and ldap-utils")
    with slapd(USERS, DOMAIN, folder) as running:
        yield running


@pytest.fixture(params=["table", "slapd"])
def directory(request: pytest.FixtureRequest) -> Directory:
    return Table(USERS) if request.param == "table" else request.getfixturevalue("server")


@pytest.mark.parametrize(
    ("user", "groups"),
    [
        ("admin1", ()),
        ("dataeng1", ("grp_data_engineering",)),
        ("both", ("grp_data_engineering", "grp_data_science")),
        ("DataEng1", ("grp_data_engineering",)),
        ("users", ("groups",)),
    ],
)
def test_it_tells_the_groups_in_order(directory: Directory, user: str, groups: tuple[str, ...]) -> None:
    assert directory.groups(user) == groups


@pytest.mark.parametrize(
    "user",
    ["nobody", "", "*", "admin1)(cn=*", "both,cn=users", "ADMIN1 ", "admin1\0", "é", "grp_data_science", "reader"],
)
def test_nobody_else_is_in_it(directory: Directory, user: str) -> None:
    with pytest.raises(UnknownUser, match="no user"):
        directory.groups(user)
    assert not directory.authenticate(user, "Abc123456")


@pytest.mark.parametrize(
    ("user", "password", "right"),
    [
        ("admin1", "Abc123456", True),
        ("ADMIN1", "Abc123456", True),
        ("admin1", "abc123456", False),
        ("admin1", "Abc123456\n", False),
        ("admin1", "", False),
        ("both", ODD, True),
        ("dataeng1", "Abc123456", False),
    ],
)
def test_only_the_password_is_the_password(directory: Directory, user: str, password: str, right: bool) -> None:
    assert directory.authenticate(user, password) is right


@pytest.mark.parametrize("name", ["", "a b", "x,cn=users", "*", "line\nbreak"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="cannot name"):
        User(name, "secret", ())
    with pytest.raises(Refused, match="cannot name"):
        User("somebody", "secret", (name,))


def _search(folder: Path, *who: str) -> str:
    command = ["ldapsearch", "-x", "-LLL", "-H", "ldapi://slapd.socket", *who, "-b", "dc=emrkrb,dc=test,dc=com"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout


@pytest.mark.usefixtures("server")
def test_nobody_reads_a_password_of_slapd(folder: Path) -> None:
    assert _search(folder) == ""
    seen = _search(folder, "-D", "cn=dataeng1,cn=users,dc=emrkrb,dc=test,dc=com", "-w", "engineer")
    assert "cn=both,cn=users" in seen
    assert "userPassword" not in seen


def test_without_its_rules_everybody_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Directory) -> None:
    settings = "".join(line for line in slapd_part._SETTINGS.splitlines(keepends=True) if not line.startswith("access"))
    monkeypatch.setattr(slapd_part, "_SETTINGS", settings)
    with slapd(USERS, DOMAIN, tmp_path / "open"):
        assert "userPassword" in _search(tmp_path / "open")


def test_slapd_listens_at_no_network_and_ends_with_its_block(
    tmp_path: Path, server: Directory, listening: Callable[[int], list[str]], started: list[subprocess.Popen[str]]
) -> None:
    with slapd(USERS, DOMAIN, tmp_path / "short") as running:
        assert listening(started[0].pid) == []
    assert started[0].poll() is not None
    with pytest.raises(RuntimeError, match="Can't contact"):
        running.groups("admin1")


def test_where_slapd_is_missing_the_table_is_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slapd_part, "_PATH", str(tmp_path))
    with pytest.raises(Refused, match="choose the table"), slapd(USERS, DOMAIN, tmp_path / "none"):
        pass
