"""People over HTTP: guests, sessions that end on the server, and what an attacker may not do."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from accounts import credentials
from accounts.credentials import CredentialError, clean_name, hash_password, normalise_email
from accounts.limits import limiter
from accounts.store import invite_admin
from tests.conftest import REAL_HASHER, MovableClock

Post = Callable[..., object]
PASSWORD = "a calm long sentence"


def _sign_in(post: Post, client: FlaskClient, email: str, password: str = PASSWORD, **more: str) -> object:
    return post(client, "/sign-in", email=email, password=password, **more)


def test_a_visit_changes_its_id_at_every_change_of_person(client: FlaskClient, post: Post) -> None:
    seen = set()
    for step in (
        lambda: client.get("/sign-in"),
        lambda: post(client, "/begin"),
        lambda: post(client, "/sign-up", name="Ada", email="ada@example.org", password=PASSWORD),
        lambda: post(client, "/sign-out"),
        lambda: _sign_in(post, client, "ada@example.org"),
    ):
        step()
        seen.add(client.get_cookie("archway").value)
    assert len(seen) == 5


def test_the_cookie_is_hidden_from_scripts_and_other_sites(client: FlaskClient) -> None:
    cookie = client.get("/sign-in").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_only_the_hash_of_a_visit_is_stored(app: Flask, client: FlaskClient, post: Post) -> None:
    post(client, "/begin")
    visit = client.get_cookie("archway").value
    with app.extensions["database"].reading() as connection:
        stored = connection.execute(text("SELECT visit_hash FROM accounts_session")).scalars().all()
    assert stored
    assert visit not in stored


def test_signing_out_ends_the_session_on_the_server(
    app: Flask, people: Callable[[str], FlaskClient], post: Post
) -> None:
    browser = people("ada")
    visit = browser.get_cookie("archway").value
    post(browser, "/sign-out")
    thief = app.test_client()
    thief.set_cookie("archway", visit)
    assert thief.get("/account").status_code in {302, 303, 401}


def test_signing_out_everywhere_ends_other_browsers_too(
    app: Flask, people: Callable[[str], FlaskClient], post: Post
) -> None:
    first, second = people("ada"), app.test_client()
    _sign_in(post, second, "ada@example.org")
    assert second.get("/account").status_code == 200
    post(first, "/sign-out", everywhere="yes")
    assert second.get("/account").status_code != 200


def test_a_session_ends_by_itself(people: Callable[[str], FlaskClient], clock: MovableClock) -> None:
    browser = people("ada")
    clock.advance(days=91)
    assert browser.get("/account").status_code != 200


@pytest.mark.parametrize("email", ["ADA@Example.org", " ada@example.org ", "ａda@example.org"])
def test_an_address_that_looks_the_same_is_the_same_account(
    client: FlaskClient, people: Callable[[str], FlaskClient], post: Post, email: str
) -> None:
    people("ada")
    answer = post(client, "/sign-up", name="Eve", email=email, password=PASSWORD)
    assert answer.status_code == 400
    assert "There is an account with this address" in answer.text


@pytest.mark.parametrize("email", ["ada@example.org", "nobody@example.org", "not an address"])
def test_a_wrong_password_says_the_same_for_every_account(
    people: Callable[[str], FlaskClient], client: FlaskClient, post: Post, email: str
) -> None:
    people("ada")
    answer = _sign_in(post, client, email, "the wrong password")
    assert answer.status_code == 400
    assert "Address and password do not belong together" in answer.text


def test_guessing_is_stopped_after_ten_tries_per_account(app: Flask, post: Post) -> None:
    limiter.enabled = True
    try:
        limiter.reset()
        codes = [
            _sign_in(post, app.test_client(), "ada@example.org", f"guess {n} of many").status_code for n in range(12)
        ]
        other = _sign_in(post, app.test_client(), "bob@example.org", "one wrong guess").status_code
    finally:
        limiter.reset()
        limiter.enabled = False
    assert codes == [400] * 10 + [429] * 2
    assert other == 400


def test_limits_are_looked_at_only_where_they_stand(app: Flask) -> None:
    """The library's hooks would run at every request; saving an answer took a seventh more CPU with them."""
    hooks = [hook for kind in (app.before_request_funcs, app.teardown_request_funcs) for hook in kind.get(None, [])]
    assert not [hook for hook in hooks if getattr(hook, "__self__", None) is limiter]


@pytest.mark.parametrize(
    "target", ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "evil", "/a\r\nX: y"]
)
def test_going_on_never_leaves_the_site(
    people: Callable[[str], FlaskClient], client: FlaskClient, post: Post, target: str
) -> None:
    people("ada")
    assert _sign_in(post, client, "ada@example.org", next=target).headers["Location"] == "/"


def test_going_on_leads_back_to_the_page(people: Callable[[str], FlaskClient], client: FlaskClient, post: Post) -> None:
    people("ada")
    assert _sign_in(post, client, "ada@example.org", next="/exams/saa-c01").headers["Location"] == "/exams/saa-c01"


def _invitation(app: Flask) -> str:
    with app.extensions["database"].writing() as connection:
        return invite_admin(connection, app.extensions["clock"]())


def test_the_first_admins_link_works_once(app: Flask, client: FlaskClient, post: Post) -> None:
    link = f"/first-admin/{_invitation(app)}"
    assert client.get(link).status_code == 200
    post(client, link, name="Root", email="root@example.org", password=PASSWORD)
    assert re.search(r"<dd>admin</dd>", client.get("/account").text)
    assert app.test_client().get(link).status_code == 404


def test_a_new_start_replaces_the_old_link(app: Flask, client: FlaskClient) -> None:
    first = _invitation(app)
    _invitation(app)
    assert client.get(f"/first-admin/{first}").status_code == 404


@pytest.mark.parametrize("password", ["short", "x" * 1001])
def test_an_unfit_password_is_refused_with_what_to_do(client: FlaskClient, post: Post, password: str) -> None:
    answer = post(client, "/sign-up", name="Ada", email="ada@example.org", password=password)
    assert answer.status_code == 400
    assert "at least 10 characters" in answer.text


@pytest.mark.parametrize(
    "text", ["", "a@b", "a b@example.org", "a@exam\nple.org", "@example.org", "a" * 300 + "@example.org"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(CredentialError):
        normalise_email(text)


def test_a_name_keeps_its_letters_and_loses_controls() -> None:
    assert clean_name("  Ада\u0000 Лъвлейс\n") == "Ада Лъвлейс"


def test_a_password_is_kept_as_argon2id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "_HASHER", REAL_HASHER)
    assert hash_password(PASSWORD).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_the_command_line_makes_an_account_that_can_sign_in(app: Flask, client: FlaskClient, post: Post) -> None:
    runner = app.test_cli_runner()
    args = ["accounts", "create", "Ina@example.org", "--role", "instructor", "--password", PASSWORD]
    assert runner.invoke(args=args).output.strip() == "ina@example.org is instructor."
    _sign_in(post, client, "ina@example.org")
    assert "<dd>instructor</dd>" in client.get("/account").text
    assert runner.invoke(args=["accounts", "create", "nonsense", "--password", PASSWORD]).exit_code == 2


LESSON = "/learn/solutions-architect-associate/resilient-architectures"


def test_a_guest_who_signs_in_brings_their_work_along(
    app: Flask, people: Callable[[str], FlaskClient], client: FlaskClient, post: Post
) -> None:
    post(people("ada"), f"{LESSON}/durable-storage/finished")
    for lesson in ("durable-storage", "decoupling"):
        post(client, f"{LESSON}/{lesson}/finished")
    post(client, "/exams/saa-c01/attempts")
    run = post(client, "/labs/lambda-concurrency/runs").headers["Location"]
    _sign_in(post, client, "ada@example.org")
    assert client.get("/attempts/1").status_code == 200
    assert client.get(run).status_code == 200
    assert client.get("/learn/solutions-architect-associate").text.count("✓ read") == 2
    with app.extensions["database"].reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM accounts_person WHERE email IS NULL")).scalar_one() == 0


def test_an_account_that_signs_in_as_another_keeps_its_own_work(
    people: Callable[[str], FlaskClient], post: Post
) -> None:
    people("bob")
    browser = people("ada")
    post(browser, "/exams/saa-c01/attempts")
    _sign_in(post, browser, "bob@example.org")
    assert browser.get("/attempts/1").status_code == 404
    _sign_in(post, browser, "ada@example.org")
    assert browser.get("/attempts/1").status_code == 200


def test_a_new_role_ends_the_sessions_of_the_old_one(app: Flask, people: Callable[[str], FlaskClient]) -> None:
    browser = people("ada")
    args = ["accounts", "create", "ada@example.org", "--role", "instructor", "--password", PASSWORD]
    assert app.test_cli_runner().invoke(args=args).exit_code == 0
    assert browser.get("/account").status_code != 200
