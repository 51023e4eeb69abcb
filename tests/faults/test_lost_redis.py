"""Redis, where processes count rate limits together, is killed: the site stays up, and counts for itself."""

from __future__ import annotations

import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from valkey import Valkey

from tests import servers
from tests.databases import Databases
from tests.e2e.conftest import Server
from tests.servers import Own, free_port

pytestmark = pytest.mark.postgresql
TOLD = "Rate limit storage unreachable - falling back to in-memory storage"


@pytest.fixture
def redis() -> Iterator[Own]:
    with servers.redis() as own:
        yield own


@pytest.fixture(params=["app.py", "tests.faults.strict_server"], ids=["as it is", "control: without the fallback"])
def site(request: pytest.FixtureRequest, tmp_path: Path, databases: Databases, redis: Own) -> Iterator[Server]:
    program = (request.param,) if request.param.endswith(".py") else ("-m", request.param)
    made = Server(tmp_path / "instance", free_port(), "waitress", program, settings={"ARCHWAY_REDIS_URL": redis.url})
    made.start()
    yield made
    made.stop()


def _guess(site: Server, email: str) -> int:
    """Sign in with a wrong password and return the answer's status."""
    page = urllib.request.urlopen(f"{site.address}/sign-in")
    cookie = page.headers["Set-Cookie"].partition(";")[0]
    token = re.search(r'name="csrf_token" value="(\w+)"', page.read().decode())[1]
    form = urllib.parse.urlencode({"csrf_token": token, "email": email, "password": "a guess of many"}).encode()
    try:
        urllib.request.urlopen(urllib.request.Request(f"{site.address}/sign-in", form, {"Cookie": cookie}))
    except urllib.error.HTTPError as error:
        return error.code
    raise AssertionError("a wrong password was taken")


def test_without_redis_guessing_is_still_stopped(site: Server, redis: Own, tmp_path: Path) -> None:
    assert _guess(site, "ada@example.org") == 400
    with Valkey.from_url(redis.url) as client:
        assert client.dbsize() > 0, "limits are counted in Redis"
    redis.kill()
    codes = [_guess(site, "ada@example.org") for _ in range(12)]
    log = (tmp_path / "server.log").read_text()
    if site.program == ("app.py",):
        assert codes == [400] * 10 + [429] * 2
        assert TOLD in log
        assert "Traceback" not in log
    else:
        assert codes == [500] * 12
