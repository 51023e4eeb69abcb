"""Cohorts over HTTP: who sees one, how people come in, what is assigned, and more time in an exam that runs."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text, update

from accounts import gradebook_views
from accounts.models import PersonRow
from tests.conftest import MovableClock

Post = Callable[..., object]
People = Callable[[str], FlaskClient]
PASSWORD = "a calm long sentence"
HOME = "/studio/cohorts/1"


@pytest.fixture
def ina(promote: People, post: Post) -> FlaskClient:
    """The browser of an instructor, with a cohort whose dates are Sofia's."""
    browser = promote("ina")
    assert post(browser, "/studio/cohorts", title="Winter", zone="Europe/Sofia").status_code == 303
    return browser


def link(browser: FlaskClient, post: Post, **fields: str) -> str:
    """Make a link and return its path."""
    page = post(browser, f"{HOME}/links", **{"days": "14", **fields}).text
    return re.search(r'value="http://localhost(/join/[\w-]+)"', page)[1]


@pytest.fixture
def ada(ina: FlaskClient, people: People, post: Post) -> FlaskClient:
    """The browser of a learner of that cohort."""
    browser = people("ada")
    assert post(browser, link(ina, post)).status_code == 303
    return browser


def assign(browser: FlaskClient, post: Post, what: str, **fields: str) -> object:
    return post(browser, f"{HOME}/assignments", what=what, **{"counts": "best", **fields})


def person_id(app: Flask, name: str) -> int:
    with app.extensions["database"].reading() as connection:
        return connection.execute(text("SELECT id FROM accounts_person WHERE name = :n"), {"n": name}).scalar_one()


def test_only_its_instructors_and_admins_see_a_cohort(
    app: Flask, ina: FlaskClient, ada: FlaskClient, promote: People
) -> None:
    other, root = promote("bob"), promote("root")
    with app.extensions["database"].writing() as connection:
        connection.execute(update(PersonRow).where(PersonRow.name == "root").values(role="admin"))
    assert [who.get(HOME).status_code for who in (ina, root, other, ada)] == [200, 200, 404, 404]
    assert "Winter" not in other.get("/studio/cohorts").text
    assert "Winter" in root.get("/studio/cohorts").text


def test_a_co_instructor_sees_it_and_a_learner_cannot_become_one(
    ina: FlaskClient, ada: FlaskClient, promote: People, post: Post
) -> None:
    bob = promote("bob")
    assert post(ina, f"{HOME}/instructors", email="ada@example.org").status_code == 400
    post(ina, f"{HOME}/instructors", email="BOB@example.org")
    assert bob.get(HOME).status_code == 200


def test_a_visitor_joins_with_the_account_they_make(app: Flask, ina: FlaskClient, post: Post) -> None:
    address, browser = link(ina, post), app.test_client()
    assert "Winter" in browser.get(address).text
    post(browser, address, name="Eve", email="eve@example.org", password="short")
    post(browser, address, name="Eve", email="eve@example.org", password=PASSWORD)
    assert "Winter" in browser.get("/assignments").text
    assert "eve@example.org" in ina.get(HOME).text


def test_a_guest_who_joins_keeps_their_work(app: Flask, ina: FlaskClient, post: Post) -> None:
    browser = app.test_client()
    post(browser, "/exams/saa-c01/attempts")
    post(browser, link(ina, post), name="Eve", email="eve@example.org", password=PASSWORD)
    assert browser.get("/attempts/1").status_code == 200


def test_a_link_that_is_used_up_expired_revoked_or_of_an_archived_cohort_leads_nowhere(
    ina: FlaskClient, people: People, post: Post, clock: MovableClock
) -> None:
    eve = people("eve")
    once, revoked, brief, archived = (link(ina, post, uses="1"), *(link(ina, post) for _ in range(3)))
    assert post(people("bob"), once).status_code == 303
    assert post(eve, once).status_code == 404
    post(ina, f"{HOME}/links/2/revoke")
    assert eve.get(revoked).status_code == 404
    assert eve.get(brief).status_code == 200
    post(ina, HOME, do="archive")
    assert eve.get(archived).status_code == 404
    post(ina, HOME, do="restore")
    clock.advance(days=14)
    assert eve.get(brief).status_code == 404
    assert "eve@example.org" not in ina.get(HOME).text


def test_who_is_in_already_uses_no_link_up(ada: FlaskClient, ina: FlaskClient, people: People, post: Post) -> None:
    once = link(ina, post, uses="1")
    assert post(ada, once).status_code == 303
    assert post(people("bob"), once).status_code == 303


def test_only_the_hash_of_a_link_is_stored(app: Flask, ina: FlaskClient, post: Post) -> None:
    token = link(ina, post).rpartition("/")[2]
    assert token not in ina.get(HOME).text
    with app.extensions["database"].reading() as connection:
        assert token not in str(connection.execute(text("SELECT * FROM accounts_link")).all())


def test_a_list_is_checked_before_anybody_is_invited(app: Flask, ina: FlaskClient, post: Post) -> None:
    people = "email,name\neve@example.org,Eve\nnonsense,Bob\n"
    answer = post(ina, f"{HOME}/invite", people=people, days="30", do="check")
    assert "<code>3:1</code> Enter an e-mail address" in answer.text
    assert "/join/" not in answer.text
    page = post(ina, f"{HOME}/invite", people=people, days="30", do="invite").text
    address = (
        re.search(r"eve@example.org,&#34;Eve&#34;,http://localhost(/join/\S+)|$", page)[1]
        or re.search(r"http://localhost(/join/\S+)", page)[1]
    )
    browser = app.test_client()
    assert 'value="eve@example.org"' in browser.get(address).text
    post(browser, address, name="Eve", email="eve@example.org", password=PASSWORD)
    assert post(app.test_client(), address, name="X", email="x@example.org", password=PASSWORD).status_code == 404
    again = post(ina, f"{HOME}/invite", people=people, days="30", do="check").text
    assert "is in the cohort already" in again


def test_a_cohort_keeps_its_last_instructor(app: Flask, ina: FlaskClient, ada: FlaskClient, post: Post) -> None:
    assert post(ina, f"{HOME}/people/{person_id(app, 'ina')}/remove").status_code == 409
    assert post(ina, f"{HOME}/people/{person_id(app, 'ada')}/remove").status_code == 303
    assert "Winter" not in ada.get("/assignments").text


def test_a_learner_leaves(ina: FlaskClient, ada: FlaskClient, people: People, post: Post) -> None:
    assert post(people("bob"), "/assignments/1/leave").status_code == 404
    post(ada, "/assignments/1/leave")
    assert "ada@example.org" not in ina.get(HOME).text


def test_what_is_due_stands_on_the_learners_home_in_their_zone(
    ina: FlaskClient, ada: FlaskClient, post: Post, clock: MovableClock
) -> None:
    assign(ina, post, "exam:saa-c01", due="2018-02-14T17:00", note="Bring tea.")
    home = ada.get("/").text
    assert "14 Feb 2018, 17:00 (Europe/Sofia)" in home
    assert 'href="/exams/saa-c01"' in home
    ada.get("/assignments?zone=Asia/Tokyo")
    page = ada.get("/assignments").text
    assert "15 Feb 2018, 00:00 (Asia/Tokyo)" in page
    assert "Bring tea." in page
    clock.advance(days=3)
    assert "You can still hand it in; it will be marked as late." in ada.get("/").text


def test_an_assignment_that_is_closed_is_no_next_step(
    ina: FlaskClient, ada: FlaskClient, post: Post, clock: MovableClock
) -> None:
    assign(ina, post, "exam:saa-c01", due="2018-02-14T17:00", closes="yes")
    clock.advance(days=3)
    assert "It was due" not in ada.get("/").text
    assert "missing" in ada.get("/assignments").text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"what": "exam:none"}, "Choose what to assign."),
        ({"what": "exam:saa-c01", "due": "tomorrow"}, "Enter a date and a time"),
        ({"what": "exam:saa-c01", "due": "2018-03-25T03:30"}, "The clocks skip this hour"),
        ({"what": "exam:saa-c01", "opens": "2018-02-14T17:00", "due": "2018-02-14T16:00"}, "must be after the opening"),
        ({"what": "exam:saa-c01", "closes": "yes"}, "it needs a due date"),
        ({"what": "exam:saa-c01", "counts": "worst"}, "Choose which attempt counts"),
    ],
)
def test_terms_that_cannot_be_kept_are_refused_and_lose_nothing(
    ina: FlaskClient, post: Post, fields: dict[str, str], sentence: str
) -> None:
    answer = post(ina, f"{HOME}/assignments", **{"counts": "best", "note": "kept words", **fields})
    assert answer.status_code == 400
    assert sentence in answer.text
    assert "kept words" in answer.text


def test_extra_time_moves_the_end_of_an_exam_that_runs(
    app: Flask, ina: FlaskClient, ada: FlaskClient, post: Post, clock: MovableClock
) -> None:
    attempt = post(ada, "/exams/saa-c01/attempts").headers["Location"]
    before = ada.get(f"{attempt}/responses").json["deadline"]
    clock.advance(minutes=100)
    page = f"{HOME}/people/{person_id(app, 'ada')}"
    post(ina, page, extra="1.5")
    assert ada.get(f"{attempt}/responses").json["deadline"] - before == 65 * 60 * 1000
    post(ina, page, extra="1")
    assert ada.get(f"{attempt}/responses").json["deadline"] - before == 65 * 60 * 1000
    assert post(ina, page, extra="7").status_code == 400


def test_extra_time_opens_no_exam_that_is_over(
    app: Flask, ina: FlaskClient, ada: FlaskClient, post: Post, clock: MovableClock
) -> None:
    attempt = post(ada, "/exams/saa-c01/attempts").headers["Location"]
    clock.advance(minutes=132)
    post(ina, f"{HOME}/people/{person_id(app, 'ada')}", extra="3")
    assert ada.get(attempt).headers["Location"].endswith("/report")


def test_extra_time_holds_at_the_start_and_an_assignment_may_fix_it(
    app: Flask, ina: FlaskClient, ada: FlaskClient, post: Post
) -> None:
    post(ina, f"{HOME}/people/{person_id(app, 'ada')}", extra="1.5")
    offered = re.findall(r'<option value="([^"]+)">', ada.get("/exams/saa-c01").text)
    assert offered == ["1.5", "2", "3", "5", "10", "none"]
    assign(ina, post, "exam:saa-c01", fixed="yes")
    assert re.findall(r'<option value="([^"]+)">', ada.get("/exams/saa-c01").text) == ["1.5"]
    assert post(ada, "/exams/saa-c01/attempts", time="3").status_code == 400
    attempt = post(ada, "/exams/saa-c01/attempts").headers["Location"]
    told = ada.get(f"{attempt}/responses").json
    assert told["deadline"] - told["now"] == 195 * 60 * 1000


def test_a_later_date_is_one_persons(
    app: Flask, ina: FlaskClient, ada: FlaskClient, people: People, post: Post, clock: MovableClock
) -> None:
    bob = people("bob")
    post(bob, link(ina, post))
    assign(ina, post, "exam:saa-c01", due="2018-02-14T17:00")
    address = f"{HOME}/people/{person_id(app, 'ada')}/extensions/1"
    assert post(ina, address, due="2018-02-14T16:00").status_code == 400
    post(ina, address, due="2018-02-20T17:00")
    clock.advance(days=3)
    assert "20 Feb 2018, 17:00" in ada.get("/").text
    assert "It was due" in bob.get("/").text
    post(ina, address, due="")
    assert "It was due" in ada.get("/").text


def test_a_later_date_of_what_is_taken_away_meanwhile_is_not_there(
    app: Flask, ina: FlaskClient, ada: FlaskClient, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    assign(ina, post, "exam:saa-c01", due="2018-02-14T17:00")
    look = gradebook_views.assignment

    def look_and_lose(cohort_id: int, assignment_id: int) -> object:
        found = look(cohort_id, assignment_id)
        with app.extensions["database"].writing() as connection:
            connection.execute(text("DELETE FROM accounts_assignment"))
        return found

    monkeypatch.setattr(gradebook_views, "assignment", look_and_lose)
    address = f"{HOME}/people/{person_id(app, 'ada')}/extensions/1"
    assert post(ina, address, due="2018-02-20T17:00").status_code == 404
