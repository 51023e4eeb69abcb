"""Payloads, the limits of an execution, and the meter that holds them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from json.encoder import encode_basestring
from random import Random
from typing import Protocol

Json = bool | int | float | str | list["Json"] | dict[str, "Json"] | None

WORK_OF_A_VALUE = 20
WORK_OF_A_CALL = 100
"""What looking at one value, and calling one function, cost in bytes of payload that cost the same time."""


@dataclass(frozen=True)
class Limits:
    """What one execution may use. The defaults are the service's quotas of today, the last two are our own.

    Early in 2018 a payload held 32,768 characters; since September 2020 it holds 262,144 bytes of UTF-8.
    """

    events: int = 25_000
    payload: int = 262_144
    counts_characters: bool = False
    seconds: float = 365 * 86_400.0
    iterations: int = 40
    """Of one Map at once, whatever its MaxConcurrency."""
    nesting: int = 100
    work: int = 10_000_000
    """Payload bytes handled, added up over all states; so no loop over a great payload keeps the machine busy."""


EARLY_2018 = Limits(payload=32_768, counts_characters=True)


class StateFailedError(Exception):
    """A state failed with an error name and a cause; Retry and Catch may handle it.

    ``from_branch`` tells that the failure came out of a branch or an iteration.
    """

    def __init__(self, error: str, cause: str, *, from_branch: bool = False) -> None:
        super().__init__(error, cause)
        self.error, self.cause, self.from_branch = error, cause, from_branch


class ExecutionEndedError(Exception):
    """The execution ends here whatever its states say: a limit, the deadline or somebody's wish."""

    def __init__(self, status: str, error: str, cause: str) -> None:
        super().__init__(status, error, cause)
        self.status, self.error, self.cause = status, error, cause


class Meter:
    """Weighs payloads against the limits and adds up the work."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._left = limits.work
        self._admitted: object = self

    def spend(self, work: int) -> None:
        """Count ``work`` bytes; raise ExecutionEndedError when they are used up."""
        self._left -= work
        if self._left < 0:
            raise ExecutionEndedError(
                "FAILED",
                "States.Runtime",
                f"The execution handled more than {self.limits.work} bytes of payload; this interpreter stops there.",
            )

    def admit(self, value: Json) -> Json:
        """Return ``value``; raise StateFailedError where it is greater or deeper than a payload may be."""
        if value is not self._admitted:
            self.weigh(value)
            self._admitted = value
        return value

    def weigh(self, value: Json) -> int:
        """Return the size of ``value`` as JSON text without spaces, and count the work of handling it."""
        room = self._room_after(value, self.limits.payload, self.limits.nesting)
        size = self.limits.payload - room
        self.spend(size + WORK_OF_A_VALUE)
        return size

    def _room_after(self, value: Json, room: int, depth: int) -> int:
        if isinstance(value, str):
            room -= self._length(value)
        elif isinstance(value, dict):
            self._enter(len(value), depth)
            room -= 2 + 2 * len(value) - bool(value)
            for name, member in value.items():
                room = self._room_after(member, room - self._length(name), depth - 1)
        elif isinstance(value, list):
            self._enter(len(value), depth)
            room -= 2 + len(value) - bool(value)
            for member in value:
                room = self._room_after(member, room, depth - 1)
        else:
            room -= _scalar_length(value)
        if room < 0:
            unit = "characters" if self.limits.counts_characters else "bytes"
            raise StateFailedError(
                "States.DataLimitExceeded", f"A payload is greater than {self.limits.payload} {unit} of JSON."
            )
        return room

    def _enter(self, members: int, depth: int) -> None:
        self.spend(WORK_OF_A_VALUE * members)
        if depth <= 0:
            raise StateFailedError(
                "States.DataLimitExceeded", f"A payload is nested deeper than {self.limits.nesting} levels."
            )

    def _length(self, text: str) -> int:
        encoded = encode_basestring(text)
        if self.limits.counts_characters or text.isascii():
            return len(encoded)
        return len(encoded.encode("utf-8", "surrogatepass"))


def _scalar_length(value: float | None) -> int:
    if value is None or value is True:
        return 4
    if value is False:
        return 5
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"{value!r} is not a JSON value")
    return len(repr(value))


class Environment(Protocol):
    """What an expression may look at beside its data: the context object, chance, and the meter it pays to."""

    def context(self) -> Json:
        """Return the context object."""
        ...

    @property
    def meter(self) -> Meter:
        """What the expression's work is counted on."""
        ...

    @property
    def random(self) -> Random:
        """The chance that is drawn from."""
        ...
