"""MIT's KDC, the program krb5kdc, in our own one's place: one for each realm, its files in the run's folder."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from labs.findings import Refused
from labs.parts.kerberos.principals import Principal, Realm, Trust, passwords
from labs.parts.kerberos.transport import LOOPBACK, Address

PROGRAMS = ("krb5kdc", "kdb5_util", "kadmin.local")
_PATH = os.pathsep.join((os.defpath, "/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/lib/mit/sbin"))
_ENCRYPTION = "aes256-cts-hmac-sha1-96:normal"
_PATIENCE = 20
"""Seconds that a KDC may take to listen, on a machine that is busy."""


@contextmanager
def mit_kdcs(realms: Sequence[Realm], trusts: Sequence[Trust], folder: Path) -> Iterator[dict[str, Address]]:
    """Start a KDC for each realm; give their addresses, by the realms' names, until the end of the ``with``.

    Raises Refused where the programs are not there, or cannot take one of the names or passwords.
    """
    if missing := [program for program in PROGRAMS if shutil.which(program, path=_PATH) is None]:
        raise Refused(f"MIT's KDC is not on this machine ({', '.join(missing)} is missing); choose our own KDC.")
    with ExitStack() as stack:
        scripts = [_script(passwords(realm, trusts)) for realm in realms]
        ports = _free_ports(len(realms))
        kdcs = [
            _Mit(realm.name, (folder / realm.name).resolve(), port) for realm, port in zip(realms, ports, strict=True)
        ]
        creations = [kdc.begin() for kdc in kdcs]
        for kdc, script, creation in zip(kdcs, scripts, creations, strict=True):
            _finish(creation)
            kdc.fill(script)
            stack.enter_context(kdc.running())
        yield {kdc.realm: (LOOPBACK, kdc.port) for kdc in kdcs}


@dataclass(frozen=True)
class _Mit:
    realm: str
    folder: Path
    port: int

    def begin(self) -> subprocess.Popen[str]:
        """Write the settings and begin to make the database, which takes longer than all else."""
        self.folder.mkdir()
        (self.folder / "krb5.conf").write_text(_CLIENT_SETTINGS.format(realm=self.realm), "utf-8")
        settings = _SETTINGS.format(
            realm=self.realm, address=f"{LOOPBACK}:{self.port}", folder=self.folder, encryption=_ENCRYPTION
        )
        (self.folder / "kdc.conf").write_text(settings, "utf-8")
        # The master key protects files that live as long as the run and that nobody else can read.
        return self._start("kdb5_util", "create", "-s", "-P", "of one run")

    def fill(self, script: str) -> None:
        """Add the principals."""
        _finish(self._start("kadmin.local"), script)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the KDC itself."""
        process = self._start("krb5kdc", "-n")
        try:
            self._await(process)
            yield
        finally:
            process.terminate()
            process.communicate()

    def _start(self, program: str, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [program, "-r", self.realm, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env={
                "PATH": _PATH,
                "KRB5_CONFIG": str(self.folder / "krb5.conf"),
                "KRB5_KDC_PROFILE": str(self.folder / "kdc.conf"),
            },
        )

    def _await(self, process: subprocess.Popen[str]) -> None:
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end and process.poll() is None:
            with suppress(OSError), socket.create_connection((LOOPBACK, self.port), 1):
                return
            time.sleep(0.005)
        process.kill()
        raise RuntimeError(f"The KDC of {self.realm} does not start: {process.communicate()[1].strip()}")


_CLIENT_SETTINGS = """
[libdefaults]
    default_realm = {realm}
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
[logging]
    default = FILE:/dev/null
"""
_SETTINGS = """
[kdcdefaults]
    kdc_listen = {address}
    kdc_tcp_listen = {address}
[realms]
    {realm} = {{
        database_name = {folder}/principal
        key_stash_file = {folder}/stash
        acl_file = {folder}/acl
        master_key_type = aes256-cts
        supported_enctypes = {encryption}
        default_principal_flags = +preauth
        max_life = 10h
    }}
"""


def _script(kept: Mapping[Principal, str]) -> str:
    """Return what kadmin.local reads to add these principals."""
    lines = [f"add_principal -e {_ENCRYPTION} -pw {_quoted(kept[one])} {_quoted(str(one))}" for one in kept]
    return "\n".join([*lines, "quit", ""])


def _finish(process: subprocess.Popen[str], text: str = "") -> None:
    _, said = process.communicate(text)
    if process.returncode or "add_principal:" in said:
        raise RuntimeError(f"A program of MIT Kerberos failed: {said.strip()}")


def _quoted(word: str) -> str:
    """Quote a word for kadmin.local, which knows of no character to escape the end of a line."""
    if not (word and word.isprintable()):
        raise Refused("MIT's KDC takes no empty password, and none with a line break; write one without.")
    doubled = word.replace('"', '""')
    return f'"{doubled}"'


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server((LOOPBACK, 0))) for _ in range(count)]
        return [int(server.getsockname()[1]) for server in servers]
