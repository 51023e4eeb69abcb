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
