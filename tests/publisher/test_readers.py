"""Both shipped issues opened by two readers in a browser, and by the checker of accessibility."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from playwright.sync_api import Browser, Page

from publisher import epub, package
from publisher.epub import Edition
from tests.conftest import missing
from tests.e2e.conftest import browser, playwright
from tests.test_every_issue import MONTHS, compose

__all__ = ["browser", "playwright"]
pytestmark = pytest.mark.browser
MODULES = Path("tests/readers/node_modules").absolute()
HTML = "{http://www.w3.org/1999/xhtml}"
NOTES = {"2018-01": 2, "2018-02": 1}
LANGUAGES = {"2018-01": {"en", "bg"}, "2018-02": {"en"}}
FOLIATE = """
async () => {
    await import("/modules/foliate-js/view.js");
    const view = document.createElement("foliate-view");
    document.body.append(view);
    const book = await (await fetch("/book.epub")).blob();
    await view.open(new File([book], "book.epub"));
    const found = view.book;
    const labels = (entries) => entries.flatMap((one) => [one.label, ...labels(one.subitems ?? [])]);
    const languages = [];
    const broken = [];
    const notes = [];
    for (const section of found.sections) {
        const page = await section.createDocument();
        languages.push(page.documentElement.lang);
        for (const link of page.querySelectorAll("a[href]")) {
            const href = section.resolveHref(link.getAttribute("href"));
            if (found.isExternal(href)) continue;
            const target = found.resolveHref(href);
            const other = target && await found.sections[target.index].createDocument();
            if (link.getAttribute("role") === "doc-noteref") {
                const note = target.anchor(other);
                const isNote = note.getAttributeNS("http://www.idpf.org/2007/ops", "type") === "footnote";
                const back = note.querySelector(`a[role=doc-backlink][href="#${link.id}"]`);
                notes.push(isNote && back !== null);
            }
            if (!target || (href.includes("#") && !target.anchor(other))) broken.push(href);
        }
    }
    await view.goTo(2);
    const shown = view.renderer.getContents()[0].doc.body.textContent.length;
    return {
        title: found.metadata.title, language: found.metadata.language, toc: labels(found.toc),
        landmarks: found.landmarks.map((one) => one.type.join(" ")), languages, broken, notes,
        cover: (await found.getCover()).size, shown,
    };
}
"""
EPUB_JS = """
async () => {
    const book = ePub(await (await fetch("/book.epub")).arrayBuffer());
    await book.ready;
    const labels = (entries) => entries.flatMap((one) => [one.label.trim(), ...labels(one.subitems ?? [])]);
    const place = document.createElement("div");
    document.body.append(place);
    const rendition = book.renderTo(place, {width: 600, height: 800, allowScriptedContent: false});
    const notes = [];
    const languages = [];
    for (const one of book.spine.spineItems) {
        const page = await one.load(book.load.bind(book));
        languages.push(page.lang);
        for (const link of page.querySelectorAll('a[role="doc-noteref"]')) {
            const note = page.querySelector(link.getAttribute("href"));
            notes.push(note.querySelector(`a[role="doc-backlink"][href="#${link.id}"]`) !== null);
        }
    }
    await rendition.display("quiz.xhtml");
    return {
        title: book.packaging.metadata.title, language: book.packaging.metadata.language,
        toc: labels(book.navigation.toc), landmarks: book.navigation.landmarks.map((one) => one.type),
        spine: book.spine.length, notes, languages, cover: Boolean(await book.coverUrl()),
        shown: rendition.getContents()[0].document.body.textContent.includes("Question 10"),
    };
}
"""


@pytest.fixture(scope="module")
def editions() -> dict[str, Edition]:
    return {month: epub.build(compose(month)) for month in MONTHS}


@pytest.fixture
def desk(tmp_path: Path, editions: dict[str, Edition], month: str) -> Iterator[str]:
    """Serve the readers and a month's book from an address of their own."""
    if not MODULES.is_dir():
        missing("node_modules of tests/readers (npm ci --ignore-scripts)")
    (tmp_path / "modules").symlink_to(MODULES)
    (tmp_path / "index.html").write_text("<!doctype html><html lang='en'><title>Desk</title><body></body></html>")
    (tmp_path / "book.epub").write_bytes(editions[month].epub)
    handler = functools.partial(_Quiet, directory=str(tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    made = browser.new_page()
    errors: list[str] = []
    made.on("pageerror", lambda error: errors.append(str(error)))
    yield made
    made.close()
    assert errors == []


def contents(edition: Edition) -> tuple[list[str], int]:
    """Return what the contents list says, and how many documents are read in order."""
    entries = package.entries(edition.epub)
    toc = next(etree.fromstring(entries["EPUB/nav.xhtml"]).iter(f"{HTML}nav"))
    package_file = etree.fromstring(entries["EPUB/content.opf"])
    spine = package_file.find("{http://www.idpf.org/2007/opf}spine")
    return [" ".join("".join(link.itertext()).split()) for link in toc.iter(f"{HTML}a")], len(spine)


@pytest.mark.parametrize("month", MONTHS)
def test_foliate_opens_it(desk: str, page: Page, editions: dict[str, Edition], month: str) -> None:
    toc, documents = contents(editions[month])
    page.goto(desk)
    found: dict[str, Any] = page.evaluate(FOLIATE)
    assert found["title"] == editions[month].title
    assert found["toc"] == toc
    assert found["landmarks"] == ["titlepage", "toc", "bodymatter"]
    assert len(found["languages"]) == documents
    assert set(found["languages"]) == LANGUAGES[month]
    assert found["broken"] == []
    assert found["notes"] == [True] * NOTES[month]
    assert found["cover"] > 50_000
    assert found["shown"] > 200


@pytest.mark.parametrize("month", MONTHS)
def test_epub_js_opens_it(desk: str, page: Page, editions: dict[str, Edition], month: str) -> None:
    toc, documents = contents(editions[month])
    page.goto(desk)
    page.add_script_tag(url=f"{desk}/modules/jszip/dist/jszip.min.js")
    page.add_script_tag(url=f"{desk}/modules/epubjs/dist/epub.min.js")
    found: dict[str, Any] = page.evaluate(EPUB_JS)
    assert (found["title"], found["toc"], found["spine"]) == (editions[month].title, toc, documents)
    assert found["landmarks"] == ["titlepage", "toc", "bodymatter"]
    assert found["notes"] == [True] * NOTES[month]
    assert set(found["languages"]) == LANGUAGES[month]
    assert found["cover"]
    assert found["shown"]


# The quick run asks of the newest month alone: both are made by the same templates.
@pytest.mark.parametrize(
    "month", [pytest.param(one, marks=pytest.mark.full if one != MONTHS[-1] else ()) for one in MONTHS]
)
def test_ace_finds_no_violation_and_every_statement_on_accessibility(
    tmp_path: Path, editions: dict[str, Edition], month: str
) -> None:
    ace, node = MODULES / ".bin" / "ace-puppeteer", shutil.which("node")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not ace.exists() or node is None or chromium is None:
        missing("Ace of tests/readers (npm ci --ignore-scripts), Node.js or Chromium")
    (tmp_path / "book.epub").write_bytes(editions[month].epub)
    environment = {**os.environ, "PUPPETEER_EXECUTABLE_PATH": chromium, "HOME": str(tmp_path)}
    command = [str(ace), "-E", "-o", "report", "book.epub"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "report" / "report.json").read_text("utf-8"))
    assert report["earl:result"] == {"earl:outcome": "pass"}
    assert [one for part in report["assertions"] for one in part["assertions"]] == []
    assert {f"schema:accessibility{name}" for name in ("Feature", "Hazard", "Summary")} | {
        "schema:accessMode",
        "schema:accessModeSufficient",
    } <= set(report["a11y-metadata"]["present"])
