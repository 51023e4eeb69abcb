"""DuckDB's errors in the words of this house, at the place in the learner's text that they are about."""

from __future__ import annotations

import re

import duckdb
from sqlglot import exp

from labs.parts.warehouse.allowed import offset_of
from labs.parts.warehouse.faults import Place, WarehouseError
from labs.parts.warehouse.limits import Limits
from labs.parts.warehouse.statements import Change, Select, Statement

_TOO_LONG = re.compile(r"CHECK\(\(strlen\(\"?(.+?)\"?\) <= (\d+)\)\)")
_LINE = re.compile(r"CSV Error on Line: (\d+)")
_REASON = re.compile(r"^(?!CSV Error|Original Line|Conversion Error|Invalid Input)[A-Z].*", re.MULTILINE)
_FILE = re.compile(r"^  file = (.*)", re.MULTILINE)


def explained(error: Exception, statement: Statement, limits: Limits) -> WarehouseError:
    """Return the fault that DuckDB's error means for the learner."""
    return _place(str(error), statement).fault(_sentence(error, limits))


def _sentence(error: Exception, limits: Limits) -> str:
    told = str(error)
    if isinstance(error, duckdb.InterruptException):
        return f"The statement was ended after {limits.seconds:g} s; it may not take longer."
    if isinstance(error, duckdb.OutOfMemoryException | MemoryError):
        return f"The statement needs more than the {limits.memory_mib} MiB of memory that it may have."
    if found := _TOO_LONG.search(told):
        return f"A text is longer than the {found[2]} bytes that the column “{found[1]}” holds."
    if (line := _LINE.search(told)) and (reason := _REASON.search(told)) and (file := _FILE.search(told)):
        return f"Line {line[1]} of {file[1]}: {reason[0].rstrip('.')}."
    first = re.sub(r"^(?:[A-Z][\w-]* )+Error: ", "", told.partition("\n")[0])
    # What follows advises what nobody can do here.
    return re.split(r" Use (?:TRY\(|\"SET)", first)[0].rstrip(".!")[:300] + "."


def _place(told: str, statement: Statement) -> Place:
    """Return where the first name stands that the error tells in quotes; without one, where the statement begins."""
    name = re.search(r'"([^"]+)"', told)
    if name is None or not isinstance(statement, Select | Change):
        return statement.place
    named = [one for one in statement.tree.find_all(exp.Identifier) if one.name.lower() == name[1].lower()]
    start = statement.place.offset
    return statement.place.at(min((offset_of(one, start) for one in named), default=start))
