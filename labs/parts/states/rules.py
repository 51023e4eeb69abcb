"""The rules of a Choice state as they are written → rules that can be asked."""

from __future__ import annotations

from typing import Any

from labs.parts.json_document import Where
from labs.parts.states import choices, fields
from labs.parts.states.choices import Comparison, Every, Opposite, Rule, Some
from labs.parts.states.fields import Remarks, named
from labs.parts.states.paths import shown
from labs.parts.states.payload import Json

_JOINED = ("And", "Or", "Not")


def read_choices(values: list[Json], where: Where, remarks: Remarks) -> tuple[tuple[Rule, str], ...]:
    """Return the rules and where each leads; a rule with a fault comes back as one that never holds."""
    return tuple(_choice(value, (*where, index), remarks) for index, value in enumerate(values))


def _choice(value: Json, where: Where, remarks: Remarks) -> tuple[Rule, str]:
    if not isinstance(value, dict):
        remarks.fault(where, "A choice is an object; write it in braces.")
        return Some(()), ""
    if "Next" not in value:
        remarks.fault(where, 'A choice has no Next; add "Next": "<a state>".')
    target = fields.target(value["Next"], (*where, "Next"), remarks) if "Next" in value else None
    rest = {name: member for name, member in value.items() if name != "Next"}
    return _rule(rest, where, remarks), target or ""


def _nested(value: Json, where: Where, remarks: Remarks) -> Rule:
    if not isinstance(value, dict):
        remarks.fault(where, "A rule is an object; write it in braces.")
        return Some(())
    if "Next" in value:
        remarks.fault((*where, "Next"), "A rule within a rule has no Next; move it to the outermost.")
    return _rule({name: member for name, member in value.items() if name != "Next"}, where, remarks)


def _rule(value: dict[str, Json], where: Where, remarks: Remarks) -> Rule:
    rest = {name: member for name, member in value.items() if name != "Comment"}
    joined = [name for name in rest if name in _JOINED]
    if joined:
        for name in rest:
            if name != joined[0]:
                remarks.fault((*where, name), f"{shown(name)} stands beside {joined[0]}; nest one in the other.")
        return _joined(joined[0], rest[joined[0]], (*where, joined[0]), remarks)
    if "Variable" not in rest:
        remarks.fault(where, 'A rule has no Variable; add one such as "Variable": "$.count", or And, Or, Not.')
    tests = [name for name in rest if name != "Variable"]
    for name in tests:
        if name not in choices.ALL_OPERATORS:
            remarks.fault((*where, name), f"There is no test {shown(name)}; {_nearest(name)}")
    known = [name for name in tests if name in choices.ALL_OPERATORS]
    if len(known) > 1:
        remarks.fault((*where, known[1]), f"{known[0]} and {known[1]} stand in one rule; join two rules by And.")
    if not tests:
        remarks.fault(where, 'A rule has no test; add one such as "NumericEquals": 3.')
    variable = fields.path(rest["Variable"], (*where, "Variable"), remarks) if "Variable" in rest else None
    expected = _expected(known[0], rest[known[0]], (*where, known[0]), remarks) if known else None
    return Comparison(variable, known[0], expected) if variable and known else Some(())


def _joined(name: str, value: Json, where: Where, remarks: Remarks) -> Rule:
    if name == "Not":
        return Opposite(_nested(value, where, remarks))
    if not isinstance(value, list) or not value:
        remarks.fault(where, f"{name} is an array of rules; write at least one in brackets.")
        return Some(())
    rules = tuple(_nested(member, (*where, index), remarks) for index, member in enumerate(value))
    return Every(rules) if name == "And" else Some(rules)


def _expected(name: str, value: Json, where: Where, remarks: Remarks) -> Any:
    if name in choices.OF_2020:
        remarks.since(where, f"The test {name}", "August 2020")
    if name in choices.WITH_PATHS:
        return fields.path(value, where, remarks)
    if name in choices.IS or name == choices.PRESENT:
        return fields.truth(value, where, remarks)
    if choices.OPERATORS[name].read(value) is None:
        remarks.fault(where, f"{name} compares with {choices.OPERATORS[name].kind}; write one.")
    return value


def _nearest(name: str) -> str:
    return named(choices.ALL_OPERATORS, name).replace("known are", "such tests are")
