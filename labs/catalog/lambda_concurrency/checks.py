"""What the tasks ask of a run's findings; each docstring is the hint a learner may open."""

from __future__ import annotations

from labs.findings import Values

PUBLISHED_REFUSALS = 3076


def everybody_is_served(values: Values) -> bool:
    """Leave the reservation empty: the function then shares what the account has left, which is far above 50."""
    return values["peak_concurrency"] >= 50 and values["reserved"] == 0 and values["rejected"] == 0


def half_is_refused(values: Values) -> bool:
    """Reserve 25 and keep the exact model: 25 refused workers spend their 100 requests before a sleeper returns."""
    return values["concurrency_limit"] == 25 and values["rejected"] == values["succeeded"] == 2500


def published_count_is_met(values: Values) -> bool:
    """Keep the reservation of 25. Free the slots a little late (release lag), or choose the fitted model."""
    near = abs(values["rejected"] - PUBLISHED_REFUSALS) <= 0.05 * PUBLISHED_REFUSALS
    return near and values["concurrency_limit"] == 25 and values["requests"] == 5000


def kill_switch(values: Values) -> bool:
    """Reserve 0: every request is then refused until you set it back."""
    return values["reserved"] == 1 and values["concurrency_limit"] == 0 and values["rejected"] == values["requests"]


def pool_is_crowded(values: Values) -> bool:
    """Share a pool: it is 1,000 less all reservations. Raise what others reserve, then what others use."""
    return values["reserved"] == 0 and values["rejected"] > 0


def reservation_protects(values: Values) -> bool:
    """Let others reserve 350, 200 and 200, and take all of the 150 that may still be reserved."""
    full = values["unreserved_left"] == 100
    return full and values["reserved"] == 1 and values["rejected"] == 0 and values["peak_concurrency"] >= 50


def an_hour_costs_a_dollar(values: Values) -> bool:
    """Each slot can be busy all the hour. Divide a dollar by what one slot's hour costs, and round down."""
    most, limit = values["most_dollars_an_hour"], values["concurrency_limit"]
    return values["memory"] == 1024 and values["reserved"] == 1 and most <= 1 < most / limit * (limit + 1)


def sign_ins_starve(values: Values) -> bool:
    """Leave the reservations empty. Pictures a second × seconds each must exceed what the account has."""
    return values["source_reservations"] == 0 and values["s3_refused"] > 0 and values["cognito_lost"] > 0


def sign_ins_are_protected(values: Values) -> bool:
    """Any reservation for Cognito above its sign-ins a second × seconds each, with some to spare, is enough."""
    heap = values["s3_arrived"] >= 390 * 60 * values["minutes"]
    return heap and values["cognito_arrived"] > 0 and values["cognito_lost"] == 0


def stream_keeps_its_records(values: Values) -> bool:
    """Keep records longer than the switch is off. Lower the other rates to 0, or the run has too many events."""
    off = values["kinesis_was_off"] == 1 and values["off_minutes"] >= 25 * 60
    caught_up = values["kinesis_waiting"] <= 0.01 * values["kinesis_arrived"]
    return off and values["kinesis_arrived"] > 0 and values["kinesis_lost"] == 0 and caught_up


def subnet_is_just_large_enough(values: Values) -> bool:
    """Count interfaces: each holds 3 GB, so two environments of 1,536 MB. Five of a subnet's addresses are AWS's."""
    served = values["no_address"] == values["rejected"] == 0 and values["peak_concurrency"] >= 50
    return served and values["memory"] == 1536 and values["free_addresses"] < 2 * values["peak_interfaces"]
