"""Forms: what is refused, and the choice of a theme."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

Token = Callable[[FlaskClient], str]


def test_a_form_with_its_token_is_taken(visitor: FlaskClient, token: Token) -> None:
    assert visitor.post("/thing", data={"csrf_token": token(visitor)}).text == "done"


def test_a_script_sends_the_token_in_a_header(visitor: FlaskClient, token: Token) -> None:
    assert visitor.post("/thing", json={}, headers={"X-CSRF-Token": token(visitor)}).text == "done"


@pytest.mark.parametrize("fields", [{}, {"csrf_token": ""}, {"csrf_token": "0" * 64}, {"csrf_token": "é"}])
def test_a_form_without_its_token_is_refused(visitor: FlaskClient, fields: dict[str, str]) -> None:
    visitor.get("/")
    answer = visitor.post("/thing", data=fields)
    assert answer.status_code == 403
    assert "reload the page and send it again" in answer.text


def test_the_token_of_another_visit_is_refused(site: Flask, visitor: FlaskClient, token: Token) -> None:
    stranger = site.test_client()
    token(visitor)
    assert visitor.post("/thing", data={"csrf_token": token(stranger)}).status_code == 403


def test_a_token_without_its_visit_is_refused(site: Flask, visitor: FlaskClient, token: Token) -> None:
    assert site.test_client().post("/thing", data={"csrf_token": token(visitor)}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_sent_from_another_site_is_refused(visitor: FlaskClient, token: Token, headers: dict[str, str]) -> None:
    answer = visitor.post("/thing", data={"csrf_token": token(visitor)}, headers=headers)
    assert answer.status_code == 403
    assert "sent from another site" in answer.text


def test_a_form_of_this_site_passes_with_a_browsers_headers(visitor: FlaskClient, token: Token) -> None:
    headers = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert visitor.post("/thing", data={"csrf_token": token(visitor)}, headers=headers).status_code == 200


def _choose(browser: FlaskClient, token: Token, theme: str, referrer: str = "http://localhost/nothing?a=1") -> object:
    return browser.post("/theme", data={"csrf_token": token(browser), "theme": theme}, headers={"Referer": referrer})


def test_a_visitor_keeps_a_theme_in_a_cookie(visitor: FlaskClient, token: Token) -> None:
    answer = _choose(visitor, token, "dark")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/nothing?a=1")
    page = visitor.get("/").text
    assert '<html lang="en" data-theme="dark">' in page
    assert '<meta name="color-scheme" content="dark">' in page
    assert page.count('name="theme" value="dark" aria-pressed="true"') == 1


def test_a_person_keeps_a_theme_on_every_browser(site: Flask, visitor: FlaskClient, token: Token) -> None:
    visitor.post("/begin", data={"csrf_token": token(visitor)})
    _choose(visitor, token, "light")
    assert visitor.get_cookie("theme") is None
    visit = visitor.get_cookie("archway")
    other = site.test_client()
    other.set_cookie("archway", visit.value)
    assert 'data-theme="light"' in other.get("/").text


def test_a_visitors_theme_survives_becoming_a_guest(visitor: FlaskClient, token: Token) -> None:
    _choose(visitor, token, "dark")
    visitor.post("/begin", data={"csrf_token": token(visitor)})
    assert 'data-theme="dark"' in visitor.get("/").text
    _choose(visitor, token, "auto")
    assert '<html lang="en">' in visitor.get("/").text


@pytest.mark.parametrize("theme", ["", "sepia", '"><script>'])
def test_an_unknown_theme_is_refused(visitor: FlaskClient, token: Token, theme: str) -> None:
    assert _choose(visitor, token, theme).status_code == 400
    visitor.set_cookie("theme", theme)
    assert '<html lang="en">' in visitor.get("/").text


@pytest.mark.parametrize(
    ("referrer", "location"),
    [
        ("", "/"),
        ("https://evil.example/page", "/"),
        ("http://localhost//evil.example/page", "/evil.example/page"),
        ("http://localhost/\\evil.example", "/evil.example"),
    ],
)
def test_choosing_a_theme_never_leaves_the_site(
    visitor: FlaskClient, token: Token, referrer: str, location: str
) -> None:
    assert _choose(visitor, token, "dark", referrer).headers["Location"] == location
