"""What no form should get: every field of every form and every address, with text that is broken, huge or disguised.

The forms are read from the pages themselves, so a new field is covered as soon as a page shows it.
"""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from lxml import etree, html
from werkzeug.exceptions import HTTPException

import config
from app import create_app
from publisher import postroom
from quizzes.exchange import import_views
from tests.databases import Databases
from tests.web.test_authorization import TABLE, UNSAFE, WHO, Site, furnished, routes

Sized = Callable[[Any, Any], Any]
ROLES = ("stranger", "ada", "root")
"""Each sees forms that the others do not; an admin sees all that instructors see."""
ROOMS = ("accounts", "content", "labs", "publisher", "quizzes", "web")
WRITTEN = {"text", "email", "password", "search", "number", "url", "datetime-local"}
LEAVING = {"accounts.sign_out", "accounts.make_account", "accounts.make_first_admin", "subscriptions.delete"}
"""What ends a session, or gives it to somebody else."""
OPEN_ATTEMPT = "/attempts/2/responses"
FORM = "application/x-www-form-urlencoded"

MARK = "§"
"""Stands in every disguised text, so that it is found again on the pages."""
OVERRIDE = f"{MARK}\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe\N{HEBREW LETTER ALEF}"
DISGUISED = f"words {OVERRIDE}"
FAMILY = "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}"
BROKEN: tuple[bytes, ...] = (
    f"a{OVERRIDE}{FAMILY}\N{COMBINING ENCLOSING KEYCAP}{chr(0x1F1E7)}{chr(0xFFFF)}\x1b[31m\x7f\r\nX: y".encode(),
    b"9" * 5_000,
    b"9" * 30,
    b"\x00",
    b"a\x00b",
    b"\xff\xfe\xc0\xaf\xed\xa0\x80",
)
HUGE = "я".encode() * 500_000
STARTS = (
    "",
    "-",
    "1e",
    "0x",
    "%00",
    "../",
    "'",
    '"',
    "{{7*7}}",
    "${7*7}",
    "<b>",
    "\\",
    "\u2028",
    "\u202e",
    "\u2066",
    "\ud7ff",
)
ENDS = (
    "",
    "NaN",
    "Infinity",
    "9" * 25,
    "-1",
    "\u0301" * 60,
    "\u200d\U0001f468" * 9,
    "\ufffe",
    "\U000e0041",
    "\u0085",
    "'--",
)
MORE = tuple(text.encode() for text in (*STARTS, *ENDS, *map("".join, product(STARTS[:5], ENDS[:5]))) if text)
"""For a release: what other systems tripped over, as a start, an end or both."""


@dataclass(frozen=True)
class Form:
    """A form as a page shows it: where it goes, what stands in it, all its fields, and those in which one writes."""

    who: str
    endpoint: str
    method: str
    address: str
    values: tuple[tuple[str, str], ...]
    fields: tuple[str, ...]
    typed: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.method} {self.endpoint}"


def forms_of(site: Site, who: str, address: str, page: bytes) -> Iterator[Form]:
    """Yield the forms of a page that lead to this site."""
    for form in html.fromstring(page).forms:
        action = form.action if form.action is not None else address
        method, path = form.method.upper(), action.partition("#")[0]
        endpoint = endpoint_of(site.app, method, path)
        if endpoint is None:
            continue
        values = tuple((name, str(value)) for name, value in form.form_values() if value is not None)
        kinds = {
            str(one.name): "text" if one.tag == "textarea" else one.get("type", "text")
            for one in form.inputs
            if one.name
        }
        files = tuple(name for name, kind in kinds.items() if kind == "file")
        fields = tuple(name for name, kind in kinds.items() if kind not in {"file", "submit"})
        typed = tuple(name for name in fields if kinds[name] in WRITTEN)
        yield Form(who, endpoint, method, path, values, fields, typed, files)


def endpoint_of(app: Flask, method: str, address: str) -> str | None:
    """Return the endpoint behind an address of this site, or None."""
    path = address.partition("?")[0]
    try:
        return str(app.url_map.bind("localhost").match(path, method)[0])
    except HTTPException:
        return None


def pages_of(site: Site, who: str) -> Iterator[tuple[str, bytes]]:
    """Yield the pages that somebody reaches and an admin does not see as well, and what these link, twice a route."""
    answers = {name: row[WHO.index(who)] for name, row in TABLE.items() if name.startswith("GET")}
    others = {name: row[WHO.index("root")] for name, row in TABLE.items()} if who != "root" else {}
    waiting = [
        site.address(rule)
        for name, rule in routes(site.app).items()
        if answers.get(name) == 200 and (others.get(name) != 200 or name.startswith("GET accounts"))
    ]
    waiting += [address for address, whose in site.places["pages"].items() if whose == who]
    seen, visits = set(waiting), Counter[str]()
    while waiting:
        address = waiting.pop(0)
        answer = site.open(who, "GET", address)
        if answer.mimetype != "text/html" or answer.status_code != 200:
            continue
        yield address, answer.data
        for link in html.fromstring(answer.data).xpath("//a/@href"):
            path = str(link).partition("#")[0]
            endpoint = endpoint_of(site.app, "GET", path) if path.startswith("/") else None
            name = f"GET {endpoint}"
            if path not in seen and visits[name] < 2 and name in answers and others.get(name) != 200:
                visits[name] += 1
                seen.add(path)
                waiting.append(path)


@pytest.fixture(scope="module")
def site(prepared: Path, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site with everybody, and with one of each thing that people send: an import, a subscription, a draft."""
    folder = tmp_path_factory.mktemp("hostile")
    with furnished(create_app(config.load(databases.copy(prepared, folder)))) as made:
        yield _with_more(made)


def _with_more(site: Site) -> Site:
    """Let ina import a file, and ada close an exam, begin another and subscribe; note where that led."""
    fields: tuple[tuple[str, str, dict[str, str]], ...] = (
        ("ina", "/studio/imports", {"text": "::one:: Which? {=A ~B}", "format": "gift"}),
        ("ada", "/attempts/1/submit", {}),
        ("ada", "/exams/saa-c01/attempts", {}),
        ("ada", "/subscribe", {"email": "ada@example.org", "channel": "link", "language": "en", "country": "DE"}),
    )
    found: dict[str, object] = {}
    for who, address, sent in fields:
        answer = _keep(site, who, address, sent)
        assert answer.status_code == 303, (address, answer.text)
        found[answer.headers["Location"]] = who
    assert import_views.worker(site.app).run_next()
    postroom.Worker(site.app).run_next()
    [mail] = (site.app.extensions["settings"].instance / "outbox").glob("*.eml")
    confirm = re.findall(r"http://127\.0\.0\.1:8000(/subscriptions/\S+/confirm)", mail.read_text())[0]
    found[confirm] = "ada"
    found[_keep(site, "ada", confirm, {}).headers["Location"].partition("?")[0]] = "ada"
    site.places["pages"] = found
    return site


def _keep(site: Site, who: str, address: str, fields: dict[str, str]) -> Any:
    """Send a form whose effect stays."""
    browser = site.app.test_client(use_cookies=False)
    data = {"csrf_token": site.tokens[who], **fields}
    return browser.post(address, data=data, headers={"Cookie": f"archway={site.visits[who]}"})


@pytest.fixture(scope="module")
def forms(site: Site) -> list[Form]:
    """Every form that anybody is shown, one of each shape."""
    found: dict[tuple[object, ...], Form] = {}
    for who in ROLES:
        for address, page in pages_of(site, who):
            for form in forms_of(site, who, address, page):
                buttons = tuple(sorted({value for name, value in form.values if name == "do"}))
                found.setdefault((form.name, frozenset(form.fields), buttons), form)
    return list(found.values())


def _sent(site: Site, form: Form, field: str, value: bytes) -> Any:
    """Return what is answered where one field holds ``value`` and the others what the page had in them."""
    pairs = [(name.encode(), old.encode()) for name, old in form.values if name not in {field, "csrf_token"}]
    pairs += [(b"csrf_token", site.tokens[form.who].encode()), (field.encode(), value)]
    body = b"&".join(name + b"=" + _escaped(one) for name, one in pairs)
    if form.method == "GET":
        return site.open(form.who, "GET", f"{form.address.partition('?')[0]}?{body[:8000].decode()}")
    return site.open(form.who, form.method, form.address, data=body, content_type=FORM)


def _escaped(value: bytes) -> bytes:
    return b"".join(b"%%%02X" % one if one < 0x2B or one in b"&=+%" or one > 0x7E else bytes([one]) for one in value)


def test_the_pages_show_forms_of_every_room(forms: list[Form]) -> None:
    rooms = {form.endpoint.partition(".")[0] for form in forms}
    assert rooms >= {"accounts", "cohorts", "content", "editor", "labs", "post", "quizzes", "subscriptions", "web"}
    assert len({(form.endpoint, name) for form in forms for name in form.fields}) >= 150


def test_no_field_makes_a_page_fail(site: Site, forms: list[Form], sized: Sized) -> None:
    failed = []
    pairs = [(form, field) for form in forms for field in form.fields]
    for one, field in pairs:
        fitting = BROKEN[:1] if field in one.typed else BROKEN[1:2]
        answers = {value: _sent(site, one, field, value) for value in sized(fitting, (*BROKEN, HUGE, *MORE))}
        failed += [f"{one.name} {field}={value[:20]!r}" for value, got in answers.items() if got.status_code >= 500]
    assert failed == []


def test_what_no_database_stores_is_refused_in_every_form(site: Site, forms: list[Form]) -> None:
    taken = []
    for form in forms:
        fields = dict.fromkeys(set(form.fields) - {"csrf_token"}, "a\0b")
        data = fields | {"csrf_token": site.tokens[form.who]}
        sent = {"query_string": fields} if form.method == "GET" else {"data": data}
        if site.open(form.who, form.method, form.address.partition("?")[0], **sent).status_code != 400 and fields:
            taken.append(form.name)
    assert taken == []


def test_the_control_a_view_that_stores_what_it_gets_is_found(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def choose_theme() -> str:
        return request.form["theme"].encode("ascii").decode()

    monkeypatch.setitem(site.app.view_functions, "web.choose_theme", choose_theme)
    form = Form("ada", "web.choose_theme", "POST", "/theme", (), ("theme",), ("theme",), ())
    assert [_sent(site, form, "theme", value).status_code for value in (b"dark", BROKEN[0])] == [200, 500]


def test_a_file_may_have_any_name_and_hold_anything(site: Site, forms: list[Form]) -> None:
    names = ("../../etc/passwd", f"{OVERRIDE}.csv", "a\x00b", "x" * 5_000, "CON", "a/b\\c:d", "", '";\r\nX: y')
    uploads = [form for form in forms if form.files]
    assert {form.endpoint for form in uploads} == {"cohorts.invite", "quizzes.send"}
    for form, name, content in product(uploads, names, (b"\x00\xff", b"PK\x03\x04" + b"\xff" * 99)):
        fields = {key: value for key, value in form.values if key != "csrf_token"}
        data = {**fields, "csrf_token": site.tokens[form.who], form.files[0]: (io.BytesIO(content), name)}
        answer = site.open(form.who, "POST", form.address, data=data, content_type="multipart/form-data")
        assert answer.status_code < 500, (form.name, name)


CHANGE = {"place": 1, "revision": 1, "answer": "a", "flagged": False, "stamp": None}
VALUES: tuple[object, ...] = (
    *(None, True, -1, 10**30, 1e308, 0.5, "", "a" * 100_000, "\x00", "\ud800", "\u202e", [], [[]], {}, {"a": {}}),
    *(float("nan"), float("inf"), -(2**63), 2**31),
)
BODIES: tuple[bytes, ...] = (
    *(b"", b"null", b"[]", b'"x"', b"{", b"NaN", b"1e999", b"\xff", b"\xef\xbb\xbf{}", b"{}\x00", b'{"responses":'),
    *(b"9" * 5_000, b"[" * 100_000, b'{"a":' * 100_000, "{}".encode("utf-16"), b'{"\\ud800": "\\u0000"}'),
    *(json.dumps({"responses": value}).encode() for value in VALUES),
    *(json.dumps({"responses": [{**CHANGE, name: value}]}).encode() for name, value in product(CHANGE, VALUES)),
)


def _json(site: Site, who: str, method: str, address: str, body: bytes) -> Any:
    headers = {"X-CSRF-Token": site.tokens[who]}
    return site.open(who, method, address, headers, data=body, content_type="application/json")


def test_no_body_makes_the_route_of_answers_fail(site: Site) -> None:
    answers = Counter(_json(site, "ada", "POST", OPEN_ATTEMPT, body).status_code for body in BODIES)
    assert set(answers) == {200, 400}
    assert answers[400] > len(BODIES) / 2


def test_no_body_makes_another_route_fail(site: Site, sized: Sized) -> None:
    deep, hidden = b"[" * 100_000, b'{"\\ud800": "\\u0000"}'
    bodies = sized((deep, hidden, b'[{"a": NaN}]'), BODIES[: 16 + len(VALUES)])
    for name, rule in routes(site.app).items():
        method = name.partition(" ")[0]
        for who, body in product(sized(("root",), ("root", "ada", "stranger")), bodies if method in UNSAFE else ()):
            answer = _json(site, who, method, site.address(rule), body)
            assert answer.status_code < 500, (name, who, body[:30])
            assert body not in {deep, hidden} or answer.status_code == 400, name


ASKED = re.compile(r'request\.(?:args|values)(?:\.get|\.getlist)?[(\[]"(\w+)"')


def test_no_query_makes_a_page_fail(site: Site, sized: Sized) -> None:
    sources = [path.read_text("utf-8") for room in ROOMS for path in Path(room).rglob("*views.py")]
    names = sorted({name for source in sources for name in ASKED.findall(source)} | {"domain", "task", "tag"})
    assert len(names) > 15
    for name, rule in routes(site.app).items():
        if not name.startswith("GET") or name.endswith("static"):
            continue
        for who, turn in product(sized(("root",), ("root", "ada")), sized((0,), range(len(BROKEN)))):
            values = {
                one: _escaped(BROKEN[(number + turn) % sized(2, len(BROKEN))]) for number, one in enumerate(names)
            }
            query = "&".join(f"{one}={value.decode()}" for one, value in values.items())
            assert site.open(who, "GET", f"{site.address(rule).partition('?')[0]}?{query}").status_code < 500, name


def test_no_address_makes_a_page_fail(site: Site, sized: Sized) -> None:
    texts = ("%00", "%ff", "..%2f..%2fapp.py", "%E2%80%AE", "a" * 3_000, "{{7*7}}", "%0d%0aX:%20y")
    for name, rule in routes(site.app).items():
        method = name.partition(" ")[0]
        for hostile in sized(texts[:3], texts) if rule.arguments else ():
            parts = {
                one: str(10**30) if "int" in str(rule._converters[one]).lower() else hostile for one in rule.arguments
            }
            address = re.sub(r"<(?:\w+:)?(\w+)>", lambda found, parts=parts: parts[found[1]], rule.rule)
            sent = {"data": {"csrf_token": site.tokens["root"]}} if method in UNSAFE else {}
            status = site.open("root", method, address, **sent).status_code
            assert 300 <= status < 500, (name, address[:80], status)


FILLED = {"email": "new@example.org", "password": "a calm long sentence", "zone": "UTC", "days": "14"}
ISOLATING = ("bdi", "textarea", "option", "title", "code", "pre", "button")
BLOCKS = (
    "p",
    "li",
    "td",
    "th",
    "dt",
    "dd",
    "h1",
    "h2",
    "h3",
    "h4",
    "blockquote",
    "div",
    "figcaption",
    "legend",
    "summary",
)


def exposed(page: bytes) -> list[str]:
    """Return the places of a page where a disguised text may turn round what stands beside it."""
    found = []
    for element in html.fromstring(page).iter(etree.Element):
        for written, around in ((element.text, element), (element.tail, element.getparent())):
            if written and MARK in written and not _isolated(around):
                found.append(f"<{around.tag}> {' '.join(around.text_content().split())[:60]}")
    return found


def _isolated(element: Any) -> bool:
    """Return whether a text has a direction of its own, or a block to itself."""
    for one in (element, *element.iterancestors()):
        if one.tag in ISOLATING or one.get("dir"):
            return True
        if one.tag in BLOCKS:
            return " ".join(one.text_content().split()) == DISGUISED
    return False


def test_what_turns_text_round_turns_only_itself_round(site: Site, forms: list[Form]) -> None:
    kept = set()
    for form in forms:
        for field in form.typed if form.method == "POST" and form.endpoint not in LEAVING else ():
            values = {name: value or FILLED.get(name, "x") for name, value in form.values if name != "csrf_token"}
            empty = {name: FILLED.get(name, "x") for name in form.typed if not values.get(name)}
            answer = _keep(site, form.who, form.address, {**values, **empty, field: DISGUISED})
            assert answer.status_code < 500, (form.name, field)
            kept |= {form.endpoint} if answer.status_code == 303 else set()
    pages = {(who, address): page for who in ROLES for address, page in pages_of(site, who)}
    assert len(kept) >= 10
    assert len([page for page in pages.values() if MARK.encode() in page]) >= 15
    assert {where: found for where, page in pages.items() if (found := exposed(page))} == {}


@pytest.mark.parametrize(
    ("page", "count"),
    [
        (f"<p>By {DISGUISED} today</p>", 1),
        (f"<p><a href='/'>{DISGUISED}</a>, 3</p>", 1),
        (f"<p>By <bdi>{DISGUISED}</bdi> today</p>", 0),
        (f"<ul><li><a href='/'>{DISGUISED}</a></ul>", 0),
    ],
)
def test_the_control_a_text_that_turns_others_round_is_found(page: str, count: int) -> None:
    assert len(exposed(f"<meta charset=utf-8>{page}".encode())) == count
