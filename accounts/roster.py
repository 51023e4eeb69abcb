"""A list of people to invite, as a CSV text: who is on it, and every fault with its line and column."""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from accounts.credentials import CredentialError, clean_name, normalise_email

LONGEST = 200_000
MOST = 1000
_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Invited:
    """One person of the list."""

    line: int
    name: str
    email: str


@dataclass(frozen=True)
class ListFault:
    """What is wrong at a place of the list, both counted from 1.

    The sentence holds no values but ``%(line)d``, so that the page can look it up in the reader's language.
    """

    line: int
    column: int
    sentence: str
    values: Mapping[str, int]


@dataclass(frozen=True)
class Roster:
    """Who can be invited, and what is wrong with the other lines."""

    people: tuple[Invited, ...]
    faults: tuple[ListFault, ...]


class _LineError(ValueError):
    def __init__(self, field: int, sentence: str, **values: int) -> None:
        super().__init__(sentence)
        self.field, self.values = field, values


def read(text: str, members: Collection[str] = (), invited: Collection[str] = ()) -> Roster:
    """Read a list whose first line names the columns ``email`` and ``name``, in any order.

    Columns are parted by commas, semicolons or tabs. ``members`` and ``invited`` are normalised addresses that are in
    the cohort already, or have an open invitation.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    head = next((number for number, line in enumerate(lines) if line.strip()), None)
    if head is None:
        return Roster((), (ListFault(1, 1, "The list is empty; its first line is: email,name", {}),))
    delimiter = max(_DELIMITERS, key=lines[head].count)
    columns = [name.strip().casefold() for name in next(csv.reader([lines[head]], delimiter=delimiter))]
    if sorted(columns) != ["email", "name"]:
        return Roster((), (ListFault(head + 1, 1, "The first line names the columns: email,name", {}),))
    if len(text) > LONGEST or len(lines) - head - 1 > MOST:
        return Roster((), (ListFault(1, 1, "A list has at most 1000 lines; invite in several steps.", {}),))
    return _read_lines(lines, head, delimiter, columns, _Known(members, invited))


@dataclass(frozen=True)
class _Known:
    members: Collection[str]
    invited: Collection[str]


def _read_lines(lines: list[str], head: int, delimiter: str, columns: list[str], known: _Known) -> Roster:
    people: dict[str, Invited] = {}
    faults = []
    for number, line in enumerate(lines[head + 1 :], head + 2):
        if not line.strip():
            continue
        try:
            fields = _fields(line, delimiter)
            one = _person(number, fields, columns)
            _refuse_known(one, columns, people, known)
            people[one.email] = one
        except _LineError as error:
            faults.append(ListFault(number, _column(line, delimiter, error.field), str(error), error.values))
    return Roster(tuple(people.values()), tuple(faults))


def _fields(line: str, delimiter: str) -> list[str]:
    try:
        fields = next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error:
        raise _LineError(0, "A quotation mark is opened and not closed, or stands within a field.") from None
    if len(fields) != 2:
        raise _LineError(min(len(fields), 2), "A line has two fields: the address and the name.")
    return fields


def _person(number: int, fields: list[str], columns: list[str]) -> Invited:
    field = columns.index("email")
    try:
        email = normalise_email(fields[field])
        field = columns.index("name")
        return Invited(number, clean_name(fields[field]), email)
    except CredentialError as error:
        raise _LineError(field, str(error)) from None


def _refuse_known(one: Invited, columns: list[str], people: Mapping[str, Invited], known: _Known) -> None:
    field = columns.index("email")
    if one.email in people:
        raise _LineError(field, "This address stands on line %(line)d already.", line=people[one.email].line)
    if one.email in known.members:
        raise _LineError(field, "Somebody with this address is in the cohort already.")
    if one.email in known.invited:
        raise _LineError(field, "This address has an open invitation already; revoke it to make a new one.")


def _column(line: str, delimiter: str, field: int) -> int:
    """Return the column, from 1, at which a field of a line begins."""
    quoted, seen = False, 0
    for place, letter in enumerate(line, 1):
        if seen == field:
            return place
        quoted ^= letter == '"'
        seen += letter == delimiter and not quoted
    return len(line) + 1
