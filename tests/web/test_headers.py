"""The headers of every answer, whatever it is an answer to."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types sw"
)
PATHS = ("/", "/thing", "/healthz", "/robots.txt", "/favicon.ico", "/static/web/site.css", "/nothing", "/broken")


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_carries_the_same_protection(visitor: FlaskClient, path: str) -> None:
    headers = visitor.get(path).headers
    assert headers["Content-Security-Policy"] == POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Permissions-Policy"] == "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
    assert "Strict-Transport-Security" not in headers


@pytest.mark.parametrize("path", ["/", "/nothing", "/broken"])
def test_a_page_is_kept_by_no_proxy(visitor: FlaskClient, path: str) -> None:
    assert visitor.get(path).headers["Cache-Control"] == "private, no-cache"


def test_with_https_cookies_are_bound_to_it(make: Callable[..., Flask]) -> None:
    browser = make(ARCHWAY_HTTPS="on").test_client()
    answer = browser.get("/", base_url="https://localhost")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert answer.headers["Set-Cookie"].startswith("__Host-archway=")
    assert "Secure; HttpOnly; Path=/; SameSite=Lax" in answer.headers["Set-Cookie"]


def test_with_https_a_choice_is_kept_for_this_host_alone_and_only_there_believed(make: Callable[..., Flask]) -> None:
    browser, dark = make(ARCHWAY_HTTPS="on").test_client(), 'name="theme" value="dark" aria-pressed="true"'
    browser.set_cookie("theme", "dark")
    page = browser.get("/", base_url="https://localhost").text
    assert dark not in page
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    headers = {"Referer": "https://localhost/"}
    fields = {"csrf_token": token, "theme": "dark"}
    answer = browser.post("/theme", base_url="https://localhost", data=fields, headers=headers)
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert re.fullmatch(r"__Host-theme=dark; .*Secure; HttpOnly; Path=/; SameSite=Lax", cookie)
    assert dark in browser.get("/", base_url="https://localhost").text


@pytest.mark.parametrize(("proxies", "scheme"), [("0", "http"), ("1", "https")])
def test_forwarded_headers_count_only_behind_a_trusted_proxy(
    make: Callable[..., Flask], proxies: str, scheme: str
) -> None:
    app = make(ARCHWAY_PROXIES=proxies)
    app.add_url_rule("/scheme", view_func=lambda: request.scheme)
    assert app.test_client().get("/scheme", headers={"X-Forwarded-Proto": "https"}).text == scheme


def test_crawlers_are_kept_from_what_belongs_to_people(visitor: FlaskClient) -> None:
    lines = visitor.get("/robots.txt").text.splitlines()
    assert lines[0] == "User-agent: *"
    assert {"Disallow: /attempts/", "Disallow: /account"} <= set(lines)


@pytest.mark.parametrize(
    ("contact", "line"),
    [("safety@example.org", "mailto:safety@example.org"), ("https://example.org/report", "https://example.org/report")],
)
def test_who_found_a_hole_learns_where_to_report_it(make: Callable[..., Flask], contact: str, line: str) -> None:
    lines = make(ARCHWAY_SECURITY_CONTACT=contact).test_client().get("/.well-known/security.txt").text.splitlines()
    assert lines[:2] == [f"Contact: {line}", "Expires: 2018-08-11T00:00:00Z"]


def test_the_mark_is_served_at_the_old_address(visitor: FlaskClient) -> None:
    assert visitor.get("/favicon.ico").mimetype == "image/svg+xml"
