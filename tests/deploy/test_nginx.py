"""The site file for nginx, in a real nginx: what it passes on, what it keeps back, and what it never sends twice."""

from __future__ import annotations

import gzip
import http.client
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import waitress

import config
from app import create_app
from tests.databases import Databases
from tests.deploy.conftest import SITE, Nginx
from web.shell import MAXIMUM_REQUEST_BYTES


@dataclass
class Upstream:
    """Two processes that note what they are asked; on ``/dies`` they hang up, on ``/dies-once`` one does."""

    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def times(self, path: str) -> int:
        return sum(one[1] == path for one in self.asked)

    def handler(self) -> type[BaseHTTPRequestHandler]:
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with upstream.lock:
                    upstream.asked.append((self.command, self.path, dict(self.headers)))
                    times = upstream.times(self.path)
                if self.path == "/dies" or (self.path == "/dies-once" and times == 1):
                    self.close_connection = True
                    return
                body = b"body { color: black }\n" * 200
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Type", "text/css" if self.path.startswith("/static") else "text/html")
                kept = "public, max-age=31536000, immutable" if "?v=" in self.path else "no-cache"
                self.send_header("Cache-Control", kept)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815 (the library's name)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


@pytest.fixture
def upstream() -> Iterator[tuple[Upstream, list[int]]]:
    """Two processes, and the ports at which they listen."""
    made = Upstream()
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), made.handler()) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made, [server.server_port for server in servers]
    for server in servers:
        server.shutdown()
        server.server_close()


def test_nginx_accepts_the_site(tmp_path: Path) -> None:
    site = Nginx(tmp_path, (8001, 8002))
    site.write()
    checked = site.check()
    assert checked.returncode == 0, checked.stderr
    assert "warn" not in checked.stderr


def test_it_tells_who_asks_and_believes_nobody(
    serve_behind: Callable[..., Nginx], upstream: tuple[Upstream, list[int]]
) -> None:
    nginx = serve_behind(*upstream[1])
    false = {"X_Forwarded_For": "203.0.113.9", "X_Forwarded_Proto": "http", "X_Forwarded_Host": "evil.example"}
    assert nginx.visitor().ask("GET", "/", X_Request_ID="mine-mine-mine", **false).status == 200
    ((_, _, headers),) = upstream[0].asked
    assert headers["X-Forwarded-For"] == "127.0.0.1"
    assert headers["X-Forwarded-Proto"] == "https"
    assert headers["X-Forwarded-Host"] == headers["Host"] == f"127.0.0.1:{nginx.port}"
    assert re.fullmatch(r"[0-9a-f]{32}", headers["X-Request-ID"])


def test_what_operators_ask_is_closed_to_the_world(
    serve_behind: Callable[..., Nginx], upstream: tuple[Upstream, list[int]]
) -> None:
    visitor = serve_behind(*upstream[1]).visitor()
    assert [visitor.ask("GET", path).status for path in ("/metrics", "/readyz", "/metrics?x=1")] == [404] * 3
    assert visitor.ask("GET", "//metrics").status == 404
    assert upstream[0].asked == []
    assert visitor.ask("GET", "/healthz").status == 200


def test_it_takes_bodies_as_large_as_archway_does(
    serve_behind: Callable[..., Nginx], upstream: tuple[Upstream, list[int]]
) -> None:
    visitor = serve_behind(*upstream[1]).visitor()
    length = {"Content_Length": str(MAXIMUM_REQUEST_BYTES + 1)}
    assert visitor.ask("POST", "/thing", b"", **length).status == 413
    assert upstream[0].asked == []
    assert visitor.ask("POST", "/thing", b"x" * MAXIMUM_REQUEST_BYTES).status == 200


def test_a_page_is_asked_again_elsewhere_and_a_form_never(
    serve_behind: Callable[..., Nginx], upstream: tuple[Upstream, list[int]]
) -> None:
    assert serve_behind(*upstream[1]).visitor().ask("GET", "/dies-once").status == 200
    assert upstream[0].times("/dies-once") == 2
    answer = serve_behind(*upstream[1]).visitor().ask("POST", "/dies", b"answer=a")
    assert upstream[0].times("/dies") == 1
    assert (answer.status, answer.headers["retry-after"]) == (503, "2")
    assert b"What was called saved is saved." in answer.body


def test_the_control_with_non_idempotent_a_form_is_sent_twice(
    serve_behind: Callable[..., Nginx], upstream: tuple[Upstream, list[int]]
) -> None:
    site = SITE.read_text("utf-8").replace("error timeout;", "error timeout non_idempotent;")
    assert serve_behind(*upstream[1], site=site).visitor().ask("POST", "/dies-once", b"answer=a").status == 200
    assert upstream[0].times("/dies-once") == 2


def test_a_process_that_is_gone_is_passed_over(
    serve_behind: Callable[..., Nginx], upstream: tuple[Upstream, list[int]]
) -> None:
    # Nothing listens at port 1, so nothing can have taken the form.
    visitor = serve_behind(1, upstream[1][0]).visitor()
    assert [visitor.ask("POST", "/thing", b"answer=a").status for _ in range(4)] == [200] * 4
    assert upstream[0].times("/thing") == 4


def test_only_files_with_a_hash_are_kept_and_only_files_are_compressed(
    serve_behind: Callable[..., Nginx], upstream: tuple[Upstream, list[int]]
) -> None:
    visitor = serve_behind(*upstream[1]).visitor()
    kept = [visitor.ask("GET", "/static/web/site.css?v=1", Accept_Encoding="gzip") for _ in range(3)]
    assert [one.headers["x-cache"] for one in kept] == ["MISS", "HIT", "HIT"]
    assert gzip.decompress(kept[2].body).startswith(b"body {")
    assert "immutable" in kept[2].headers["cache-control"]
    for _ in range(2):
        assert visitor.ask("GET", "/static/web/site.css").headers["x-cache"] == "MISS"
    assert (upstream[0].times("/static/web/site.css?v=1"), upstream[0].times("/static/web/site.css")) == (1, 2)
    assert "content-encoding" not in visitor.ask("GET", "/", Accept_Encoding="gzip").headers


def test_who_comes_without_tls_is_sent_there(
    serve_behind: Callable[..., Nginx], upstream: tuple[Upstream, list[int]]
) -> None:
    nginx = serve_behind(*upstream[1])
    connection = http.client.HTTPConnection("127.0.0.1", nginx.plain_port, timeout=60)
    connection.request("GET", "/learn?x=1", headers={"Host": "archway.example.org"})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Location"]) == (301, "https://archway.example.org/learn?x=1")
    connection.close()


@pytest.fixture
def application(tmp_path: Path, prepared: Path, databases: Databases) -> Iterator[int]:
    """Archway with the settings of deploy/archway.env, in threads of this process; yields its port."""
    given = {**databases.copy(prepared, tmp_path), "ARCHWAY_HTTPS": "on", "ARCHWAY_PROXIES": "1"}
    app = create_app(config.load(given))
    server = waitress.create_server(app, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield int(server.effective_port)
    server.close()
    app.extensions["database"].engine.dispose()


def test_an_exam_is_sat_through_it(serve_behind: Callable[..., Nginx], application: int) -> None:
    visitor = serve_behind(application, application).visitor()
    begun = visitor.send("/exams/saa-c01/attempts", visitor.token("/exams/saa-c01"))
    assert begun.status == 303
    attempt = begun.headers["location"]
    assert list(visitor.cookies) == ["__Host-archway"]
    token = visitor.token(attempt)
    saved = [visitor.answer(attempt, token, place, 1, "b") for place in range(1, 11)]
    assert [one.status for one in saved] == [200] * 10
    sheet = re.search(rb'href="(/static/web/site\.css\?v=\w+)"', visitor.ask("GET", attempt).body)[1].decode()
    assert [visitor.ask("GET", sheet).headers["x-cache"] for _ in range(2)] == ["MISS", "HIT"]
    assert visitor.send(f"{attempt}/submit", token).status == 303
    page = visitor.ask("GET", f"{attempt}/report")
    assert page.status == 200
    assert page.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    stranger = type(visitor)(visitor.port, visitor.certificate)
    assert stranger.answer(attempt, token, 1, 2, "c").status == 403
