"""OpenLDAP's server, slapd, as the directory: it listens at a socket in the run's folder, on no network at all."""

from __future__ import annotations

import base64
import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from labs.findings import Refused
from labs.parts.directory import NAME, Directory, UnknownUser, User

PROGRAMS = ("slapd", "ldapadd", "ldapsearch", "ldapwhoami")
_PATH = os.pathsep.join((os.defpath, "/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/local/libexec", "/usr/libexec"))
_SCHEMAS = (Path("/etc/ldap/schema"), Path("/etc/openldap/schema"))
_MODULES = (Path("/usr/lib/ldap"), Path("/usr/lib64/openldap"), Path("/usr/lib/openldap"))
_ADDRESS = "ldapi://slapd.socket"
"""A path from the folder that all programs here run in, since an absolute one may be longer than sockets allow."""

_SUCCESS, _INVALID_CREDENTIALS = 0, 49
_PATIENCE = 20
"""Seconds that the server may take to answer, on a machine that is busy."""

_SETTINGS = """
include {schemas}/core.schema
include {schemas}/cosine.schema
include {schemas}/inetorgperson.schema
modulepath {modules}
moduleload back_mdb
moduleload memberof
threads 2
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
database mdb
maxsize 16777216
suffix "{suffix}"
rootdn "cn=root,{suffix}"
rootpw {secret}
directory data
overlay memberof
"""
_MEMBER_OF = re.compile(r"^memberOf: cn=([^,]+),", re.IGNORECASE | re.MULTILINE)


@contextmanager
def slapd(users: Sequence[User], domain: str, folder: Path) -> Iterator[Directory]:
    """Start a server of these users in a new folder; give it as a directory until the end of the ``with``.

    Raises Refused where its programs are not there.
    """
    if missing := [program for program in PROGRAMS if shutil.which(program, path=_PATH) is None]:
        raise Refused(f"OpenLDAP is not on this machine ({', '.join(missing)} is missing); choose the table instead.")
    (folder / "data").mkdir(parents=True)
    server = _Slapd(folder, ",".join(f"dc={part}" for part in domain.split(".")))
    with server.running():
        server.fill(users)
        yield server


class _Slapd:
    def __init__(self, folder: Path, suffix: str) -> None:
        self._folder = folder
        self._suffix = suffix
        self._root = f"cn=root,{suffix}"
        self._reader = f"cn=reader,{suffix}"
        self._secret = secrets.token_urlsafe()
        """The password of the root and of the reader, who only asks."""

    def groups(self, user: str) -> tuple[str, ...]:
        """Return the names of a user's groups, in the order of the alphabet; raise UnknownUser."""
        # No other name is a user's, and only such a one says no more than a name within a filter.
        if not NAME.fullmatch(user):
            raise UnknownUser(user)
        wish = ("-LLL", "-o", "ldif-wrap=no", "-b", f"cn=users,{self._suffix}", "-s", "one", f"(cn={user})", "memberOf")
        found = self._ask("ldapsearch", self._reader, self._secret, *wish)
        _check(found)
        if not found.stdout.strip():
            raise UnknownUser(user)
        return tuple(sorted(_MEMBER_OF.findall(found.stdout)))

    def authenticate(self, user: str, password: str) -> bool:
        """Return whether this is the password of that user, who may be unknown too; an empty one never is."""
        # To bind without a password is to bind as nobody, which succeeds (RFC 4513, 5.1.2).
        if not (NAME.fullmatch(user) and password):
            return False
        found = self._ask("ldapwhoami", f"cn={user},cn=users,{self._suffix}", password)
        if found.returncode == _INVALID_CREDENTIALS:
            return False
        _check(found)
        return True

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the server."""
        settings = _SETTINGS.format(
            schemas=_first(_SCHEMAS), modules=_first(_MODULES), suffix=self._suffix, secret=self._secret
        )
        (self._folder / "slapd.conf").write_text(settings, "utf-8")
        process = subprocess.Popen(
            ["slapd", "-d", "0", "-f", "slapd.conf", "-h", _ADDRESS],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self._folder,
            env={"PATH": _PATH},
        )
        try:
            self._await(process)
            yield
        finally:
            process.terminate()
            process.communicate()

    def fill(self, users: Sequence[User]) -> None:
        """Add the users and their groups over LDAP, so that the overlay notes who is a member of what."""
        entries = (*_frame(self._suffix, self._secret), *_people(users, self._suffix))
        (self._folder / "entries.ldif").write_text("\n\n".join(entries), "utf-8")
        _check(self._ask("ldapadd", self._root, self._secret, "-f", "entries.ldif"))

    def _await(self, process: subprocess.Popen[str]) -> None:
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end and process.poll() is None:
            if self._ask("ldapwhoami", self._root, self._secret).returncode == _SUCCESS:
                return
            time.sleep(0.02)
        process.kill()
        raise RuntimeError(f"slapd does not start: {process.communicate()[1].strip()}")

    def _ask(self, program: str, name: str, password: str, *wish: str) -> subprocess.CompletedProcess[str]:
        """Run one of LDAP's programs as somebody, whose password it reads from its input."""
        command = [program, "-x", "-H", _ADDRESS, "-D", name, "-y", "/dev/stdin", *wish]
        return subprocess.run(
            command,
            input=password,
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
            cwd=self._folder,
            env={"PATH": _PATH, "LDAPNOINIT": "1"},
        )


def _frame(suffix: str, secret: str) -> Iterator[str]:
    """Yield the entries that hold the others, and the one of the reader."""
    yield _entry(suffix, "organization", "dcObject", o="directory", dc=suffix.partition(",")[0].removeprefix("dc="))
    yield _entry(f"cn=users,{suffix}", "organizationalRole", cn="users")
    yield _entry(f"cn=groups,{suffix}", "organizationalRole", cn="groups")
    yield _entry(f"cn=reader,{suffix}", "organizationalRole", "simpleSecurityObject", cn="reader", userPassword=secret)


def _people(users: Sequence[User], suffix: str) -> Iterator[str]:
    """Yield the entries of the users, then those of their groups."""
    members: dict[str, list[str]] = {}
    for user in users:
        name = f"cn={user.name},cn=users,{suffix}"
        yield _entry(name, "inetOrgPerson", cn=user.name, sn=user.name, userPassword=user.password)
        for group in user.groups:
            members.setdefault(group, []).append(name)
    for group, names in members.items():
        yield "\n".join(
            (_entry(f"cn={group},cn=groups,{suffix}", "groupOfNames", cn=group), *(f"member: {name}" for name in names))
        )


def _entry(name: str, *classes: str, **attributes: str) -> str:
    """Return an entry in LDIF (RFC 2849), which takes any text that is in base 64."""
    texts = (f"{key}:: {base64.b64encode(value.encode()).decode()}" for key, value in attributes.items())
    return "\n".join((f"dn: {name}", *(f"objectClass: {one}" for one in classes), *texts))


def _check(ran: subprocess.CompletedProcess[str]) -> None:
    if ran.returncode != _SUCCESS:
        raise RuntimeError(f"OpenLDAP failed: {ran.stderr.strip()}")


def _first(folders: Sequence[Path]) -> Path:
    """Return the first folder that there is; distributions differ in where they put these files."""
    return next((folder for folder in folders if folder.is_dir()), folders[0])
