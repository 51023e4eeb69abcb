"""Who may do what: every route and method of the application for each kind of person, declared in one table.

A route that is not declared here fails the test. To declare one, add a line to ``TABLE`` with a pattern below; where
its address has a value that the others have not, add it to ``PLACES``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, func, insert, select
from werkzeug.routing import Rule

import config
from accounts import assignment_store, cohort_store, sessions
from accounts.assignment_store import What
from accounts.cohorts import Terms
from accounts.models import PersonRow, SessionRow
from accounts.store import invite_admin
from app import create_app
from content.workflow import Signature
from db import Database
from quizzes.authoring import store as authoring
from quizzes.authoring.store import StudioBank
from quizzes.formats import markdown
from tests.conftest import MovableClock
from tests.databases import Databases
from tests.web.test_headers import POLICY
from web import security
from web.security import visit_hash

WHO = ("stranger", "guest", "eve", "ada", "bob", "ina", "root")
"""A visitor without a session, a guest, a learner, the learner who owns things, an instructor of another cohort, the
instructor of the learner's cohort, and an admin."""
ENDED = {"ada's, ended": "ada", "root's, ended": "root"}
"""Sessions that were somebody's and ended by themselves; one that was ended, as of a locked account, has no row."""
SIGN_IN = 0
"""What stands in the table for being asked to sign in."""
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


def everybody(status: int) -> tuple[int, ...]:
    """Open to all, or to nobody by who they are, as where a signed address decides."""
    return (status,) * 7


def accounts(status: int) -> tuple[int, ...]:
    """For everybody with an account."""
    return (SIGN_IN, SIGN_IN, *(status,) * 5)


def people(status: int) -> tuple[int, ...]:
    """For everybody whose work is kept, guests too."""
    return (SIGN_IN, *(status,) * 6)


def owner(status: int) -> tuple[int, ...]:
    """For the learner who owns it; to all others, admins too, it is not there."""
    return (404, 404, 404, status, 404, 404, 404)


def learner(status: int) -> tuple[int, ...]:
    """For the learner of the cohort; who has no session is asked to sign in."""
    return (SIGN_IN, 404, 404, status, 404, 404, 404)


def instructors(status: int) -> tuple[int, ...]:
    """For every instructor."""
    return (SIGN_IN, SIGN_IN, 403, 403, status, status, status)


def teaches(status: int) -> tuple[int, ...]:
    """For the cohort's instructor and admins; to others it is not there."""
    return (SIGN_IN, 404, 404, 404, 404, status, status)


def admins(status: int) -> tuple[int, ...]:
    """For admins."""
    return (SIGN_IN, SIGN_IN, 403, 403, 403, 403, status)


TABLE = {
    "POST access.change_password": accounts(400),
    "POST access.end_others": accounts(400),
    "GET access.offer_password": everybody(404),
    "POST access.set_password": everybody(404),
    "GET access.show": accounts(200),
    "POST accounts.begin": everybody(303),
    "POST accounts.begin_session": everybody(400),
    "GET accounts.first_admin": everybody(200),
    "GET accounts.join": everybody(200),
    "POST accounts.join_cohort": (400, 400, 303, 303, 303, 303, 303),
    "POST accounts.make_account": everybody(400),
    "POST accounts.make_first_admin": everybody(400),
    "GET accounts.sign_in": everybody(200),
    "POST accounts.sign_out": everybody(303),
    "GET accounts.sign_up": everybody(200),
    "POST cohorts.add_instructor": teaches(400),
    "POST cohorts.assign": teaches(400),
    "POST cohorts.change": teaches(303),
    "POST cohorts.change_assignment": teaches(303),
    "POST cohorts.create": instructors(303),
    "GET cohorts.edit_assignment": teaches(200),
    "GET cohorts.export_gradebook": teaches(200),
    "POST cohorts.extend": teaches(303),
    "GET cohorts.index": instructors(200),
    "GET cohorts.invitation": teaches(200),
    "POST cohorts.invite": teaches(400),
    "POST cohorts.leave_cohort": learner(303),
    "POST cohorts.make_link": teaches(200),
    "GET cohorts.mine": people(200),
    "GET cohorts.new_assignment": teaches(200),
    "POST cohorts.remove": teaches(303),
    "POST cohorts.revoke": teaches(303),
    "POST cohorts.set_extra_time": teaches(303),
    "GET cohorts.show": teaches(200),
    "GET cohorts.show_gradebook": teaches(200),
    "GET cohorts.show_person": teaches(200),
    "GET cohorts.standing": teaches(200),
    "GET cohorts.static": everybody(200),
    "POST content.begin_note": instructors(422),
    "GET content.course": everybody(200),
    "GET content.courses": everybody(200),
    "GET content.edit_page": instructors(200),
    "GET content.every_calendar": everybody(200),
    "POST content.finish": everybody(303),
    "POST content.keep_mark": everybody(404),
    "GET content.lesson": everybody(200),
    "GET content.module": everybody(200),
    "GET content.note": everybody(200),
    "GET content.notebook": everybody(200),
    "GET content.notes": everybody(200),
    "GET content.offline": everybody(200),
    "GET content.page_history": instructors(404),
    "GET content.picture": everybody(404),
    "POST content.preview_page": instructors(200),
    "GET content.printed_course": everybody(200),
    "POST content.restore_page": instructors(404),
    "POST content.save_page": instructors(303),
    "GET content.schedule": everybody(200),
    "GET content.schedule_calendar": everybody(200),
    "GET content.search_page": everybody(200),
    "POST content.send_feedback": everybody(404),
    "GET content.service_worker": everybody(200),
    "POST content.settle_feedback": instructors(303),
    "GET content.startup_round": everybody(200),
    "GET content.startups": everybody(302),
    "GET content.static": everybody(200),
    "GET content.studio": instructors(200),
    "GET content.studio_pages_list": instructors(200),
    "POST content.take_page_step": instructors(404),
    "GET content.talk_calendar": everybody(200),
    "GET content.talks": everybody(302),
    "GET content.terms": everybody(200),
    "GET editor.book": instructors(404),
    "GET editor.document": instructors(404),
    "GET editor.edit": instructors(404),
    "GET editor.issues": instructors(200),
    "GET editor.look": instructors(404),
    "POST editor.proof": instructors(404),
    "POST editor.publish": instructors(404),
    "POST editor.save": instructors(404),
    "GET labs.animation": everybody(200),
    "POST labs.cancel": owner(303),
    "GET labs.compare": owner(200),
    "GET labs.describe": everybody(200),
    "GET labs.document": owner(200),
    "GET labs.events": owner(200),
    "GET labs.index": everybody(200),
    "GET labs.lab": everybody(200),
    "GET labs.show": owner(200),
    "POST labs.start": everybody(303),
    "GET labs.static": everybody(200),
    "GET labs.table": owner(200),
    "GET personal.account": people(200),
    "POST personal.delete": (SIGN_IN, 303, 400, 400, 400, 400, 400),
    "GET personal.download": people(200),
    "POST post.again": admins(409),
    "GET post.progress": admins(200),
    "POST post.send": admins(409),
    "GET post.show": admins(200),
    "GET publisher.article": everybody(200),
    "GET publisher.atom": everybody(200),
    "GET publisher.book": everybody(200),
    "GET publisher.contents": everybody(200),
    "GET publisher.cover": everybody(200),
    "GET publisher.issues": everybody(200),
    "GET publisher.opds": everybody(200),
    "GET publisher.opds2": everybody(200),
    "GET publisher.static": everybody(200),
    "POST quizzes.answer_check": everybody(404),
    "POST quizzes.answer_dispute": instructors(404),
    "POST quizzes.answer_drill": everybody(404),
    "POST quizzes.answer_question_of_the_day": everybody(404),
    "GET quizzes.bank_text": instructors(200),
    "POST quizzes.begin_bank": instructors(422),
    "POST quizzes.cancel_import": instructors(404),
    "POST quizzes.choose": instructors(404),
    "POST quizzes.compute_statistics": instructors(303),
    "GET quizzes.confirm": owner(200),
    "POST quizzes.copy_item": instructors(404),
    "GET quizzes.corrections": instructors(200),
    "POST quizzes.dispute": owner(404),
    "GET quizzes.disputes": instructors(200),
    "GET quizzes.drill": everybody(200),
    "GET quizzes.drills": everybody(200),
    "GET quizzes.exam": everybody(200),
    "GET quizzes.exam_index": everybody(200),
    "GET quizzes.exam_statistics": instructors(200),
    "GET quizzes.export": instructors(200),
    "GET quizzes.exported": instructors(200),
    "GET quizzes.import_report": instructors(404),
    "GET quizzes.import_state": instructors(404),
    "GET quizzes.imports": instructors(200),
    "GET quizzes.item_history": instructors(200),
    "GET quizzes.item_statistics": instructors(404),
    "GET quizzes.new_item": instructors(200),
    "POST quizzes.new_item": instructors(422),
    "POST quizzes.offer_bank": instructors(422),
    "GET quizzes.one_dispute": instructors(404),
    "GET quizzes.one_import": instructors(404),
    "GET quizzes.picture": everybody(404),
    "POST quizzes.preview_bank_text": instructors(200),
    "POST quizzes.preview_item": instructors(200),
    "GET quizzes.question_of_the_day": everybody(200),
    "GET quizzes.replay_question": instructors(404),
    "GET quizzes.report": owner(303),
    "POST quizzes.restore": instructors(404),
    "GET quizzes.review": owner(303),
    "GET quizzes.reviews": instructors(200),
    "POST quizzes.save": owner(200),
    "POST quizzes.save_bank_text": instructors(409),
    "POST quizzes.save_form": owner(303),
    "POST quizzes.save_item": instructors(409),
    "POST quizzes.send": instructors(400),
    "GET quizzes.sit": owner(200),
    "POST quizzes.start": everybody(303),
    "GET quizzes.static": everybody(200),
    "GET quizzes.statistics": instructors(200),
    "GET quizzes.statistics_csv": instructors(404),
    "GET quizzes.studio": instructors(200),
    "GET quizzes.studio_bank": instructors(200),
    "GET quizzes.studio_item": instructors(200),
    "POST quizzes.submit": owner(303),
    "POST quizzes.take_step": instructors(409),
    "POST quizzes.undo_import": instructors(404),
    "GET quizzes.usage_data": instructors(404),
    "GET quizzes.watch": owner(200),
    "POST quizzes.weigh": instructors(404),
    "POST subscriptions.begin": everybody(404),
    "GET subscriptions.book": everybody(404),
    "GET subscriptions.confirm": everybody(404),
    "GET subscriptions.data": everybody(404),
    "POST subscriptions.delete": everybody(404),
    "GET subscriptions.leave": everybody(404),
    "POST subscriptions.save": everybody(404),
    "GET subscriptions.sent": everybody(200),
    "GET subscriptions.settings": everybody(404),
    "POST subscriptions.sign_up": everybody(400),
    "GET subscriptions.subscribe": everybody(200),
    "POST subscriptions.unsubscribe": everybody(404),
    "POST web.choose_language": everybody(303),
    "POST web.choose_theme": everybody(303),
    "GET web.favicon": everybody(200),
    "GET health.alive": everybody(200),
    "GET health.metrics": everybody(404),
    "GET health.ready": everybody(200),
    "GET web.home": everybody(200),
    "GET web.robots": everybody(200),
    "GET web.security_contact": everybody(404),
    "GET web.static": everybody(200),
    "GET web.stylesheet": everybody(200),
}
"""Method and endpoint → what each of WHO is answered: a status, or SIGN_IN. Where the form is empty or the month has no
book, 400, 404 or 409 is what those get who pass."""

PAGE = "courses/architectures/2-services-under-load/2-lambda-concurrency.md"
LESSON = {"course_slug": "architectures", "module_slug": "services-under-load", "lesson_slug": "lambda-concurrency"}
STUDIO = {"import_id": 1, "dispute_id": 1, "kind": "json", "sha256": "0" * 64, "ending": "png", "revision": 1}
PLACES: dict[str, dict[str, object]] = {
    "access": {"token": "…"},
    "accounts": {"token": "…"},
    "cohorts": {"cohort_id": 1, "assignment_id": 1, "link_id": 1, "person_id": 4, "filename": "cohorts.css"},
    "content": {
        **LESSON,
        "month": "2018-01",
        "name": "2018-01-tri-bilborda",
        "feedback_id": 1,
        "talk_slug": "…",
        "path": PAGE,
    },
    "content.startup_round": {"month": "2018-02"},
    "content.static": {"filename": "reading.css"},
    "editor": {"month": "2017-01", "name": "x"},
    "labs": {"slug": "lambda-concurrency", "run_id": 1, "kind": "js"},
    "labs.static": {"filename": "labs.css"},
    "post": {"delivery": 1, "month": "2017-01"},
    "publisher": {"month": "2018-01", "slug": "lambda-concurrency"},
    "publisher.static": {"filename": "issues.css"},
    "quizzes": {
        "slug": "saa-c01",
        "course_slug": "security-specialty",
        "attempt_id": 1,
        "question_id": "none",
        **STUDIO,
    },
    "quizzes.static": {"filename": "exam.css"},
    "quizzes.exported": {"name": "gift", "bank": "caches"},
    **{
        f"quizzes.{name}": {"slug": "caches"}
        for name in ("studio_bank", "new_item", "copy_item", "preview_item", "offer_bank")
    },
    **{f"quizzes.{name}": {"question_id": "caches-1"} for name in ("studio_item", "save_item", "take_step")},
    **{f"quizzes.{name}": {"question_id": "caches-1"} for name in ("item_history", "restore")},
    **{f"quizzes.{name}": {"slug": "caches"} for name in ("bank_text", "save_bank_text", "preview_bank_text")},
    "subscriptions": {"token": "forged", "month": "2018-01"},
    "web.static": {"filename": "favicon.svg"},
}
"""Values for addresses, by blueprint or endpoint."""
FIELDS: dict[str, dict[str, object]] = {
    "cohorts.change": {"title": "Winter", "zone": "UTC"},
    "cohorts.change_assignment": {"counts": "best"},
    "cohorts.create": {"title": "Spring", "zone": "UTC"},
    "cohorts.make_link": {"days": "14"},
    "cohorts.set_extra_time": {"extra": "1.5"},
    "quizzes.answer_question_of_the_day": {"question": "none"},
    "web.choose_language": {"language": "en"},
    "web.choose_theme": {"theme": "dark"},
}
"""What the forms send; the others are sent empty."""
QUERIES = {"labs.compare": "?run=1&run=2"}
"""What stands after an address, for those that need it."""


@dataclass
class Site:
    """The application with somebody of each kind, and what they own; what a request writes is taken back after it."""

    app: Flask
    visits: dict[str, str]
    places: dict[str, dict[str, object]]
    tokens: dict[str, str] = field(default_factory=dict)

    def ask(self, who: str, method: str, address: str, endpoint: str = "", **headers: str) -> int:
        """Return the status of a person's request, SIGN_IN where they are asked to sign in."""
        fields = {**FIELDS.get(endpoint, {}), "csrf_token": headers.pop("token", self.tokens.get(who, ""))}
        sent: dict[str, Any] = {"data": fields} if method in UNSAFE else {}
        if endpoint == "quizzes.save":
            headers["X-CSRF-Token"] = str(fields["csrf_token"])
            sent = {"json": {"responses": []}}
        answer = self.open(who, method, address, headers, **sent)
        asked = answer.status_code == 303 and answer.headers["Location"].startswith("/sign-in")
        return SIGN_IN if asked else answer.status_code

    def open(self, who: str, method: str, address: str, headers: dict[str, str] | None = None, **sent: Any) -> Any:
        """Return what a person's request is answered."""
        cookie = {"Cookie": f"archway={self.visits[who]}"}
        with _taken_back(self.app):
            browser: FlaskClient = self.app.test_client(use_cookies=False)
            return browser.open(address, method=method, headers={**cookie, **(headers or {})}, **sent)

    def address(self, rule: Rule) -> str:
        """Return an address of a route, with the values that PLACES gives."""
        blueprint = rule.endpoint.partition(".")[0]
        known = {**self.places.get(blueprint, {}), **self.places.get(rule.endpoint, {})}
        values = {name: known[name] for name in rule.arguments}
        with self.app.test_request_context():
            built = self.app.url_map.bind("localhost").build(rule.endpoint, values, method=None)
        return f"{built}{QUERIES.get(rule.endpoint, '')}"


@contextmanager
def _taken_back(app: Flask) -> Iterator[None]:
    """Let everything within write to one connection, and take it back at the end."""
    database: Database = app.extensions["database"]
    with database._writer.connect() as connection:

        @contextmanager
        def within() -> Iterator[Connection]:
            with connection.begin_nested():
                yield connection

        def together(work: Callable[[Connection], Any]) -> Any:
            with within() as inner:
                return work(inner)

        kept = {name: getattr(database, name) for name in ("reading", "writing", "together")}
        vars(database).update(reading=within, writing=within, together=together)
        try:
            yield
        finally:
            for name in kept:
                del vars(database)[name]
            connection.rollback()


@pytest.fixture(scope="module")
def site(prepared: Path, tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    with furnished(create_app(config.load(databases.copy(prepared, folder)))) as made:
        yield made


@contextmanager
def furnished(app: Flask) -> Iterator[Site]:
    """Fill a prepared application with everybody and what they own."""
    app.extensions["clock"], app.config["RATELIMIT_ENABLED"] = MovableClock(), False
    visits = {who: f"{number:x}".rjust(43, "v") for number, who in enumerate((*WHO, *ENDED))}
    made = Site(app, visits, dict(PLACES))
    with app.extensions["database"].writing() as connection:
        made.places |= _furnish(app, connection, made.visits)
    _use(made)
    talk = app.extensions["library"].current().schedules[0]
    made.places["content.talk_calendar"] = {"month": talk.month, "talk_slug": talk.talks[0].slug}
    yield made
    app.extensions["database"].engine.dispose()


def _furnish(app: Flask, connection: Connection, visits: dict[str, str]) -> dict[str, dict[str, object]]:
    """Store the people with their sessions, a cohort of ina's with ada, and what is assigned; return the tokens."""
    now = app.extensions["clock"]()
    roles = {"bob": "instructor", "ina": "instructor", "root": "admin"}
    for number, who in enumerate(WHO[1:], 2):
        email = None if who == "guest" else f"{who}@example.org"
        row = {"id": number, "name": who, "email": email, "role": roles.get(who, "learner"), "theme": "auto"}
        connection.execute(insert(PersonRow).values(**row, created_at=now))
        session = {"visit_hash": visit_hash(visits[who]), "person_id": number, "created_at": now}
        connection.execute(insert(SessionRow).values(**session, expires_at=now + timedelta(days=80)))
    for ended, who in ENDED.items():
        session = {"visit_hash": visit_hash(visits[ended]), "person_id": WHO.index(who) + 1, "created_at": now}
        connection.execute(insert(SessionRow).values(**session, expires_at=now))
    if connection.dialect.name == "postgresql":
        # Whoever comes next has a number of their own too.
        connection.execute(select(func.setval("accounts_person_id_seq", len(WHO))))
    cohort_store.create(connection, "Winter", "UTC", WHO.index("ina") + 1, now)
    links = [cohort_store.make_link(connection, 1, None, now, now + timedelta(days=1)) for _ in range(2)]
    cohort_store.join(app.extensions["database"], connection, links[0], WHO.index("ada") + 1, now)
    terms = Terms("", None, now + timedelta(days=1), closes=False, counts="best")
    assignment_store.assign(connection, 1, What("exam", "saa-c01", "Exam"), terms, now)
    ina = Signature(WHO.index("ina") + 1, now)
    bank = authoring.create_bank(connection, StudioBank(0, "caches", "Caches", "architectures", "exam", "", 0), ina)
    text = "## caches-1\n\nWhich one?\n\n- [x] This\n- [ ] That\n"
    item, _faults = markdown.read_item(text, "architectures", {}, Path("caches.md"))
    assert item is not None
    authoring.add_items(connection, bank.id, [item], ina)
    first = invite_admin(connection, now)
    join = {"token": links[0]}
    invitation = {"token": first}
    return {
        "accounts.first_admin": invitation,
        "accounts.make_first_admin": invitation,
        "accounts.join": join,
        "accounts.join_cohort": join,
    }


def _use(site: Site) -> None:
    """Let ada start an exam and a run and write to the instructors, and let everybody fetch a form token."""
    for who, visit in site.visits.items():
        browser = site.app.test_client(use_cookies=False)
        page = browser.get("/sign-in", headers={"Cookie": f"archway={visit}"}).text
        site.tokens[who] = re.findall(r'name="csrf_token" value="(\w+)"', page)[0]
    # The issues that are due are bound once, so that no request has to.
    site.app.test_client().get("/issues")
    for address, fields in (
        ("/exams/saa-c01/attempts", {}),
        ("/labs/lambda-concurrency/runs", {}),
        ("/labs/lambda-concurrency/runs", {}),
        ("/feedback", {"page": "/learn/architectures/services-under-load/lambda-concurrency", "text": "Why?"}),
    ):
        cookie = {"Cookie": f"archway={site.visits['ada']}"}
        data = {"csrf_token": site.tokens["ada"], **fields}
        browser = site.app.test_client(use_cookies=False)
        assert browser.post(address, data=data, headers=cookie).status_code == 303


def routes(app: Flask) -> dict[str, Rule]:
    """Return every route by its method and endpoint."""
    return {
        f"{method} {rule.endpoint}": rule
        for rule in app.url_map.iter_rules()
        for method in sorted(rule.methods or set())
        if method not in {"HEAD", "OPTIONS"}
    }


def test_every_route_is_declared(site: Site) -> None:
    assert sorted(routes(site.app)) == sorted(TABLE)


def test_a_route_that_is_not_declared_is_found() -> None:
    app = Flask("other", static_folder=None)
    app.add_url_rule("/new", "web.new", lambda: "x", methods=["POST"])
    assert set(routes(app)) - set(TABLE) == {"POST web.new"}


def test_everybody_may_do_what_the_table_says_and_no_more(site: Site) -> None:
    wrong = []
    for name, rule in routes(site.app).items():
        method = name.partition(" ")[0]
        address = site.address(rule)
        found = tuple(site.ask(who, method, address, rule.endpoint) for who in WHO)
        if found != TABLE.get(name):
            wrong.append(f"{name} ({address}): {dict(zip(WHO, found, strict=True))}, declared {TABLE.get(name)}")
    assert wrong == []


def test_whose_session_has_ended_is_a_stranger_everywhere(site: Site) -> None:
    wrong = []
    for ended, who in ENDED.items():
        for name, row in TABLE.items():
            stranger, was = row[0], row[WHO.index(who)]
            if was != stranger and name != "POST accounts.join_cohort":
                rule = routes(site.app)[name]
                found = site.ask(ended, name.partition(" ")[0], site.address(rule), rule.endpoint)
                wrong += [f"{name} as {ended}: {found}"] if found != stranger else []
    assert wrong == []


def test_the_control_a_session_without_an_end_is_found(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "now", lambda: site.app.extensions["clock"]() - timedelta(days=1))
    assert site.ask("root's, ended", "GET", "/studio/cohorts") == 200


STRICTER = {"quizzes.exported": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}


def unprotected(endpoint: str, headers: Any) -> list[str]:
    """Return the headers that an answer should have and has not, or has otherwise."""
    expected = {**security.HEADERS, "Content-Security-Policy": STRICTER.get(endpoint, POLICY)}
    return [f"{endpoint} {name}: {headers.get(name)}" for name, value in expected.items() if headers.get(name) != value]


def test_every_answer_of_every_route_is_protected(site: Site) -> None:
    wrong, cached = [], []
    for name, rule in routes(site.app).items():
        method = name.partition(" ")[0]
        sent = {"data": {"csrf_token": site.tokens["root"]}} if method in UNSAFE else {}
        answer = site.open("root", method, site.address(rule), **sent)
        wrong += unprotected(rule.endpoint, answer.headers)
        if (answer.status_code, answer.mimetype) == (200, "text/html"):
            cached += [name] if answer.headers["Cache-Control"] != "no-store" else []
        if answer.mimetype.startswith("text/") and "charset=utf-8" not in answer.content_type:
            wrong.append(f"{name}: {answer.content_type}")
    assert wrong == []
    assert cached == []


def test_the_control_an_answer_without_its_policy_is_found(site: Site) -> None:
    answer = site.open("root", "GET", "/")
    answer.headers["Content-Security-Policy"] = "default-src *"
    del answer.headers["X-Content-Type-Options"]
    assert len(unprotected("web.home", answer.headers)) == 2


def test_a_view_that_forgets_to_ask_who_it_is_is_found(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(site.app.view_functions, "cohorts.show", lambda cohort_id: f"cohort {cohort_id}")
    address = site.address(routes(site.app)["GET cohorts.show"])
    assert tuple(site.ask(who, "GET", address) for who in WHO) != TABLE["GET cohorts.show"]


FORGERIES: tuple[dict[str, str], ...] = (
    {"token": ""},
    {"token": "eve's"},
    {"Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
)


def _needs_token(app: Flask, name: str, rule: Rule) -> bool:
    signed = getattr(app.view_functions[rule.endpoint], "signed_address", False)
    return name.partition(" ")[0] in UNSAFE and not signed


def _sent(site: Site, forgery: dict[str, str]) -> dict[str, str]:
    return {name: site.tokens["eve"] if value == "eve's" else value for name, value in forgery.items()}


def test_no_unsafe_route_takes_a_form_that_is_not_this_visits(site: Site) -> None:
    taken = [
        f"{name} as {who} with {forgery}"
        for name, rule in routes(site.app).items()
        for forgery in FORGERIES
        if _needs_token(site.app, name, rule)
        for who in ("ada", "root")
        if site.ask(who, name.partition(" ")[0], site.address(rule), rule.endpoint, **_sent(site, forgery)) != 403
    ]
    assert taken == []


def test_only_addresses_that_are_signed_take_forms_without_a_token(site: Site) -> None:
    signed = {name for name, view in site.app.view_functions.items() if getattr(view, "signed_address", False)}
    assert signed == {"subscriptions.unsubscribe"}
