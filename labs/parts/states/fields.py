"""What each field of a definition may hold: the tables of fields, and the readers of their values."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from labs.parts.json_document import Where
from labs.parts.states import intrinsics, paths
from labs.parts.states.comparisons import instant, is_number
from labs.parts.states.intrinsics import Call, IntrinsicError, Literal
from labs.parts.states.machine import LONGEST_WAIT
from labs.parts.states.paths import Path, PathError, shown
from labs.parts.states.payload import Json
from labs.parts.states.retries import ERRORS
from labs.parts.states.templates import ArrayTemplate, ObjectTemplate, Template

MOST_FAULTS = 100
MOST_NAMES = 200
MOST_SHOWN = 30
LONGEST_NAME = 80
"""Of a state's name, in characters, as the service had it in 2018 and has it today."""

_VARIABLES = "hand values on by ResultPath."
_JSONATA = "write the fields of JSONPath, such as Parameters."
_DISTRIBUTED = "it belongs to a distributed Map."
NOT_RUN = {
    "Assign": _VARIABLES,
    **dict.fromkeys(("Arguments", "Output", "Condition", "Items"), _JSONATA),
    **dict.fromkeys(("ItemReader", "ItemBatcher", "ResultWriter", "Label"), _DISTRIBUTED),
    **dict.fromkeys(("ToleratedFailureCount", "ToleratedFailurePercentage"), _DISTRIBUTED),
}
"""Fields that the service knows today and this interpreter does not."""


class TooManyFaultsError(Exception):
    """Enough faults were found; the rest is not looked for."""


@dataclass
class Remarks:
    """The faults and notices found so far, each with the way to its value."""

    faults: list[tuple[Where, str]] = field(default_factory=list)
    notices: list[tuple[Where, str]] = field(default_factory=list)
    told: set[str] = field(default_factory=set)

    def fault(self, where: Where, sentence: str) -> None:
        """Note a fault; raise TooManyFaultsError when there are enough."""
        self.faults.append((where, sentence))
        if len(self.faults) >= MOST_FAULTS:
            raise TooManyFaultsError

    def since(self, where: Where, what: str, month: str) -> None:
        """Note that something came later than February 2018; each kind of thing once."""
        if month and what not in self.told:
            self.told.add(what)
            self.notices.append((where, f"{what} came in {month}; in February 2018 the service did not know it."))


Reader = Callable[[Json, Where, Remarks], Any]
"""Returns what a field's value comes to, None after noting a fault."""


@dataclass(frozen=True)
class Field:
    """A field: the reader of its value, whether it must stand, and since when it exists where it is younger."""

    read: Reader
    required: bool = False
    since: str = ""


def named(names: Iterable[str], name: Json) -> str:
    """Return a sentence's end that names the nearest of the known names."""
    known = [one for one in islice(names, MOST_NAMES) if len(one) <= LONGEST_NAME]
    near = difflib.get_close_matches(str(name)[:LONGEST_NAME], known, 1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known[:MOST_SHOWN])}."


def read_fields(value: Json, where: Where, remarks: Remarks, table: Mapping[str, Field], what: str) -> dict[str, Any]:
    """Return what the object's fields come to, without those that have faults."""
    if not isinstance(value, dict):
        remarks.fault(where, f"{what} is an object; write it in braces.")
        return {}
    found = {}
    for name, member in value.items():
        if name in NOT_RUN:
            remarks.fault((*where, name), f"The field {name} is not run here; {NOT_RUN[name]}")
            continue
        if name not in table:
            remarks.fault((*where, name), f"{what} has no field {shown(name)}; {named(table, name)}")
            continue
        if table[name].since:
            remarks.since((*where, name), f"The field {name}", table[name].since)
        read = table[name].read(member, (*where, name), remarks)
        if read is not None:
            found[name] = read
    for name in table:
        if table[name].required and name not in value:
            remarks.fault(where, f"{what} has no {name}; add it.")
    return found


def text(value: Json, where: Where, remarks: Remarks) -> str | None:
    """Read a text."""
    if isinstance(value, str):
        return value
    remarks.fault(where, f"{where[-1]} is a text; write it in straight quotes.")
    return None


def target(value: Json, where: Where, remarks: Remarks) -> str | None:
    """Read the name of a state."""
    if isinstance(value, str) and value:
        return value
    remarks.fault(where, f"{where[-1]} is a text, the name of a state; write it in straight quotes.")
    return None


def truth(value: Json, where: Where, remarks: Remarks) -> bool | None:
    """Read true or false."""
    if isinstance(value, bool):
        return value
    remarks.fault(where, f"{where[-1]} is true or false, without quotes.")
    return None


def anything(value: Json, _: Where, __: Remarks) -> Literal:
    """Read any JSON."""
    return Literal(value)


def whole(least: int, most: int = LONGEST_WAIT) -> Reader:
    """Return a reader of whole numbers."""

    def read(value: Json, where: Where, remarks: Remarks) -> int | None:
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        remarks.fault(where, f"{where[-1]} is a whole number from {least} to {most}.")
        return None

    return read


def rate(value: Json, where: Where, remarks: Remarks) -> float | None:
    """Read a number of 1 or more."""
    if isinstance(value, int | float) and is_number(value) and value >= 1:
        return float(value)
    remarks.fault(where, f"{where[-1]} is a number of 1 or more, such as 2.0.")
    return None


def one_of(*words: str) -> Reader:
    """Return a reader of one of the words."""

    def read(value: Json, where: Where, remarks: Remarks) -> str | None:
        if value in words:
            return str(value)
        remarks.fault(where, f"{where[-1]} is one of {', '.join(words)}.")
        return None

    return read


def timestamp(value: Json, where: Where, remarks: Remarks) -> float | None:
    """Read an RFC 3339 timestamp as seconds since 1970."""
    found = instant(value)
    if found is None:
        remarks.fault(where, f"{where[-1]} is a timestamp such as 2018-02-12T03:00:00Z, with capital T and Z.")
    return found


def path(value: Json, where: Where, remarks: Remarks) -> Path | None:
    """Read a path."""
    if not isinstance(value, str):
        remarks.fault(where, f"{where[-1]} is a path such as $.name, in quotes.")
        return None
    try:
        found = paths.parse(value)
    except PathError as error:
        remarks.fault(where, str(error))
        return None
    return _in_context(found, where, remarks)


def _in_context(found: Path, where: Where, remarks: Remarks) -> Path:
    if found.in_context:
        remarks.since(where, "The context object $$", "May 2019")
    return found


def reference(value: Json, where: Where, remarks: Remarks) -> Path | None:
    """Read a path that names one place."""
    found = path(value, where, remarks)
    if found and not found.is_reference:
        remarks.fault(
            where, f"{where[-1]} names one place; write {shown(found.text)} without *, .., :, commas and filters."
        )
        return None
    return found


def place_for_result(value: Json, where: Where, remarks: Remarks) -> Path | Literal | None:
    """Read a reference path into the state's own data, or null (as a Literal)."""
    if value is None:
        return Literal(None)
    found = reference(value, where, remarks)
    if found and found.in_context:
        remarks.fault(where, f"{where[-1]} puts the result into the state's data; write $ in place of $$.")
        return None
    return found


def path_or_null(value: Json, where: Where, remarks: Remarks) -> Path | Literal | None:
    """Read a path, or null (as a Literal)."""
    return Literal(None) if value is None else path(value, where, remarks)


def reference_or_call(value: Json, where: Where, remarks: Remarks) -> Path | Call | None:
    """Read a reference path or a call of an intrinsic function."""
    if isinstance(value, str) and intrinsics.is_call(value):
        return call(value, where, remarks)
    return reference(value, where, remarks)


def call(value: str, where: Where, remarks: Remarks) -> Call | None:
    """Read a call of an intrinsic function."""
    try:
        found = intrinsics.parse(value)
    except (IntrinsicError, PathError) as error:
        remarks.fault(where, str(error))
        return None
    for name in sorted(intrinsics.functions_of(found)):
        remarks.since(where, f"The function States.{name}", intrinsics.FUNCTIONS[name].since)
    return found


def template(value: Json, where: Where, remarks: Remarks) -> Template:
    """Read a payload template; what holds no path stays as it is."""
    if isinstance(value, dict):
        return _object_template(value, where, remarks)
    if isinstance(value, list):
        elements = tuple(template(member, (*where, index), remarks) for index, member in enumerate(value))
        return Literal(value) if all(isinstance(one, Literal) for one in elements) else ArrayTemplate(elements)
    return Literal(value)


def _object_template(value: dict[str, Json], where: Where, remarks: Remarks) -> Template:
    found: dict[str, Template] = {}
    for name, member in value.items():
        plain = name.removesuffix(".$")
        if plain in found or (plain != name and plain in value):
            remarks.fault((*where, name), f"{shown(plain)} and {shown(plain)}.$ stand side by side; keep one of them.")
        if plain == name:
            found[name] = template(member, (*where, name), remarks)
        else:
            found[plain] = _expression(member, (*where, name), remarks)
    if all(isinstance(one, Literal) for one in found.values()) and found.keys() == value.keys():
        return Literal(value)
    return ObjectTemplate(tuple(found.items()))


def _expression(value: Json, where: Where, remarks: Remarks) -> Template:
    if not isinstance(value, str):
        remarks.fault(
            where, f"{shown(str(where[-1]))} ends in .$, so its value is a path or a call in quotes; or drop the .$."
        )
        return Literal(None)
    found = call(value, where, remarks) if intrinsics.is_call(value) else path(value, where, remarks)
    return found or Literal(None)


def error_names(value: Json, where: Where, remarks: Remarks) -> tuple[str, ...] | None:
    """Read the names of errors that a retrier or a catcher is for."""
    if not isinstance(value, list) or not value or not all(isinstance(name, str) for name in value):
        remarks.fault(where, 'ErrorEquals is an array of error names; write for example ["States.Timeout"].')
        return None
    names = tuple(str(name) for name in value)
    for index, name in enumerate(names):
        if name.startswith("States.") and name not in ERRORS:
            remarks.fault((*where, index), f"There is no error {shown(name)}; {named(ERRORS, name)}")
    if "States.ALL" in names and len(names) > 1:
        remarks.fault(where, "States.ALL stands alone, since it already means every error; remove the others.")
    return names


RETRIER = {
    "ErrorEquals": Field(error_names, required=True),
    "IntervalSeconds": Field(whole(1)),
    "MaxAttempts": Field(whole(0)),
    "BackoffRate": Field(rate),
    "MaxDelaySeconds": Field(whole(1, 31_622_400), since="September 2023"),
    "JitterStrategy": Field(one_of("FULL", "NONE"), since="September 2023"),
    "Comment": Field(text),
}
CATCHER = {
    "ErrorEquals": Field(error_names, required=True),
    "Next": Field(target, required=True),
    "ResultPath": Field(place_for_result),
    "Comment": Field(text),
}
