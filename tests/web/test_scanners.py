"""Scanners of running sites, let loose on ours: wapiti goes through pages and forms, sqlmap through single parameters.

Neither is a requirement, for wapiti wants a SQLAlchemy of its own. Install each into an environment of its own and put
its program on PATH: ``pip install wapiti3==3.2.3`` and ``pip install sqlmap==1.10.10``.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
import subprocess
import threading
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from db import Database
from tests.web.test_authorization import TABLE, WHO, Site, routes
from tests.web.test_hostile_input import LEAVING, OPEN_ATTEMPT, site

__all__ = ["site"]
pytestmark = pytest.mark.full

MODULES = "sql,xss,permanentxss,exec,file,redirect,crlf,upload,csrf,htaccess"
"""Not ssrf, xxe and log4shell, which ask a server of wapiti's own on the internet; not what S10 looks at; and not ldap,
which no page speaks, and which takes any two answers of different lengths for a hole."""
ENDING = {*LEAVING, "access.change_password", "access.end_others", "personal.delete"}
"""What would end the session with which a scanner goes on."""


LEARNERS = (
    "/search?q=queue",
    "/talks/2018-01?zone=UTC&by=category&category=Compute&level=300",
    "/drills/solutions-architect-associate?domain=1&task=1.1&tag=lambda&only=mistakes",
    "/attempts/2/responses?version=1&elsewhere=1",
    "/assignments?zone=UTC",
    "/labs/lambda-concurrency/compare?run=1&run=2",
)
INSTRUCTORS = (
    "/studio/cohorts/1/standing?days=7",
    "/studio/statistics/saa-c01?sort=flags",
    "/studio/imports?page=1",
    "/studio/items/caches-1/history?from=1&to=1",
    "/studio/export?bank=caches&format=gift",
)
"""Addresses with all that they can be asked."""


@dataclass
class Served:
    """The site at an address, and how often it answered with which status."""

    site: Site
    address: str
    answers: Counter[str] = field(default_factory=Counter)

    def cookie(self, who: str) -> str:
        return f"archway={self.site.visits[who]}"


@contextmanager
def serve(site: Site, application: Any) -> Iterator[Served]:
    """Serve an application on loopback while the body runs."""
    answers: Counter[str] = Counter()

    def counted(environment: Any, respond: Any) -> Any:
        def begin(status: str, *more: Any) -> Any:
            answers[status[:3]] += 1
            return respond(status, *more)

        return application(environment, begin)

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, counted, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Served(site, f"http://127.0.0.1:{server.port}", answers)
    finally:
        server.shutdown()
        thread.join()


def with_a_hole(site: Site) -> Any:
    """Return the site with one page more, which builds SQL of what it is asked and shows that, and errors, raw."""
    database: Database = site.app.extensions["database"]

    @Request.application
    def planted(request: Request) -> Response:
        name = request.args.get("name", "")
        try:
            with database.reading() as connection:
                rows = connection.exec_driver_sql(f"SELECT name FROM accounts_person WHERE name = '{name}'").all()
        except DBAPIError:
            return Response(traceback.format_exc(), 500)
        people = "".join(f"<li>{row[0]}</li>" for row in rows)
        return Response(f"<title>People</title><h1>{name}</h1><ul>{people}</ul>", mimetype="text/html")

    return DispatcherMiddleware(site.app, {"/planted": planted})


def program(name: str) -> str:
    """Return where a scanner's program is, or skip the test."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not on this machine; how to install it is said in {Path(__file__).name}")
    return found


def wapiti(folder: Path, served: Served, who: str, addresses: list[str]) -> dict[str, set[str]]:
    """Let somebody's pages and their forms be attacked; return the paths of what was found, by its kind."""
    rules = [rule.rule for rule in routes(served.site.app).values() if rule.endpoint in ENDING]
    ending = [re.sub("<.*?>", "*", rule) for rule in rules]
    report = folder / f"{who}.json"
    command = [program("wapiti"), "-u", f"{served.address}/", "--scope", "folder", "-d", "1", "-m", MODULES, "-v", "0"]
    command += [part for one in addresses for part in ("-s", f"{served.address}{one}")]
    command += [part for one in (*ending, "/static/*") for part in ("-x", f"{served.address}{one}")]
    command += ["-H", f"Cookie: {served.cookie(who)}", "--skip", "csrf_token", "--max-files-per-dir", "5"]
    command += ["--max-scan-time", "60", "--max-attack-time", "20"]
    command += ["--store-session", str(folder / who), "--no-bugreport", "-f", "json", "-o", str(report)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(report.read_text("utf-8"))
    kinds = {**found["vulnerabilities"], **found["anomalies"]}
    return {kind: {one["path"] for one in several} for kind, several in kinds.items() if several}


def sqlmap(folder: Path, address: str, cookie: str, *options: str) -> bool:
    """Return whether a parameter of an address, or of what ``options`` say is sent there, lets SQL in."""
    command = [program("sqlmap"), "-u", address, "--cookie", cookie, "--batch", "--flush-session", "--technique", "BEU"]
    command += ["--ignore-redirects", "--ignore-code", "*", "--threads", "2", "--disable-coloring"]
    done = subprocess.run(
        [*command, "--output-dir", str(folder), *options], check=False, capture_output=True, text=True, cwd=folder
    )
    found = "identified the following injection point" in done.stdout
    assert found or "do not appear to be injectable" in done.stdout, done.stdout[-2000:]
    return found


def pages(site: Site, who: str) -> list[str]:
    """Return an address of each page that somebody may read."""
    answers = {name: row[WHO.index(who)] for name, row in TABLE.items() if name.startswith("GET")}
    found = {site.address(rule) for name, rule in routes(site.app).items() if answers.get(name) == 200}
    return sorted(found - {"/", "/healthz", "/readyz"})


@pytest.mark.parametrize("who", ["ada", "ina"])
def test_wapiti_finds_nothing(site: Site, tmp_path: Path, who: str) -> None:
    with serve(site, site.app) as served:
        found = wapiti(tmp_path, served, who, pages(site, who))
    assert found == {}
    assert site.open(who, "GET", "/account").status_code == 200, "still signed in"
    assert served.answers.total() > 1000
    assert [status for status in served.answers if status >= "500"] == []


def test_wapiti_finds_a_planted_hole(site: Site, tmp_path: Path) -> None:
    with serve(site, with_a_hole(site)) as served:
        found = wapiti(tmp_path, served, "ada", ["/planted?name=ada"])
    kinds = {kind for kind, paths in found.items() if "/planted" in paths}
    assert kinds >= {"SQL Injection", "Reflected Cross Site Scripting"}


def test_sqlmap_finds_nothing(site: Site, tmp_path: Path) -> None:
    holes = []
    change = {"place": 1, "revision": 1, "answer": "a", "flagged": False, "stamp": None}
    token = site.tokens["ada"]
    sent: dict[str, tuple[str, ...]] = {
        "/sign-in": ("--data", f"email=ada@example.org&password=a+calm+long+sentence&csrf_token={token}"),
        "/subscribe": ("--data", f"email=x@example.org&channel=link&language=en&country=DE&csrf_token={token}"),
        OPEN_ATTEMPT: ("--data", json.dumps({"responses": [change]}), "-H", f"X-CSRF-Token: {token}"),
    }
    assert {site.open("ada", "GET", one).status_code for one in LEARNERS} == {200}
    assert {site.open("ina", "GET", one).status_code for one in INSTRUCTORS} == {200}
    with serve(site, site.app) as served:
        for who, address, options in (
            *(("ada", one, ()) for one in LEARNERS),
            *(("ina", one, ()) for one in INSTRUCTORS),
            *(("ada", address, options) for address, options in sent.items()),
        ):
            if sqlmap(tmp_path, served.address + address, served.cookie(who), *options):
                holes.append(address)
    assert holes == []
    assert [status for status in served.answers if status >= "500"] == []


def test_sqlmap_finds_a_planted_hole(site: Site, tmp_path: Path) -> None:
    with serve(site, with_a_hole(site)) as served:
        assert sqlmap(tmp_path, f"{served.address}/planted?name=ada", served.cookie("ada"))
