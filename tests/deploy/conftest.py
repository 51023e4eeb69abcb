"""A real nginx, started from the site file in front of what a test gives it, and a browser's part of HTTP."""

from __future__ import annotations

import contextlib
import http.client
import http.cookies
import ipaddress
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.conftest import missing
from tests.e2e.conftest import free_port

SITE = Path("deploy/nginx.conf")
NAME = "archway.example.org"


@dataclass
class Answer:
    """What came back: the status, the headers by their names in small letters, and the body."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Visitor:
    """Sends requests over TLS and keeps cookies, as a browser does."""

    port: int
    certificate: Path
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: bytes | str | None = None, **headers: str) -> Answer:
        context = ssl.create_default_context(cafile=str(self.certificate))
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=60)
        kept = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        with contextlib.closing(connection):
            connection.request(method, path, body, {**kept, **given})
            answer = connection.getresponse()
            for line in answer.headers.get_all("Set-Cookie") or []:
                self.cookies |= {name: one.value for name, one in http.cookies.SimpleCookie(line).items()}
            found = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(answer.status, found, answer.read())

    def token(self, path: str) -> str:
        """Return the form token of a page."""
        return re.search(rb'name="csrf-token" content="(\w+)"', self.ask("GET", path).body)[1].decode()

    def send(self, path: str, token: str, **fields: str) -> Answer:
        """Send a form."""
        body = "&".join(f"{name}={value}" for name, value in {"csrf_token": token, **fields}.items())
        return self.ask("POST", path, body, Content_Type="application/x-www-form-urlencoded")

    def answer(self, attempt: str, token: str, place: int, revision: int, letters: str) -> Answer:
        """Send an answer as the page of an exam does."""
        change = {"place": place, "revision": revision, "answer": letters, "flagged": False, "stamp": None}
        body = json.dumps({"responses": [change]})
        return self.ask("POST", f"{attempt}/responses", body, Content_Type="application/json", X_CSRF_Token=token)


@dataclass
class Nginx:
    """The site in front of two ports."""

    folder: Path
    upstream: Sequence[int]
    site: str = field(default_factory=lambda: SITE.read_text("utf-8"))
    port: int = field(default_factory=free_port)
    plain_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def configuration(self) -> Path:
        return self.folder / "nginx.conf"

    def write(self) -> None:
        """Write the site with this machine's ports and folders in place of a server's."""
        _make_certificate(self.folder)
        one, other = self.upstream
        own = {
            "127.0.0.1:8001": f"127.0.0.1:{one}",
            "127.0.0.1:8002": f"127.0.0.1:{other}",
            "listen 80;": f"listen 127.0.0.1:{self.plain_port};",
            "listen 443 ssl http2;": f"listen 127.0.0.1:{self.port} ssl http2;",
            f"/etc/letsencrypt/live/{NAME}/fullchain.pem": str(self.folder / "certificate.pem"),
            f"/etc/letsencrypt/live/{NAME}/privkey.pem": str(self.folder / "key.pem"),
            "/var/cache/nginx/archway": str(self.folder / "cache"),
            "/var/log/nginx/archway.log": str(self.folder / "archway.log"),
        }
        site = self.site
        for theirs, ours in own.items():
            assert theirs in site, theirs
            site = site.replace(theirs, ours)
        (self.folder / "site.conf").write_text(site)
        temporary = "".join(
            f"{name}_temp_path {self.folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        self.configuration.write_text(
            f"{'user root;' if os.geteuid() == 0 else ''}daemon off;\nworker_processes 1;\npid {self.folder}/pid;\n"
            f"error_log stderr;\nevents {{}}\nhttp {{\n{temporary}include {self.folder}/site.conf;\n}}\n"
        )

    def check(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run([self._program(), "-t", "-c", str(self.configuration)], capture_output=True, text=True)

    def start(self) -> None:
        with (self.folder / "nginx.log").open("ab") as log:
            self.process = subprocess.Popen([self._program(), "-c", str(self.configuration)], stderr=log)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            assert self.process.poll() is None, (self.folder / "nginx.log").read_text()
            time.sleep(0.02)
        raise AssertionError("nginx did not begin to listen")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)

    def visitor(self) -> Visitor:
        return Visitor(self.port, self.folder / "certificate.pem")

    @staticmethod
    def _program() -> str:
        return shutil.which("nginx") or shutil.which("/usr/sbin/nginx") or missing("nginx")


def _make_certificate(folder: Path) -> None:
    """Write a key and a certificate of its own for this machine's address."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME), here]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption())
    )


@pytest.fixture
def serve_behind(tmp_path: Path) -> Iterator[Callable[..., Nginx]]:
    """Return a function that starts nginx in front of two ports."""
    made: list[Nginx] = []

    def start(*upstream: int, **more: str) -> Nginx:
        folder = tmp_path / f"nginx-{len(made)}"
        folder.mkdir()
        made.append(Nginx(folder, upstream, **more))
        made[-1].write()
        made[-1].start()
        return made[-1]

    yield start
    for one in made:
        one.stop()
