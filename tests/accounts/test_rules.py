"""The pure rules of accounts and cohorts: who may what, until when a link or an assignment is open, what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from accounts import cohorts, recovery
from accounts.cohorts import CohortError, Link, Terms
from accounts.people import ROLES, Person
from quizzes.attempts import MULTIPLIERS

NOW = datetime(2018, 2, 12, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MOMENT = timedelta(milliseconds=1)
TERMS = Terms("", None, None, closes=False, counts="best")
KEY = "a key of at least thirty-two characters"


@pytest.mark.parametrize(("role", "may"), [("learner", ROLES[:1]), ("instructor", ROLES[:2]), ("admin", ROLES)])
def test_a_role_includes_those_below_it(role: str, may: tuple[str, ...]) -> None:
    person = Person(1, "Ada", role, "ada@example.org", "auto", "en")
    assert tuple(one for one in ("learner", "instructor", "admin") if person.may(one)) == may


def test_who_has_no_address_is_a_guest() -> None:
    assert Person(1, "Guest", "learner", None, "auto", "").is_guest
    assert not Person(1, "Ada", "learner", "ada@example.org", "auto", "").is_guest


def test_a_link_for_a_new_password_is_for_one_person_one_day_and_one_password() -> None:
    token = recovery.make_token(KEY, 7, "hash", NOW)
    assert recovery.person_of(token) == 7
    assert recovery.holds(KEY, token, "hash", NOW + 24 * HOUR - MOMENT)
    assert not recovery.holds(KEY, token, "hash", NOW + 24 * HOUR)
    assert not recovery.holds(KEY, token, "another", NOW)
    assert not recovery.holds(f"{KEY}!", token, "hash", NOW)
    assert not recovery.holds(KEY, f"8{token[1:]}", "hash", NOW)


def test_a_link_for_an_account_that_is_locked_works_until_it_has_a_password() -> None:
    token = recovery.make_token(KEY, 7, None, NOW)
    assert recovery.holds(KEY, token, None, NOW)
    assert not recovery.holds(KEY, token, "hash", NOW)


@pytest.mark.parametrize("token", ["", "7", "7-1", "7-1-a-b", "x-1-a", "7-x-a", "٧-1-a", "7--a", f"{'9' * 16}-1-a"])
def test_what_is_no_token_is_nobodys(token: str) -> None:
    assert recovery.person_of(token) is None
    assert not recovery.holds(KEY, token, None, NOW)


def test_the_longest_numbers_of_a_token_are_read() -> None:
    assert recovery.person_of(f"{'9' * 15}-1-a") == 10**15 - 1


@pytest.mark.parametrize(("uses", "after", "opens"), [(None, 0, True), (1, 0, True), (0, 0, False), (None, 24, False)])
def test_a_link_into_a_cohort_is_open_until_it_ends_or_is_used_up(uses: int | None, after: int, opens: bool) -> None:
    link = Link(1, 1, "", "", uses, NOW, NOW + 24 * HOUR, "")
    assert link.is_open(NOW + after * HOUR) is opens


def test_work_counts_from_its_opening_on_and_until_its_due_date_where_it_closes() -> None:
    terms = Terms("", NOW, NOW + HOUR, closes=True, counts="best")
    assert [terms.is_open(NOW + hours * HOUR, NOW + HOUR) for hours in (-1, 0, 1, 2)] == [False, True, True, False]
    assert terms.is_open(NOW + 9 * HOUR, None)
    assert TERMS.is_open(NOW, NOW - HOUR)


def test_a_title_has_single_spaces_and_1_to_120_characters() -> None:
    assert cohorts.clean_title("  Winter \t term ") == "Winter term"
    assert cohorts.clean_title("x" * 120) == "x" * 120
    assert cohorts.clean_title("x") == "x"
    for text in ("", "   ", "x" * 121, "a\x00b"):
        with pytest.raises(CohortError, match="title"):
            cohorts.clean_title(text)


def test_a_zone_is_one_that_there_is() -> None:
    assert cohorts.check_zone("Europe/Sofia") == "Europe/Sofia"
    with pytest.raises(CohortError, match="time zone"):
        cohorts.check_zone("Europe/Atlantis")


def test_a_moment_is_read_and_written_in_the_cohorts_zone() -> None:
    assert cohorts.read_moment(" 2018-02-12T17:00 ", "Europe/Sofia") == datetime(2018, 2, 12, 15, 0, tzinfo=UTC)
    assert cohorts.read_moment("  ", "Europe/Sofia") is None
    assert cohorts.write_moment(datetime(2018, 2, 12, 15, 0, tzinfo=UTC), "Europe/Sofia") == "2018-02-12T17:00"
    assert cohorts.write_moment(None, "Europe/Sofia") == ""
    # Clocks showed 03:30 twice; the first is still summer's.
    assert cohorts.read_moment("2018-10-28T03:30", "Europe/Sofia") == datetime(2018, 10, 28, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "words"),
    [("soon", "Enter a date"), ("0001-01-01T00:00", "Enter a date"), ("2018-03-25T03:30", "clocks skip")],
)
def test_what_is_no_moment_is_refused(text: str, words: str) -> None:
    with pytest.raises(CohortError, match=words):
        cohorts.read_moment(text, "Europe/Sofia")


@pytest.mark.parametrize(
    "terms",
    [
        *(Terms("", None, None, closes=False, counts=one) for one in ("best", "first", "last")),
        Terms("x" * 2000, NOW, NOW + MOMENT, closes=True, counts="best"),
        Terms("", NOW, None, closes=False, counts="best"),
        Terms("", None, NOW, closes=True, counts="best"),
    ],
)
def test_terms_that_can_be_kept(terms: Terms) -> None:
    assert cohorts.check_terms(terms) is terms


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        (Terms("", None, None, closes=False, counts="worst"), "which attempt"),
        (Terms("x" * 2001, None, None, closes=False, counts="best"), "2000"),
        (Terms("", NOW, NOW, closes=False, counts="best"), "after the opening"),
        (Terms("", None, None, closes=True, counts="best"), "needs a due date"),
    ],
)
def test_terms_that_cannot_be_kept(terms: Terms, words: str) -> None:
    with pytest.raises(CohortError, match=words):
        cohorts.check_terms(terms)


def test_an_assignment_fixes_the_time_only_where_it_says_so() -> None:
    assert not TERMS.fixed_time
    assert replace(TERMS, fixed_time=True).fixed_time


def test_each_extra_time_is_one_by_which_an_exam_can_be_lengthened() -> None:
    assert len(cohorts.EXTRA_TIMES) == 5
    assert set(cohorts.EXTRA_TIMES) < set(MULTIPLIERS)


def test_ones_own_due_date_is_later_than_everybodys() -> None:
    due = Terms("", None, NOW, closes=True, counts="best")
    assert cohorts.check_later(due, None) is None
    assert cohorts.check_later(due, NOW + MOMENT) == NOW + MOMENT
    for terms in (due, TERMS):
        with pytest.raises(CohortError, match="later due date"):
            cohorts.check_later(terms, NOW)


def test_a_link_lasts_1_to_90_days_and_lets_1_to_1000_in() -> None:
    assert [cohorts.link_end(NOW, days) - NOW for days in ("1", "90")] == [24 * HOUR, 90 * 24 * HOUR]
    assert [cohorts.read_uses(uses) for uses in (" ", " 1 ", "1000", "000000001")] == [None, 1, 1000, 1]
    for text in ("0", "91", "-1", "1.5", "x", "0000000001", "9" * 5000):
        with pytest.raises(CohortError, match="90 days"):
            cohorts.link_end(NOW, text)
    for text in ("0", "1001", "x"):
        with pytest.raises(CohortError, match="1000"):
            cohorts.read_uses(text)


def test_who_is_in_several_cohorts_has_the_longest_of_their_times() -> None:
    assert cohorts.longest_extra(["1.5", "3", "10"]) == "10"
    assert cohorts.longest_extra([]) == "1"
