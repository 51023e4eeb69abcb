"""Attacks as a browser sees them: texts that would be scripts, and addresses that would lead to another site."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import pytest
from flask import Flask
from flask.testing import FlaskClient
from markdown_it import MarkdownIt
from playwright.sync_api import Browser, Page

from content import render

pytestmark = pytest.mark.browser

ACT = "top.hit({})"
SCHEMES = (
    *("javascript:", "JAVASCRIPT:", "java\tscript:", " javascript:", "\x01javascript:", "javascript&colon;"),
    *("&#106;avascript:", "&#x6a;avascript&#58;", "javascript\\:", "%6aavascript:", "vbscript:", "data:text/html,"),
)
LINKS = (
    *("[x]({})", "[x](<{}>)", "![x]({})", "<{}>", "[x]: <{}>\n\n[x]", "[![x](y)]({})", '[x]({} "t")', "- > [x]({})"),
    *(
        "| a |\n|---|\n| [x]({}) |",
        "[x][y]\n\n[y]: {}",
        ":::note [t]({})\n[x]({})\n:::",
        "# [x]({})",
        "**[*`x`*]({})**",
    ),
)
HANDLERS = ("onerror", "onload", "onfocus autofocus", "onmouseover", "ontoggle open", "onclick", "onanimationstart")
ELEMENTS = ("img src=x", "svg", "body", "details", "input", "a href=x", "video src=x", "iframe", "marquee", "math", "p")
SCRIPTS = (
    *("<script>{}</script>", "<ScRiPt >{}</sCrIpT>", "<svg><script>{}</script></svg>", "<script\n>{}</script\n>"),
    *(
        "<iframe srcdoc='<script>{}</script>'></iframe>",
        "<iframe src='javascript:{}'></iframe>",
        "<!--><script>{}</script>",
    ),
    *("<form action='javascript:{}'><button>x</button></form>", "<object data='javascript:{}'></object>"),
    *(
        "<a href='javascript:{}'>x</a>",
        "<template><script>{}</script></template><script>{}</script>",
        "<base href='javascript:{}'>",
    ),
)
PLACES = (
    "{}",
    "x {} y",
    "> {}",
    "- {}",
    "# {}",
    "`{}",
    "```\n{}\n",
    "| a |\n|---|\n| {} |",
    "[x]({})",
    "![{}](y)",
    ":::note {}\nx\n:::",
)


def payloads() -> Iterator[str]:
    """Yield texts that run ``top.hit(N)`` wherever their markup is taken for markup, N their place in the order."""
    forms = [
        *(link.replace("{}", f"{scheme}{{}}") for link, scheme in product(LINKS, SCHEMES)),
        *(f"<{element} {handler}={{}}>" for element, handler in product(ELEMENTS, HANDLERS)),
        *(place.replace("{}", script) for place, script in product(PLACES, SCRIPTS)),
    ]
    for number, form in enumerate(forms):
        yield form.replace("{}", ACT.format(number))


LOOK = """
async (pages) => {
  window.hits = new Set();
  window.hit = (number) => hits.add(number);
  const active = [];
  for (const [number, html] of pages.entries()) {
    const frame = document.createElement("iframe");
    const loaded = new Promise((done) => { frame.onload = done; setTimeout(done, 3000); });
    frame.srcdoc = html;
    document.body.append(frame);
    await loaded;
    const inside = frame.contentDocument;
    for (const one of inside?.querySelectorAll("*") ?? []) {
      const address = (one.getAttribute("href") ?? one.getAttribute("src") ?? "").trim().toLowerCase();
      const acts = one.matches("script, iframe, object, embed, base, form, style, template, link")
        || one.getAttributeNames().some((name) => name.startsWith("on"))
        || /^(javascript|vbscript|data):/.test(address);
      if (acts) active.push(`${number} ${one.outerHTML.slice(0, 80)}`);
      if (one.matches("a[href^='javascript:' i]")) one.click();
    }
    await new Promise((done) => setTimeout(done, 0));
    frame.remove();
  }
  return { hits: [...hits], active };
}
"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page without our policy, so that nothing but the renderer stands in the way."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


def look(page: Page, texts: list[str]) -> dict[str, list[str]]:
    """Return which payloads ran, and what could run, where each text is a page of its own."""
    page.route(
        "http://archway.test/", lambda route: route.fulfill(content_type="text/html", body="<!doctype html><body>")
    )
    page.route("http://archway.test/?*", lambda route: route.abort())
    page.goto("http://archway.test/")
    found: dict[str, list[str]] = page.evaluate(LOOK, texts)
    return found


def test_no_markdown_becomes_anything_that_runs(page: Page) -> None:
    texts = list(payloads())
    assert len(set(texts)) >= 300
    bodies = [render.render(one).html + render.render_inline(one) for one in texts]
    pages = ["\n".join(bodies[start : start + 20]) for start in range(0, len(bodies), 20)]
    assert look(page, pages) == {"hits": [], "active": []}


def test_the_control_markdown_with_html_runs(page: Page) -> None:
    careless = MarkdownIt("commonmark", {"html": True})
    careless.validateLink = lambda _address: True
    found = look(page, [careless.render(one) for one in list(payloads())[::8]])
    assert len(found["hits"]) >= 10
    assert len(found["active"]) >= 30


HOSTS = (
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
)
PATHS = (
    *(
        "/",
        "/@evil.example",
        "/.evil.example",
        "/%2f/evil.example",
        "/%5cevil.example",
        "/;//evil.example",
        "/..//evil.example",
    ),
    *(
        "/./\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/\r\n/evil.example",
        "/\u3002evil",
        "/\u2215/evil.example",
    ),
)
OTHERS = (
    *(
        "https:evil.example",
        "https:/evil.example",
        "https:\\\\evil.example",
        "http://evil.example",
        "HTTPS://evil.example",
    ),
    *(
        "javascript:alert(1)",
        "data:text/html,x",
        "evil.example",
        "@evil.example",
        ".evil.example",
        "\tjavascript:alert(1)",
    ),
    *(
        "//evil%E3%80%82example",
        "//еvil.example",
        "//evil.example\\@localhost",
        "//localhost@evil.example",
        "//localhost:80@evil.example",
    ),
    *(
        "https://localhost.evil.example",
        "https://localhost@evil.example",
        "\x00//evil.example",
        " //evil.example",
        "\u00a0//evil.example",
    ),
)
TARGETS = (*HOSTS, *PATHS, *OTHERS)
RESOLVE = "(places) => places.map((place) => new URL(place, 'http://localhost/sign-in').origin)"


@pytest.mark.parametrize("kind", ["browser", pytest.param("firefox", marks=pytest.mark.full)])
def test_going_on_never_leaves_the_site_as_a_browser_reads_it(
    request: pytest.FixtureRequest,
    app: Flask,
    people: Callable[[str], FlaskClient],
    post: Callable[..., object],
    kind: str,
) -> None:
    people("ada")
    sent, places = {"email": "ada@example.org", "password": "a calm long sentence"}, []
    for target in TARGETS:
        answer = post(app.test_client(), "/sign-in", **sent, next=target)
        places.append(answer.headers["Location"] if answer.status_code == 303 else "/")
    for target in TARGETS:
        browser = app.test_client()
        headers = {
            "Referer": f"http://localhost{target if target.startswith('/') else '/' + target}".replace(
                "\n", ""
            ).replace("\r", "")
        }
        token = browser.get("/sign-in").text.partition('name="csrf_token" value="')[2][:64]
        places.append(
            browser.post("/theme", data={"csrf_token": token, "theme": "dark"}, headers=headers).headers["Location"]
        )
    assert len(TARGETS) >= 40
    page = request.getfixturevalue(kind).new_page()
    origins = page.evaluate(RESOLVE, places)
    careless = page.evaluate(RESOLVE, [one for one in TARGETS if "\x00" not in one])
    page.close()
    assert set(origins) == {"http://localhost"}
    # The control: where what was sent is gone to as it is, many lead away.
    assert len([one for one in careless if one != "http://localhost"]) >= 20
