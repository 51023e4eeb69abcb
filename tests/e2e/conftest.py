"""A real server in a process of its own, a real browser, and a watch over both."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, expect, sync_playwright

from tests import databases as tests_databases
from tests.conftest import missing
from tests.databases import Databases
from tests.servers import free_port

# What is expected comes within a second or so; a machine that does much else is given its time.
expect.set_options(timeout=20_000)
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
WATCH = """
document.addEventListener("securitypolicyviolation", (event) =>
    console.error(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


@dataclass
class Server:
    """The site as ``python app.py`` serves it; it can be killed and started again on the same database."""

    instance: Path
    port: int
    kind: str = "granian"
    program: tuple[str, ...] = ("app.py",)
    process: subprocess.Popen[str] | None = None
    said: list[str] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    """More of them, as environment variables."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            **tests_databases.current.environment(self.instance),
            "ARCHWAY_PORT": str(self.port),
            "ARCHWAY_SERVER": self.kind,
            **self.settings,
        }
        log = (self.instance.parent / "server.log").open("a")
        self.process = subprocess.Popen(
            [sys.executable, *self.program],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
        self.said.append(self.process.stdout.readline())
        self.wait_until_ready()

    def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query from the server's database."""
        return tests_databases.rows(self.instance, statement, **values)

    def change(self, statement: str, **values: Any) -> None:
        """Run a statement that changes the server's database."""
        tests_databases.change(self.instance, statement, **values)

    def wait_until_ready(self, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.address}/healthz", timeout=1) as answer:
                if answer.status == 200:
                    return
            time.sleep(0.05)
        raise AssertionError(f"the server did not answer; it wrote {(self.instance.parent / 'server.log').read_text()}")

    def kill(self) -> None:
        """End the server as a crash does: SIGKILL, to the process that was started and to it alone."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def kill_group(self) -> None:
        """End the server and all its processes at once, as when the machine runs out of memory."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[Server]:
    """One server for the tests that only look."""
    made = Server(tmp_path_factory.mktemp("site") / "instance", free_port())
    made.start()
    yield made
    made.stop()


@pytest.fixture
def own_server(tmp_path: Path, prepared: Path, databases: Databases) -> Iterator[Server]:
    """A server for one test, which may kill it; its database was loaded before, as at every start but the first."""
    made = Server(tmp_path / "instance", free_port())
    databases.copy(prepared, made.instance)
    made.start()
    yield made
    made.stop()


def _program(name: str, *commands: str) -> str:
    """Return where a browser is that this machine may have under several names."""
    found = next(filter(None, map(shutil.which, commands)), None)
    return found or missing(name)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    started = playwright.chromium.launch(
        executable_path=_program("Chromium", "chromium", "chromium-browser"),
        args=["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    )
    yield started
    started.close()


@pytest.fixture(scope="session")
def firefox(playwright: Playwright) -> Iterator[Browser]:
    """Firefox as it is distributed, over WebDriver BiDi; Playwright's own build is not needed."""
    started = playwright.firefox.launch(
        channel="moz-firefox",
        executable_path=_program("Firefox", "firefox-esr", "firefox"),
        firefox_user_prefs={"ui.prefersReducedMotion": 1},
    )
    yield started
    started.close()


@dataclass
class Watched:
    """A browser page; at the end of the test it must have met no error and no violation of the policy."""

    page: Page
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.add_init_script(WATCH)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._console)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.errors.append(message.text)

    def axe(self, *rules: str, within: str = "html") -> list[str]:
        """Return what axe finds, each with the elements it is found at; with no rule named, by all that hold here."""
        # A click waits for the page that it leads to, but not for all of it.
        self.page.wait_for_load_state()
        if self.page.evaluate("typeof axe") == "undefined":
            self.page.evaluate(AXE)
        options: dict[str, object] = {"resultTypes": ["violations"]}
        options |= {"runOnly": rules} if rules else {"rules": {"target-size": {"enabled": True}}}
        result = self.page.evaluate("([within, options]) => axe.run(within, options)", [within, options])
        return [
            f"{one['id']}: {', '.join(node['target'][0] if node['target'] else '?' for node in one['nodes'][:5])}"
            for one in result["violations"]
        ]

    def axe_in_both_themes(self) -> list[str]:
        """Return what axe finds in the light theme, then what it finds in the dark one."""
        self._turn("light")
        faults = [f"light: {one}" for one in self.axe()]
        # A theme changes colours and nothing else.
        self._turn("dark")
        return faults + [f"dark: {one}" for one in self.axe("color-contrast")]

    def _turn(self, scheme: Literal["light", "dark"]) -> None:
        """Show the theme, with no colour still on its way."""
        self.page.emulate_media(color_scheme=scheme)
        self.page.evaluate(
            "document.getAnimations().filter((one) => one instanceof CSSTransition).forEach((one) => one.finish())"
        )

    def unsound_at(self, *widths: int) -> list[str]:
        """Return what axe finds at each width in both themes, and at which the page runs off the screen."""
        faults = []
        for width in widths:
            self.page.set_viewport_size({"width": width, "height": 800})
            faults += [f"{width} px, {one}" for one in self.axe_in_both_themes()]
            if self.overflow() > 0:
                faults.append(f"{self.overflow()} px too wide at {width}")
        return faults

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        self.page.wait_for_load_state()
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def finish(self) -> None:
        # It goes to the page and back, also of one that is just being left, so that what it met is told by then.
        expect(self.page.locator("html")).to_be_attached()
        assert self.errors == []


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
    yield made
    made.close()


@pytest.fixture
def watched(context: BrowserContext) -> Iterator[Watched]:
    made = Watched(context.new_page())
    yield made
    made.finish()


@pytest.fixture(params=["browser", pytest.param("firefox", marks=pytest.mark.full)], ids=["chromium", "firefox"])
def watched_in_each(request: pytest.FixtureRequest) -> Iterator[Watched]:
    """A page in Chromium, then one in Firefox, where nothing moves slowly: the focus is where it will stay."""
    browser: Browser = request.getfixturevalue(request.param)
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US", reduced_motion="reduce")
    made = Watched(context.new_page())
    yield made
    made.finish()
    context.close()


def saved(count: int) -> str:
    """Return what the bar of an exam says when that many answers are on the server."""
    few = {0: "No answer yet", 1: "The one answer is on the server"}
    return few.get(count, f"All {count} answers are on the server")
