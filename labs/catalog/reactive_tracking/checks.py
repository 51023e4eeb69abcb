"""What the tasks ask of a run's findings; each docstring is the hint a learner may open."""

from __future__ import annotations

from labs.findings import Values


def updates_are_pushed(values: Values) -> bool:
    """Let the updater announce what it writes. Look at updates pushed, and at the milliseconds of the push."""
    return values["updates_pushed"] >= 0.9 * values["updates_sent"] > 0 and values["push_p99"] <= 250


def taps_are_their_own(values: Values) -> bool:
    """Give each event bytes of its own: an object that all requests change has the last one's id when it is sent."""
    once = values["lost"] == values["duplicates"] == 0
    return values["calm"] == 1 and values["accepted"] > 0 and once


def validity_is_asked(values: Values) -> bool:
    """Validate all: the cache has what is needed, whether the program is still valid and its checksum."""
    return values["wrongly_accepted"] == 0 and values["accepted"] > 0


def a_bot_stays_outside(values: Values) -> bool:
    """Remember for some seconds that a program does not exist. Leave the bot at least 5 % of the requests."""
    bots = values["unknown_requests"]
    return bots >= 0.05 * values["push_requests"] and values["vain_lookups"] <= bots / 5


def waiting_follows_littles_law(values: Values) -> bool:
    """Divide what waits at once by how long it waits: 8 / 0.05 s. The load has 32 requests under way."""
    return values["blocking_at_50_ms"] >= 0.6 * values["pull_at_50_ms"] > 0


def memory_outlives_redis(values: Values) -> bool:
    """Let the updater publish, so that memory has every program before Redis goes, and answer 503 where it has none."""
    served = values["push_served_during_fault"] >= 99.5 and values["push_p99_during_fault"] <= 250
    honest = values["pull_called_unknown"] == 0 and values["pull_failing_p99"] <= 500
    return values["redis_killed"] == 1 and served and honest and values["pull_served_during_fault"] <= 50


def empty_is_refilled(values: Values) -> bool:
    """Redis has nothing any more, but the update stream keeps every record for a day: let the updater replay it."""
    return values["redis_emptied"] == 1 and values["pull_served_after_fault"] >= 99


def the_queue_holds_just_enough(values: Values) -> bool:
    """Multiply taps a second by the seconds of the freeze. Only what is accepted is queued, so a bit less will do."""
    nothing_refused = values["push_unavailable"] == values["lost"] == 0
    return values["stream_frozen"] == 1 and nothing_refused and values["queue"] <= 2 * values["most_queued"]


def a_killed_service_loses_nothing(values: Values) -> bool:
    """Keep a tap outside the process before the 200. If one is stored twice, ask what the key of an item is."""
    return values["service_killed"] == 1 and values["accepted"] > 0 and values["lost"] == values["duplicates"] == 0


def a_lost_machine_loses_nothing(values: Values) -> bool:
    """Answer when the stream has confirmed: a journal dies with its disk. Then compare the medians of both."""
    return values["machine_lost"] == 1 and values["accepted"] > 0 and values["lost"] == values["duplicates"] == 0


def retries_make_no_duplicates(values: Values) -> bool:
    """Choose a key that a second attempt would choose again: the whole batch is given once more."""
    return values["write_failed"] == 1 and values["accepted"] > 0 and values["lost"] == values["duplicates"] == 0
