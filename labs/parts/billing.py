"""What AWS Lambda charged in early 2018: requests, and time in steps of 100 ms by the memory a function has.

Prices of Lambda's page of that time: 0.20 dollars a million requests, 0.00001667 dollars a gigabyte-second. The free
tier, which all functions of an account share, is left out. A throttled request is not charged.
"""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

DOLLARS_A_REQUEST = 0.20 / 1_000_000
DOLLARS_A_GIGABYTE_SECOND = 0.00001667
STEPS_A_SECOND = 10
"""A duration was rounded up to whole steps until December 2020, since then to a millisecond."""
MEBIBYTES_A_GIGABYTE = 1024
HOUR = 3600


class Bill(NamedTuple):
    """What executions cost: their number, and gigabyte-seconds as billed."""

    requests: float
    gigabyte_seconds: float

    @property
    def dollars(self) -> float:
        """The price of both."""
        return self.requests * DOLLARS_A_REQUEST + self.gigabyte_seconds * DOLLARS_A_GIGABYTE_SECOND


def billed_seconds(seconds: float) -> float:
    """Return a duration in seconds rounded up to whole steps, at least one."""
    # A microsecond's tolerance, so that three tenths that were added up are still three steps.
    return max(1, ceil(round(seconds * STEPS_A_SECOND, 5))) / STEPS_A_SECOND


def bill(executions: dict[float, int], memory: int) -> Bill:
    """Return the bill of executions, counted by their duration in seconds, of a function with ``memory`` MiB."""
    seconds = sum(billed_seconds(duration) * count for duration, count in executions.items())
    return Bill(sum(executions.values()), seconds * memory / MEBIBYTES_A_GIGABYTE)


def most_an_hour(concurrency: int, duration: float, memory: int) -> Bill:
    """Return the most that a limit lets pass in an hour: all slots busy with executions of ``duration`` seconds.

    The shorter they are, the more: an execution of a millisecond is billed as one of a hundred.
    """
    executions = concurrency * HOUR / duration
    return Bill(executions, executions * billed_seconds(duration) * memory / MEBIBYTES_A_GIGABYTE)
