"""The limiter's rules, as published: a reservation limits and reserves, 100 stay, 0 switches off."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.parts.limiter import Account, ReservationError, RunningCounter


def _posts_account() -> Account:
    account = Account()
    for function, count in (("s3", 350), ("kinesis", 200), ("dynamodb", 200), ("cognito", 150)):
        account = account.reserve(function, count)
    return account


def test_the_posts_example_is_accepted_and_not_one_more() -> None:
    account = _posts_account()
    assert (account.reserved, account.unreserved) == (900, 100)
    with pytest.raises(ReservationError, match="would leave 99 of 1000 executions unreserved; 100 must stay"):
        account.reserve("another", 1)


def test_a_new_reservation_of_a_function_takes_the_place_of_its_old_one() -> None:
    account = _posts_account().reserve("cognito", 50)
    assert account.limit_of("cognito") == 50
    assert account.reserve("another", 100).unreserved == 100
    with pytest.raises(ReservationError, match="reserve at most 150"):
        account.reserve("cognito", 151)


def test_a_reservation_does_not_notice_the_neighbours() -> None:
    account = Account().reserve("ours", 25)
    assert account.limit_of("ours", in_use=975) == 25
    assert account.limit_of("theirs", in_use=975) == 0
    assert account.limit_of("theirs") == 975


def test_zero_is_a_reservation_and_a_negative_one_is_none() -> None:
    assert Account().reserve("ours", 0).limit_of("ours") == 0
    with pytest.raises(ReservationError, match="0 or more"):
        Account().reserve("ours", -1)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 1000)), max_size=20))
def test_100_always_stay_unreserved(wishes: list[tuple[str, int]]) -> None:
    account = Account()
    for function, count in wishes:
        try:
            account = account.reserve(function, count)
        except ReservationError:
            continue
        assert account.limit_of(function) == count
    assert account.unreserved >= 100


def test_a_slot_is_free_at_the_moment_of_its_release() -> None:
    running = RunningCounter(2)
    assert running.admits(0)
    running.hold_until(2.0)
    running.hold_until(1.0)
    assert not running.admits(0.999)
    assert running.admits(1.0)
