"""What a learner sets, and the account that it describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from labs.findings import Refused
from labs.parts.limiter import Account, ReservationError

MINUTE, HOUR = 60, 3600


@dataclass(frozen=True)
class Parameters:
    """What a learner sets, for all scenarios; ``lab.toml`` says the bounds, the units and what each is for."""

    scenario: str
    reserved_concurrency: int | None
    memory: int
    preset: str
    requests: int
    concurrency: int
    other_reservations: tuple[int, ...]
    unreserved_in_use: int
    throttle_status: str
    subnets: tuple[int, ...]
    addresses_in_use: int
    interface_limit: int
    interface_seconds: float
    source_reservations: tuple[int, ...]
    source_rates: tuple[int, ...]
    source_durations: tuple[int, ...]
    shards: tuple[int, ...]
    batch_size: int
    minutes: int
    switched_off: str
    off_minutes: int
    age_limit: int
    retention: int
    sleep_minimum: int
    sleep_maximum: int
    sleep_drawn: str
    timeout: int
    rejection_latency: float | None
    release_lag: float | None
    cold_start: float | None
    idle_minutes: int
    scale: int
    load_tool: str


def account_with(reservations: Mapping[str, int]) -> Account:
    """Return an account with these reservations; raise Refused where it cannot give them."""
    account = Account()
    try:
        for function, number in reservations.items():
            account = account.reserve(function, number)
    except ReservationError as error:
        raise Refused(str(error)) from None
    return account
